//! The smoke suite: right after cutover, one synthetic document goes all the way, and the doors are shut.
//!
//! It is fit for production: it reads, and writes within synthetic tenants what it deletes again.

mod availability;
mod document_flow;

use cutover_harness::prelude::*;

/// The checks of the suite.
pub(crate) fn suite() -> Suite {
    let tables = [document_flow::table(), availability::table()];
    Suite::new(
        "smoke",
        "a live service takes a document in, finds it for its owner alone, and lets it go",
        tables.into_iter().flatten(),
    )
}
