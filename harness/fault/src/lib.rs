//! A TCP proxy between a system and its dependencies, which injects connection faults.
//!
//! A [`Proxy`] forwards every connection to one dependency and passes its bytes on unread.
//! [`Proxy::inject`] adds a fault and returns a guard: dropping the guard heals it.
//! [`Links`] are the proxies of a target file. [`toxiproxy::serve`] lets clients of Toxiproxy use
//! proxies from other languages.
//!
//! ```no_run
//! use cutover_fault::faults::LostReply;
//! use cutover_fault::{Injection, Proxy, Trigger};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let proxy = Proxy::bind("127.0.0.1:0".parse()?, "127.0.0.1:5432").await?;
//! println!("connect to {} instead of PostgreSQL", proxy.address());
//! let fault = Injection::new(LostReply::default()).trigger(Trigger::OnEvent);
//! let guard = proxy.inject(fault)?;
//! // When the system is about to commit:
//! guard.fire();
//! // When it has been observed: heals, verifies it, and says what was touched.
//! let touched = guard.heal().await?;
//! assert!(touched.connections > 0, "the fault had no effect");
//! # Ok(())
//! # }
//! ```

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
pub use link::{LinkClient, LinkName, LinkSettings, Traffic};
pub use links::{LinkError, Links};
pub use proxy::{FaultGuard, HealError, Proxy};
