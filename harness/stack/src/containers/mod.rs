//! A stack of containers: PostgreSQL, the API and the workers on a network of their own, found again by a label.
//!
//! The stand-ins stay a child of this process; they listen on the network's
//! own address of this machine, which the containers and we reach alike.

mod engine;
mod parts;
mod removal;
mod vessel;
mod voyage;

pub use engine::ContainerError;
pub(crate) use engine::{Making, Network, find, preflight, settle};
pub(crate) use parts::PIPELINE;
pub(crate) use removal::{remove, remove_orphans};
pub(crate) use vessel::Vessel;
