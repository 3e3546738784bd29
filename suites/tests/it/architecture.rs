//! The crates of the workspace depend on each other, and on the large libraries, as ARCHITECTURE.md says.

use std::process::Command;

use serde_json::Value;

/// The workspace crates that each workspace crate may depend on.
const ARROWS: [(&str, &[&str]); 13] = [
    ("cutover-reports", &["cutover-regression"]),
    ("cutover-fault", &[]),
    ("cutover-load", &[]),
    ("cutover-regression", &[]),
    // The reference pipeline shares no code with what judges it.
    ("cutover-pipeline", &[]),
    ("cutover-evidence", &["cutover-reports"]),
    (
        "cutover-stack",
        &["cutover-evidence", "cutover-fault", "cutover-reports"],
    ),
    ("cutover-contract", &["cutover-evidence", "cutover-reports"]),
    ("cutover-harness", HARNESS),
    ("cutover-cli", CLI),
    ("cutover-fixtures", &["cutover-harness"]),
    (
        "cutover-suite-support",
        &["cutover-harness", "cutover-fixtures"],
    ),
    // A development dependency of tests, never of the program.
    ("cutover-test-support", &["cutover-reports"]),
];

const HARNESS: &[&str] = &[
    "cutover-contract",
    "cutover-stack",
    "cutover-fault",
    "cutover-load",
    "cutover-regression",
    "cutover-evidence",
    "cutover-reports",
];

const CLI: &[&str] = &[
    "cutover-harness",
    "cutover-contract",
    "cutover-stack",
    "cutover-fault",
    "cutover-load",
    "cutover-regression",
    "cutover-evidence",
    "cutover-reports",
];

/// What every suite may depend on. Suites do not depend on each other.
const SUITE: &[&str] = &[
    "cutover-harness",
    "cutover-fixtures",
    "cutover-suite-support",
];

/// The crate of the binary, which joins all others.
const BINARY: &str = "cutover";

/// The workspace crates that may depend on each of these libraries.
const LIBRARIES: [(&str, &[&str]); 4] = [
    // Besides the probes: the pipeline calls its providers, the parser stand-in sends callbacks,
    // and the engine opens the clients of a run.
    (
        "reqwest",
        &[
            "cutover-contract",
            "cutover-pipeline",
            "cutover-harness",
            "cutover-fixtures",
        ],
    ),
    (
        "sqlx",
        &["cutover-contract", "cutover-pipeline", "cutover-harness"],
    ),
    ("testcontainers", &["cutover-stack"]),
    ("libtest-mimic", &["cutover-harness"]),
];

/// The workspace as cargo describes it.
fn metadata() -> Value {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(["metadata", "--no-deps", "--offline"]);
    command.args(["--format-version", "1"]);
    let output = command
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The name and the normal and build dependencies of each package.
fn packages(metadata: &Value) -> Vec<(&str, Vec<&str>)> {
    let packages = metadata["packages"].as_array().unwrap().iter();
    let packages = packages.map(|package| {
        let dependencies = package["dependencies"].as_array().unwrap().iter();
        let dependencies = dependencies.filter(|dependency| dependency["kind"] != "dev");
        let names = dependencies.map(|dependency| dependency["name"].as_str().unwrap());
        (package["name"].as_str().unwrap(), names.collect())
    });
    packages.collect()
}

/// The workspace crates that a crate may depend on; `None` where the table does not list it.
fn allowed(package: &str) -> Option<&'static [&'static str]> {
    let listed = ARROWS.into_iter().find(|(name, _)| *name == package);
    let suite = package.starts_with("cutover-suite-").then_some(SUITE);
    listed.map(|(_, allowed)| allowed).or(suite)
}

/// Every dependency that a rule forbids, as one line each.
fn violations(metadata: &Value) -> Vec<String> {
    let packages = packages(metadata);
    let members: Vec<_> = packages.iter().map(|(name, _)| *name).collect();
    let mut violations = Vec::new();
    for (package, dependencies) in &packages {
        if *package != BINARY && allowed(package).is_none() {
            violations.push(format!("{package} is not in the table ARROWS"));
            continue;
        }
        for dependency in dependencies {
            let is_arrow = members.contains(dependency) && *package != BINARY;
            let arrows = allowed(package).unwrap_or_default();
            let library = LIBRARIES.iter().find(|(name, _)| name == dependency);
            let is_forbidden = is_arrow && !arrows.contains(dependency)
                || library.is_some_and(|(_, users)| !users.contains(package));
            if is_forbidden {
                violations.push(format!("{package} must not depend on {dependency}"));
            }
        }
    }
    violations
}

