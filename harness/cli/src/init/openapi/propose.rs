//! From the operations of a document to a draft of the contract.

use cutover_contract::contract::Endpoint;
use toml::Value;

use super::document::Operation;
use super::endpoints::{contract_path, operation_for};
use super::error::OpenApiError;
use crate::init::draft::{Certainty, Draft, absent_route, route};
use crate::init::field_names::find_fields;
use crate::init::leaves::Leaf;
use crate::init::vocabulary::set_words;

/// Endpoints that frameworks often leave out of their documents.
const OFTEN_HIDDEN: [Endpoint; 5] = [
    Endpoint::Callback,
    Endpoint::Health,
    Endpoint::Ready,
    Endpoint::Version,
    Endpoint::Metrics,
];

/// Adds what a document says to a draft. `source` names the document in errors.
pub(crate) fn propose(
    operations: &[Operation],
    source: &str,
    draft: &mut Draft,
) -> Result<(), OpenApiError> {
    let upload =
        operation_for(Endpoint::Upload, operations).ok_or_else(|| OpenApiError::NoUpload {
            source_name: source.to_owned(),
            operations: operations.len(),
        })?;
    for endpoint in Endpoint::ALL {
        propose_route(endpoint, operations, draft);
    }
    request_fields("requests.upload", &upload.request, draft);
    response_fields("fields.accepted", upload, draft);
    propose_only_id(draft);
    for (endpoint, key) in [
        (Endpoint::Upload, "accepted"),
        (Endpoint::Retry, "retried"),
        (Endpoint::Search, "searched"),
        (Endpoint::Callback, "callback_accepted"),
    ] {
        let operation = operation_for(endpoint, operations);
        if let Some((operation, (status, _))) =
            operation.and_then(|operation| Some((operation, operation.success.as_ref()?)))
        {
            draft.set(
                "statuses",
                key,
                i64::from(*status),
                Certainty::Seen,
                documented(operation),
            );
        }
    }
    for (endpoint, table) in [
        (Endpoint::Job, "fields.job"),
        (Endpoint::Jobs, "fields.jobs"),
        (Endpoint::Retry, "fields.retry"),
        (Endpoint::Document, "fields.document"),
        (Endpoint::Search, "fields.search"),
        (Endpoint::Limits, "fields.limits"),
        (Endpoint::Version, "fields.version"),
    ] {
        if let Some(operation) = operation_for(endpoint, operations) {
            response_fields(table, operation, draft);
        }
    }
    if let Some(search) = operation_for(Endpoint::Search, operations) {
        request_fields("requests.search", &search.request, draft);
    }
    propose_errors(upload, draft);
    propose_words(operations, draft);
    Ok(())
}

fn propose_route(endpoint: Endpoint, operations: &[Operation], draft: &mut Draft) {
    let found = operation_for(endpoint, operations);
    // Without jobs, the standing of a document is read from its own route.
    let instead =
        (endpoint == Endpoint::Job).then(|| operation_for(Endpoint::Document, operations));
    let (value, source) = match found.or(instead.flatten()) {
        Some(operation) => {
            let path = contract_path(endpoint, operation);
            (route(&operation.method, &path), documented(operation))
        }
        None if OFTEN_HIDDEN.contains(&endpoint) => (
            absent_route(),
            "not in the OpenAPI document, which often leaves it out".to_owned(),
        ),
        None => (absent_route(), "not in the OpenAPI document".to_owned()),
    };
    draft.set("routes", endpoint.name(), value, Certainty::Guess, source);
}

fn documented(operation: &Operation) -> String {
    format!(
        "{} {} '{}'",
        operation.method, operation.path, operation.name
    )
}

fn request_fields(table: &str, leaves: &[Leaf], draft: &mut Draft) {
    set_fields(table, leaves, "the request", draft);
}

fn response_fields(table: &str, operation: &Operation, draft: &mut Draft) {
    let leaves = operation
        .success
        .as_ref()
        .map(|(_, leaves)| leaves.as_slice());
    // Without a documented response nothing can be said about its fields.
    if let Some(leaves) = leaves.filter(|leaves| !leaves.is_empty()) {
        set_fields(table, leaves, "the response", draft);
        if let Some(name) = table.strip_prefix("fields.") {
            let endpoint = if name == "accepted" { "upload" } else { name };
            propose_shape(endpoint, draft);
        }
    }
}

/// A target without jobs has one id for the document and its job.
fn propose_only_id(draft: &mut Draft) {
    let table = "fields.accepted";
    let named = |key| draft.text(table, key).map(str::to_owned);
    let (None, Some(document)) = (named("job_id"), named("document_id")) else {
        return;
    };
    let source = "the only id in the response";
    draft.set(table, "job_id", document, Certainty::Guess, source);
}

/// The shape of a response is not compared: documents seldom say which fields may be null.
fn propose_shape(endpoint: &str, draft: &mut Draft) {
    if matches!(
        endpoint,
        "upload" | "job" | "jobs" | "document" | "search" | "limits"
    ) {
        let source = "the shape is not compared; list its fields to find unexpected ones";
        draft.set(
            "shapes",
            endpoint,
            Value::Array(Vec::new()),
            Certainty::Seen,
            source,
        );
    }
}

/// Sets the pointers of a table by the names of the fields.
pub(super) fn set_fields(table: &str, leaves: &[Leaf], what: &str, draft: &mut Draft) {
    for (key, pointer) in find_fields(table, leaves) {
        match pointer {
            Some(pointer) => draft.set(
                table,
                key,
                pointer,
                Certainty::Guess,
                format!("named so in {what}"),
            ),
            None => draft.set(
                table,
                key,
                "none",
                Certainty::Guess,
                format!("not in {what}"),
            ),
        }
    }
}

/// The status of an invalid request, and the fields of errors.
fn propose_errors(upload: &Operation, draft: &mut Draft) {
    let documented = |wanted: &[u16]| {
        let mut errors = upload.errors.iter();
        errors.find(|(status, _)| wanted.contains(status))
    };
    if let Some((status, _)) = documented(&[422, 400]) {
        draft.set(
            "statuses",
            "invalid",
            i64::from(*status),
            Certainty::Guess,
            "a documented status of the upload",
        );
    }
    if let Some((_, leaves)) = documented(&[409, 400, 422]).filter(|(_, leaves)| !leaves.is_empty())
    {
        set_fields("fields.error", leaves, "an error", draft);
    }
}

/// The words of statuses and states that schemas list.
fn propose_words(operations: &[Operation], draft: &mut Draft) {
    let job = operation_for(Endpoint::Job, operations)
        .or_else(|| operation_for(Endpoint::Document, operations));
    let Some((_, leaves)) = job.and_then(|job| job.success.as_ref()) else {
        return;
    };
    let listed = |key: &str| {
        let pointer = draft.text("fields.job", key)?;
        let leaf = leaves.iter().find(|leaf| leaf.pointer == pointer)?;
        Some(leaf.words.clone()).filter(|words| !words.is_empty())
    };
    if let Some(words) = listed("status") {
        set_words(
            &words,
            Certainty::Guess,
            "the words of the schema, in its order",
            draft,
        );
    }
}
