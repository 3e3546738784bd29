//! Every invariant holds for correct data, and fails for data that violates it.

mod broken;
mod test_pipeline;
