//! The options that find out the contract: an OpenAPI document, a run of one document, and given values.

use std::env;
use std::sync::Arc;

use anyhow::Context as _;
use clap::Args;
use cutover_contract::accounts::Accounts;
use cutover_contract::contract::Contract;
use cutover_contract::probe::{self, Http};
use cutover_contract::standin::StandinClient;
use cutover_evidence::journal::Recorder;
use cutover_evidence::redact::Redactor;
use cutover_harness::connection::Connection;
use cutover_harness::runner::StandinsMode;
use cutover_harness::target_file::Target;
use cutover_stack::StandinHost;
use serde_json::Value;
use uuid::Uuid;

use super::draft::{Certainty, Draft};
use super::identity_text::{EnvironmentField, identification_text};
use super::learn::{LearnError, Session, learn};
use super::openapi::{OpenApiError, propose, read_document, read_operations};
use crate::output::print_line;
use crate::{CommandError, UsageError, runtime};

/// How the contract is found out.
#[derive(Args, Debug)]
pub(super) struct ContractOptions {
    /// Propose the contract from the target's OpenAPI document
    #[arg(long, value_name = "URL|FILE")]
    from_openapi: Option<String>,
    /// Run one document through the target, and write the contract from its answers
    #[arg(long)]
    learn: bool,
    /// Value of a key of the contract, as in `routes.upload=POST /v1/files`; may be repeated
    #[arg(long = "set", value_name = "KEY=VALUE")]
    settings: Vec<String>,
}

impl ContractOptions {
    /// Whether the contract is to be found out.
    pub(super) fn are_given(&self) -> bool {
        self.from_openapi.is_some() || self.learn || !self.settings.is_empty()
    }

    /// The tables of `[contract]` for a target.
    ///
    /// A target without a version route and without `has_identification` gets `[identification]` too.
    pub(super) fn contract_text(
        &self,
        target: &Target,
        has_identification: bool,
        default: &str,
    ) -> Result<String, CommandError> {
        let mut draft = Draft::default();
        draft.set_contract(&target.contract);
        for setting in &self.settings {
            let set = draft.set_given(setting);
            set.map_err(|error| {
                UsageError::new(
                    "read --set",
                    error,
                    "`cutover schema contract` prints all keys",
                )
            })?;
        }
        let environment = runtime::multi_thread()?.block_on(async {
            tokio::select! {
                result = self.complete(target, default, &mut draft) => result,
                _ = tokio::signal::ctrl_c() => {
                    Err(anyhow::anyhow!("interrupted by Ctrl-C").context("find out the contract"))
                }
            }
        })?;
        let guesses = draft.guesses();
        print_line(format!(
            "{guesses} values are guesses; each is marked '# guess: confirm'"
        ))?;
        let mut text = String::new();
        if !has_identification && !has_version(&draft) {
            text = identification_text(environment.as_ref(), target.class);
        }
        Ok(text + &draft.text_for(default))
    }

    async fn complete(
        &self,
        target: &Target,
        default: &str,
        draft: &mut Draft,
    ) -> anyhow::Result<Option<EnvironmentField>> {
        if let Some(source) = &self.from_openapi {
            let document = read_document(source).await.map_err(openapi_error)?;
            add_document(&document, source, draft).map_err(openapi_error)?;
        } else if self.learn && draft.value("routes", "upload").is_none() {
            add_own_document(target, draft).await;
        }
        if self.learn {
            learn_target(target, default, draft).await
        } else {
            Ok(None)
        }
    }
}

/// Whether the version route is known to exist, or nothing is known about routes.
fn has_version(draft: &Draft) -> bool {
    match draft.value("routes", "version") {
        Some(route) => route.get("path").is_some(),
        None => draft.value("routes", "upload").is_none(),
    }
}

fn add_document(document: &Value, source: &str, draft: &mut Draft) -> Result<(), OpenApiError> {
    let operations = read_operations(document, source)?;
    propose(&operations, source, draft)
}

/// Adds the document that frameworks serve beside the API, where it is served.
async fn add_own_document(target: &Target, draft: &mut Draft) {
    let Some(api) = &target.api else { return };
    for path in ["openapi.json", "api-json", "swagger.json", "v3/api-docs"] {
        let source = format!("{}/{path}", api.url.as_str().trim_end_matches('/'));
        let Ok(document) = read_document(&source).await else {
            continue;
        };
        if add_document(&document, &source, draft).is_ok() {
            show(format!("the target's OpenAPI document: {source}"));
            let path = format!("/{path}");
            draft.set(
                "undocumented",
                "openapi",
                path,
                Certainty::Seen,
                "it is served there",
            );
            return;
        }
    }
}

fn openapi_error(error: OpenApiError) -> UsageError {
    UsageError::new(
        "propose a contract",
        error,
        "name an OpenAPI document in JSON, such as https://api.example.org/openapi.json",
    )
}

fn learn_error(error: LearnError) -> UsageError {
    UsageError::new(
        "learn the contract",
        error,
        "what is known already can be given with --from-openapi and --set; nothing was written",
    )
}

async fn learn_target(
    target: &Target,
    default: &str,
    draft: &mut Draft,
) -> anyhow::Result<Option<EnvironmentField>> {
    let attachment = target.attachment().context("find the API of the target")?;
    let redactor = Arc::<Redactor>::default();
    let connection = attachment.connection(&redactor)?;
    let contract = draft.contract(default)?;
    let standins = start_standins(target, &contract, &redactor).await?;
    let session = session(connection, default, &redactor).await?;
    let learnt = learn(&session, draft).await;
    if let Some(host) = standins {
        host.stop().await?;
    }
    Ok(learnt.map_err(learn_error)?)
}

/// Starts the stand-ins that the target file describes, unless they run.
async fn start_standins(
    target: &Target,
    contract: &Contract,
    redactor: &Redactor,
) -> anyhow::Result<Option<StandinHost>> {
    if target.standins.is_none() {
        return Ok(None);
    }
    let program = env::current_exe().context("find the binary of cutover")?;
    let mode = StandinsMode::detect(target, contract, &program, redactor).await?;
    let StandinsMode::Managed(host) = mode else {
        return Ok(None);
    };
    host.start().await?;
    Ok(Some(*host))
}

async fn session<'a>(
    connection: Connection,
    default: &'a str,
    redactor: &Arc<Redactor>,
) -> anyhow::Result<Session<'a>> {
    let client = probe::client()?;
    // One document is uploaded.
    let accounts = Accounts::open(&connection.tokens, &client, redactor, 1).await?;
    let standins = connection.standins.as_ref();
    Ok(Session {
        http: Http::new(client, "api", Recorder::silent()),
        api: connection.api,
        tenant: accounts.acquire(Uuid::new_v4())?,
        standins: standins.map(StandinClient::new).transpose()?,
        default,
        show: &show,
    })
}

/// Shows a line; a closed terminal is no reason to stop half-way.
fn show(line: String) {
    drop(print_line(line));
}
