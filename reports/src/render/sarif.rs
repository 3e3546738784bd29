//! `findings.sarif`: the failed checks for code scanning, in SARIF 2.1.0 as GitHub reads it.
//!
//! A rule of the catalogue is a rule of the file; a failed check that proves no rule is a rule of its
//! own. What has no result is a notification and makes the execution unsuccessful, so that a run that
//! proved nothing does not close alerts as a clean one does.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};

use super::json::escape;
use super::report_model::{CheckReport, ReportModel};
use super::text::sanitize_line;
use super::{Render, ReportFile};
use crate::record::{PlannedRule, Run, Severity};
use crate::verdict::{Decision, Verdict};

/// The schema of the file.
const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";
/// The most characters of a message and of a description that GitHub shows.
const MAX_TEXT: usize = 900;
/// The most tags of a rule that GitHub accepts.
const MAX_TAGS: usize = 20;
/// The most results that GitHub accepts in one run.
const MAX_RESULTS: usize = 5_000;

/// The failed checks as SARIF.
#[derive(Clone, Copy, Debug)]
pub struct Sarif;

impl ReportFile for Sarif {
    fn file_name(&self) -> &'static str {
        "findings.sarif"
    }
}

impl Render for Sarif {
    fn render(&self, run: &Run, verdict: &Verdict) -> String {
        let model = ReportModel::new(run, verdict);
        let failed = || model.failed.iter().take(MAX_RESULTS);
        // In the order of their ids, and each once.
        let rules: BTreeMap<String, Value> = failed().map(|check| rule(run, check)).collect();
        let index: BTreeMap<&str, usize> = rules.keys().map(String::as_str).zip(0..).collect();
        let results: Vec<_> = failed()
            .map(|check| result(run, verdict, check, &index))
            .collect();
        let notifications: Vec<_> = model.without_result.iter().map(notification).collect();
        let file = json!({
            "$schema": SCHEMA,
            "version": "2.1.0",
            "runs": [{
                "tool": {"driver": {
                    "name": "cutover",
                    "semanticVersion": env!("CARGO_PKG_VERSION"),
                    "rules": rules.values().collect::<Vec<_>>(),
                }},
                "automationDetails": {"id": automation_id(run)},
                "invocations": [{
                    "executionSuccessful": is_evidence(verdict) && notifications.is_empty(),
                    "toolExecutionNotifications": notifications,
                }],
                "results": results,
            }],
        });
        escape(&format!("{file:#}")) + "\n"
    }
}

/// Whether the run suffices for a decision: otherwise a missing result is no clean one.
fn is_evidence(verdict: &Verdict) -> bool {
    verdict.decision != Decision::Inconclusive
}

/// The category of the file, up to the last slash, and the run.
fn automation_id(run: &Run) -> String {
    let Some(plan) = &run.plan else {
        return "cutover/unknown/".to_owned();
    };
    format!("cutover/{}/{}/{}", plan.target.name, plan.profile, plan.run)
}

/// The rule of the catalogue that a check proves first.
fn planned_rule<'a>(run: &'a Run, check: &CheckReport<'_>) -> Option<&'a PlannedRule> {
    let plan = run.plan.as_ref()?;
    plan.rules_of(&check.verdict.id).next()
}

/// The id of the rule that a failed check violates: of the catalogue, or the check without its row.
fn rule_id(run: &Run, check: &CheckReport<'_>) -> String {
    planned_rule(run, check).map_or_else(
        || {
            let parts: Vec<_> = check.verdict.id.as_str().split("::").take(2).collect();
            parts.join("::")
        },
        |rule| rule.id.clone(),
    )
}

fn rule(run: &Run, check: &CheckReport<'_>) -> (String, Value) {
    let id = rule_id(run, check);
    let planned = planned_rule(run, check);
    let severity = planned.map_or(check.verdict.severity, |rule| rule.severity);
    let statement = planned.map_or(check.verdict.statement.as_str(), |rule| &rule.statement);
    let statement = sanitize_line(statement.trim_end_matches('.'), MAX_TEXT);
    let remedy = check
        .remedy()
        .unwrap_or_else(|| format!("Change the pipeline so that this holds: {statement}."));
    let remedy = sanitize_line(&remedy, MAX_TEXT);
    let help = format!("{remedy} `{}` tries it again.", check.rerun());
    let tags = tags(planned);
    let mut properties = json!({"tags": tags, "precision": "very-high"});
    if planned.is_some() {
        properties["security-severity"] = json!(security_severity(severity));
    }
    let rule = json!({
        "id": id,
        "shortDescription": {"text": statement},
        "fullDescription": {"text": format!("{statement}.")},
        "help": {"text": help, "markdown": help},
        "defaultConfiguration": {"level": level(severity)},
        "properties": properties,
    });
    (id, rule)
}

