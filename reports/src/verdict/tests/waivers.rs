//! What a waiver covers, and what blocks in spite of it.

use proptest::prelude::*;
use time::{Date, Duration};

use super::sample::{NOW, errored, plan, run_with, set_outcome, trial};
use crate::policy::Policy;
use crate::record::{Finding, Outcome, PlannedRule, Run, Severity};
use crate::verdict::{CheckStatus, Decision, Verdict, WaiverStatus, judge};

/// A waiver of a policy: its subject as in the file, and its last day.
type Written<'a> = (&'a str, Date);

fn policy(waivers: &[Written<'_>]) -> Policy {
    let head =
        "schema = 1\nname = \"x\"\nmax_age = \"2h\"\n[[suite]]\nid = \"p\"\nrequired = true\n";
    let rows = waivers.iter().map(|(subject, expires)| {
        format!(
            "[[waiver]]\n{subject}\nowner = \"ada\"\nreason = \"known\"\nticket = \"T-1\"\nexpires = {expires}\n"
        )
    });
    let text = head.to_owned() + &rows.collect::<String>();
    Policy::parse(&text, "x.toml").unwrap()
}

fn today() -> Date {
    NOW.date()
}

fn rule(id: &str, check: &str) -> PlannedRule {
    PlannedRule {
        id: id.to_owned(),
        statement: "it holds".to_owned(),
        severity: Severity::Critical,
        owasp: Vec::new(),
        cwe: Vec::new(),
        asvs: Vec::new(),
        remedy: "Mend it.".to_owned(),
        isolation: id.starts_with("TEN"),
        checks: vec![check.to_owned()],
        unproved: None,
    }
}

/// A run in which `p::it` fails, which proves these rules.
fn failing(rules: &[&str]) -> Run {
    run_with(|run| {
        set_outcome(run, Outcome::Failed);
        plan(run).rules = rules.iter().map(|id| rule(id, "p::it")).collect();
    })
}

fn fingerprint(run: &Run) -> String {
    let verdict = judge(run, &policy(&[]), NOW);
    let mut failed = verdict
        .checks
        .iter()
        .filter_map(|check| check.fingerprint.clone());
    failed.next().expect("a failed check")
}

fn judged(run: &Run, subjects: &[&str]) -> Verdict {
    let waivers: Vec<_> = subjects.iter().map(|subject| (*subject, today())).collect();
    judge(run, &policy(&waivers), NOW)
}

fn statuses(verdict: &Verdict) -> Vec<WaiverStatus> {
    verdict.waivers.iter().map(|waiver| waiver.status).collect()
}

#[test]
fn a_finding_is_waived_by_its_check_its_rules_or_its_fingerprint() {
    use WaiverStatus::{Applied, Insufficient, Unused};
    let run = failing(&["HDR-01", "HDR-02"]);
    let print = format!("fingerprint = \"{}\"", fingerprint(&run));
    let other = format!("fingerprint = \"{}\"", "0".repeat(32));
    let (check, one, two) = (
        "check = \"p::it\"",
        "rule = \"HDR-01\"",
        "rule = \"HDR-02\"",
    );
    for (subjects, decision, expected) in [
        (vec![], Decision::NoGo, vec![]),
        (vec![check], Decision::Conditional, vec![Applied]),
        (vec!["check = \"p::other\""], Decision::NoGo, vec![Unused]),
        (vec![one], Decision::NoGo, vec![Insufficient]),
        (
            vec![one, two],
            Decision::Conditional,
            vec![Applied, Applied],
        ),
        (vec!["rule = \"HDR-03\""], Decision::NoGo, vec![Unused]),
        (vec![print.as_str()], Decision::Conditional, vec![Applied]),
        (vec![other.as_str()], Decision::NoGo, vec![Unused]),
        (
            vec![other.as_str(), check],
            Decision::Conditional,
            vec![Unused, Applied],
        ),
    ] {
        let verdict = judged(&run, &subjects);
        assert_eq!(
            verdict.decision, decision,
            "{subjects:?}: {:?}",
            verdict.reasons
        );
        assert_eq!(statuses(&verdict), expected, "{subjects:?}");
        // The finding still appears, and the counts do not change.
        assert_eq!(verdict.counts, judged(&run, &[]).counts);
        assert_eq!(verdict.checks[1].status, CheckStatus::Failed);
        assert!(
            verdict
                .reasons
                .iter()
                .any(|reason| reason.text.starts_with("p::it failed"))
        );
    }
}

#[test]
fn a_second_cause_is_not_covered_by_the_fingerprint_of_the_first() {
    let mut run = failing(&["HDR-02"]);
    let print = fingerprint(&run);
    let mut second = trial(&run.trials[1].check.clone(), Some(Outcome::Failed));
    second.findings = vec![Finding::new("something else is wrong")];
    run.trials.push(second);
    let verdict = judged(&run, &[&format!("fingerprint = \"{print}\"")]);
    assert_eq!(verdict.decision, Decision::NoGo);
    assert_eq!(statuses(&verdict), [WaiverStatus::Insufficient]);
    let text = &verdict.reasons[0].text;
    assert!(text.contains("waived only in part"), "{text}");
}

#[test]
fn only_a_waiver_of_the_check_covers_a_missing_result() {
    let mut run = failing(&["HDR-02"]);
    set_outcome(&mut run, errored());
    for (subject, decision) in [
        ("check = \"p::it\"", Decision::Conditional),
        ("rule = \"HDR-02\"", Decision::Inconclusive),
    ] {
        assert_eq!(judged(&run, &[subject]).decision, decision, "{subject}");
    }
}

#[test]
fn an_expired_waiver_blocks_again_and_every_reason_says_so() {
    let run = failing(&["HDR-02"]);
    let print = format!("fingerprint = \"{}\"", fingerprint(&run));
    for subject in ["check = \"p::it\"", "rule = \"HDR-02\"", print.as_str()] {
        let yesterday = today().previous_day().unwrap();
        let verdict = judge(&run, &policy(&[(subject, yesterday)]), NOW);
        assert_eq!(verdict.decision, Decision::NoGo, "{subject}");
        let expected =
            "p::it failed (its waiver expired on 2026-11-23): the statement does not hold";
        assert_eq!(verdict.reason.as_deref(), Some(expected));
        assert_eq!(statuses(&verdict), [WaiverStatus::Expired]);
        let line = verdict.waivers[0].line();
        assert!(
            line.contains("until 2026-11-23 by ada, T-1: known (expired for p::it)"),
            "{line}"
        );
    }
    let unused = judge(
        &run,
        &policy(&[("check = \"p::other\"", today() - Duration::days(1))]),
        NOW,
    );
    assert!(unused.waivers[0].line().ends_with("(expired)"));
}

#[test]
fn critical_isolation_blocks_in_production_whatever_the_waiver_names() {
    for class in ["local", "staging", "production"] {
        for (rules, is_isolation) in [
            (&["TEN-01"][..], true),
            (&["AUTH-01", "TEN-01"], true),
            (&["AUTH-01"], false),
        ] {
            let mut run = failing(rules);
            plan(&mut run).target.class = class.to_owned();
            let print = format!("fingerprint = \"{}\"", fingerprint(&run));
            let by_rule: Vec<_> = rules.iter().map(|id| format!("rule = \"{id}\"")).collect();
            let by_rule = by_rule.iter().map(String::as_str).collect();
            for subjects in [vec![print.as_str()], vec!["check = \"p::it\""], by_rule] {
                let verdict = judged(&run, &subjects);
                let is_refused = is_isolation && class == "production";
                assert_eq!(
                    verdict.decision == Decision::NoGo,
                    is_refused,
                    "{class} {subjects:?}"
                );
                let expected = if is_refused {
                    WaiverStatus::Refused
                } else {
                    WaiverStatus::Applied
                };
                assert!(
                    statuses(&verdict).iter().all(|it| *it == expected),
                    "{class} {subjects:?}"
                );
            }
        }
    }
}

#[test]
fn a_waiver_that_is_not_needed_is_unused_and_the_verdict_stays() {
    let passing = run_with(|_| {});
    let verdict = judged(&passing, &["check = \"p::it\"", "rule = \"HDR-02\""]);
    assert_eq!(verdict.decision, Decision::Go);
    assert_eq!(
        statuses(&verdict),
        [WaiverStatus::Unused, WaiverStatus::Unused]
    );
    assert!(
        verdict.waivers[0]
            .line()
            .ends_with("by ada, T-1: known (unused)")
    );
}

proptest! {
    #[test]
    fn a_waiver_covers_through_its_last_day_and_never_after(days in -100_i64..100, subject in 0_usize..3) {
        let run = failing(&["HDR-02"]);
        let print = format!("fingerprint = \"{}\"", fingerprint(&run));
        let subject = ["check = \"p::it\"", "rule = \"HDR-02\"", print.as_str()][subject];
        let policy = policy(&[(subject, today() + Duration::days(days))]);
        let expected = if days >= 0 { Decision::Conditional } else { Decision::NoGo };
        prop_assert_eq!(judge(&run, &policy, NOW).decision, expected);
    }

    #[test]
    fn no_set_of_waivers_makes_a_failure_a_go(chosen in proptest::collection::btree_set(0_usize..5, 0..5)) {
        let run = failing(&["HDR-01", "HDR-02"]);
        let print = format!("fingerprint = \"{}\"", fingerprint(&run));
        let all = ["check = \"p::it\"", "rule = \"HDR-01\"", "rule = \"HDR-02\"", "rule = \"X-1\"", print.as_str()];
        let subjects: Vec<_> = chosen.iter().map(|at| all[*at]).collect();
        let decision = judged(&run, &subjects).decision;
        let covers = chosen.contains(&0) || chosen.contains(&4) || (chosen.contains(&1) && chosen.contains(&2));
        prop_assert_eq!(decision, if covers { Decision::Conditional } else { Decision::NoGo });
    }
}
