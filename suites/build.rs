//! Passes the version with the git commit to the binary as `CUTOVER_VERSION`.

use std::path::Path;
use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let version = env!("CARGO_PKG_VERSION");
    let version = match commit() {
        Some(commit) => format!("{version} ({commit})"),
        None => version.to_owned(),
    };
    println!("cargo::rustc-env=CUTOVER_VERSION={version}");
}

/// The short commit id of this repository; `None` without git, or outside its repository.
fn commit() -> Option<String> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).parent()?;
    let root = git(&["rev-parse", "--show-toplevel"])?;
    // The sources may be unpacked inside the repository of another project.
    if Path::new(&root).canonicalize().ok()? != directory.canonicalize().ok()? {
        return None;
    }
    // The reflog changes with every commit even if the reference itself is packed.
    let reference = git(&["symbolic-ref", "HEAD"]).unwrap_or_default();
    for name in ["HEAD", "logs/HEAD", reference.as_str()] {
        let path = git(&["rev-parse", "--path-format=absolute", "--git-path", name]);
        // Cargo would rerun the script on every build for a path that does not exist.
        if let Some(path) = path.filter(|path| Path::new(path).is_file()) {
            println!("cargo::rerun-if-changed={path}");
        }
    }
    git(&["rev-parse", "--short", "HEAD"])
}

fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git")
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let text = text.trim();
    (output.status.success() && !text.is_empty()).then(|| text.to_owned())
}
