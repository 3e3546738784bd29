//! The sources of each workspace member use every dependency that its manifest names.
//!
//! `deny.toml` checks that every dependency of the workspace is used by a member.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// Packages whose crate has another name.
const CRATE_NAMES: [(&str, &str); 1] = [("md-5", "md5")];

/// The members of the workspace, as cargo describes them.
fn members() -> Vec<Value> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args([
            "metadata",
            "--no-deps",
            "--offline",
            "--format-version",
            "1",
        ])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let mut metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    serde_json::from_value(metadata["packages"].take()).unwrap()
}

/// All Rust sources of a file or directory, one after the other.
fn sources(path: &Path) -> String {
    if let Ok(entries) = fs::read_dir(path) {
        let paths = entries.map(|entry| entry.unwrap().path());
        return paths.map(|path| sources(&path)).collect();
    }
    if path.extension().is_some_and(|extension| extension == "rs") {
        return fs::read_to_string(path).unwrap_or_default();
    }
    String::new()
}

/// The sources in which a dependency of each kind must be used.
fn sources_by_kind(member: &Value) -> HashMap<&'static str, String> {
    let manifest = PathBuf::from(member["manifest_path"].as_str().unwrap());
    let directory = manifest.parent().unwrap();
    let read = |names: &[&str]| -> String {
        let paths = names.iter().map(|name| directory.join(name));
        paths.map(|path| sources(&path)).collect()
    };
    HashMap::from([
        ("normal", read(&["src"])),
        ("dev", read(&["src", "tests", "benches", "examples"])),
        ("build", read(&["build.rs"])),
    ])
}

/// The name by which sources use a package.
fn crate_name(package: &str) -> String {
    let mut names = CRATE_NAMES.into_iter();
    let special = names.find(|(name, _)| *name == package);
    special.map_or_else(|| package.replace('-', "_"), |(_, name)| name.to_owned())
}

/// Whether a source has a path that begins with a crate.
fn uses(source: &str, name: &str) -> bool {
    let is_path = |before: &str, after: &str| {
        let begins = !before.ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':');
        begins && (after.starts_with("::") || before.ends_with("use "))
    };
    let mut matches = source.match_indices(name);
    matches.any(|(at, _)| is_path(&source[..at], &source[at + name.len()..]))
}

/// The dependencies of a member that its sources do not use.
fn unused(member: &Value) -> Vec<String> {
    let sources = sources_by_kind(member);
    let dependencies = member["dependencies"].as_array().unwrap().iter();
    let unused = dependencies.filter_map(|dependency| {
        let name = dependency["name"].as_str().unwrap();
        let renamed = dependency["rename"].as_str().unwrap_or(name);
        let kind = dependency["kind"].as_str().unwrap_or("normal");
        let is_used = uses(&sources[kind], &crate_name(renamed));
        (!is_used).then(|| {
            format!(
                "{} has the unused {kind} dependency '{name}'",
                member["name"]
            )
        })
    });
    unused.collect()
}

#[test]
fn every_dependency_is_used() {
    let unused: Vec<_> = members().iter().flat_map(unused).collect();
    assert!(unused.is_empty(), "{unused:#?}");
}

#[test]
fn a_name_without_a_path_is_no_use() {
    for used in ["hex::encode(x)", "use hex;", "#[hex::test]"] {
        assert!(uses(used, "hex"), "{used}");
    }
    for unused in [
        "let hex = 1;",
        "crate::hex::encode(x)",
        "my_hex::encode(x)",
        "// hex",
    ] {
        assert!(!uses(unused, "hex"), "{unused}");
    }
}
