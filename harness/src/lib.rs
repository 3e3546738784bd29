//! How cutover tests: the check model, the stack, the probes, the journal and the front ends.

pub mod standin;
