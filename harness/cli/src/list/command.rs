//! The subcommand: selects checks or defects and prints them. Opens no socket and writes no file.

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use cutover_reports::exit;
use cutover_reports::policy::Policy;
use cutover_reports::record::{Admission, Plan, SkipClass};

use super::suite_page::page;
use super::text::{checks, defects};
use crate::options::{PrintOptions, SelectionOptions, TargetOption};
use crate::output::print_line;
use crate::{CommandError, UsageError};
use cutover_harness::catalog::Catalog;
use cutover_harness::plan::{PlanRequest, plan};

/// List the checks and what each needs, or the seeded defects
#[derive(Args, Debug)]
pub(crate) struct List {
    #[command(flatten, next_help_heading = "Target")]
    target: TargetOption,
    #[command(flatten, next_help_heading = "Selection")]
    selection: SelectionOptions,
    /// List the seeded defects instead of the checks
    #[arg(long, help_heading = "Output")]
    defects: bool,
    /// Output format
    #[arg(long, value_enum, default_value_t = Format::Text, help_heading = "Output")]
    format: Format,
    #[command(flatten, next_help_heading = "Output")]
    print: PrintOptions,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    /// One line per check, grouped by topic
    Text,
    /// The plan, as in `plan.json`
    Json,
    /// One page per suite, with the seeded defects that it detects
    Markdown,
}

impl List {
    pub(crate) fn run(self, catalog: &Catalog) -> Result<u8, CommandError> {
        self.print.apply();
        let target = self.target.read(catalog)?;
        let request = PlanRequest {
            run: "not-run".to_owned(),
            profile: self.selection.profile,
            seed: 0,
            selection: self.selection.selection(),
            defect: None,
        };
        let plan = plan(catalog, &target, &Policy::default_gate(), &request)?;
        require_match(&plan)?;
        let text = match (self.format, self.defects) {
            (Format::Json, _) => serde_json::to_string_pretty(&plan).context("encode the plan")?,
            (Format::Markdown, _) => pages(catalog, &plan.selection.suites),
            (Format::Text, true) => defects(catalog),
            (Format::Text, false) => checks(catalog, &plan),
        };
        print_line(text.trim_end())?;
        Ok(exit::GO)
    }
}

/// A text that occurs in no check id is an error: an empty list would hide the mistake.
fn require_match(plan: &Plan) -> Result<(), UsageError> {
    let mut filters = plan.selection.filters.iter();
    let unmatched = filters.find(|filter| {
        let mut checks = plan.checks.iter();
        !checks.any(|check| check.id.as_str().contains(filter.as_str()))
    });
    match unmatched {
        None => Ok(()),
        Some(filter) => Err(UsageError::new(
            "select checks",
            format!("no check id contains '{filter}'"),
            "`cutover list` prints all checks",
        )),
    }
}

/// Whether the selection or the profile excludes a check.
pub(super) fn is_excluded(admission: &Admission) -> bool {
    matches!(
        admission,
        Admission::Refused {
            class: SkipClass::Filtered,
            ..
        }
    )
}

fn pages(catalog: &Catalog, selected: &[String]) -> String {
    let suites = catalog.suites.iter();
    suites
        .filter(|suite| selected.is_empty() || selected.iter().any(|name| name == suite.name()))
        .map(|suite| page(catalog, suite))
        .collect::<Vec<_>>()
        .join("\n")
}
