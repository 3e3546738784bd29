//! Tests with whole stacks: a real PostgreSQL, and this test program as the pipeline and the stand-ins.

mod fakes;
mod lifecycle;
mod pooled;
