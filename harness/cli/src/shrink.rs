//! Shrinks a schedule that fails to the fewest steps that still fail.
//!
//! This is the minimizing delta debugging algorithm `ddmin` of Zeller and Hildebrandt, "Simplifying and
//! Isolating Failure-Inducing Input", IEEE Transactions on Software Engineering 28(2), 2002.

/// What became of a shorter schedule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tried {
    /// It fails, too.
    Fails,
    /// It does not fail.
    Passes,
    /// The time is up: it was not tried.
    NoTime,
}

/// The fewest steps, in their order, that `attempt` says to fail; the steps fail as they are given.
pub(crate) fn shrink<T: Clone, E>(
    steps: Vec<T>,
    mut attempt: impl FnMut(&[T]) -> Result<Tried, E>,
) -> Result<Vec<T>, E> {
    let mut steps = steps;
    let mut parts = 2;
    while steps.len() >= 2 {
        let size = steps.len().div_ceil(parts);
        let mut shorter = None;
        for left_out in (0..steps.len()).step_by(size) {
            let end = (left_out + size).min(steps.len());
            let rest: Vec<T> = [&steps[..left_out], &steps[end..]].concat();
            match attempt(&rest)? {
                Tried::Fails => {
                    shorter = Some(rest);
                    break;
                }
                Tried::Passes => {}
                Tried::NoTime => return Ok(steps),
            }
        }
        match shorter {
            Some(rest) => {
                steps = rest;
                parts = (parts - 1).max(2);
            }
            None if size == 1 => break,
            None => parts = (parts * 2).min(steps.len()),
        }
    }
    Ok(steps)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::convert::Infallible;

    use super::*;

    /// Fails where every culprit is among the steps.
    fn shrunk(length: u32, culprits: &BTreeSet<u32>, most_attempts: usize) -> (Vec<u32>, usize) {
        let mut attempts = 0;
        let result = shrink((0..length).collect(), |steps| {
            if attempts == most_attempts {
                return Ok::<_, Infallible>(Tried::NoTime);
            }
            attempts += 1;
            let all = culprits.iter().all(|culprit| steps.contains(culprit));
            Ok(if all { Tried::Fails } else { Tried::Passes })
        });
        (result.unwrap(), attempts)
    }

    #[test]
    fn every_set_of_culprits_is_found_in_its_order() {
        for length in 1..20 {
            for first in 0..length {
                for second in first..length {
                    let culprits = BTreeSet::from([first, second]);
                    let (steps, _) = shrunk(length, &culprits, usize::MAX);
                    let expected: Vec<u32> = culprits.into_iter().collect();
                    assert_eq!(steps, expected, "of {length}");
                }
            }
        }
    }

    #[test]
    fn a_single_culprit_needs_a_logarithmic_number_of_attempts() {
        let (steps, attempts) = shrunk(64, &BTreeSet::from([41]), usize::MAX);
        assert_eq!(steps, [41]);
        assert!(attempts <= 14, "{attempts} attempts");
    }

    #[test]
    fn when_the_time_is_up_the_shortest_so_far_is_kept() {
        let (steps, attempts) = shrunk(64, &BTreeSet::from([3, 60]), 5);
        assert_eq!(attempts, 5);
        assert!(steps.len() < 64 && steps.contains(&3) && steps.contains(&60));
    }
}
