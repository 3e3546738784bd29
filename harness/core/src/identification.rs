//! Reads which environment and which build a target says it is.

use std::fs;
use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};

use crate::environment::{HeaderIdentity, IdentificationSettings};
use cutover_contract::contract::{Contract, Endpoint, Pipeline, Pointer};
use cutover_evidence::stop::Stop;

/// How long a command of `[identification]` may take.
const COMMAND_TIMEOUT: Duration = Duration::from_secs(30);

/// A target that does not say who it is.
#[derive(Debug, thiserror::Error)]
pub enum IdentificationError {
    /// The contract has no version route, and the target file names no other source.
    #[error(
        "endpoint 'version' is absent in the contract, so nothing says which environment the target is; add \
         [identification] to the target file: route, header, file, command, image or declared = true"
    )]
    NoSource,
    /// The endpoint of the source is absent.
    #[error(
        "key 'identification.{key}.endpoint': endpoint '{endpoint}' is absent in the contract; name another one"
    )]
    AbsentEndpoint {
        /// The kind of source.
        key: &'static str,
        /// The endpoint.
        endpoint: Endpoint,
    },
    /// The source cannot be read.
    #[error("{source_name}: {problem}; correct [identification] of the target file")]
    Unreadable {
        /// The source.
        source_name: String,
        /// Why.
        problem: String,
    },
}

/// What a target says about itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reported {
    /// The source, for messages.
    pub source: String,
    /// The name of its environment.
    pub environment: Option<String>,
    /// Its commit.
    pub commit: Option<String>,
    /// What must stay the same during a run; null if it says nothing.
    pub identity: Value,
}

impl Reported {
    fn from_body(source: String, body: &Value, environment: &Pointer, contract: &Contract) -> Self {
        let text = |at: &Pointer| at.find(body).and_then(Value::as_str).map(str::to_owned);
        Self {
            source,
            environment: text(environment),
            commit: text(&contract.fields.version.commit),
            identity: identity_of(body, environment, contract),
        }
    }

    /// A text that is JSON with the environment at a pointer, or nothing but the environment.
    fn from_text(
        source: String,
        text: &str,
        environment: Option<&Pointer>,
        contract: &Contract,
    ) -> Result<Self, IdentificationError> {
        let Some(at) = environment else {
            let text = text.trim().to_owned();
            return Ok(Self {
                source,
                identity: json!({ "environment": text }),
                environment: Some(text),
                commit: None,
            });
        };
        match serde_json::from_str(text) {
            Ok(body) => Ok(Self::from_body(source, &body, at, contract)),
            Err(error) => Err(unreadable(source, &format!("it is not JSON: {error}"))),
        }
    }
}

/// The fields of an answer that identify a build. An answer without any of them counts as a whole.
fn identity_of(body: &Value, environment: &Pointer, contract: &Contract) -> Value {
    let mut identity = Value::Null;
    let fields = contract.identity_fields();
    for field in fields.into_iter().chain([environment]) {
        if let Some(value) = field.find(body).filter(|value| !value.is_null()) {
            field.put(&mut identity, value.clone());
        }
    }
    if identity.is_null() && contract.identity.fields.is_empty() {
        return body.clone();
    }
    identity
}

fn unreadable(source_name: impl Into<String>, problem: &str) -> IdentificationError {
    IdentificationError::Unreadable {
        source_name: source_name.into(),
        problem: problem.to_owned(),
    }
}

impl IdentificationSettings {
    /// Asks the target who it is.
    ///
    /// # Errors
    /// If the source does not exist or cannot be read.
    pub async fn read(&self, pipeline: &Pipeline) -> Result<Reported, IdentificationError> {
        let contract = pipeline.contract();
        if let Some(route) = &self.route {
            let body = body_of(pipeline, "route", route.endpoint).await?;
            let source = format!("endpoint '{}'", route.endpoint);
            return Ok(Reported::from_body(
                source,
                &body,
                &route.environment,
                contract,
            ));
        }
        if let Some(header) = &self.header {
            return read_header(pipeline, header).await;
        }
        if let Some(file) = &self.file {
            let source = format!("file '{}'", file.path.display());
            let text = fs::read_to_string(&file.path)
                .map_err(|error| unreadable(source.clone(), &error.to_string()))?;
            return Reported::from_text(source, &text, file.environment.as_ref(), contract);
        }
        if let Some(command) = &self.command {
            let text = output_of(&command.run).await?;
            let source = format!("command '{}'", command.run.join(" "));
            return Reported::from_text(source, &text, command.environment.as_ref(), contract);
        }
        if let Some(image) = &self.image {
            return read_image(&image.container).await;
        }
        if self.declared {
            return Ok(Reported {
                source: "the target file".to_owned(),
                identity: json!({ "declared": true }),
                ..Reported::default()
            });
        }
        if !contract.has(Endpoint::Version) {
            return Err(IdentificationError::NoSource);
        }
        let body = body_of(pipeline, "version", Endpoint::Version).await?;
        let environment = &contract.fields.version.environment;
        let source = "its version route".to_owned();
        Ok(Reported::from_body(source, &body, environment, contract))
    }
}

