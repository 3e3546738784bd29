//! The asynchronous runtimes of the subcommands.

use anyhow::Context as _;
use tokio::runtime::{Builder, Runtime};

/// A runtime for a few short calls.
pub(crate) fn current_thread() -> anyhow::Result<Runtime> {
    start(&mut Builder::new_current_thread())
}

/// A runtime for work in parallel.
pub(crate) fn multi_thread() -> anyhow::Result<Runtime> {
    start(&mut Builder::new_multi_thread())
}

fn start(builder: &mut Builder) -> anyhow::Result<Runtime> {
    builder
        .enable_all()
        .build()
        .context("start the asynchronous runtime")
}
