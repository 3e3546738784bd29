//! A mock pipeline with fixed responses.

use std::sync::Arc;

use serde_json::{Value, json};
use uuid::Uuid;
use wiremock::matchers::{method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::contract::{Contract, Pipeline, Upload};
use crate::identity::Tenant;
use crate::probe::{Http, client};
use cutover_evidence::journal::Recorder;
use cutover_evidence::secret::Secret;

pub(super) const JOB: Uuid = Uuid::from_u128(0x4000_8000_0000_0000_0001);

pub(super) fn upload() -> Upload {
    Upload::pdf("a.pdf", *b"%PDF")
}

/// A server and a client for it, with these overrides of the contract.
pub(super) async fn pipeline(overrides: &str) -> (MockServer, Pipeline) {
    let server = MockServer::start().await;
    let default = include_str!("../../../../../fixtures/contracts/upload_pipeline.toml");
    let overrides = overrides.parse().unwrap();
    let contract = Contract::parse_with_overrides(default, &overrides, "the test").unwrap();
    let tenant = Tenant {
        user_id: Uuid::nil(),
        token: Secret::new("token"),
        email: "a@example.invalid".to_owned(),
    };
    let http = Http::new(client().unwrap(), "api", Recorder::silent());
    let pipeline = Pipeline::new(
        http,
        Arc::new(contract),
        server.uri().parse().unwrap(),
        tenant,
    );
    (server, pipeline)
}

pub(super) async fn answer(server: &MockServer, verb: &str, at: &str, status: u16, body: Value) {
    Mock::given(method(verb))
        .and(path(at))
        .respond_with(ResponseTemplate::new(status).set_body_json(body))
        .mount(server)
        .await;
}

/// Accepts a registration, and responds to the `PUT` with this status.
pub(super) async fn accepting(server: &MockServer, put: u16) {
    let accepted = json!({
        "job_id": JOB,
        "document_id": Uuid::nil(),
        "signed_url": format!("{}/put?token=t", server.uri()),
        "upload_expires_at": "2026-01-02T03:04:05Z",
    });
    answer(server, "POST", "/api/v2/upload", 200, accepted).await;
    answer(server, "PUT", "/put", put, json!({})).await;
}

pub(super) fn job_path() -> String {
    format!("/api/v2/jobs/{JOB}")
}
