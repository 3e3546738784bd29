//! Every invariant holds in a sound world, and fails in the world that was made to break it.

mod broken;
mod world;
