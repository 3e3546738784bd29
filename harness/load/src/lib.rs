//! Load generation: when each request is due, and how long it took. No HTTP, no clock, no runtime.
//!
//! A [`Pacer`] is a value that determines when each request is due. The load generator records
//! a [`Hit`] for each request, with the time at which it was due. A server that stalls therefore
//! shows in the response times, because the requests that it delays were due nevertheless.

mod hit;
mod pacer;

pub use hit::{Hit, HitOutcome};
pub use pacer::{Constant, Pacer, Ramp};
