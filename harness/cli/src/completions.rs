//! `cutover completions`: a completion script for a shell.

use clap::{Args, Command};
use clap_complete::Shell;
use cutover_reports::exit;

use crate::CommandError;
use crate::output::print;
use cutover_harness::catalog::Catalog;

/// Print a completion script for a shell
#[derive(Args, Debug)]
pub(super) struct Completions {
    /// The shell
    shell: Shell,
}

impl Completions {
    pub(super) fn run(self, catalog: &Catalog, command: Command) -> Result<u8, CommandError> {
        let services = catalog.companions.iter();
        let mut command = command
            .subcommands(services.map(|service| Command::new(service.name).about(service.about)));
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut command, "cutover", &mut script);
        print(&String::from_utf8_lossy(&script))?;
        Ok(exit::GO)
    }
}
