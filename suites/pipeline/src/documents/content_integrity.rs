//! Content integrity: only the registered bytes are indexed, and nothing replaces them.

use cutover_fixtures::prelude::*;
use cutover_harness::check::Named;
use cutover_harness::contract::{Accepted, Contract, Endpoint, JobView, Presence, Upload};
use cutover_harness::prelude::*;
use cutover_harness::standin::StorageBehaviour;

use cutover_suite_support::outcomes::{self, hits_if_searchable};

/// The checks of this file.
pub(crate) fn table() -> Vec<Check> {
    vec![
        check!(other_bytes_are_never_indexed, MISMATCHES)
            .only_where([Condition::RAW_PATH])
            .requires([Http, Database, Standins])
            .reads([read::CHUNKS])
            .effect(Effect::WriteTenant)
            .severity(Critical),
        check!(nothing_takes_the_place_of_a_missing_object)
            .only_where([Condition::RAW_PATH])
            .requires([Http, Database, Standins])
            .reads([read::CHUNKS])
            .effect(Effect::WriteTenant)
            .severity(Critical),
        check!(an_unreadable_object_fails_its_job, REFUSALS)
            .only_where([Condition::RAW_PATH])
            .requires([Http, Database, Standins])
            .calls([Endpoint::Retry])
            .reads(outcomes::NOT_INDEXED)
            .effect(Effect::WriteTenant)
            .severity(Critical),
    ]
}

/// Bytes that differ from their registration.
pub(super) struct Mismatch {
    name: &'static str,
    /// Changes the registration of the uploaded bytes.
    claim: fn(&mut Upload),
    /// Whether the storage changes the bytes afterwards.
    corrupt: bool,
}

impl Named for Mismatch {
    fn name(&self) -> &'static str {
        self.name
    }

    fn not_applicable(&self, contract: &Contract) -> Option<String> {
        let fields = &contract.requests.upload;
        let sound = Upload::pdf("a.pdf", *b"%PDF-1.4");
        let mut claimed = sound.clone();
        (self.claim)(&mut claimed);
        let is_registered = fields.body(&claimed) != fields.body(&sound);
        (!self.corrupt && !is_registered).then(|| {
            "registrations of this target do not have the length or hash that is wrong here \
             (contract.requests.upload)"
                .to_owned()
        })
    }
}

/// Ways in which bytes differ from their registration.
const MISMATCHES: &[Mismatch] = &[
    Mismatch {
        name: "of_another_hash",
        claim: |upload| upload.sha256 = "a".repeat(64),
        corrupt: false,
    },
    Mismatch {
        name: "longer",
        claim: |upload| upload.bytes.truncate(upload.bytes.len() - 1),
        corrupt: false,
    },
    Mismatch {
        name: "shorter",
        claim: |upload| upload.bytes.push(b'\n'),
        corrupt: false,
    },
    Mismatch {
        name: "changed_in_storage",
        claim: |_| (),
        corrupt: true,
    },
];

/// Bytes that differ from their registration fail permanently, and neither parser nor index receives them.
async fn other_bytes_are_never_indexed(cx: &Context, case: &Mismatch) -> CheckResult {
    let document = cx.document().paragraphs(6).build();
    let mut claimed = document.upload().clone();
    (case.claim)(&mut claimed);
    let tenant = cx.tenant()?;
    let pipeline = cx.pipeline_as(tenant.clone())?;
    let accepted = pipeline.accept(&claimed).await?;
    let raw = cx.contract().raw_path(tenant.user_id, accepted.document_id);
    let behaviour = if case.corrupt {
        StorageBehaviour::Corrupt
    } else {
        StorageBehaviour::Serve
    };
    let standins = cx.standins()?;
    let script = standins
        .script_storage(format!("GET {raw}"), behaviour)
        .await?;
    pipeline.put(&accepted.signed_url, document.bytes()).await?;
    let job = pipeline.until_final(&accepted).await?;
    script.withdraw().await?;
    expect_parse_failure(cx, &pipeline, &accepted, &job).await?;
    ensure_eq!(
        job.retry_count.unwrap_or_default(),
        0,
        "a job with wrong bytes was retried"
    );
    expect_nothing_indexed(cx, &pipeline, &accepted, document.nonce()).await
}

/// The job failed in the parse stage, with an error message.
async fn expect_parse_failure(
    cx: &Context,
    pipeline: &Pipeline,
    accepted: &Accepted,
    job: &JobView,
) -> CheckResult {
    ensure_eq!(
        job.status,
        cx.contract().vocabulary.failures.parse,
        "a job without its bytes does not fail in the parse stage: {}",
        job.summary()
    );
    if !cx.contract().has(Endpoint::Job) {
        return Ok(());
    }
    let message = &cx.contract().fields.job.last_error_message;
    let shown = pipeline.show(accepted).await?.expect_status(200)?.json()?;
    ensure!(
        !message.is_given() || message.find_text(&shown).is_some(),
        "a failed job has no error message: {}",
        job.summary()
    );
    Ok(())
}