/// The tags of a rule: what code scanning filters by.
fn tags(rule: Option<&PlannedRule>) -> Vec<String> {
    let Some(rule) = rule else {
        return vec!["reliability".to_owned()];
    };
    let owasp = rule.owasp.iter();
    let cwe = rule.cwe.iter();
    let asvs = rule.asvs.iter();
    std::iter::once("security".to_owned())
        .chain(owasp.map(|class| format!("owasp/{class}-2023")))
        .chain(cwe.map(|number| format!("external/cwe/cwe-{number}")))
        .chain(asvs.map(|id| format!("asvs/v5.0.0-{id}")))
        .take(MAX_TAGS)
        .collect()
}

/// The number by which GitHub sorts a rule into its bands: a text, and none of the band's limits.
fn security_severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "9.5",
        Severity::High => "8.0",
        Severity::Medium => "5.5",
        Severity::Low => "2.5",
    }
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical | Severity::High => "error",
        Severity::Medium => "warning",
        Severity::Low => "note",
    }
}

fn result(
    run: &Run,
    verdict: &Verdict,
    check: &CheckReport<'_>,
    rules: &BTreeMap<&str, usize>,
) -> Value {
    let id = rule_id(run, check);
    let severity = planned_rule(run, check).map_or(check.verdict.severity, |rule| rule.severity);
    let others = run
        .plan
        .iter()
        .flat_map(|plan| plan.rules_of(&check.verdict.id));
    let others: Vec<_> = others
        .map(|rule| rule.id.as_str())
        .filter(|other| *other != id)
        .collect();
    // A message must not be empty, whatever the system under test makes of a finding.
    let text = check
        .findings()
        .first()
        .map(|finding| finding.summary.as_str());
    let text = text.filter(|text| !text.trim().is_empty());
    let text = text.unwrap_or_else(|| check.detail());
    let mut properties = json!({
        "check": check.verdict.id,
        "rerun": check.rerun(),
        "alsoViolates": others,
    });
    if let Some(exchange) = check.last_call() {
        properties["request"] = json!(format!("{} {}", exchange.method, exchange.url));
    }
    let mut result = json!({
        "ruleIndex": rules.get(id.as_str()),
        "ruleId": id,
        "level": level(severity),
        "message": {"text": sanitize_line(text, MAX_TEXT)},
        "locations": [{"physicalLocation": {
            "artifactLocation": {"uri": artifact(run, check)},
            "region": {"startLine": line(run, check)},
        }}],
        "partialFingerprints": {"primaryLocationLineHash": check.verdict.fingerprint},
        "properties": properties,
    });
    let suppressions = suppressions(verdict, check);
    if !suppressions.is_empty() {
        result["suppressions"] = json!(suppressions);
    }
    result
}

/// The file of the user's repository to which a finding belongs: the target file, or the source of the check.
fn artifact(run: &Run, check: &CheckReport<'_>) -> String {
    target_file(run).unwrap_or_else(|| {
        let planned = check.planned;
        planned.map_or_else(
            || "cutover.toml".to_owned(),
            |planned| planned.source.file.clone(),
        )
    })
}

/// The line in that file, from 1.
fn line(run: &Run, check: &CheckReport<'_>) -> u32 {
    let of_check = check.planned.map_or(1, |planned| planned.source.line);
    target_file(run).map_or(of_check.max(1), |_| 1)
}

/// The target file, if its path is relative: code scanning accepts no other.
fn target_file(run: &Run) -> Option<String> {
    let file = run.plan.as_ref()?.target.file.as_deref()?;
    let is_inside = Path::new(file).is_relative() && !file.starts_with("..");
    is_inside.then(|| file.trim_start_matches("./").replace(' ', "%20"))
}

/// The waivers that cover the check: code scanning shows its finding as dismissed.
fn suppressions(verdict: &Verdict, check: &CheckReport<'_>) -> Vec<Value> {
    let waivers = verdict.waivers.iter();
    let covering = waivers.filter(|waiver| waiver.covered.contains(&check.verdict.id));
    covering
        .map(|waiver| {
            let justification = sanitize_line(&waiver.line(), MAX_TEXT);
            json!({"kind": "external", "status": "accepted", "justification": justification})
        })
        .collect()
}

/// A check that has no result although one was expected.
fn notification(check: &CheckReport<'_>) -> Value {
    let text = format!("{} has no result: {}", check.verdict.id, check.detail());
    json!({
        "level": "error",
        "message": {"text": sanitize_line(&text, MAX_TEXT)},
        "associatedRule": {"id": check.verdict.id},
    })
}
