//! Checks and seeded defects as text, for a terminal of 80 columns.

use cutover_reports::record::{Admission, Plan, PlannedCheck};

use super::command::is_excluded;
use super::suite_page::topic_of;
use cutover_harness::catalog::Catalog;

/// The selected checks by suite and topic.
pub(super) fn checks(catalog: &Catalog, plan: &Plan) -> String {
    let mut lines = Vec::new();
    let mut count = 0;
    for suite in &catalog.suites {
        let checks = plan.checks.iter();
        let checks: Vec<_> = checks
            .filter(|check| check.id.suite() == suite.name() && !is_excluded(&check.admission))
            .collect();
        if checks.is_empty() {
            continue;
        }
        count += checks.len();
        lines.push(format!("{}: {}", suite.name(), suite.about()));
        for topic in checks.chunk_by(|one, next| topic(one) == topic(next)) {
            lines.push(format!(
                "\n  {}",
                topic_of(&topic[0].source.file).replace('_', " ")
            ));
            lines.extend(topic.iter().map(|check| row(check)));
        }
        lines.push(String::new());
    }
    lines.push(format!("{count} checks"));
    lines.join("\n")
}

fn topic(check: &PlannedCheck) -> &str {
    topic_of(&check.source.file)
}

/// Severity, effect and name; on a second line why the target does not admit the check.
fn row(check: &PlannedCheck) -> String {
    let row = format!(
        "    {:<8}  {:<12}  {}",
        check.severity.to_string(),
        check.effect.to_string(),
        check.id.name()
    );
    match &check.admission {
        Admission::Admitted => row,
        Admission::Refused { reason, .. } => format!("{row}\n{:28}skipped: {reason}", ""),
    }
}

/// All seeded defects, two lines each: id, slug, class and severity; then the title.
pub(super) fn defects(catalog: &Catalog) -> String {
    let defects: Vec<_> = catalog.defects().collect();
    let width = defects.iter().map(|defect| defect.slug.len()).max();
    let width = width.unwrap_or_default();
    let rows = defects.iter().map(|defect| {
        let compared = defect.measurement.map_or("", |_| " [by a baseline]");
        format!(
            "{:<6} {:<width$}  {:<15} {}\n       {}{compared}",
            defect.id, defect.slug, defect.class, defect.severity, defect.title
        )
    });
    rows.chain([format!("\n{} seeded defects", defects.len())])
        .collect::<Vec<_>>()
        .join("\n")
}
