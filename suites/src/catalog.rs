//! What the binary carries: the suites, the reference pipeline, the stand-ins and the defaults.

use cutover_harness::catalog::{Catalog, Companion, Embedded};

/// Everything the binary carries.
pub fn catalog() -> Catalog {
    Catalog {
        suites: vec![crate::pipeline::suite(), crate::smoke::suite()],
        companions: vec![
            Companion {
                name: "reference",
                about: "the reference pipeline: api, worker, migrate",
                run: |arguments| cutover_pipeline::run(arguments),
            },
            Companion {
                name: "standins",
                about: "the stand-ins for parser, embedder, storage and identity",
                run: |arguments| cutover_fixtures::standins::run(arguments),
            },
        ],
        contract: Embedded {
            origin: "fixtures/contracts/upload_pipeline.toml",
            text: cutover_fixtures::CONTRACT,
        },
        target: Embedded {
            origin: "fixtures/targets/local.toml",
            text: cutover_fixtures::TARGET,
        },
        defect_tables: cutover_fixtures::defects::TABLES,
    }
}
