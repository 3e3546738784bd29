//! One document through the target: registered, uploaded, processed, found and deleted.

use cutover_contract::contract::Endpoint;
use cutover_contract::probe::Request;
use toml::Value;
use uuid::Uuid;

use super::answers::{Known, set_answer_fields};
use super::document::LearntDocument;
use super::error::LearnError;
use super::processing::{look, process};
use super::refusals::{duplicate, refusals};
use super::registration::{put, register};
use super::session::Session;
use super::standins::learn_from_standins;
use super::times::set_times;
use crate::init::draft::{Certainty, Draft, route};
use crate::init::field_names::find_fields;
use crate::init::identity_text::EnvironmentField;
use crate::init::leaves::Leaf;

/// Runs one document through the target, and completes the draft with what the answers show.
///
/// Returns where the target names its environment, if that is not the version route.
pub(crate) async fn learn(
    session: &Session<'_>,
    draft: &mut Draft,
) -> Result<Option<EnvironmentField>, LearnError> {
    let mut seen = Vec::new();
    let environment = find_probes(session, draft, &mut seen).await?;
    let document = register(session, draft, &mut seen).await?;
    duplicate(session, &document, draft, &mut seen).await?;
    let waiting = look(session, &document, draft, &mut seen).await?;
    put(session, &document).await?;
    process(session, &document, waiting, draft, &mut seen).await?;
    read_all(session, &document, draft, &mut seen).await?;
    refusals(session, &document, draft, &mut seen).await?;
    learn_from_standins(session, &document, draft).await;
    set_times(&seen, draft);
    set_ids(&document, draft);
    delete(session, &document, draft).await?;
    Ok(environment)
}

/// The usual paths of the routes of operation.
const PROBES: [(Endpoint, &[&str]); 4] = [
    (
        Endpoint::Health,
        &["/health", "/healthz", "/livez", "/api/health"],
    ),
    (
        Endpoint::Ready,
        &["/ready", "/readyz", "/readiness", "/health/ready"],
    ),
    (Endpoint::Version, &["/version", "/api/version"]),
    (Endpoint::Metrics, &["/metrics"]),
];

/// Looks for the routes of operation at their usual paths. Returns where the target names its environment,
/// if that is not the version route.
async fn find_probes(
    session: &Session<'_>,
    draft: &mut Draft,
    seen: &mut Vec<Leaf>,
) -> Result<Option<EnvironmentField>, LearnError> {
    let mut environment = None;
    for (endpoint, paths) in PROBES {
        for path in paths {
            let request = Request::get(session.url(path)?);
            let answer = session.send_quietly(request).await?;
            if !answer.is_success && (endpoint != Endpoint::Ready || answer.status != 503) {
                continue;
            }
            (session.show)(format!("{endpoint}: GET {path} -> {}", answer.status));
            draft.set(
                "routes",
                endpoint.name(),
                route("GET", path),
                Certainty::Seen,
                "it answers",
            );
            if endpoint == Endpoint::Version {
                set_answer_fields("fields.version", &answer.leaves, &[], draft);
                environment = None;
            } else if environment.is_none() {
                environment = environment_field(endpoint, &answer.leaves);
            }
            if !answer.is_no_store {
                draft.set(
                    "responses",
                    "probes_no_store",
                    false,
                    Certainty::Seen,
                    format!("{path} may be cached"),
                );
            }
            seen.extend(answer.leaves);
            break;
        }
    }
    Ok(environment)
}

/// Where an answer names the environment.
fn environment_field(endpoint: Endpoint, leaves: &[Leaf]) -> Option<EnvironmentField> {
    let fields = find_fields("fields.version", leaves).into_iter();
    let (_, pointer) = fields.into_iter().find(|(key, _)| *key == "environment")?;
    let pointer = pointer?;
    let word = leaves.iter().find(|leaf| leaf.pointer == pointer)?.text()?;
    Some(EnvironmentField {
        endpoint: endpoint.name(),
        word: word.to_owned(),
        pointer,
    })
}

/// Reads the document, the list of jobs, the limits, and a search.
async fn read_all(
    session: &Session<'_>,
    document: &LearntDocument,
    draft: &mut Draft,
    seen: &mut Vec<Leaf>,
) -> Result<(), LearnError> {
    let size = document.upload.bytes.len().to_string();
    let known = [
        Known {
            key: "document_id",
            value: &document.document,
        },
        Known {
            key: "filename",
            value: &document.upload.filename,
        },
        Known {
            key: "bytes_len",
            value: &size,
        },
        Known {
            key: "sha256",
            value: &document.upload.sha256,
        },
    ];
    for (endpoint, table) in [
        (Endpoint::Document, "fields.document"),
        (Endpoint::Jobs, "fields.jobs"),
        (Endpoint::Limits, "fields.limits"),
        (Endpoint::Search, "fields.search"),
    ] {
        let Some(mut request) = session.request(draft, endpoint, document.ids())? else {
            continue;
        };
        if endpoint == Endpoint::Search {
            request = request.json(
                &session
                    .contract(draft)?
                    .requests
                    .search
                    .body(document.line.as_str(), 3),
            );
        }
        let answer = session.send(endpoint.name(), request).await?;
        if answer.is_success {
            set_searched(endpoint, answer.status, draft);
            let found = set_answer_fields(table, &answer.leaves, &known, draft);
            (session.show)(format!("  found {found}"));
            let (shape, source) = (Value::Array(Vec::new()), "the shape is not compared");
            draft.set("shapes", endpoint.name(), shape, Certainty::Seen, source);
            seen.extend(answer.leaves);
        }
    }
    Ok(())
}

fn set_searched(endpoint: Endpoint, status: u16, draft: &mut Draft) {
    if endpoint != Endpoint::Search {
        return;
    }
    let source = "the status of a search";
    draft.set(
        "statuses",
        "searched",
        i64::from(status),
        Certainty::Seen,
        source,
    );
}

/// Whether ids are random; a derived id cannot be guessed.
fn set_ids(document: &LearntDocument, draft: &mut Draft) {
    let version = document
        .document
        .parse::<Uuid>()
        .map_or(0, |id| id.get_version_num());
    let (certainty, source) = match version {
        4 => (Certainty::Seen, "the id of the document is a random UUID"),
        _ => (Certainty::Guess, "how the id is derived cannot be seen"),
    };
    draft.set("ids", "document", "random", certainty, source);
    draft.set(
        "ids",
        "chunk",
        "random",
        Certainty::Guess,
        "how the id of a chunk is derived cannot be seen",
    );
}

/// Deletes the document, or says that it stays.
async fn delete(
    session: &Session<'_>,
    document: &LearntDocument,
    draft: &Draft,
) -> Result<(), LearnError> {
    let stays =
        |reason: &str| (session.show)(format!("document {} stays: {reason}", document.document));
    match session.request(draft, Endpoint::DeleteDocument, document.ids())? {
        None => stays("no route to delete it is known"),
        Some(request) => {
            let answer = session.send("delete", request).await?;
            if !answer.is_success {
                stays("its deletion was refused");
            }
        }
    }
    Ok(())
}
