//! The catalog of the binary: suites, reference pipeline, stand-ins and default files.

use cutover_harness::catalog::{Catalog, Companion, Embedded};

/// The catalog of the binary.
pub fn catalog() -> Catalog {
    Catalog {
        suites: vec![
            cutover_suite_pipeline::suite(),
            cutover_suite_failure::suite(),
            cutover_suite_performance::suite(),
            cutover_suite_security::suite(),
            cutover_suite_smoke::suite(),
        ],
        companions: vec![
            Companion {
                name: "reference",
                about: "Reference pipeline: api, worker, migrate",
                run: |arguments| cutover_pipeline::run(arguments),
            },
            Companion {
                name: "standins",
                about: "Stand-ins for parser, embedder, storage and identity",
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
        reference: &cutover_fixtures::reference::Reference,
        defect_tables: cutover_fixtures::defects::TABLES,
        random_walk: cutover_suite_failure::RANDOM_WALK,
    }
}
