//! The TCP proxy that stands between a system and what it needs.
//!
//! Today every connection passes through and is counted; faults of connections are injected here.

mod link;
mod links;
mod relay;

pub use link::{LinkName, LinkSettings, Traffic};
pub use links::{LinkError, Links};
