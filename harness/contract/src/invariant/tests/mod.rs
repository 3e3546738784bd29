//! Every invariant holds for correct data, and fails for data that violates it.

mod broken;
mod other_names;
mod test_pipeline;
