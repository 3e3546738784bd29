//! What the verdict does not cover: checks without a result, checks outside of the run, and waivers.

use maud::{Markup, html};

use super::super::report_model::{CheckReport, ReportModel, group_by_detail};
use super::{counted, text};

/// The checks that a GO does not cover, by reason.
pub(super) fn section(model: &ReportModel<'_>) -> Markup {
    let checks = model.without_result.iter().chain(&model.excluded);
    let checks: Vec<CheckReport<'_>> = checks.copied().collect();
    let reasons = group_by_detail(&checks);
    let (shown, folded) = reasons.split_at(SHOWN.min(reasons.len()));
    counted("not-tested", "Not tested", checks.len(), || {
        html! {
            (list(shown))
            @if !folded.is_empty() {
                details { summary { (folded.len()) " more reasons" } (list(folded)) }
            }
        }
    })
}

/// The most reasons that are shown at once: the failures follow on the same screen.
const SHOWN: usize = 6;

fn list(reasons: &[(&str, Vec<&CheckReport<'_>>)]) -> Markup {
    html! {
        ul.reasons { @for (detail, group) in reasons { li { (reason(detail, group)) } } }
    }
}

/// One reason, and the checks that it is about.
fn reason(detail: &str, group: &[&CheckReport<'_>]) -> Markup {
    html! {
        @if let [single] = group {
            code { (single.verdict.id) } ": " (text(detail))
        } @else {
            details {
                summary { (group.len()) " checks: " (text(detail)) }
                ul.ids { @for check in group { li { code { (check.verdict.id) } } } }
            }
        }
    }
}

/// All waivers of the policy, with their expiry and what became of them.
pub(super) fn waivers(model: &ReportModel<'_>) -> Markup {
    counted("waivers", "Waivers", model.waivers.len(), || {
        html! { ul { @for waiver in &model.waivers { li { (text(waiver)) } } } }
    })
}
