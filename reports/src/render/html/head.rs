//! The banner of the page: the decision, its reason, and what was judged.

use maud::{Markup, html};

use super::super::duration::human_ms;
use super::text;
use crate::record::{Run, RunEvent};
use crate::verdict::{Decision, Verdict};

/// The banner.
pub(super) fn banner(run: &Run, verdict: &Verdict) -> Markup {
    html! {
        header.banner data-decision=(css_name(verdict.decision)) {
            p.eyebrow { "cutover · may this build be promoted?" }
            h1 { (verdict.decision) }
            @if let Some(reason) = &verdict.reason {
                p.reason { (text(reason)) }
            }
            p.headline { (verdict.counts.headline(run.profile())) }
            dl.facts {
                @for (name, value) in facts(run, verdict) {
                    div { dt { (name) } dd { (text(&value)) } }
                }
            }
        }
    }
}

/// The name of a decision in the style.
fn css_name(decision: Decision) -> &'static str {
    match decision {
        Decision::Go => "go",
        Decision::Conditional => "conditional",
        Decision::Inconclusive => "inconclusive",
        Decision::NoGo => "no-go",
    }
}

/// What was judged, by what, when, and for how long.
fn facts(run: &Run, verdict: &Verdict) -> Vec<(&'static str, String)> {
    let mut facts = Vec::new();
    if let Some(plan) = &run.plan {
        facts.push((
            "target",
            format!("{} ({})", plan.target.name, plan.target.class),
        ));
        facts.extend(plan.target.defect.clone().map(|id| ("seeded defect", id)));
    }
    facts.extend(identity(run).map(|identity| ("identity", identity)));
    if let Some(plan) = &run.plan {
        facts.push(("profile", plan.profile.to_string()));
    }
    facts.push(("policy", verdict.policy.clone()));
    facts.push(("judged at", moment(verdict)));
    facts.extend(verdict.duration_ms.map(|ms| ("duration", human_ms(ms))));
    facts.extend(verdict.run.clone().map(|run| ("run", run)));
    if let Some(plan) = &run.plan {
        facts.push(("seed", plan.seed.to_string()));
        facts.push(("cutover", plan.cutover.clone()));
    }
    facts
}

/// What the target says that it is, as `name value` pairs.
fn identity(run: &Run) -> Option<String> {
    let identity = run.journal.iter().find_map(|entry| {
        let RunEvent::Identified { identity } = &entry.event else {
            return None;
        };
        identity.as_object()
    })?;
    let words = identity.iter().map(|(name, value)| {
        let word = value
            .as_str()
            .map_or_else(|| value.to_string(), ToOwned::to_owned);
        format!("{name} {word}")
    });
    Some(words.collect::<Vec<_>>().join(" · "))
}

/// The time of the judgement, in UTC and to the second.
fn moment(verdict: &Verdict) -> String {
    let at = verdict.judged_at.to_offset(time::UtcOffset::UTC);
    let (date, time) = (at.date(), at.time());
    format!(
        "{date} {:02}:{:02}:{:02} UTC",
        time.hour(),
        time.minute(),
        time.second()
    )
}
