//! PostgreSQL: where it is installed, as whom it runs, and a cluster in a tenth of a second.

mod account;
mod find;
mod server;
mod template;

pub use account::AccountError;
pub use find::{FindError, Installation};
pub(crate) use server::Server;
pub use template::TemplateError;
