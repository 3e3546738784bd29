//! Why a baseline cannot be used, and the remedy.

use std::fmt;
use std::io;
use std::path::PathBuf;

use crate::measurements_file::MeasurementsError;

/// Why a baseline cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum BaselineError {
    /// It is not a file name.
    #[error("use the name `{0}`: use letters, digits, `-`, `_` and `.` only, at most 100")]
    Name(String),
    /// It does not exist.
    #[error(
        "find baseline `{name}`: {known}; \
         save runs with `cutover baseline save RUN_DIR --name {name}`"
    )]
    Absent {
        /// The name.
        name: String,
        /// Which baselines there are, in words.
        known: String,
    },
    /// The run is stored already: it would count twice.
    #[error("save run `{run}` in baseline `{name}`: it is stored there; save another run")]
    Twice {
        /// The name of the baseline.
        name: String,
        /// The id of the run.
        run: String,
    },
    /// The run measured something else than the stored ones.
    #[error(
        "use run `{run}` in baseline `{name}`: its {difference}; \
         save it in a baseline of its own with `--name`"
    )]
    Other {
        /// The name of the baseline.
        name: String,
        /// The id of the run.
        run: String,
        /// What differs.
        difference: Difference,
    },
    /// A measurement that counts is none.
    #[error("save run `{run}`: its `{measurement}` is no measurement: {reason}; repeat the run")]
    Unusable {
        /// The id of the run.
        run: String,
        /// The name of the measurement.
        measurement: String,
        /// Why it is none.
        reason: String,
    },
    /// A stored run cannot be read, or a run cannot be written.
    #[error(transparent)]
    Measurements(#[from] MeasurementsError),
    /// The directory cannot be read or created.
    #[error("use {path}", path = path.display())]
    Io {
        /// The directory.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// What differs between two runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The name of the field.
    pub what: &'static str,
    /// Its value in the first run.
    pub stored: String,
    /// Its value in the other run.
    pub found: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            what,
            stored,
            found,
        } = self;
        write!(f, "{what} is `{found}`, and that of the others `{stored}`")
    }
}
