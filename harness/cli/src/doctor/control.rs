//! The programs that control a target: they are looked for and not run.

use std::path::PathBuf;

use super::report::Report;
use cutover_harness::target_file::Target;

/// Looks for the program of every command.
pub(super) fn control(target: &Target, report: &mut Report) {
    for (key, command) in target.control.all() {
        let program = command.first().map_or("", String::as_str);
        let found = on_path(program).ok_or(format!("there is no program '{program}'"));
        report.note(key, found.map(|program| program.display().to_string()));
    }
}

/// A program as it would be found.
fn on_path(program: &str) -> Option<PathBuf> {
    if program.contains('/') {
        return Some(PathBuf::from(program)).filter(|path| path.is_file());
    }
    let directories = std::env::var_os("PATH")?;
    std::env::split_paths(&directories)
        .map(|directory| directory.join(program))
        .find(|path| path.is_file())
}
