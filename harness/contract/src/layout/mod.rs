//! The layout of a pipeline's database: its tables and columns, and what they are called.

mod columns;
mod database_layout;

pub(crate) use columns::ColumnSpec;
pub use columns::{Read, Table, read};
pub use database_layout::DatabaseLayout;
