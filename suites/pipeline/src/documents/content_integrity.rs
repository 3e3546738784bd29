//! Possession: what is indexed are the very bytes that were registered, and nothing in their place.

use cutover_fixtures::prelude::*;
use cutover_harness::check::Named;
use cutover_harness::contract::{Accepted, Endpoint, JobView, Presence, Upload};
use cutover_harness::prelude::*;
use cutover_harness::standin::StorageBehaviour;
use serde_json::Value;

use cutover_suite_support::json::list_at;

/// The checks of this file.
pub(crate) fn table() -> Vec<Check> {
    vec![
        check!(other_bytes_are_never_indexed, OTHERS)
            .requires([Http, Database, Standins])
            .effect(WriteTenant)
            .severity(Critical),
        check!(nothing_takes_the_place_of_a_missing_object)
            .requires([Http, Database, Standins])
            .effect(WriteTenant)
            .severity(Critical),
        check!(an_unreadable_object_fails_its_job, REFUSALS)
            .requires([Http, Database, Standins])
            .effect(WriteTenant)
            .severity(Critical),
    ]
}

/// Bytes that are not those of the registration.
pub(super) struct Other {
    name: &'static str,
    /// Makes what is registered of what is put.
    claim: fn(&mut Upload),
    /// Whether storage changes the bytes afterwards.
    corrupt: bool,
}

impl Named for Other {
    fn name(&self) -> &'static str {
        self.name
    }
}

/// Ways in which bytes are not those of their registration.
const OTHERS: &[Other] = &[
    Other {
        name: "of_another_hash",
        claim: |upload| upload.sha256 = "a".repeat(64),
        corrupt: false,
    },
    Other {
        name: "longer",
        claim: |upload| upload.bytes.truncate(upload.bytes.len() - 1),
        corrupt: false,
    },
    Other {
        name: "shorter",
        claim: |upload| upload.bytes.push(b'\n'),
        corrupt: false,
    },
    Other {
        name: "changed_in_storage",
        claim: |_| (),
        corrupt: true,
    },
];

/// Other bytes than the registered ones fail for good, and neither parser nor index ever sees them.
async fn other_bytes_are_never_indexed(cx: &Context, case: &Other) -> CheckResult {
    let document = cx.document().paragraphs(6).build();
    let mut claimed = document.upload().clone();
    (case.claim)(&mut claimed);
    let said = &cx.contract().requests.upload;
    if !case.corrupt && said.body(&claimed) == said.body(document.upload()) {
        let reason = "this target is not told what is wrong here: length or hash";
        return Err(Stop::not_applicable(reason));
    }
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
    failed_for_a_reason(cx, &pipeline, &accepted, &job).await?;
    ensure_eq!(
        job.retry_count.unwrap_or_default(),
        0,
        "bytes that will never be right were tried again"
    );
    is_not_indexed(cx, &pipeline, &accepted, document.nonce()).await
}

/// The job failed while parsing and says why in words.
async fn failed_for_a_reason(
    cx: &Context,
    pipeline: &Pipeline,
    accepted: &Accepted,
    job: &JobView,
) -> CheckResult {
    ensure_eq!(
        job.status,
        cx.contract().vocabulary.failures.parse,
        "a job without the bytes of its document ends otherwise: {}",
        job.summary()
    );
    let message = &cx.contract().fields.job.last_error_message;
    let shown = pipeline.show(accepted).await?.expect_status(200)?.json()?;
    let said = message.find(&shown).and_then(Value::as_str);
    ensure!(
        !message.is_given() || said.is_some_and(|text| !text.is_empty()),
        "a failed job does not say why: {}",
        job.summary()
    );
    Ok(())
}

/// The parser was given nothing, and nothing can be found.
async fn is_not_indexed(
    cx: &Context,
    pipeline: &Pipeline,
    accepted: &Accepted,
    nonce: &str,
) -> CheckResult {
    parser_was_given_nothing(cx, accepted).await?;
    let chunks = cx.database()?.chunks_of(accepted.document_id).await?;
    ensure!(
        chunks.is_empty(),
        "a job that failed leaves {} chunks",
        chunks.len()
    );
    let answer = pipeline
        .search(nonce, 5)
        .await?
        .expect_status(200)?
        .json()?;
    let results = &cx.contract().fields.search.results;
    let found = list_at(results, &answer, "the answer to a search")?;
    ensure!(found.is_empty(), "the text of a job that failed is found");
    Ok(())
}

async fn parser_was_given_nothing(cx: &Context, accepted: &Accepted) -> CheckResult {
    let job = accepted.job_id.to_string();
    let calls = cx.standins()?.parser_calls(&job).await?;
    ensure!(
        calls.is_empty(),
        "the parser was given a file of {} bytes for a document whose bytes are not there",
        calls[0].bytes
    );
    Ok(())
}

/// How often an object is looked for before it is taken to be missed.
const LOOKS: usize = 4;

/// While an object cannot be found, nothing is parsed in its place; once it is there, its text is.
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
    cx.eventually("the object is looked for", within, async || {
        parser_was_given_nothing(cx, &accepted).await?;
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
        "a document whose object was missing for a while has another text"
    );
    Ok(())
}

/// A way in which storage does not give an object that it has.
pub(super) struct Refusal {
    name: &'static str,
    status: u16,
}

impl Named for Refusal {
    fn name(&self) -> &'static str {
        self.name
    }
}

/// Ways in which storage does not give an object.
const REFUSALS: &[Refusal] = &[
    Refusal {
        name: "broken",
        status: 500,
    },
    Refusal {
        name: "forbidden",
        status: 403,
    },
];

/// An object that storage does not give is tried again where that may help, then fails its job; nothing is made up.
async fn an_unreadable_object_fails_its_job(cx: &Context, case: &Refusal) -> CheckResult {
    let document = cx.document().paragraphs(6).build();
    let tenant = cx.tenant()?;
    let pipeline = cx.pipeline_as(tenant.clone())?;
    let accepted = pipeline.accept(document.upload()).await?;
    let raw = cx.contract().raw_path(tenant.user_id, accepted.document_id);
    let broken = StorageBehaviour::Refuse {
        status: case.status,
        marker: "the disk is on fire".to_owned(),
    };
    let script = cx
        .standins()?
        .script_storage(format!("GET {raw}"), broken)
        .await?;
    pipeline.deliver(&accepted, document.upload()).await?;
    let job = pipeline.until_final(&accepted).await?;
    failed_for_a_reason(cx, &pipeline, &accepted, &job).await?;
    is_not_indexed(cx, &pipeline, &accepted, document.nonce()).await?;
    script.withdraw().await?;
    let retry = cx.contract().route(Endpoint::Retry);
    if retry.is_some_and(|route| route.presence == Presence::Required) {
        pipeline.retry(accepted.job_id).await?.expect_status(200)?;
        pipeline.until_complete(&accepted).await?;
    }
    Ok(())
}
