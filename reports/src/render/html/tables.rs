//! The tables of the page: suites, objectives, rules, measured values and files.

use cutover_regression::Measurement;
use maud::{Markup, html};

use super::super::ReportFile;
use super::super::measurements::measured_in;
use super::super::outputs::outputs_of;
use super::super::report_model::ReportModel;
use super::super::rules::{self, RuleReport, RuleState};
use super::{counted, text};
use crate::record::{PLAN_FILE, Run};
use crate::verdict::{ObjectiveStatus, Verdict};

/// The suites with the numbers of their checks.
pub(super) fn suites(verdict: &Verdict) -> Markup {
    counted("suites", "Suites", verdict.suites.len(), || {
        html! {
            div.scroll { table {
                thead { tr { th scope="col" { "suite" } th scope="col" { "checks" } } }
                tbody {
                    @for suite in &verdict.suites {
                        tr { th scope="row" { (text(&suite.suite)) } td { (suite.counts.summary()) } }
                    }
                }
            } }
        }
    })
}

/// What measured values must reach.
pub(super) fn objectives(verdict: &Verdict) -> Markup {
    counted("objectives", "Objectives", verdict.objectives.len(), || {
        html! {
            div.scroll { table {
                thead { tr { th scope="col" { "objective" } th scope="col" { "result" } th scope="col" { "measured" } } }
                tbody {
                    @for objective in &verdict.objectives {
                        tr data-state=(objective_state(objective.status)) {
                            th scope="row" { (text(&objective.expect)) }
                            td { (objective_state(objective.status)) }
                            td {
                                @if let Some(value) = objective.value { (number(value)) }
                                @if let Some(detail) = &objective.detail { " " (text(detail)) }
                            }
                        }
                    }
                }
            } }
        }
    })
}

fn objective_state(status: ObjectiveStatus) -> &'static str {
    match status {
        ObjectiveStatus::Met => "met",
        ObjectiveStatus::Missed => "missed",
        ObjectiveStatus::NoData => "no data",
        ObjectiveStatus::NotMeasured => "not measured",
    }
}

/// The rules of the suites: those that do not hold first, the others folded.
pub(super) fn rules(run: &Run, model: &ReportModel<'_>) -> Markup {
    let rules = rules::rules(run, model);
    let (open, held): (Vec<_>, Vec<_>) = rules
        .iter()
        .partition(|rule| !matches!(rule.state, RuleState::Held));
    let (violated, unknown): (Vec<_>, Vec<_>) = open
        .into_iter()
        .partition(|rule| matches!(rule.state, RuleState::Violated(_)));
    counted("rules", "Rules", rules.len(), || {
        html! {
            p {
                (violated.len()) " violated · " (held.len()) " hold · "
                (unknown.len()) " without a result in this run, or without a check"
            }
            @if !violated.is_empty() { (rule_table(&violated)) }
            @for (title, rules) in [("Rules without a result, or without a check", &unknown), ("Rules that hold", &held)] {
                @if !rules.is_empty() {
                    details { summary { (title) } (rule_table(rules)) }
                }
            }
        }
    })
}

fn rule_table(rules: &[&RuleReport<'_>]) -> Markup {
    html! {
        div.scroll { table {
            thead { tr {
                th scope="col" { "rule" } th scope="col" { "severity" } th scope="col" { "statement" } th scope="col" { "state" }
            } }
            tbody {
                @for report in rules {
                    tr {
                        th scope="row" { (text(&report.rule.id)) }
                        td { (report.rule.severity.name()) }
                        td { (text(&report.rule.statement)) }
                        td { (rule_state(&report.state)) }
                    }
                }
            }
        } }
    }
}

fn rule_state(state: &RuleState<'_>) -> Markup {
    html! {
        @match state {
            RuleState::Held => { "holds" }
            RuleState::Violated(check) => { "violated: " code { (check.verdict.id) } }
            RuleState::CouldNotTell(check) => { "could not tell: " code { (check.verdict.id) } }
            RuleState::NotRun(_) => { "not run" }
            RuleState::Unproved(reason) => { "no check: " (text(reason)) }
        }
    }
}

/// The measured values: those that are compared with a baseline, and the others folded.
pub(super) fn measured(run: &Run) -> Markup {
    let (gated, others): (Vec<_>, Vec<_>) =
        measured_in(run).into_iter().partition(|value| value.gated);
    counted("measured", "Measured", gated.len() + others.len(), || {
        html! {
            @if !gated.is_empty() {
                p { "Compared with a baseline, where one is given:" }
                (value_table(&gated))
            }
            @if !others.is_empty() {
                details { summary { "Reported only" } (value_table(&others)) }
            }
        }
    })
}

fn value_table(values: &[Measurement]) -> Markup {
    html! {
        div.scroll { table {
            thead { tr { th scope="col" { "what" } th.number scope="col" { "value" } th scope="col" { "unit" } } }
            tbody {
                @for measured in values {
                    tr {
                        th scope="row" { (text(&measured.name)) }
                        td.number { @match measured.value { Some(value) => { (number(value)) } None => { "–" } } }
                        td { (text(&measured.unit)) }
                    }
                }
            }
        } }
    }
}

/// A value with three significant digits, as a person writes it.
fn number(value: f64) -> String {
    match value.abs() {
        0.0 => "0".to_owned(),
        size if size >= 100.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        size if size >= 1.0 => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    }
}

/// The other files of the run.
pub(super) fn files(run: &Run) -> Markup {
    let reports = outputs_of(run).map(ReportFile::file_name);
    let others = reports.filter(|name| *name != super::Html.file_name());
    html! {
        section aria-labelledby="files" {
            h2 id="files" { "Files of this run" }
            ul.files { @for name in others.chain([PLAN_FILE]) { li { a href=(name) { (name) } } } }
        }
    }
}
