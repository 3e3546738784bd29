//! A TCP proxy between a system and its dependencies, which injects connection faults.
//!
//! A [`Proxy`] forwards every connection to one dependency and passes its bytes on unread.
//! [`Proxy::inject`] adds a fault and returns a guard: dropping the guard heals it.
//! [`Links`] are the proxies of a target file. [`toxiproxy::serve`] lets clients of Toxiproxy use
//! proxies from other languages.

pub mod faults;
mod injected;
mod injection;
mod link;
mod links;
mod proxy;
mod stream;
pub mod toxiproxy;

pub use faults::{Direction, Fault, FaultError};
pub use injected::{FaultState, FaultStatus, Touched};
pub use injection::{Injection, Trigger};
pub use link::{LinkName, LinkSettings, Traffic};
pub use links::{LinkError, Links};
pub use proxy::{FaultGuard, HealError, Proxy};
