//! Programs that a test needs and a machine may lack.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::clients;
use crate::containers::IMAGES;

/// What a group of tests requires.
pub(crate) enum Requirement {
    /// Docker, with the images that `fixtures/images/build` builds.
    Images,
    /// The environment that `fixtures/clients/install` makes.
    Clients,
    Python,
    /// Python with the packages of the FastAPI pipeline, in the environment that `.ci/run` makes.
    FastApi,
    PythonAndOpenssl,
}

impl Requirement {
    /// What is missing on this machine, if anything.
    pub(crate) fn missing(&self) -> Option<String> {
        match self {
            Self::Images => missing_images(),
            Self::Clients => missing_clients(),
            Self::Python => missing_program("python3", "--version"),
            Self::FastApi => missing_packages(),
            Self::PythonAndOpenssl => missing_program("python3", "--version")
                .or_else(|| missing_program("openssl", "version")),
        }
    }
}

fn missing_packages() -> Option<String> {
    let python = python_environment();
    let imports = "import asyncpg, fastapi, httpx, jwt, openai, procrastinate, psycopg, uvicorn";
    let runs = succeeds(python.to_str().unwrap_or_default(), &["-c", imports]);
    (!runs).then(|| {
        format!(
            "'{}' does not run with the packages of fixtures/foreign/fastapi/requirements.txt; `.ci/run` installs them",
            python.display()
        )
    })
}

/// The Python interpreter of the FastAPI pipeline's environment.
pub(crate) fn python_environment() -> PathBuf {
    // The program is target/<profile>/cutover.
    let program = Path::new(env!("CARGO_BIN_EXE_cutover"));
    let target = program.ancestors().nth(2).unwrap_or(program);
    target.join("foreign-venv/bin/python")
}

fn missing_program(program: &str, option: &str) -> Option<String> {
    let runs = succeeds(program, &[option]);
    (!runs).then(|| format!("'{program}' does not run"))
}

fn missing_clients() -> Option<String> {
    let is_missing = !clients::python().exists();
    is_missing.then(|| "no clients; `fixtures/clients/install` installs them".to_owned())
}

fn missing_images() -> Option<String> {
    if !succeeds("docker", &["info"]) {
        return Some("Docker does not answer".to_owned());
    }
    let is_missing = |image: &&str| !succeeds("docker", &["image", "inspect", image]);
    let image = IMAGES.into_iter().find(is_missing)?;
    Some(format!(
        "no image '{image}'; `fixtures/images/build` builds it"
    ))
}

fn succeeds(program: &str, arguments: &[&str]) -> bool {
    let output = Command::new(program).args(arguments).output();
    output.is_ok_and(|output| output.status.success())
}
