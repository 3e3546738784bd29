//! Whether a pipeline became slower: measurements of runs, compared with those of a baseline.
//!
//! The unit is a run. Requests of one run depend on each other, so a comparison of single requests
//! reports differences between equal pipelines; see `docs/guide/baselines.md`.

mod baseline;
mod baseline_error;
mod bootstrap;
mod comparison;
mod figures;
mod hodges_lehmann;
mod holm;
mod judge;
mod mann_whitney;
mod measurements;
mod measurements_file;
mod noise;
mod power;
mod power_law;
mod rank_correlation;
mod samples;

pub use baseline::{BASELINES, Baselines};
pub use baseline_error::{BaselineError, Difference};
pub use bootstrap::interval;
pub use comparison::{Compared, Comparison, Decision};
pub use figures::Figures;
pub use hodges_lehmann::hodges_lehmann;
pub use holm::holm;
pub use judge::{ALPHA, FurtherRuns, Judgement};
pub use mann_whitney::mann_whitney;
pub use measurements::{Better, FORMAT, Machine, Measurement, Measurements};
pub use measurements_file::{MEASUREMENTS_FILE, MeasurementsError};
pub use noise::{floor, median, noise};
pub use power_law::PowerLaw;
pub use rank_correlation::RankCorrelation;
