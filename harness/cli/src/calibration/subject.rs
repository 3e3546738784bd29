//! What is validated: a stack with one defect, or a sound one.

use rand::SeedableRng as _;
use rand::rngs::StdRng;
use rand::seq::index;

use cutover_harness::catalog::{Catalog, SeededDefect, UnknownDefect};

/// What one validation of a calibration examines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Subject {
    /// A stack with this defect: it must be caught.
    Defect(&'static SeededDefect),
    /// The n-th sound stack: it must pass.
    Healthy(u16),
}

/// A wish that the catalog cannot fulfil.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ChoiceError {
    /// A defect that does not exist.
    #[error(transparent)]
    Unknown(#[from] UnknownDefect),
    /// Nothing is left to do.
    #[error(
        "calibrate: no defect is seeded for the chosen suites, and no healthy run was asked for"
    )]
    Nothing,
}

impl Subject {
    /// What it is called, and its run with it.
    pub(crate) fn id(self) -> String {
        match self {
            Self::Defect(defect) => defect.id.to_owned(),
            Self::Healthy(number) => format!("healthy-{number}"),
        }
    }

    /// What is to be seen, in one line.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Defect(defect) => defect.title,
            Self::Healthy(_) => "Nothing is wrong.",
        }
    }
}

/// The defects that are asked for, in the catalog's order, and so many sound stacks.
///
/// `ids` may be slugs as well; none mean every defect that a check of the suites must notice; no suites
/// mean all of them. `sample` draws so many of the defects.
pub(crate) fn choose(
    catalog: &Catalog,
    ids: &[String],
    suites: &[String],
    sample: Option<(usize, u64)>,
    healthy: u16,
) -> Result<Vec<Subject>, ChoiceError> {
    let named = ids.iter().map(|id| catalog.defect(id));
    let named: Vec<_> = named.collect::<Result<_, _>>()?;
    let mut defects: Vec<_> = catalog
        .defects()
        .filter(|defect| match named.as_slice() {
            [] => concerns(defect, suites),
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
        return Err(ChoiceError::Nothing);
    }
    Ok(subjects)
}

/// Whether a check of one of the suites must notice the defect.
fn concerns(defect: &SeededDefect, suites: &[String]) -> bool {
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
    fn a_sample_is_repeated_by_its_seed_and_keeps_the_order() {
        let all: Vec<_> = (0..50).collect();
        let drawn = draw(&all, 10, 7);
        assert_eq!(drawn, draw(&all, 10, 7));
        assert_ne!(drawn, draw(&all, 10, 8));
        assert!(drawn.is_sorted() && drawn.len() == 10, "{drawn:?}");
    }

    #[test]
    fn a_sample_of_more_than_there_are_is_all() {
        assert_eq!(draw(&[1, 2, 3], 9, 0), [1, 2, 3]);
    }
}
