//! The file `measurements.json` in the directory of a run.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::measurements::{FORMAT, Measurements};

/// The name of the file in the directory of a run.
pub const MEASUREMENTS_FILE: &str = "measurements.json";

/// Why measurements could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum MeasurementsError {
    /// The run measured nothing.
    #[error("find {path}: the run measured nothing; compare runs of the suite `performance`")]
    Absent {
        /// The file.
        path: PathBuf,
    },
    /// The file cannot be read.
    #[error("read {path}")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file is not what the format says.
    #[error("read {path}: it is damaged, or not a file of measurements; repeat the run")]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// Where, and what was expected there.
        source: serde_json::Error,
    },
    /// Another program wrote the file.
    #[error(
        "read {path}: `format` is {found}, and this program reads {FORMAT}; repeat the run with \
         this program, or read it with the one that wrote it"
    )]
    Format {
        /// The file.
        path: PathBuf,
        /// The version in the file.
        found: u64,
    },
    /// Two measurements have one name.
    #[error("use {path}: two of `values` have the name `{name}`; repeat the run")]
    Duplicate {
        /// The file.
        path: PathBuf,
        /// The name.
        name: String,
    },
    /// A value is not a number.
    #[error(
        "use {path}: the `value` of `{name}` is {value}; state the reason in `invalid` instead"
    )]
    NotFinite {
        /// The file.
        path: PathBuf,
        /// The name of the measurement.
        name: String,
        /// The value.
        value: f64,
    },
    /// The file cannot be written.
    #[error("write {path}")]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// The part of the file that every version has.
#[derive(Deserialize)]
struct Version {
    format: u64,
}

impl Measurements {
    /// Reads the measurements of the run in this directory.
    pub fn read(directory: &Path) -> Result<Self, MeasurementsError> {
        Self::read_file(&directory.join(MEASUREMENTS_FILE))
    }

    /// Reads a file of measurements.
    pub(crate) fn read_file(path: &Path) -> Result<Self, MeasurementsError> {
        let text = fs::read(path).map_err(|source| cannot_read(path, source))?;
        let path = path.to_owned();
        let measurements = match parse(&text) {
            Ok(Ok(measurements)) => measurements,
            Ok(Err(found)) => return Err(MeasurementsError::Format { path, found }),
            Err(source) => return Err(MeasurementsError::Corrupt { path, source }),
        };
        measurements.check(&path)?;
        Ok(measurements)
    }

    /// Writes the measurements into the directory of the run, whole or not at all.
    pub fn write(&self, directory: &Path) -> Result<(), MeasurementsError> {
        self.write_file(&directory.join(MEASUREMENTS_FILE))
    }

    /// Writes a file of measurements, whole or not at all.
    pub(crate) fn write_file(&self, path: &Path) -> Result<(), MeasurementsError> {
        self.check(path)?;
        replace(path, self).map_err(|source| MeasurementsError::Write {
            path: path.to_owned(),
            source,
        })
    }

    /// Refuses what no reader could use.
    fn check(&self, path: &Path) -> Result<(), MeasurementsError> {
        let mut names = BTreeSet::new();
        for measurement in &self.values {
            let (path, name) = (path.to_owned(), measurement.name.clone());
            if !names.insert(&measurement.name) {
                return Err(MeasurementsError::Duplicate { path, name });
            }
            if let Some(value) = measurement.value.filter(|value| !value.is_finite()) {
                return Err(MeasurementsError::NotFinite { path, name, value });
            }
        }
        Ok(())
    }
}

/// The measurements, or the version of a format that is not read.
fn parse(text: &[u8]) -> Result<Result<Measurements, u64>, serde_json::Error> {
    let version: Version = serde_json::from_slice(text)?;
    if version.format != u64::from(FORMAT) {
        return Ok(Err(version.format));
    }
    serde_json::from_slice(text).map(Ok)
}

