//! The smoke suite: run right after cutover, it sends one synthetic document through a live service.
//!
//! It is safe for production: it only reads, and writes within synthetic tenants, where it deletes what it wrote.

mod availability;
mod document_flow;
mod without_documents;

use cutover_harness::prelude::*;

use self::without_documents::WITHOUT_DOCUMENTS;

/// The suite with the tables of all topics.
pub fn suite() -> Suite {
    let tables = [document_flow::table(), availability::table()];
    Suite::new(
        "smoke",
        "a live service processes a document, shows it to its owner only, and deletes it",
        tables.into_iter().flatten(),
    )
    .without_documents(WITHOUT_DOCUMENTS)
}
