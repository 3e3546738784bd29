//! Whole stacks: a real PostgreSQL, and this test program itself in the place of the other parts.

mod fakes;
mod life;
mod shared;
