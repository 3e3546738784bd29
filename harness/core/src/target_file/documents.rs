//! The `[documents]` table of a target file: a folder of PDF files of the user's own.

use std::fs;
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::Deserialize;

/// Documents of the user's own.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct DocumentSettings {
    /// A folder of PDF files that the pipeline must process; relative to the target file. Its subfolders are not read.
    pub corpus: Option<PathBuf>,
    /// The PDF files of the folder, in the order of their names.
    #[serde(skip)]
    files: Vec<PathBuf>,
}

impl DocumentSettings {
    /// The PDF files of the folder, in the order of their names.
    pub fn files(&self) -> &[PathBuf] {
        &self.files
    }

    /// Lists the PDF files of the folder, which is relative to this one.
    ///
    /// # Errors
    /// What is wrong with the folder, and what to write instead.
    pub(super) fn list_files(&mut self, relative_to: &Path) -> Result<(), String> {
        let Some(corpus) = &self.corpus else {
            return Ok(());
        };
        let folder = relative_to.join(corpus);
        let remedy = "name a folder of PDF files, relative to the target file, or remove the key";
        let entries = fs::read_dir(&folder).map_err(|error| {
            format!("cannot be read: '{}': {error}; {remedy}", folder.display())
        })?;
        let mut files = Vec::new();
        for entry in entries {
            let path = entry
                .map_err(|error| format!("cannot be read: {error}; {remedy}"))?
                .path();
            let is_pdf = path
                .extension()
                .is_some_and(|extension| extension.eq_ignore_ascii_case("pdf"));
            if is_pdf && path.is_file() {
                files.push(path);
            }
        }
        if files.is_empty() {
            return Err(format!(
                "has no file *.pdf: '{}'; {remedy}",
                folder.display()
            ));
        }
        files.sort();
        self.files = files;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::Target;

    const LOCAL: &str =
        "schema = 1\nname = \"local\"\nclass = \"local\"\n[documents]\ncorpus = \"own\"\n";

    fn read(files: &[&str]) -> Result<Vec<String>, String> {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("target.toml");
        std::fs::write(&target, LOCAL).unwrap();
        if !files.is_empty() {
            std::fs::create_dir(folder.path().join("own")).unwrap();
        }
        for file in files {
            std::fs::write(folder.path().join("own").join(file), "%PDF-1.7").unwrap();
        }
        let target = Target::read(&target).map_err(|error| error.to_string())?;
        let name =
            |path: &std::path::PathBuf| path.file_name().unwrap().to_string_lossy().into_owned();
        Ok(target.documents.files().iter().map(name).collect())
    }

    #[test]
    fn the_pdf_files_of_the_folder_are_listed_in_order() {
        assert_eq!(
            read(&["b.pdf", "a.PDF", "notes.txt"]).unwrap(),
            ["a.PDF", "b.pdf"]
        );
    }

    #[test]
    fn a_folder_that_cannot_be_used_is_refused_with_key_and_remedy() {
        let missing = read(&[]).unwrap_err();
        assert!(
            missing.contains("key 'documents.corpus' cannot be read")
                && missing.contains("name a folder"),
            "{missing}"
        );
        let empty = read(&["notes.txt"]).unwrap_err();
        assert!(empty.contains("has no file *.pdf"), "{empty}");
    }
}
