//! A suite as a markdown page: what each check states, needs and does, and which defects it detects.

use cutover_reports::record::CheckId;

use cutover_harness::catalog::Catalog;
use cutover_harness::suite::{Case, Suite};

/// The markdown page of a suite.
pub(super) fn page(catalog: &Catalog, suite: &Suite) -> String {
    let detected = catalog
        .defects()
        .filter(|defect| {
            defect
                .checks
                .iter()
                .any(|name| name.starts_with(&prefix(suite)))
        })
        .count();
    let mut lines = vec![
        format!("# The {} suite", suite.name()),
        String::new(),
        format!("Its promise: {}.", suite.about()),
        String::new(),
        format!(
            "{} trials of {} checks; {detected} seeded defects are known to make one of them fail. This page is written by \
             `cutover list --suite {} --format markdown`.",
            suite.cases().len(),
            checks(suite).len(),
            suite.name(),
        ),
    ];
    let mut topic = "";
    for cases in checks(suite) {
        let check = &cases[0].check;
        let next_topic = topic_of(&check.source.file);
        if topic != next_topic {
            topic = next_topic;
            lines.extend(["", &format!("## {topic}"), "", HEAD, RULE].map(str::to_owned));
        }
        lines.push(row(catalog, suite, cases));
    }
    lines.push(String::new());
    lines.join("\n")
}

const HEAD: &str = "| Statement | Severity | Effect | Needs | Caught with it |";
const RULE: &str = "|---|---|---|---|---|";

/// The cases of a suite, grouped by check.
fn checks(suite: &Suite) -> Vec<&[Case]> {
    let cases = suite.cases();
    cases
        .chunk_by(|one, next| one.check.name == next.check.name)
        .collect()
}

/// The topic of a check: the name of its source file.
pub(super) fn topic_of(source_file: &str) -> &str {
    let file = source_file.rsplit('/').next().unwrap_or_default();
    file.trim_end_matches(".rs")
}

fn prefix(suite: &Suite) -> String {
    format!("{}::", suite.name())
}

fn row(catalog: &Catalog, suite: &Suite, cases: &[Case]) -> String {
    let check = &cases[0].check;
    let defects: Vec<_> = catalog
        .defects()
        .filter(|defect| defect.checks.iter().any(|name| matches(name, cases)))
        .map(|defect| defect.id)
        .collect();
    let mut needs: Vec<_> = check.needs.iter().map(ToString::to_string).collect();
    match check.workers {
        Some(1) => needs.push("a stack of its own".to_owned()),
        Some(workers) => needs.push(format!("a stack of its own with {workers} workers")),
        None if check.last => needs.push("to be last".to_owned()),
        None => {}
    }
    format!(
        "| {}{} | {} | {} | {} | {} |",
        check.name.replace('_', " "),
        case_names(suite, cases),
        check.severity,
        check.effect,
        needs.join(", "),
        defects.join(", "),
    )
}

/// The names of a check's cases, in italics.
fn case_names(suite: &Suite, cases: &[Case]) -> String {
    let stem = format!("{}{}::", prefix(suite), cases[0].check.name);
    let rows = cases
        .iter()
        .filter_map(|case| case.id.as_str().strip_prefix(&stem));
    let rows: Vec<_> = rows.map(|row| row.replace('_', " ")).collect();
    if rows.is_empty() {
        return String::new();
    }
    format!(" *({})*", rows.join("; "))
}

/// Whether a name is that of the check, or of one of its cases.
fn matches(name: &str, cases: &[Case]) -> bool {
    let is_named = |id: &CheckId| {
        let rest = id.as_str().strip_prefix(name);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
    };
    cases.iter().any(|case| is_named(&case.id))
}
