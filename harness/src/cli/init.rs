//! `cutover init`: writes a commented target file for a pipeline that somebody runs.

use std::fs::OpenOptions;
use std::io::{self, IsTerminal as _, Write as _};
use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use cutover_reports::exit;
use url::Url;

use super::Trouble;
use crate::target::{Class, Target};

/// What the file begins as; the places in braces are filled.
const TEMPLATE: &str = include_str!("init.toml");

/// Write a commented target file for a pipeline that somebody runs
#[derive(Args, Debug)]
pub(super) struct Init {
    /// The origin of its API; asked for where it is not given
    #[arg(long, value_name = "URL")]
    api: Option<Url>,
    /// The name by which reports speak of it; the host where it is not given
    #[arg(long)]
    name: Option<String>,
    /// How much would be hurt by a mistake
    #[arg(long, value_enum, default_value_t = Class::Production)]
    class: Class,
    /// The file to write; one that exists is left as it is
    #[arg(long, value_name = "FILE", default_value = "cutover.toml")]
    output: PathBuf,
}

impl Init {
    pub(super) fn run(self) -> Result<u8, Trouble> {
        let api = self.api.clone().map_or_else(ask, Ok)?;
        let host = api.host_str().unwrap_or("target").to_owned();
        let name = self.name.clone().unwrap_or_else(|| host.clone());
        let text = TEMPLATE
            .replace("{name}", &toml::Value::from(name).to_string())
            .replace("{class}", &self.class.to_string())
            .replace("{api}", api.as_str())
            .replace("{host}", &host);
        // What is written must be readable: a name may hold anything.
        Target::parse(&text, &self.output.display().to_string())?;
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(&self.output);
        let mut file = file.with_context(|| {
            format!(
                "write '{}'; name another file with --output",
                self.output.display()
            )
        })?;
        file.write_all(text.as_bytes())?;
        let path = self.output.display();
        writeln!(
            anstream::stdout(),
            "wrote {path}\nnext: set the variables it names, then `cutover doctor --target {path}`"
        )?;
        Ok(exit::GO)
    }
}

/// Asks for the one thing that nobody can guess.
fn ask() -> anyhow::Result<Url> {
    anyhow::ensure!(
        io::stdin().is_terminal(),
        "say where the API is: --api https://api.example.org"
    );
    write!(anstream::stdout(), "origin of the API: ")?;
    io::stdout().flush()?;
    let mut line = String::new();
    io::stdin().read_line(&mut line)?;
    line.trim().parse().with_context(|| {
        format!(
            "'{}' is no URL such as https://api.example.org",
            line.trim()
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_template_is_a_target_for_every_class() {
        for class in ["local", "staging", "production"] {
            let text = TEMPLATE
                .replace("{name}", "\"a \\\"name\\\"\"")
                .replace("{class}", class)
                .replace("{api}", "https://api.example.org/")
                .replace("{host}", "api.example.org");
            let target = Target::parse(&text, "init.toml").unwrap();
            assert_eq!(target.name, "a \"name\"");
            assert_eq!(target.class.to_string(), class);
        }
    }
}
