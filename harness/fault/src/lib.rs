//! A TCP proxy between a system and its dependencies.
//!
//! It forwards and counts every connection. Connection faults are to be injected here.

mod link;
mod links;
mod proxy;

pub use link::{LinkName, LinkSettings, Traffic};
pub use links::{LinkError, Links};
