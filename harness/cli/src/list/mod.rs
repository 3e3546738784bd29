//! `cutover list`: the checks and the seeded defects, as text, JSON or markdown.

mod command;
mod suite_page;
mod text;

pub(super) use command::List;
