//! Stored runs: a directory for each baseline, with one file of measurements for each run.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::baseline_error::{BaselineError, Difference};
use crate::measurements::Measurements;

/// Where baselines are by default, from the directory of a project.
pub const BASELINES: &str = ".cutover/baselines";

/// The baselines of a project.
#[derive(Clone, Debug)]
pub struct Baselines {
    root: PathBuf,
}

impl Baselines {
    /// The baselines in this directory, which need not exist.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// The names of the baselines, in order.
    pub fn list(&self) -> Result<Vec<String>, BaselineError> {
        let entries = entries(&self.root)?;
        let directories = entries.into_iter().filter(|path| path.is_dir());
        let names = directories.filter_map(|path| Some(path.file_name()?.to_str()?.to_owned()));
        Ok(names.filter(|name| is_name(name)).collect())
    }

    /// The runs of a baseline, in the order of their ids; there is at least one.
    pub fn load(&self, name: &str) -> Result<Vec<Measurements>, BaselineError> {
        let runs = self.stored(name)?;
        if runs.is_empty() {
            let names = self.list()?;
            let known = if names.is_empty() {
                "there are no baselines".to_owned()
            } else {
                format!("the baselines are: {}", names.join(", "))
            };
            let name = name.to_owned();
            return Err(BaselineError::Absent { name, known });
        }
        Ok(runs)
    }

    /// Adds a run to a baseline and returns the file; the first run creates the baseline.
    pub fn save(&self, name: &str, run: &Measurements) -> Result<PathBuf, BaselineError> {
        let stored = self.stored(name)?;
        if !is_name(&run.run) {
            return Err(BaselineError::Name(run.run.clone()));
        }
        let mut gated = run.values.iter().filter(|measurement| measurement.gated);
        let unusable =
            gated.find_map(|measurement| Some((measurement, measurement.usable().err()?)));
        if let Some((measurement, reason)) = unusable {
            return Err(BaselineError::Unusable {
                run: run.run.clone(),
                measurement: measurement.name.clone(),
                reason,
            });
        }
        if stored.iter().any(|stored| stored.run == run.run) {
            return Err(BaselineError::Twice {
                name: name.to_owned(),
                run: run.run.clone(),
            });
        }
        if let Some(first) = stored.first() {
            expect_same(name, first, run)?;
        }
        let directory = self.root.join(name);
        fs::create_dir_all(&directory).map_err(|source| BaselineError::Io {
            path: directory.clone(),
            source,
        })?;
        let path = directory.join(format!("{}.json", run.run));
        run.write_file(&path)?;
        Ok(path)
    }

    /// The runs of a baseline that may not exist; an error if one of them cannot be used.
    fn stored(&self, name: &str) -> Result<Vec<Measurements>, BaselineError> {
        if !is_name(name) {
            return Err(BaselineError::Name(name.to_owned()));
        }
        let files = entries(&self.root.join(name))?;
        let files = files
            .iter()
            .filter(|path| path.extension().is_some_and(|is| is == "json"));
        let runs = files.map(|path| Ok(Measurements::read_file(path)?));
        let runs: Vec<Measurements> = runs.collect::<Result<_, BaselineError>>()?;
        for run in &runs {
            expect_same(name, &runs[0], run)?;
        }
        Ok(runs)
    }
}

/// Refuses a run whose measurements say nothing about those of the others.
fn expect_same(name: &str, stored: &Measurements, run: &Measurements) -> Result<(), BaselineError> {
    let target = (stored.target != run.target).then(|| Difference {
        what: "target",
        stored: stored.target.clone(),
        found: run.target.clone(),
    });
    let difference = target.or_else(|| stored.differs_in_setting(run));
    difference.map_or(Ok(()), |difference| {
        Err(BaselineError::Other {
            name: name.to_owned(),
            run: run.run.clone(),
            difference,
        })
    })
}

impl Measurements {
    /// How the profile or the machine of another run differs; such runs are not comparable.
    pub fn differs_in_setting(&self, other: &Self) -> Option<Difference> {
        let settings = [
            ("profile", self.profile.clone(), other.profile.clone()),
            (
                "machine",
                self.machine.to_string(),
                other.machine.to_string(),
            ),
        ];
        let mut differing = settings.into_iter().filter(|(_, one, two)| one != two);
        let (what, stored, found) = differing.next()?;
        Some(Difference {
            what,
            stored,
            found,
        })
    }
}

/// Whether a text is a file name on every system, and not a hidden one.
fn is_name(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    !text.is_empty() && text.len() <= 100 && !text.starts_with('.') && text.bytes().all(is_plain)
}

/// The entries of a directory in order; none where it does not exist.
fn entries(directory: &Path) -> Result<Vec<PathBuf>, BaselineError> {
    let read = || -> io::Result<Vec<PathBuf>> {
        let entries = fs::read_dir(directory)?;
        let paths = entries.map(|entry| Ok(entry?.path()));
        let mut paths = paths.collect::<io::Result<Vec<_>>>()?;
        paths.sort();
        Ok(paths)
    };
    match read() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        read => read.map_err(|source| BaselineError::Io {
            path: directory.to_owned(),
            source,
        }),
    }
}
