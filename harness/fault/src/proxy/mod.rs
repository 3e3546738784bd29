//! A proxy: it accepts connections, forwards them to one dependency, and applies faults to them.

mod connection;
mod guard;
mod probe;
mod pump;
mod server;
mod slots;

pub use guard::{FaultGuard, HealError};
pub use server::Proxy;
