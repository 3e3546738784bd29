//! The client against pipelines that keep the contract, and against some that do not.

mod created;
mod journey;
mod presence;
mod served;