fn cannot_read(path: &Path, source: io::Error) -> MeasurementsError {
    let path = path.to_owned();
    if source.kind() == io::ErrorKind::NotFound {
        return MeasurementsError::Absent { path };
    }
    MeasurementsError::Read { path, source }
}

/// Replaces a file in one step: a reader sees the old or the new content, never a part.
fn replace(path: &Path, measurements: &Measurements) -> io::Result<()> {
    let temporary = path.with_extension(format!("{}.tmp", std::process::id()));
    let mut file = File::create(&temporary)?;
    serde_json::to_writer_pretty(&mut file, measurements)?;
    file.write_all(b"\n")?;
    file.sync_all()?;
    fs::rename(&temporary, path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measurements::{Better, Machine, Measurement};

    fn measurements(values: &[(&str, f64)]) -> Measurements {
        let values = values.iter().map(|(name, value)| Measurement {
            name: (*name).to_owned(),
            unit: "ms".to_owned(),
            better: Better::Lower,
            gated: true,
            value: Some(*value),
            invalid: None,
            series: Vec::new(),
        });
        Measurements {
            format: FORMAT,
            run: "run-1".to_owned(),
            target: "reference".to_owned(),
            profile: "quick".to_owned(),
            machine: Machine {
                cpus: 2,
                model: "a processor".to_owned(),
                os: "Linux 6".to_owned(),
            },
            values: values.collect(),
        }
    }

    /// The whole message of the error with which this text is refused.
    fn refusal(text: &str) -> String {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join(MEASUREMENTS_FILE), text).unwrap();
        let error = Measurements::read(directory.path()).unwrap_err();
        let source = std::error::Error::source(&error).map(|source| format!(": {source}"));
        format!("{error}{}", source.unwrap_or_default())
    }

    #[test]
    fn what_is_written_is_read() {
        let directory = tempfile::tempdir().unwrap();
        let written = measurements(&[("p50", 0.1 + 0.2), ("rate", 1e-300)]);
        written.write(directory.path()).unwrap();
        assert_eq!(Measurements::read(directory.path()).unwrap(), written);
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
    }

    #[test]
    fn what_no_reader_could_use_is_not_written() {
        let directory = tempfile::tempdir().unwrap();
        for (values, expected) in [
            (
                [("a", 1.0), ("a", 2.0)],
                "two of `values` have the name `a`",
            ),
            ([("a", 1.0), ("b", f64::NAN)], "the `value` of `b` is NaN"),
        ] {
            let error = measurements(&values).write(directory.path()).unwrap_err();
            assert!(error.to_string().contains(expected), "{error}");
            assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
        }
    }

    #[test]
    fn a_file_that_cannot_be_used_is_refused_with_the_key() {
        let whole = serde_json::to_string(&measurements(&[("a", 1.0)])).unwrap();
        for (text, expected) in [
            (String::new(), "damaged"),
            (whole[..whole.len() / 2].to_owned(), "damaged"),
            ("{}".to_owned(), "missing field `format`"),
            (r#"{"format": 2, "new": 1}"#.to_owned(), "`format` is 2"),
            (whole.replace("\"ms\"", "7"), "invalid type: integer `7`"),
            (
                whole.replace("\"unit\"", "\"units\""),
                "unknown field `units`",
            ),
            (whole.replace("1.0", "1e999"), "number out of range"),
            (whole.replace("1.0", "NaN"), "damaged"),
        ] {
            let refusal = refusal(&text);
            assert!(refusal.contains(expected), "{refusal}");
            assert!(refusal.contains(MEASUREMENTS_FILE), "{refusal}");
        }
    }

    #[test]
    fn a_run_without_measurements_is_said_to_have_none() {
        let directory = tempfile::tempdir().unwrap();
        let error = Measurements::read(directory.path()).unwrap_err();
        assert!(error.to_string().contains("measured nothing"), "{error}");
    }
}