async fn read_header(
    pipeline: &Pipeline,
    header: &HeaderIdentity,
) -> Result<Reported, IdentificationError> {
    let reply = answer(pipeline, "header", header.endpoint).await?;
    let environment = reply.header(&header.name).map(str::to_owned);
    let identity = environment.as_ref();
    Ok(Reported {
        source: format!("header '{}' of endpoint '{}'", header.name, header.endpoint),
        identity: identity.map_or(Value::Null, |name| json!({ "environment": name })),
        environment,
        commit: None,
    })
}

async fn read_image(container: &str) -> Result<Reported, IdentificationError> {
    let inspect = ["docker", "inspect", "--format", "{{.Image}}", container];
    let digest = output_of(&inspect.map(str::to_owned)).await?;
    Ok(Reported {
        source: format!("the image of container '{container}'"),
        identity: json!({ "image": digest.trim() }),
        ..Reported::default()
    })
}

async fn answer(
    pipeline: &Pipeline,
    key: &'static str,
    endpoint: Endpoint,
) -> Result<cutover_contract::probe::Response, IdentificationError> {
    if !pipeline.contract().has(endpoint) {
        return Err(IdentificationError::AbsentEndpoint { key, endpoint });
    }
    let asked = async {
        pipeline
            .ask(endpoint, pipeline.request(endpoint, "")?)
            .await
    };
    let problem = |stop: Stop| unreadable(format!("endpoint '{endpoint}'"), &stop.summary());
    asked.await.map_err(problem)
}

async fn body_of(
    pipeline: &Pipeline,
    key: &'static str,
    endpoint: Endpoint,
) -> Result<Value, IdentificationError> {
    let reply = answer(pipeline, key, endpoint).await?;
    let body = reply.expect_status(200).and_then(|reply| reply.json());
    body.map_err(|stop| unreadable(format!("endpoint '{endpoint}'"), &detail(&stop)))
}

/// The reason with the answer that was received.
fn detail(stop: &Stop) -> String {
    match stop {
        Stop::Violated(finding) => {
            let actual = finding.actual.as_deref().unwrap_or_default();
            format!("{}: {actual}", finding.summary)
        }
        Stop::Error(_) | Stop::Skip { .. } => stop.summary(),
    }
}

async fn output_of(run: &[String]) -> Result<String, IdentificationError> {
    let source = format!("command '{}'", run.join(" "));
    let Some((program, arguments)) = run.split_first() else {
        return Err(unreadable(source, "it is empty"));
    };
    let mut command = tokio::process::Command::new(program);
    command
        .args(arguments)
        .stdin(Stdio::null())
        .kill_on_drop(true);
    let output = match tokio::time::timeout(COMMAND_TIMEOUT, command.output()).await {
        Ok(Ok(output)) => output,
        Ok(Err(error)) => return Err(unreadable(source, &error.to_string())),
        Err(_) => return Err(unreadable(source, "it did not end within 30 s")),
    };
    if !output.status.success() {
        return Err(unreadable(
            source,
            &format!("it ended with {}", output.status),
        ));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEFAULT: &str = include_str!("../../../fixtures/contracts/upload_pipeline.toml");

    fn contract(overrides: &str) -> Contract {
        let overrides = overrides.parse().unwrap();
        Contract::parse_with_overrides(DEFAULT, &overrides, "x").unwrap()
    }

    fn identity(body: &Value, contract: &Contract) -> Value {
        identity_of(body, &contract.fields.version.environment, contract)
    }

    #[test]
    fn a_time_stamp_in_the_version_answer_is_no_part_of_the_identity() {
        let at = |time: u32| json!({"commit": "a", "environment": "local", "time": time});
        let usual = contract("");
        assert_eq!(identity(&at(1), &usual), identity(&at(2), &usual));
        let chosen = contract("[identity]\nfields = ['/time']");
        assert_ne!(identity(&at(1), &chosen), identity(&at(2), &chosen));
        // A target whose contract names none of its fields is identified by the whole answer.
        let other = json!({"release": 7});
        assert_eq!(identity(&other, &usual), other);
    }

    #[test]
    fn the_text_of_a_file_or_command_is_the_environment_or_json() {
        let contract = contract("");
        let plain = Reported::from_text("x".to_owned(), " stage\n", None, &contract).unwrap();
        assert_eq!(plain.environment.as_deref(), Some("stage"));
        let at = Pointer::try_from("/env".to_owned()).unwrap();
        let text = r#"{"env": "stage", "commit": "abc"}"#;
        let json = Reported::from_text("x".to_owned(), text, Some(&at), &contract).unwrap();
        assert_eq!(json.environment.as_deref(), Some("stage"));
        assert_eq!(json.commit.as_deref(), Some("abc"));
        let wrong = Reported::from_text("x".to_owned(), "stage", Some(&at), &contract);
        assert!(wrong.unwrap_err().to_string().contains("[identification]"));
    }

    #[tokio::test]
    async fn a_command_says_who_the_target_is_or_is_named_in_the_error() {
        let run = |words: &[&str]| {
            words
                .iter()
                .map(|word| (*word).to_owned())
                .collect::<Vec<_>>()
        };
        let said = output_of(&run(&["echo", "staging"])).await.unwrap();
        assert_eq!(said, "staging\n");
        let failed = output_of(&run(&["false"])).await.unwrap_err().to_string();
        assert!(failed.contains("command 'false'"), "{failed}");
    }
}
