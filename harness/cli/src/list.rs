//! `cutover list`: what would be checked. Opens no socket and writes no file.

use std::io::Write as _;

use clap::{Args, ValueEnum};
use cutover_reports::exit;
use cutover_reports::policy::Policy;
use cutover_reports::record::{Admission, Plan, Profile, Selection};

use super::CommandError;
use super::common_options::{PrintOptions, TargetOption};
use super::page::page;
use cutover_harness::catalog::Catalog;
use cutover_harness::plan::{PlanRequest, plan};

/// List the checks: what each proves, needs and does
#[derive(Args, Debug)]
pub(super) struct List {
    #[command(flatten)]
    target: TargetOption,
    /// Only this suite (may be repeated)
    #[arg(long, value_name = "SUITE")]
    suite: Vec<String>,
    /// The seeded defects instead of the checks
    #[arg(long)]
    defects: bool,
    /// How to print them
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    #[command(flatten)]
    print: PrintOptions,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    /// One line for each
    Text,
    /// The plan, as `plan.json` would hold it
    Json,
    /// A page for each suite, with the seeded defects that it catches
    Markdown,
}

impl List {
    pub(super) fn run(self, catalog: &Catalog) -> Result<u8, CommandError> {
        self.print.apply();
        let target = self.target.read(catalog)?;
        let selection = Selection {
            suites: self.suite.clone(),
            filters: Vec::new(),
        };
        let order = PlanRequest {
            run: "not-run".to_owned(),
            profile: Profile::Gate,
            seed: 0,
            selection,
            defect: None,
        };
        let plan = plan(catalog, &target, &Policy::default_gate(), &order)?;
        let text = match (self.format, self.defects) {
            (Format::Json, _) => serde_json::to_string_pretty(&plan)?,
            (Format::Markdown, _) => pages(catalog, &plan.selection.suites),
            (Format::Text, true) => defects(catalog),
            (Format::Text, false) => checks(catalog, &plan),
        };
        writeln!(anstream::stdout(), "{}", text.trim_end())?;
        Ok(exit::GO)
    }
}

fn pages(catalog: &Catalog, selected: &[String]) -> String {
    let suites = catalog.suites.iter();
    suites
        .filter(|suite| selected.is_empty() || selected.iter().any(|name| name == suite.name()))
        .map(|suite| page(catalog, suite))
        .collect::<Vec<_>>()
        .join("\n")
}

fn checks(catalog: &Catalog, plan: &Plan) -> String {
    let selected = |name: &str| {
        plan.selection.suites.is_empty() || plan.selection.suites.iter().any(|suite| suite == name)
    };
    let mut lines = Vec::new();
    for suite in catalog.suites.iter().filter(|suite| selected(suite.name())) {
        lines.push(format!("{}: {}", suite.name(), suite.about()));
        for check in plan
            .checks
            .iter()
            .filter(|check| check.id.suite() == suite.name())
        {
            let refusal = match &check.admission {
                Admission::Admitted => String::new(),
                Admission::Refused { reason, .. } => format!("  (refused: {reason})"),
            };
            let worth = format!("{}, {}", check.severity, check.effect);
            lines.push(format!("  {}  [{worth}]{refusal}", check.id.name()));
        }
    }
    lines.push(format!(
        "{} checks",
        plan.checks
            .iter()
            .filter(|c| selected(c.id.suite()))
            .count()
    ));
    lines.join("\n")
}

fn defects(catalog: &Catalog) -> String {
    let defects: Vec<_> = catalog.defects().collect();
    let width = defects.iter().map(|defect| defect.slug.len()).max();
    let width = width.unwrap_or_default();
    let lines = defects.iter().map(|defect| {
        format!(
            "{:<6} {:<width$} {:<14} {:<8}  {}",
            defect.id, defect.slug, defect.class, defect.severity, defect.title
        )
    });
    lines
        .chain([format!("{} seeded defects", defects.len())])
        .collect::<Vec<_>>()
        .join("\n")
}
