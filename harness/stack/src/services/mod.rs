//! The services of a stack: how to start, signal and stop them, and one-shot commands.

mod child;
mod one_shot;
mod runtime;
mod service;
mod spec;

pub(crate) use child::{Child, UserAccount};
pub(crate) use one_shot::OneShot;
pub(crate) use runtime::ServiceRuntime;
pub use service::{Service, ServiceError};
pub(crate) use spec::ServiceSpec;