/// The parser received nothing, and a search finds nothing.
async fn expect_nothing_indexed(
    cx: &Context,
    pipeline: &Pipeline,
    accepted: &Accepted,
    nonce: &str,
) -> CheckResult {
    expect_no_parser_call(cx, accepted).await?;
    let chunks = cx.database()?.chunks_of(accepted.document_id).await?;
    ensure!(
        chunks.is_empty(),
        "a failed job leaves {} chunks",
        chunks.len()
    );
    let found = hits_if_searchable(cx, pipeline, nonce, 5).await?;
    ensure!(found.is_empty(), "the text of a failed job is found");
    Ok(())
}

async fn expect_no_parser_call(cx: &Context, accepted: &Accepted) -> CheckResult {
    let job = accepted.job_id.to_string();
    let calls = cx.standins()?.parser_calls(&job).await?;
    ensure!(
        calls.is_empty(),
        "the parser received a file of {} bytes for a document without its bytes",
        calls[0].bytes
    );
    Ok(())
}

/// How many requests for a missing object are waited for.
const LOOKS: usize = 4;

/// While an object is missing, nothing else is parsed. As soon as it exists, its text is.
async fn nothing_takes_the_place_of_a_missing_object(cx: &Context) -> CheckResult {
    let document = cx.document().paragraphs(6).build();
    let tenant = cx.tenant()?;
    let pipeline = cx.pipeline_as(tenant.clone())?;
    let accepted = pipeline.accept(document.upload()).await?;
    let raw = cx.contract().raw_path(tenant.user_id, accepted.document_id);
    let standins = cx.standins()?;
    let mut hidden = Vec::new();
    for method in ["GET", "HEAD"] {
        let scope = format!("{method} {raw}");
        hidden.push(
            standins
                .script_storage(scope, StorageBehaviour::Missing)
                .await?,
        );
    }
    pipeline.deliver(&accepted, document.upload()).await?;
    let within = cx.contract().timing.complete_within;
    cx.eventually("the object is requested", within, async || {
        expect_no_parser_call(cx, &accepted).await?;
        let calls = standins.storage_calls(&raw).await?;
        let looks = calls
            .iter()
            .filter(|call| matches!(call.method.as_str(), "GET" | "HEAD"));
        Ok((looks.count() >= LOOKS).then_some(()))
    })
    .await?;
    for script in hidden {
        script.withdraw().await?;
    }
    pipeline.until_complete(&accepted).await?;
    let chunks = cx.database()?.chunks_of(accepted.document_id).await?;
    ensure!(
        chunks
            .iter()
            .any(|chunk| chunk.text.contains(document.nonce())),
        "a document whose object was missing for a while completes with another text"
    );
    Ok(())
}

/// An error of the storage for an existing object.
pub(super) struct StorageRefusal {
    name: &'static str,
    status: u16,
}

impl Named for StorageRefusal {
    fn name(&self) -> &'static str {
        self.name
    }
}

/// Errors of the storage for an existing object.
const REFUSALS: &[StorageRefusal] = &[
    StorageRefusal {
        name: "broken",
        status: 500,
    },
    StorageRefusal {
        name: "forbidden",
        status: 403,
    },
];

/// If the storage refuses to return an object, its job fails, without a substitute text, and can be retried.
async fn an_unreadable_object_fails_its_job(cx: &Context, case: &StorageRefusal) -> CheckResult {
    let document = cx.document().paragraphs(6).build();
    let tenant = cx.tenant()?;
    let pipeline = cx.pipeline_as(tenant.clone())?;
    let accepted = pipeline.accept(document.upload()).await?;
    let raw = cx.contract().raw_path(tenant.user_id, accepted.document_id);
    let broken = StorageBehaviour::Refuse {
        status: case.status,
        marker: "disk error".to_owned(),
    };
    let script = cx
        .standins()?
        .script_storage(format!("GET {raw}"), broken)
        .await?;
    pipeline.deliver(&accepted, document.upload()).await?;
    let job = pipeline.until_final(&accepted).await?;
    expect_parse_failure(cx, &pipeline, &accepted, &job).await?;
    expect_nothing_indexed(cx, &pipeline, &accepted, document.nonce()).await?;
    script.withdraw().await?;
    let retry = cx.contract().route(Endpoint::Retry);
    if retry.is_some_and(|route| route.presence == Presence::Required) {
        pipeline
            .retry(accepted.job_id)
            .await?
            .expect_status(&cx.contract().statuses.retried)?;
        pipeline.until_complete(&accepted).await?;
    }
    Ok(())
}
