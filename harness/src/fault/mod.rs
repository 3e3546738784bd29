//! Faults: what stands between a system and the things that it needs. Today its connections pass
//! through and are counted; this is where they will be made to fail.

mod link;
mod links;
mod relay;

pub use link::{LinkName, Traffic};
pub(crate) use links::Links;
