//! The subjects of a calibration: stacks with one seeded defect, and healthy stacks.

use rand::SeedableRng as _;
use rand::rngs::StdRng;
use rand::seq::index;

use crate::UsageError;
use cutover_harness::catalog::{Catalog, SeededDefect};

/// The subject of one validation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Subject {
    /// A stack with this defect, which must be detected.
    Defect(&'static SeededDefect),
    /// The n-th healthy stack, which must get a GO.
    Healthy(u16),
}

impl Subject {
    /// The id of the subject and of its run.
    pub(crate) fn id(self) -> String {
        match self {
            Self::Defect(defect) => defect.id.to_owned(),
            Self::Healthy(number) => format!("healthy-{number}"),
        }
    }

    /// What is wrong, in one line.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Defect(defect) => defect.title,
            Self::Healthy(_) => "There is no seeded defect.",
        }
    }
}

/// The selected defects in the catalog's order, followed by `healthy` stacks without a defect.
///
/// `ids` may contain slugs; without ids, every defect that a check of the suites must detect is
/// selected, unless only a baseline shows it; without suites, all suites count. `sample` is the size and the seed of a sample.
pub(crate) fn choose(
    catalog: &Catalog,
    ids: &[String],
    suites: &[String],
    sample: Option<(usize, u64)>,
    healthy: u16,
) -> anyhow::Result<Vec<Subject>> {
    let named = ids.iter().map(|id| catalog.defect(id));
    let named: Vec<_> = named.collect::<Result<_, _>>()?;
    if let Some(defect) = named.iter().find(|defect| defect.measurement.is_some()) {
        return Err(needs_a_baseline(defect).into());
    }
    let mut defects: Vec<_> = catalog
        .defects()
        .filter(|defect| defect.measurement.is_none())
        .filter(|defect| match named.as_slice() {
            [] => belongs_to(defect, suites),
            named => named.contains(defect),
        })
        .collect();
    if let Some((size, seed)) = sample {
        defects = draw(&defects, size, seed);
    }
    let subjects: Vec<_> = defects
        .into_iter()
        .map(Subject::Defect)
        .chain((1..=healthy).map(Subject::Healthy))
        .collect();
    if subjects.is_empty() {
        let error = UsageError::new(
            "choose what to validate",
            "no seeded defect belongs to the selected suites, and --healthy is 0",
            "select other suites, or set --healthy",
        );
        return Err(error.into());
    }
    Ok(subjects)
}

/// No validation alone detects the defect.
fn needs_a_baseline(defect: &SeededDefect) -> UsageError {
    UsageError::new(
        format!("calibrate with seeded defect '{}'", defect.id),
        "only a comparison with a baseline detects it",
        "compare runs with and without it by `cutover compare`",
    )
}

/// Whether a check of one of the suites must detect the defect.
fn belongs_to(defect: &SeededDefect, suites: &[String]) -> bool {
    let suite_of = |check: &&str| check.split("::").next().unwrap_or_default().to_owned();
    suites.is_empty()
        || defect
            .checks
            .iter()
            .any(|check| suites.contains(&suite_of(check)))
}

fn draw<T: Copy>(from: &[T], size: usize, seed: u64) -> Vec<T> {
    let mut rng = StdRng::seed_from_u64(seed);
    let mut drawn = index::sample(&mut rng, from.len(), size.min(from.len())).into_vec();
    drawn.sort_unstable();
    drawn.into_iter().map(|index| from[index]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_is_repeatable_by_its_seed_and_keeps_the_order() {
        let all: Vec<_> = (0..50).collect();
        let drawn = draw(&all, 10, 7);
        assert_eq!(drawn, draw(&all, 10, 7));
        assert_ne!(drawn, draw(&all, 10, 8));
        assert!(drawn.is_sorted() && drawn.len() == 10, "{drawn:?}");
    }

    #[test]
    fn a_sample_larger_than_the_catalog_contains_every_defect() {
        assert_eq!(draw(&[1, 2, 3], 9, 0), [1, 2, 3]);
    }
}
