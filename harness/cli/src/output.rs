//! Writing to standard output.

use std::fmt::Display;
use std::io::Write as _;

use anyhow::Context as _;

/// Prints a text that ends with a newline.
pub(crate) fn print(text: &str) -> anyhow::Result<()> {
    anstream::stdout()
        .write_all(text.as_bytes())
        .context("write to standard output")
}

/// Prints one or more lines.
pub(crate) fn print_line(text: impl Display) -> anyhow::Result<()> {
    print(&format!("{text}\n"))
}
