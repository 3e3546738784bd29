//! `cutover doctor`: checks every connection of a target and shows which checks can run.

mod command;
mod connectivity;
mod control;
mod coverage;
mod endpoints;
mod logs;
mod report;
mod resources;
mod tables;
mod tokens;
mod user_roles;

pub(super) use command::Doctor;
