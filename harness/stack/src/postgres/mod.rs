//! PostgreSQL: its installation, its Unix user, and clusters that are copied from a cached template.

mod cache;
#[cfg(feature = "embedded-postgres")]
mod download;
mod find;
mod template;
mod user_account;

#[cfg(feature = "embedded-postgres")]
pub use download::DownloadError;
pub use find::{FindError, Installation};
pub(crate) use template::Template;
pub use template::TemplateError;
pub use user_account::UserAccountError;
pub(crate) use user_account::for_postgres;