#[test]
fn every_dependency_between_crates_is_allowed() {
    let violations = violations(&metadata());
    assert!(violations.is_empty(), "{violations:#?}");
}

#[test]
fn every_rule_is_about_a_dependency_of_the_workspace() {
    let metadata = metadata();
    let packages = packages(&metadata);
    for (library, users) in LIBRARIES {
        for user in users {
            let mut packages = packages.iter();
            let found = packages.any(|(name, all)| name == user && all.contains(&library));
            assert!(
                found,
                "{user} does not use {library}: remove it from LIBRARIES"
            );
        }
    }
}

mod made_up {
    use serde_json::json;

    use super::*;

    /// A workspace whose first crate has a dependency of this kind.
    fn workspace(package: &str, dependency: &str, kind: Option<&str>) -> Value {
        let names = ARROWS.iter().map(|(name, _)| *name);
        let suites = ["cutover-suite-one", "cutover-suite-two", BINARY];
        let others = names.chain(suites).filter(|name| *name != package);
        let others = others.map(|name| json!({ "name": name, "dependencies": [] }));
        let dependency = json!({ "name": dependency, "kind": kind });
        let first = json!({ "name": package, "dependencies": [dependency] });
        let packages: Vec<_> = std::iter::once(first).chain(others).collect();
        json!({ "packages": packages })
    }

    #[test]
    fn a_dependency_against_an_arrow_is_a_violation() {
        for (package, dependency) in [
            ("cutover-reports", "cutover-evidence"),
            ("cutover-evidence", "cutover-harness"),
            ("cutover-fault", "cutover-evidence"),
            ("cutover-load", "cutover-reports"),
            ("cutover-stack", "cutover-contract"),
            ("cutover-contract", "cutover-stack"),
            ("cutover-harness", "cutover-cli"),
            ("cutover-cli", "cutover-fixtures"),
            ("cutover-fixtures", "cutover-pipeline"),
            ("cutover-pipeline", "cutover-reports"),
            ("cutover-suite-support", "cutover-suite-one"),
            ("cutover-suite-one", "cutover-suite-two"),
            ("cutover-suite-one", "cutover-contract"),
            ("cutover-suite-one", BINARY),
            ("cutover-harness", "cutover-test-support"),
        ] {
            let expected = format!("{package} must not depend on {dependency}");
            for kind in [None, Some("build")] {
                let found = violations(&workspace(package, dependency, kind));
                assert_eq!(found, [expected.as_str()]);
            }
        }
    }

    #[test]
    fn a_library_outside_of_its_crates_is_a_violation() {
        for (package, library) in [
            ("cutover-suite-one", "reqwest"),
            ("cutover-cli", "sqlx"),
            ("cutover-fixtures", "sqlx"),
            ("cutover-harness", "testcontainers"),
            (BINARY, "libtest-mimic"),
        ] {
            let found = violations(&workspace(package, library, None));
            assert_eq!(found, [format!("{package} must not depend on {library}")]);
        }
    }

    #[test]
    fn a_crate_that_the_table_does_not_list_is_a_violation() {
        let found = violations(&workspace("cutover-new", "serde", None));
        assert_eq!(found, ["cutover-new is not in the table ARROWS"]);
    }

    #[test]
    fn allowed_and_development_dependencies_are_no_violation() {
        for (package, dependency, kind) in [
            ("cutover-harness", "cutover-contract", None),
            ("cutover-suite-one", "cutover-suite-support", None),
            (BINARY, "cutover-suite-one", None),
            ("cutover-stack", "testcontainers", None),
            ("cutover-contract", "cutover-stack", Some("dev")),
            ("cutover-contract", "reqwest", Some("dev")),
            ("cutover-cli", "cutover-test-support", Some("dev")),
        ] {
            let found = violations(&workspace(package, dependency, kind));
            assert_eq!(found, [""; 0]);
        }
    }
}
