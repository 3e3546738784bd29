//! Whole comparisons: what fails, what passes, and what is never passed silently.

use cutover_regression::{Better, Comparison, Decision, Judgement, Measurements};

use crate::runs::{measurement, run, runs};

const STEADY: [f64; 8] = [99.0, 100.0, 101.0, 100.5, 99.5, 102.0, 98.0, 100.2];

fn scaled(factor: f64) -> Vec<f64> {
    STEADY.iter().map(|value| value * factor).collect()
}

/// The decision, and the reason of the first measurement if it is inconclusive.
fn compared(baseline: &[Measurements], candidate: &[Measurements]) -> (Decision, String) {
    let comparison = Comparison::new(baseline, candidate, 1);
    let first = comparison.measurements.first();
    let reason = match first.map(|first| &first.judgement) {
        Some(Judgement::Inconclusive { reason, .. }) => reason.clone(),
        Some(Judgement::Passed | Judgement::Failed) | None => String::new(),
    };
    (comparison.decision, reason)
}

#[test]
fn a_slower_candidate_fails_and_an_equal_or_faster_one_passes() {
    for (factor, expected) in [
        (1.5, Decision::Failed),
        (1.0, Decision::Passed),
        (1.03, Decision::Passed),
        (0.5, Decision::Passed),
    ] {
        let (decision, reason) = compared(&runs(&STEADY), &runs(&scaled(factor)));
        assert_eq!(decision, expected, "{factor} {reason}");
    }
}

#[test]
fn a_lower_rate_fails_where_higher_is_better() {
    let rates = |factor| {
        let mut runs = runs(&scaled(factor));
        for run in &mut runs {
            run.values[0].better = Better::Higher;
        }
        runs
    };
    assert_eq!(compared(&rates(1.0), &rates(0.6)).0, Decision::Failed);
    assert_eq!(compared(&rates(1.0), &rates(1.6)).0, Decision::Passed);
}

#[test]
fn errors_that_were_not_there_before_fail() {
    let (none, some) = (runs(&[0.0; 8]), runs(&[0.01; 8]));
    assert_eq!(compared(&none, &some).0, Decision::Failed);
    assert_eq!(compared(&none, &none).0, Decision::Passed);
    assert_eq!(compared(&some, &none).0, Decision::Passed);
}

#[test]
fn what_cannot_be_compared_is_inconclusive_with_the_reason() {
    let steady = runs(&STEADY);
    let many = runs(&[STEADY; 10].concat());
    let mut invalid = runs(&STEADY);
    invalid[3].values[0].invalid = Some("the generator was late".to_owned());
    let mut infinite = runs(&STEADY);
    infinite[0].values[0].value = Some(f64::INFINITY);
    let mut absent = runs(&STEADY);
    absent[7].values[0].name = "p51".to_owned();
    let mut unit = runs(&STEADY);
    unit[2].values[0].unit = "s".to_owned();
    for (candidate, expected) in [
        (&invalid[..], "candidate run run-3: the generator was late"),
        (&infinite[..], "candidate run run-0: its value is inf"),
        (&absent[..], "candidate run run-7: it was not measured"),
        (&unit[..], "its unit or direction differs"),
        (&[][..], "there is no run of the candidate"),
        (&steady[..3], "too few runs"),
        (&many[..], "80 runs of the candidate"),
    ] {
        let (decision, reason) = compared(&steady, candidate);
        assert_eq!(decision, Decision::Inconclusive);
        assert!(reason.contains(expected), "{reason}");
    }
    let (decision, reason) = compared(&[], &steady);
    assert_eq!(decision, Decision::Inconclusive);
    assert!(reason.contains("no run of the baseline"), "{reason}");
}

#[test]
fn a_comparison_without_a_gate_is_inconclusive() {
    let mut advisory = runs(&STEADY);
    for run in &mut advisory {
        run.values[0].gated = false;
    }
    for side in [&advisory[..], &[]] {
        let comparison = Comparison::new(side, side, 1);
        assert_eq!(comparison.decision, Decision::Inconclusive);
        assert!(comparison.problem.is_some());
    }
}

#[test]
fn an_advisory_measurement_is_reported_and_decides_nothing() {
    let side = |factor: f64| {
        let runs = STEADY.iter().enumerate().map(|(index, value)| {
            let mut tail = measurement("p99", value * factor);
            tail.gated = false;
            run(
                &format!("run-{index}"),
                vec![measurement("p50", *value), tail],
            )
        });
        runs.collect::<Vec<_>>()
    };
    let comparison = Comparison::new(&side(1.0), &side(3.0), 1);
    assert_eq!(comparison.decision, Decision::Passed);
    assert_eq!(comparison.measurements[1].judgement, Judgement::Failed);
}

#[test]
fn one_failure_outweighs_what_is_inconclusive() {
    let side = |p50: f64, is_valid: bool| {
        let runs = STEADY.iter().enumerate().map(|(index, value)| {
            let mut rate = measurement("rate", *value);
            rate.invalid = (!is_valid).then(|| "late".to_owned());
            let values = vec![measurement("p50", value * p50), rate];
            run(&format!("run-{index}"), values)
        });
        runs.collect::<Vec<_>>()
    };
    let decision =
        |p50, is_valid| Comparison::new(&side(1.0, true), &side(p50, is_valid), 1).decision;
    assert_eq!(decision(2.0, false), Decision::Failed);
    assert_eq!(decision(1.0, false), Decision::Inconclusive);
    assert_eq!(decision(1.0, true), Decision::Passed);
}

#[test]
fn a_comparison_is_repeatable_and_names_more_runs_where_they_would_help() {
    let noisy = [60.0, 80.0, 90.0, 100.0, 105.0, 110.0, 125.0, 150.0];
    let (baseline, candidate) = (runs(&noisy), runs(&noisy.map(|value| value * 1.1)));
    let comparison = Comparison::new(&baseline, &candidate, 1);
    assert_eq!(comparison, Comparison::new(&baseline, &candidate, 1));
    assert_eq!(comparison.decision, Decision::Inconclusive);
    let Judgement::Inconclusive { further, .. } = &comparison.measurements[0].judgement else {
        panic!("{comparison:?}");
    };
    assert!(
        further.is_some_and(|further| further.candidate > 0),
        "{further:?}"
    );
    let figures = comparison.measurements[0].figures.as_ref().unwrap();
    assert!(
        figures
            .detectable
            .is_some_and(|effect| effect > figures.floor)
    );
}
