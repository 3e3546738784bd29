//! Docker: the containers, the volume and the network of a stack, which a sweep finds by their labels.
//!
//! PostgreSQL, the API and the workers are containers. The stand-ins stay a child of this
//! process; they listen on the network's gateway address, which the containers and this process both reach.

mod container;
mod docker;
mod network;
mod one_shot;
mod remove;
mod usage;

pub(crate) use container::Container;
pub use docker::ContainerError;
pub(crate) use docker::{CreationLock, connect_with_images, preflight, wait_for_pending};
pub(crate) use network::Network;
pub(crate) use remove::{remove, remove_orphans};
pub use usage::{ContainerUsage, WatchedContainers};
