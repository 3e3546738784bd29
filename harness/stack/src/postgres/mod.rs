//! PostgreSQL: where it is installed, as whom it runs, and a cluster in a tenth of a second.

mod account;
mod cache;
#[cfg(feature = "embedded-postgres")]
mod download;
mod find;
mod server;
mod template;

pub use account::UserAccountError;
#[cfg(feature = "embedded-postgres")]
pub use download::DownloadError;
pub use find::{FindError, Installation};
pub(crate) use server::{Server, THROW_AWAY};
pub use template::TemplateError;
