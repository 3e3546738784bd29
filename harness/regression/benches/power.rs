//! How often equal pipelines fail, and how often slower ones do, in simulated comparisons.
//!
//! Each comparison has as many runs as a line says, with the noise of a median response time that was
//! measured on a busy machine of two cores. The worse side is slower by the effect that its own
//! comparison declares detectable.
#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

use cutover_regression::{
    Better, Comparison, Decision, FORMAT, Machine, Measurement, Measurements,
};

/// The number of comparisons in each line.
const COMPARISONS: u32 = 500;

/// The coefficient of variation of a run's median response time.
const VARIATION: f64 = 0.19;

fn main() {
    println!("{COMPARISONS} comparisons each, variation {VARIATION}: shares of all");
    println!(
        "gates runs noise    | equal: failed  open | detectable: failed passed | median effect"
    );
    for gates in [1, 4] {
        for runs in [5, 8, 12, 20] {
            for tails in [Tails::Normal, Tails::Heavy] {
                line(gates, runs, tails);
            }
        }
    }
}

fn line(gates: usize, runs: usize, tails: Tails) {
    let mut random = Random(7);
    let mut tallies: [Tally; 3] = Default::default();
    let mut effects = Vec::new();
    for seed in 0..u64::from(COMPARISONS) {
        let baseline = side(&mut random, gates, runs, tails);
        let mut compare = |effect| {
            let candidate = slowed(side(&mut random, gates, runs, tails), effect);
            Comparison::new(&baseline, &candidate, seed)
        };
        let equal = compare(0.0);
        tallies[0].count(equal.decision);
        let Some(figures) = &equal.measurements[0].figures else {
            continue;
        };
        tallies[1].count(compare(figures.floor).decision);
        if let Some(effect) = figures.detectable {
            effects.push(effect);
            tallies[2].count(compare(effect).decision);
        }
    }
    effects.sort_by(f64::total_cmp);
    let effect = effects.get(effects.len() / 2).copied();
    let [equal, floor, detectable] = tallies;
    println!(
        "{gates:>5} {runs:>4} {:<6} | {:>13.3} {:>4.2} | {:>13.3} | {:>18.3} {:>6.3} {:>6.0} %",
        format!("{tails:?}").to_lowercase(),
        equal.share(Decision::Failed),
        equal.share(Decision::Inconclusive),
        floor.share(Decision::Passed),
        detectable.share(Decision::Failed),
        detectable.share(Decision::Passed),
        effect.unwrap_or(f64::NAN) * 100.0,
    );
}

/// How the noise is distributed.
#[derive(Clone, Copy, Debug)]
enum Tails {
    /// The logarithms are normal.
    Normal,
    /// One run in ten has three times the noise.
    Heavy,
}

/// The decisions of many comparisons.
#[derive(Default)]
struct Tally(Vec<Decision>);

impl Tally {
    fn count(&mut self, decision: Decision) {
        self.0.push(decision);
    }

    fn share(&self, of: Decision) -> f64 {
        let found = self.0.iter().filter(|decision| **decision == of).count();
        number(found) / number(self.0.len())
    }
}

fn number(count: usize) -> f64 {
    u32::try_from(count).map_or(f64::NAN, f64::from)
}

/// The runs of one side, in which every gate has noise of its own.
fn side(random: &mut Random, gates: usize, runs: usize, tails: Tails) -> Vec<Measurements> {
    let runs = (0..runs).map(|run| {
        let values = (0..gates).map(|gate| Measurement {
            name: format!("gate {gate}"),
            unit: "ms".to_owned(),
            better: Better::Lower,
            gated: true,
            value: Some(100.0 * random.noise(tails)),
            invalid: None,
            series: Vec::new(),
        });
        Measurements {
            format: FORMAT,
            run: format!("run-{run}"),
            target: "simulated".to_owned(),
            profile: "gate".to_owned(),
            machine: Machine {
                cpus: 2,
                model: "none".to_owned(),
                os: "none".to_owned(),
            },
            values: values.collect(),
        }
    });
    runs.collect()
}

/// The same runs, in which the first measurement is slower.
fn slowed(mut runs: Vec<Measurements>, effect: f64) -> Vec<Measurements> {
    for run in &mut runs {
        let first = run
            .values
            .first_mut()
            .and_then(|first| first.value.as_mut());
        if let Some(value) = first {
            *value *= 1.0 + effect;
        }
    }
    runs
}

/// The generator `SplitMix64`.
struct Random(u64);

impl Random {
    /// A number between 0 and 1, neither of them.
    fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let upper = u32::try_from((mixed ^ (mixed >> 31)) >> 32).unwrap_or_default();
        (f64::from(upper) + 0.5) / (f64::from(u32::MAX) + 1.0)
    }

    /// A factor by which a run differs, with the variation that was measured.
    fn noise(&mut self, tails: Tails) -> f64 {
        let scale = VARIATION.powi(2).ln_1p().sqrt();
        let scale = match tails {
            Tails::Heavy if self.uniform() < 0.1 => 3.0 * scale,
            Tails::Heavy | Tails::Normal => scale,
        };
        let radius = (-2.0 * self.uniform().ln()).sqrt();
        (scale * radius * (std::f64::consts::TAU * self.uniform()).cos()).exp()
    }
}
