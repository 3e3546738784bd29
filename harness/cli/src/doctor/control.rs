//! The programs of the control commands: they are looked up and not run.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use super::report::Report;
use cutover_harness::target_file::Target;

/// Looks up the program of every control command.
pub(super) fn check_control_programs(target: &Target, report: &mut Report) {
    for (key, command) in target.control.all() {
        let program = command.first().map_or("", String::as_str);
        let found = find_program(program).ok_or(format!("program '{program}' was not found"));
        report.add(key, found.map(|program| program.display().to_string()));
    }
}

/// Finds a program as a shell would.
fn find_program(program: &str) -> Option<PathBuf> {
    if program.contains('/') {
        return Some(PathBuf::from(program)).filter(|path| is_executable(path));
    }
    let directories = std::env::var_os("PATH")?;
    std::env::split_paths(&directories)
        .map(|directory| directory.join(program))
        .find(|path| is_executable(path))
}

fn is_executable(path: &Path) -> bool {
    path.metadata()
        .is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_found_by_name_and_by_path_only_if_it_is_executable() {
        let shell = find_program("sh").unwrap();
        assert_eq!(find_program(shell.to_str().unwrap()), Some(shell));
        assert_eq!(find_program("/etc/passwd"), None);
        assert_eq!(find_program("no-such-program"), None);
    }
}
