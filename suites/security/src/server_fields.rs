//! Fields of the service: a client cannot register what the service itself decides.

use std::iter;

use cutover_fixtures::prelude::*;
use cutover_harness::check::Named;
use cutover_harness::contract::{Accepted, Table};
use cutover_harness::prelude::*;
use serde::Deserialize;
use serde_json::{Value, json};

/// The checks of this file.
pub(crate) fn table() -> Vec<Check> {
    vec![
        check!(a_client_sets_no_field_of_the_service, FIELD_GROUPS)
            .requires([Http, Database])
            .reads([read::DOCUMENTS, read::JOBS.if_given()])
            .effect(Effect::WriteTenant)
            .severity(Critical),
    ]
}

/// Fields that only the service may set, and a value for each that occurs nowhere else.
pub(super) struct FieldGroup {
    name: &'static str,
    fields: &'static [&'static str],
    value: fn(&Marker) -> Value,
}

impl Named for FieldGroup {
    fn name(&self) -> &'static str {
        self.name
    }
}

/// Values that occur in nothing but the registration of this trial.
struct Marker {
    text: String,
    id: Uuid,
}

/// A number that no system counts up to in a test.
const NUMBER: u32 = 770_077;
/// A time before every test.
const TIME: &str = "1999-03-07T00:00:00Z";
/// The part of the time by which it is recognised in any notation.
const DAY: &str = "1999-03-0";

const FIELD_GROUPS: &[FieldGroup] = &[
    FieldGroup {
        name: "ids",
        fields: &["id", "job_id", "document_id", "upload_id"],
        value: |marker| json!(marker.id),
    },
    FieldGroup {
        name: "owners",
        fields: &[
            "user_id",
            "userId",
            "user",
            "owner",
            "owner_id",
            "tenant",
            "tenant_id",
            "account_id",
            "org_id",
            "organization_id",
            "created_by",
            "uploaded_by",
            "sub",
        ],
        value: |marker| json!(marker.id),
    },
    FieldGroup {
        name: "places",
        fields: &[
            "path",
            "raw_path",
            "parsed_path",
            "storage_path",
            "storage_key",
            "object_key",
            "bucket",
            "file_path",
            "signed_url",
        ],
        value: |marker| json!(format!("files/{}/raw.pdf", marker.text)),
    },
    FieldGroup {
        name: "secrets_and_models",
        fields: &[
            "webhook_secret",
            "secret",
            "callback_secret",
            "embed_model",
            "chunker_name",
            "chunker_version",
            "parser_job_id",
            "last_error",
            "claimed_by",
        ],
        value: |marker| json!(marker.text),
    },
    FieldGroup {
        name: "standing",
        fields: &["status", "processing_status", "state", "stage", "progress"],
        value: |_| json!("complete"),
    },
    FieldGroup {
        name: "counts",
        fields: &[
            "retry_count",
            "retries",
            "attempts",
            "cost_cents",
            "cost",
            "chunk_count",
            "vector_dim",
            "embed_version",
        ],
        value: |_| json!(NUMBER),
    },
    FieldGroup {
        name: "times",
        fields: &[
            "created_at",
            "updated_at",
            "upload_expires_at",
            "lease_expires_at",
            "next_attempt_at",
            "claimed_at",
            "deleted_at",
            "completed_at",
        ],
        value: |_| json!(TIME),
    },
];

/// A row as text.
#[derive(Deserialize)]
struct Row {
    text: String,
}

/// A registration with such fields is refused, or they have no effect: no row and no response has their values,
/// and the document becomes complete like any other.
async fn a_client_sets_no_field_of_the_service(cx: &Context, case: &FieldGroup) -> CheckResult {
    let pipeline = cx.pipeline()?;
    let document = cx.document().build();
    let marker = Marker {
        text: format!("set-by-the-client-{}", document.nonce()),
        id: uuid::Builder::from_random_bytes(cx.random()).into_uuid(),
    };
    let plain = cx.contract().requests.upload.body(document.upload());
    let mut body = plain.clone();
    for field in case.fields {
        if plain.get(field).is_none() {
            body[*field] = (case.value)(&marker);
        }
    }
    let reply = pipeline.register_as(&body).await?;
    if matches!(reply.status, 400 | 403 | 422) {
        return Ok(());
    }
    let reply = reply.expect_status(&cx.contract().statuses.accepted)?;
    expect_unmarked(&reply.text(), &marker, "the response to the registration")?;
    let accepted = Accepted::read(&reply, cx.contract())?;
    let view = pipeline.view(&accepted).await?;
    ensure!(
        view.status != cx.contract().vocabulary.complete_document(),
        "a document is complete before its bytes exist, because its registration says so: {}",
        view.summary()
    );
    expect_unmarked_rows(cx, &accepted, &marker).await?;
    pipeline.deliver(&accepted, document.upload()).await?;
    pipeline.until_complete(&accepted).await?;
    expect_unmarked_rows(cx, &accepted, &marker).await?;
    let shown = pipeline.show(&accepted).await?;
    expect_unmarked(&shown.text(), &marker, "the response about the document")
}

/// The rows of a document, as text.
const DOCUMENT_ROWS: &str =
    "SELECT to_jsonb(d)::text AS text FROM {schema}.documents d WHERE document_id = $1";
const JOB_ROWS: &str =
    "SELECT to_jsonb(j)::text AS text FROM {schema}.upload_jobs j WHERE document_id = $1";

/// No row of the document has a value of the client.
async fn expect_unmarked_rows(cx: &Context, accepted: &Accepted, marker: &Marker) -> CheckResult {
    let has_jobs = cx.contract().database.qualified(Table::Jobs).is_some();
    for sql in iter::once(DOCUMENT_ROWS).chain(has_jobs.then_some(JOB_ROWS)) {
        let document = accepted.document_id.into();
        let rows: Vec<Row> = cx.database()?.rows(sql, &[document]).await?;
        for row in rows {
            expect_unmarked(&row.text, marker, "a row of the document")?;
        }
    }
    Ok(())
}

fn expect_unmarked(text: &str, marker: &Marker, what: &str) -> CheckResult {
    let id = marker.id.to_string();
    let number = NUMBER.to_string();
    let found = [marker.text.as_str(), &id, &number, DAY]
        .into_iter()
        .find(|value| text.contains(value));
    ensure!(
        found.is_none(),
        "{what} has the value of a field that the client may not set: {}",
        found.unwrap_or_default()
    );
    Ok(())
}
