//! When the requests of a load are sent, and what becomes of each: no HTTP, no clock, no runtime.
//!
//! A [`Pacer`] is a value that says when each request is due. What sends the requests reports
//! a [`Hit`] for each of them, with the time at which it was due: a server that stands still
//! shows in the response times, because the requests that it delays were due all the same.

mod hit;
mod pacer;

pub use hit::{Hit, HitOutcome};
pub use pacer::{Constant, Pacer, Ramp};
