//! The series that the p95 of the seconds of a load follows best, if it follows one more than by chance.

use cutover_load::Report;
use cutover_regression::{RankCorrelation, holm};
use serde::Serialize;

use super::summary::exact;
use super::timeline::{Sample, Timeline};

/// The seconds that a correlation needs, and its least amount.
const LEAST_SECONDS: usize = 8;
const LEAST_CORRELATION: f64 = 0.6;

/// The chance that a series is named although the p95 follows none, for all series together.
const ALPHA: f64 = 0.05;

/// The series that the p95 follows best.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Followed {
    series: String,
    rank_correlation: f64,
    /// The probability of such a correlation by chance, corrected for the number of series.
    by_chance: f64,
    /// The number of series that were compared.
    compared: usize,
}

/// The series that the p95 of the seconds follows best, if it follows one.
pub(super) fn followed(timeline: &Timeline, report: &Report) -> Option<Followed> {
    let seconds = report.seconds.iter().enumerate();
    let p95s = seconds.filter_map(|(at, second)| {
        let p95 = second.response.quantile(0.95)?;
        Some((at, p95.value.as_secs_f64()))
    });
    strongest(&all_series(timeline), &p95s.collect::<Vec<_>>())
}

/// Times and values of one quantity, with its name.
type Named = (String, Vec<(f64, f64)>);

/// The values of every series, with its name.
fn all_series(timeline: &Timeline) -> Vec<Named> {
    let mut all = Vec::new();
    for process in &timeline.processes {
        let mut add =
            |what: &str, values| all.push((format!("{what} of {}", process.name), values));
        let held = |of: fn(&Sample) -> Option<u64>| -> Vec<(f64, f64)> {
            let samples = process.samples.iter();
            let held = samples.filter_map(|it| Some((it.at, exact(of(it)?))));
            held.collect()
        };
        add("processor time", process.shares());
        add("memory", held(|it| Some(it.memory)));
        add("open files", held(|it| it.open_files));
        add("threads", held(|it| Some(it.threads)));
    }
    let others = timeline.series.iter();
    all.extend(others.map(|series| (series.name.clone(), series.values())));
    all
}

/// The series with the strongest correlation, if it is strong and not by chance.
fn strongest(series: &[Named], p95s: &[(usize, f64)]) -> Option<Followed> {
    let correlations = series.iter().filter_map(|(name, values)| {
        let pairs = p95s
            .iter()
            .filter_map(|(second, p95)| Some((mean_in(values, *second)?, *p95)));
        let (values, p95s): (Vec<f64>, Vec<f64>) = pairs.unzip();
        let is_long = values.len() >= LEAST_SECONDS;
        let correlation = is_long
            .then(|| RankCorrelation::of(&values, &p95s))
            .flatten()?;
        Some((name, correlation))
    });
    let correlations: Vec<_> = correlations.collect();
    let chances: Vec<f64> = correlations.iter().map(|(_, it)| it.by_chance).collect();
    let corrected = holm(&chances);
    let compared = correlations.len();
    let named = correlations.into_iter().zip(corrected);
    let named = named.filter(|((_, correlation), by_chance)| {
        correlation.value.abs() >= LEAST_CORRELATION && *by_chance <= ALPHA
    });
    let best = named
        .max_by(|((_, one), _), ((_, other), _)| one.value.abs().total_cmp(&other.value.abs()));
    best.map(|((name, correlation), by_chance)| Followed {
        series: name.clone(),
        rank_correlation: correlation.value,
        by_chance,
        compared,
    })
}

/// The mean of the values in a second.
fn mean_in(values: &[(f64, f64)], second: usize) -> Option<f64> {
    let second = exact(second as u64);
    let within = values
        .iter()
        .filter(|(at, _)| (second..second + 1.0).contains(at));
    let within: Vec<f64> = within.map(|(_, value)| *value).collect();
    (!within.is_empty()).then(|| within.iter().sum::<f64>() / exact(within.len() as u64))
}

#[cfg(test)]
mod tests {
    use rand::rngs::StdRng;
    use rand::{RngExt as _, SeedableRng as _};

    use super::*;

    const SECONDS: usize = 30;

    /// A series with two values in each second.
    fn series(name: &str, value: impl Fn(usize) -> f64) -> Named {
        let samples = (0..SECONDS * 2).map(|half| (exact(half as u64) / 2.0, value(half / 2)));
        (name.to_owned(), samples.collect())
    }

    /// Values that depend on nothing.
    fn noise(random: &mut StdRng) -> Vec<f64> {
        (0..SECONDS).map(|_| random.random::<f64>()).collect()
    }

    #[test]
    fn the_series_that_the_p95_follows_is_named_among_many() {
        let mut random = StdRng::seed_from_u64(7);
        let p95s = noise(&mut random);
        let mut all: Vec<_> = (0..60)
            .map(|n| {
                let noise = noise(&mut random);
                series(&format!("noise {n}"), move |at| noise[at])
            })
            .collect();
        let followed = p95s.clone();
        all.insert(
            17,
            series("locks not granted", move |at| followed[at].powi(3)),
        );
        all.push(series("constant", |_| 1.0));
        let p95s: Vec<_> = p95s.into_iter().enumerate().collect();
        let found = strongest(&all, &p95s).unwrap();
        assert_eq!(found.series, "locks not granted");
        assert!(
            found.rank_correlation > 0.99 && found.by_chance < 1e-6,
            "{found:?}"
        );
        assert_eq!(found.compared, 61);
    }

    #[test]
    fn among_series_that_the_p95_does_not_follow_none_is_named() {
        let mut random = StdRng::seed_from_u64(11);
        let loads = 100;
        let named = (0..loads).filter(|_| {
            let p95s: Vec<_> = noise(&mut random).into_iter().enumerate().collect();
            let all: Vec<_> = (0..60)
                .map(|_| {
                    let noise = noise(&mut random);
                    series("noise", move |at| noise[at])
                })
                .collect();
            strongest(&all, &p95s).is_some()
        });
        // 5 are expected at most.
        let named = named.count();
        assert!(named <= 8, "{named} of {loads}");
    }

    #[test]
    fn what_grows_beside_a_growing_p95_is_not_named() {
        let p95s: Vec<_> = (0..SECONDS).map(|at| (at, exact(at as u64))).collect();
        let growing = [series("memory of api", |at| exact(at as u64 * 3))];
        assert_eq!(strongest(&growing, &p95s), None);
    }

    #[test]
    fn a_short_load_names_nothing() {
        let p95s: Vec<_> = (0..LEAST_SECONDS - 1)
            .map(|at| (at, exact(at as u64 % 3)))
            .collect();
        let same = [series("same", |at| exact(at as u64 % 3))];
        assert_eq!(strongest(&same, &p95s), None);
    }
}
