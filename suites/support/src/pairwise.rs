//! Pairwise tables: rows of choices in which every pair of values of two factors occurs together.

/// A small generator of numbers that depend on the seed only (`SplitMix64`).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        let limit = u64::try_from(limit.max(1)).unwrap_or(u64::MAX);
        usize::try_from(self.next() % limit).unwrap_or_default()
    }
}

/// A factor and one of its values.
type Choice = (usize, usize);

/// How many random rows are compared before the best one is taken.
const CANDIDATES: usize = 30;

/// Rows of one value index per factor, so that each pair of values of two factors is in at least one row.
///
/// `sizes` holds the number of values of each factor. The rows depend on sizes and seed only.
pub fn rows(sizes: &[usize], seed: u64) -> Vec<Vec<usize>> {
    let mut numbers = Numbers(seed);
    let mut missing = pairs(sizes);
    let mut rows = Vec::new();
    while let Some(first) = missing.first().copied() {
        let candidates = (0..CANDIDATES).map(|_| candidate(sizes, first, &mut numbers));
        let best =
            candidates.max_by_key(|row| missing.iter().filter(|pair| covers(row, pair)).count());
        let Some(row) = best else { break };
        missing.retain(|pair| !covers(&row, pair));
        rows.push(row);
    }
    rows
}

/// A random row that contains this pair.
fn candidate(sizes: &[usize], pair: (Choice, Choice), numbers: &mut Numbers) -> Vec<usize> {
    let mut row: Vec<_> = sizes.iter().map(|size| numbers.below(*size)).collect();
    for (factor, value) in [pair.0, pair.1] {
        row[factor] = value;
    }
    row
}

fn covers(row: &[usize], pair: &(Choice, Choice)) -> bool {
    [pair.0, pair.1]
        .iter()
        .all(|(factor, value)| row.get(*factor) == Some(value))
}

/// Every pair of values of two different factors.
fn pairs(sizes: &[usize]) -> Vec<(Choice, Choice)> {
    let mut pairs = Vec::new();
    for (left, left_size) in sizes.iter().enumerate() {
        for (right, right_size) in sizes.iter().enumerate().skip(left + 1) {
            for a in 0..*left_size {
                pairs.extend((0..*right_size).map(|b| ((left, a), (right, b))));
            }
        }
    }
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pair_of_values_is_in_a_row() {
        for sizes in [&[4, 6, 2, 3][..], &[2, 2], &[3, 1, 5], &[7, 7, 7, 2]] {
            for seed in 0..20 {
                let rows = rows(sizes, seed);
                for pair in pairs(sizes) {
                    assert!(
                        rows.iter().any(|row| covers(row, &pair)),
                        "{sizes:?} {pair:?}"
                    );
                }
                assert!(rows.iter().all(|row| row.len() == sizes.len()));
                assert!(
                    rows.iter()
                        .flatten()
                        .zip(sizes.iter().cycle())
                        .all(|(v, n)| v < n)
                );
            }
        }
    }

    #[test]
    fn a_table_is_much_shorter_than_all_combinations() {
        assert!(
            rows(&[4, 6, 2, 3], 1).len() <= 34,
            "{}",
            rows(&[4, 6, 2, 3], 1).len()
        );
    }

    #[test]
    fn the_same_seed_gives_the_same_table() {
        assert_eq!(rows(&[4, 3, 2], 7), rows(&[4, 3, 2], 7));
        assert_ne!(rows(&[4, 3, 2], 7), rows(&[4, 3, 2], 8));
    }

    #[test]
    fn fewer_than_two_factors_have_no_pairs() {
        assert!(rows(&[], 1).is_empty());
        assert!(rows(&[3], 1).is_empty());
    }
}
