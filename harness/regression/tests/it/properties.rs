//! What holds for the statistics of any series.

use cutover_regression::{floor, hodges_lehmann, holm, interval, mann_whitney, noise};
use proptest::prelude::*;

/// A series with many equal values.
fn series() -> impl Strategy<Value = Vec<f64>> {
    prop::collection::vec((0..12_u32).prop_map(f64::from), 1..10)
}

fn positive() -> impl Strategy<Value = Vec<f64>> {
    prop::collection::vec(0.1..100.0_f64, 1..10)
}

/// The share of all choices with a rank sum as high as that of `high`, counted one by one.
fn counted(low: &[f64], high: &[f64]) -> f64 {
    let pooled: Vec<f64> = high.iter().chain(low).copied().collect();
    let rank = |value: f64| {
        let score = |other: &f64| match other.total_cmp(&value) {
            std::cmp::Ordering::Less => 2,
            std::cmp::Ordering::Equal => 1,
            std::cmp::Ordering::Greater => 0,
        };
        pooled.iter().map(score).sum::<u32>()
    };
    let ranks: Vec<u32> = pooled.iter().map(|value| rank(*value)).collect();
    let chosen = |choice: u32| (0..ranks.len()).filter(move |index| choice >> index & 1 == 1);
    let sum = |choice: u32| chosen(choice).map(|index| ranks[index]).sum::<u32>();
    let observed = sum((1 << high.len()) - 1);
    let choices =
        (0..1_u32 << ranks.len()).filter(|choice| choice.count_ones() as usize == high.len());
    let (mut extreme, mut all) = (0.0, 0.0);
    for choice in choices {
        all += 1.0;
        if sum(choice) >= observed {
            extreme += 1.0;
        }
    }
    extreme / all
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn the_probability_is_that_of_counting_all_choices(
        low in prop::collection::vec((0..6_u32).prop_map(f64::from), 1..7),
        high in prop::collection::vec((0..6_u32).prop_map(f64::from), 1..7),
    ) {
        let p = mann_whitney(&low, &high).unwrap();
        prop_assert!((p - counted(&low, &high)).abs() < 1e-12);
    }

    #[test]
    fn the_probability_is_symmetric(low in series(), high in series()) {
        let p = mann_whitney(&low, &high).unwrap();
        prop_assert!(p > 0.0 && p <= 1.0);
        let negative = |series: &[f64]| series.iter().map(|value| -value).collect::<Vec<_>>();
        let mirrored = mann_whitney(&negative(&high), &negative(&low)).unwrap();
        prop_assert!((p - mirrored).abs() < 1e-12);
        // Both contain the choices with exactly the observed rank sum.
        prop_assert!(p + mann_whitney(&high, &low).unwrap() > 1.0);
    }

    #[test]
    fn the_probability_depends_on_the_order_only(low in series(), high in series()) {
        let stretched = |series: &[f64]| series.iter().map(|value| value.exp() * 3.0 - 7.0).collect::<Vec<_>>();
        let stretched = mann_whitney(&stretched(&low), &stretched(&high));
        prop_assert_eq!(mann_whitney(&low, &high), stretched);
    }

    #[test]
    fn a_slower_series_is_never_less_suspicious(low in positive(), high in positive()) {
        let slower: Vec<f64> = high.iter().map(|value| value * 1.5).collect();
        prop_assert!(mann_whitney(&low, &slower) <= mann_whitney(&low, &high));
        prop_assert!(hodges_lehmann(&low, &slower) >= hodges_lehmann(&low, &high));
    }

    #[test]
    fn the_ratio_is_inverted_by_swapping_and_scales(low in positive(), high in positive()) {
        let ratio = hodges_lehmann(&low, &high).unwrap();
        prop_assert!((ratio * hodges_lehmann(&high, &low).unwrap() - 1.0).abs() < 1e-9);
        let doubled: Vec<f64> = high.iter().map(|value| value * 2.0).collect();
        let doubled = hodges_lehmann(&low, &doubled).unwrap();
        prop_assert!((doubled / ratio - 2.0).abs() < 1e-9);
    }

    #[test]
    fn the_interval_is_ordered_and_within_the_possible_ratios(low in positive(), high in positive(), seed: u64) {
        let (from, to) = interval(&low, &high, seed).unwrap();
        let ratios = high.iter().flat_map(|high| low.iter().map(move |low| high / low));
        let ratios: Vec<f64> = ratios.collect();
        prop_assert!(from <= to);
        prop_assert!(ratios.iter().any(|ratio| *ratio <= from * (1.0 + 1e-9)));
        prop_assert!(ratios.iter().any(|ratio| *ratio >= to * (1.0 - 1e-9)));
        prop_assert_eq!(interval(&low, &high, seed), Some((from, to)));
    }

    #[test]
    fn a_correction_only_raises_probabilities_and_keeps_their_order(
        probabilities in prop::collection::vec(0.0..=1.0_f64, 0..8),
    ) {
        let corrected = holm(&probabilities);
        prop_assert_eq!(corrected.len(), probabilities.len());
        for (p, raised) in probabilities.iter().zip(&corrected) {
            prop_assert!(p <= raised && *raised <= 1.0);
            for (other, other_raised) in probabilities.iter().zip(&corrected) {
                prop_assert!(p > other || raised <= other_raised);
            }
        }
    }

    #[test]
    fn noise_does_not_depend_on_the_unit(values in positive()) {
        let thousand: Vec<f64> = values.iter().map(|value| value * 1e3).collect();
        prop_assert!((noise(&values) - noise(&thousand)).abs() < 1e-9);
        prop_assert!(floor(noise(&values)) >= 0.1);
    }
}
