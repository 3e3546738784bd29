//! Reads an OpenAPI document, version 2 or 3, into its operations.

use std::fs;

use cutover_contract::probe::{self, Http, Request};
use cutover_evidence::journal::Recorder;
use serde_json::{Map, Value};
use url::Url;

use super::error::OpenApiError;
use super::schema::{resolved, schema_leaves};
use crate::init::leaves::Leaf;

const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

/// One operation of a document.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Operation {
    /// The method in upper case.
    pub(crate) method: String,
    /// The path with its parameters in braces, below the origin.
    pub(crate) path: String,
    /// The operation's id or summary.
    pub(crate) name: String,
    /// The fields of a JSON request.
    pub(crate) request: Vec<Leaf>,
    /// The status of a success, and the fields of its JSON response.
    pub(crate) success: Option<(u16, Vec<Leaf>)>,
    /// The documented error statuses, each with the fields of its JSON response.
    pub(crate) errors: Vec<(u16, Vec<Leaf>)>,
}

/// Reads a document from a file or an address.
pub(crate) async fn read_document(source: &str) -> Result<Value, OpenApiError> {
    let text = match source.parse::<Url>() {
        Ok(url) if matches!(url.scheme(), "http" | "https") => fetch(&url).await?,
        _ => fs::read_to_string(source).map_err(|cause| OpenApiError::File {
            path: source.to_owned(),
            cause,
        })?,
    };
    serde_json::from_str(&text).map_err(|_| OpenApiError::NotJson {
        source_name: source.to_owned(),
        hint: if text.trim_start().starts_with(['o', 's', '#', '-']) {
            "; convert YAML to JSON first"
        } else {
            ""
        },
    })
}

async fn fetch(url: &Url) -> Result<String, OpenApiError> {
    let failed = |problem: String| OpenApiError::Address {
        url: url.to_string(),
        problem,
    };
    let client = probe::client().map_err(|error| failed(error.to_string()))?;
    let http = Http::new(client, "openapi", Recorder::silent());
    let response = http.send(Request::get(url.clone())).await;
    let response = response.map_err(|error| failed(error.to_string()))?;
    if response.is_success() {
        Ok(String::from_utf8_lossy(&response.body).into_owned())
    } else {
        Err(failed(format!("status {}", response.status)))
    }
}

/// The operations of a document; `source` names it in errors.
pub(crate) fn read_operations(
    document: &Value,
    source: &str,
) -> Result<Vec<Operation>, OpenApiError> {
    let not_openapi = |problem| OpenApiError::NotOpenApi {
        source_name: source.to_owned(),
        problem,
    };
    let version = ["openapi", "swagger"]
        .into_iter()
        .find_map(|key| document.get(key)?.as_str());
    if !version.is_some_and(|version| version.starts_with("3.") || version.starts_with("2.")) {
        return Err(not_openapi(
            "it has no field 'openapi' with version 3, nor 'swagger' with version 2",
        ));
    }
    let paths = document.get("paths").and_then(Value::as_object);
    let paths = paths.ok_or_else(|| not_openapi("it has no object 'paths'"))?;
    let base = base_path(document);
    let operations = paths.iter().flat_map(|(path, item)| {
        let base = base.as_str();
        METHODS.into_iter().filter_map(move |method| {
            let operation = item.get(method)?.as_object()?;
            Some(read_operation(
                document,
                method,
                &format!("{base}{path}"),
                operation,
            ))
        })
    });
    Ok(operations.collect())
}

/// The path that all paths start with: of the first server, or `basePath`.
fn base_path(document: &Value) -> String {
    let server = document.pointer("/servers/0/url").and_then(Value::as_str);
    let base = document.get("basePath").and_then(Value::as_str);
    let path = server.map(|server| match server.parse::<Url>() {
        Ok(url) => url.path().to_owned(),
        Err(_) => server.to_owned(),
    });
    let path = path.or_else(|| base.map(str::to_owned)).unwrap_or_default();
    path.trim_end_matches('/').to_owned()
}

fn read_operation(
    document: &Value,
    method: &str,
    path: &str,
    operation: &Map<String, Value>,
) -> Operation {
    let name = ["operationId", "summary"]
        .into_iter()
        .find_map(|key| operation.get(key)?.as_str());
    let request = operation
        .get("requestBody")
        .map(|body| resolved(document, body));
    let request = request
        .and_then(json_schema)
        .or_else(|| body_parameter(operation));
    let responses = operation.get("responses").and_then(Value::as_object);
    let responses = responses
        .into_iter()
        .flatten()
        .filter_map(|(status, response)| {
            let schema = json_schema(resolved(document, response));
            let leaves = schema.map_or_else(Vec::new, |schema| schema_leaves(document, schema));
            Some((status.parse::<u16>().ok()?, leaves))
        });
    let (successes, errors): (Vec<_>, Vec<_>) = responses.partition(|(status, _)| *status < 400);
    Operation {
        method: method.to_uppercase(),
        path: path.to_owned(),
        name: name.unwrap_or_default().to_owned(),
        request: request.map_or_else(Vec::new, |schema| schema_leaves(document, schema)),
        success: successes.into_iter().min_by_key(|(status, _)| *status),
        errors,
    }
}

/// The schema of the body parameter of an OpenAPI 2 operation.
fn body_parameter(operation: &Map<String, Value>) -> Option<&Value> {
    let mut parameters = operation.get("parameters")?.as_array()?.iter();
    let body =
        parameters.find(|parameter| parameter.get("in").is_some_and(|place| place == "body"))?;
    body.get("schema")
}

/// The schema of the JSON content of a request or response.
fn json_schema(body: &Value) -> Option<&Value> {
    let Some(content) = body.get("content").and_then(Value::as_object) else {
        return body.get("schema");
    };
    let json = content
        .iter()
        .find(|(media_type, _)| media_type.contains("json"));
    json?.1.get("schema")
}
