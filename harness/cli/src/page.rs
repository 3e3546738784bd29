//! A suite as a page: what each check proves, needs and does, and which defects it is known to catch.

use cutover_reports::record::CheckId;

use cutover_harness::catalog::Catalog;
use cutover_harness::check::Check;
use cutover_harness::suite::{Case, Suite};

/// The page of a suite, in markdown.
pub(super) fn page(catalog: &Catalog, suite: &Suite) -> String {
    let caught = catalog
        .defects()
        .filter(|defect| {
            defect
                .checks
                .iter()
                .any(|blame| blame.starts_with(&prefix(suite)))
        })
        .count();
    let mut lines = vec![
        format!("# The {} suite", suite.name()),
        String::new(),
        format!("Its promise: {}.", suite.about()),
        String::new(),
        format!(
            "{} trials of {} checks; {caught} seeded defects are known to make one of them fail. This page is written by \
             `cutover list --suite {} --format markdown`.",
            suite.cases().len(),
            checks(suite).len(),
            suite.name(),
        ),
    ];
    let mut topic = "";
    for cases in checks(suite) {
        let check = &cases[0].check;
        let its_topic = topic_of(check);
        if topic != its_topic {
            topic = its_topic;
            lines.extend(["", &format!("## {topic}"), "", HEAD, RULE].map(str::to_owned));
        }
        lines.push(row(catalog, suite, cases));
    }
    lines.push(String::new());
    lines.join("\n")
}

const HEAD: &str = "| Statement | Severity | Effect | Needs | Caught with it |";
const RULE: &str = "|---|---|---|---|---|";

/// The cases of a suite, those of one check together.
fn checks(suite: &Suite) -> Vec<&[Case]> {
    let cases = suite.cases();
    cases
        .chunk_by(|one, next| one.check.name == next.check.name)
        .collect()
}

/// The file in which a check stands: there is one for each topic.
fn topic_of(check: &Check) -> &str {
    let file = check.source.file.rsplit('/').next().unwrap_or_default();
    file.trim_end_matches(".rs")
}

fn prefix(suite: &Suite) -> String {
    format!("{}::", suite.name())
}

fn row(catalog: &Catalog, suite: &Suite, cases: &[Case]) -> String {
    let check = &cases[0].check;
    let defects: Vec<_> = catalog
        .defects()
        .filter(|defect| defect.checks.iter().any(|blame| is_about(blame, cases)))
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
        of_cases(suite, cases),
        check.severity,
        check.effect,
        needs.join(", "),
        defects.join(", "),
    )
}

/// The rows of a check's table.
fn of_cases(suite: &Suite, cases: &[Case]) -> String {
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

/// Whether a name is that of the check, or of one of its rows.
fn is_about(name: &str, cases: &[Case]) -> bool {
    let is = |id: &CheckId| {
        let rest = id.as_str().strip_prefix(name);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
    };
    cases.iter().any(|case| is(&case.id))
}
