//! The table of all checks, with a filter by state and by text.

use maud::{Markup, html};

use super::super::duration::human_ms;
use super::super::report_model::{CheckReport, ReportModel};
use super::{counted, text};

/// All checks, the failed ones first. Without scripts, the table is whole and has no filter.
pub(super) fn section(model: &ReportModel<'_>) -> Markup {
    let mut checks: Vec<_> = model.checks.iter().collect();
    checks.sort_by_key(|check| order(check.state_name()));
    counted("checks", "All checks", checks.len(), || {
        html! {
            div.filter hidden {
                @for name in STATES {
                    label { input type="checkbox" name="state" value=(name) checked; " " (name) }
                }
                label.search { "Search " input type="search" name="search" autocomplete="off"; }
                output aria-live="polite" {}
            }
            details.all open[checks.len() <= OPEN] {
                summary { "Show the table" }
                div.scroll { table.checks {
                    thead { tr {
                        th scope="col" { "check" } th scope="col" { "state" } th scope="col" { "severity" }
                        th.number scope="col" { "time" }
                    } }
                    tbody { @for check in checks { (row(check)) } }
                } }
            }
        }
    })
}

/// The most checks that are shown at once, without a click.
const OPEN: usize = 60;

/// The states by which checks are filtered, in their order.
const STATES: [&str; 4] = ["failed", "no result", "passed", "not in this run"];

fn order(state: &str) -> Option<usize> {
    STATES.iter().position(|name| *name == state)
}

fn row(check: &CheckReport<'_>) -> Markup {
    let verdict = check.verdict;
    html! {
        tr data-state=(check.state_name()) {
            th scope="row" {
                code { (verdict.id) }
                @if let Some(detail) = &verdict.detail { br; small { (text(detail)) } }
            }
            td { (check.state_name()) }
            td { (verdict.severity.name()) }
            td.number { @if let Some(ms) = verdict.duration_ms { (human_ms(ms)) } }
        }
    }
}
