//! What a stack runs on: processes of this machine, or containers on a network of their own.

mod containers;
mod dispatch;
mod postgres_server;
mod processes;
mod running_database;

pub(crate) use dispatch::Backend;
