//! Duplicates: the same bytes of a user are one document, however often they are uploaded.

use cutover_fixtures::prelude::*;
use cutover_harness::check::Named;
use cutover_harness::contract::Derivation;
use cutover_harness::prelude::*;
use cutover_harness::probe::Response;
use cutover_harness::standin::{ParserAnswer, ParserBehaviour};
use futures::future::try_join_all;

use cutover_suite_support::json::value_at;
use cutover_suite_support::outcomes::{self, hits_if_searchable};
use cutover_suite_support::responses::{expect_error_body, expect_one_success};

/// The checks of this file.
pub(crate) fn table() -> Vec<Check> {
    vec![
        check!(a_duplicate_is_refused)
            .only_where([Condition::UPLOAD_HASH])
            .requires([Http])
            .effect(Effect::WriteTenant)
            .severity(High),
        check!(a_renamed_duplicate_is_refused)
            .only_where([Condition::UPLOAD_HASH])
            .requires([Http, Database])
            .reads([read::DOCUMENTS])
            .effect(Effect::WriteTenant)
            .severity(High),
        check!(parallel_duplicates_make_one_document, EARLIER_UPLOADS)
            .only_where([Condition::UPLOAD_HASH])
            .requires([Http, Database])
            .reads([read::DOCUMENTS, read::JOBS, read::job::STATE.if_given()])
            .effect(Effect::WriteTenant)
            .severity(Critical),
        check!(a_failed_document_may_be_uploaded_again, FAILURE_CAUSES)
            .requires([Http, Database, Standins])
            .reads(outcomes::COMPLETE)
            .effect(Effect::WriteTenant)
            .severity(High),
        check!(a_known_hash_gives_no_access)
            .only_where([Condition::RAW_PATH])
            .requires([Http, Database, Standins])
            .reads([read::CHUNKS])
            .effect(Effect::WriteTenant)
            .severity(Critical),
    ]
}

/// The number of identical uploads at the same time.
const AT_ONCE: usize = 8;

/// An upload of a complete document is refused, and the response identifies the document.
async fn a_duplicate_is_refused(cx: &Context) -> CheckResult {
    let document = cx.document().build();
    let pipeline = cx.pipeline()?;
    pipeline.complete(&document).await?;
    let again = pipeline
        .register(document.upload())
        .await?
        .expect_status(&cx.contract().statuses.duplicate)?;
    expect_error_body(&again, cx.contract())?;
    let body = again.json()?;
    let fields = &cx.contract().fields.error;
    let expected_fields = [
        (
            &fields.error_type,
            &cx.contract().vocabulary.duplicate_error,
        ),
        (&fields.document_title, &document.upload().filename),
    ];
    for (pointer, expected) in expected_fields
        .into_iter()
        .filter(|(pointer, _)| pointer.is_given())
    {
        let value = value_at(pointer, &body, "the refusal of a duplicate")?;
        ensure_eq!(
            value,
            expected,
            "the refusal of a duplicate has a wrong {}",
            pointer.as_str()
        );
    }
    if fields.last_uploaded.is_given() {
        value_at(&fields.last_uploaded, &body, "the refusal of a duplicate")?;
        let when = fields.last_uploaded.find_text(&body).unwrap_or_default();
        // The format of a time must not hide that another user's upload is refused.
        let time = cx
            .contract()
            .time("last_uploaded in the refusal of a duplicate", &when);
        cx.report_if_wrong(time.map(drop))?;
    }
    let stranger = cx.pipeline()?;
    stranger.accept(document.upload()).await?;
    Ok(())
}

/// The same bytes are the same document under any name, both while the job is active and when it is complete.
async fn a_renamed_duplicate_is_refused(cx: &Context) -> CheckResult {
    let tenant = cx.tenant()?;
    let pipeline = cx.pipeline_as(tenant.clone())?;
    let (waiting, complete) = (cx.document().build(), cx.document().build());
    pipeline.complete(&complete).await?;
    pipeline.accept(waiting.upload()).await?;
    for document in [&waiting, &complete] {
        let mut renamed = document.upload().clone();
        renamed.filename = format!("copy of {}", renamed.filename);
        renamed.ocr = !renamed.ocr;
        let again = pipeline
            .register(&renamed)
            .await?
            .expect_status(&cx.contract().statuses.duplicate)?;
        expect_error_body(&again, cx.contract())?;
    }
    let rows = cx.database()?.documents_of(tenant.user_id).await?;
    ensure_eq!(rows.len(), 2, "a renamed duplicate has a row of its own");
    Ok(())
}

/// The state of a document before the parallel uploads.
pub(super) struct EarlierUpload {
    name: &'static str,
    has_failed: bool,
}

impl Named for EarlierUpload {
    fn name(&self) -> &'static str {
        self.name
    }
}

const EARLIER_UPLOADS: &[EarlierUpload] = &[
    EarlierUpload {
        name: "for_the_first_time",
        has_failed: false,
    },
    EarlierUpload {
        name: "after_a_failure",
        has_failed: true,
    },
];

/// Of identical parallel uploads exactly one succeeds, and one row exists.
async fn parallel_duplicates_make_one_document(cx: &Context, case: &EarlierUpload) -> CheckResult {
    let document = cx.document().build();
    let tenant = cx.tenant()?;
    let pipeline = cx.pipeline_as(tenant.clone())?;
    if case.has_failed {
        let accepted = pipeline.accept(document.upload()).await?;
        pipeline
            .put(&accepted.signed_url, b"%PDF-".to_vec())
            .await?;
        pipeline.until_final(&accepted).await?;
    }
    let uploads = (0..AT_ONCE).map(|_| pipeline.register(document.upload()));
    let replies: Vec<Response> = try_join_all(uploads).await?;
    let refusal = &cx.contract().statuses.duplicate;
    expect_one_success(&replies, "identical parallel uploads", refusal)?;
    let database = cx.database()?;
    let documents = database.documents_of(tenant.user_id).await?;
    let earlier = usize::from(case.has_failed);
    // With random ids, a document that failed and its new upload are two rows.
    let is_random = cx.contract().ids.document == Derivation::Random;
    let most = if is_random { 1 + earlier } else { 1 };
    ensure!(
        (1..=most).contains(&documents.len()),
        "identical uploads create {} rows, not one",
        documents.len()
    );
    let mut jobs = Vec::new();
    for document in &documents {
        jobs.extend(database.jobs_of(document.document_id).await?);
    }
    ensure!(
        jobs.len() <= 1 + earlier,
        "identical uploads create {} jobs",
        jobs.len() - earlier
    );
    let vocabulary = &cx.contract().vocabulary;
    let active = jobs
        .iter()
        .filter(|job| vocabulary.is_active(&job.status, job.state.as_deref()));
    ensure_eq!(
        active.count(),
        1,
        "identical uploads do not have exactly one active job"
    );
    Ok(())
}

/// A reason for a document to fail.
pub(super) struct FailureCause {
    name: &'static str,
    /// The bytes that are uploaded instead of the document's.
    replace: fn(&[u8]) -> Vec<u8>,
}

impl Named for FailureCause {
    fn name(&self) -> &'static str {
        self.name
    }
}

/// Reasons for a document to fail.
const FAILURE_CAUSES: &[FailureCause] = &[
    FailureCause {
        name: "refused_by_the_parser",
        replace: <[u8]>::to_vec,
    },
    FailureCause {
        name: "truncated_in_upload",
        replace: |bytes| bytes[..bytes.len() / 2].to_vec(),
    },
];

/// A failed document can be uploaded again and completes as if uploaded for the first time.
async fn a_failed_document_may_be_uploaded_again(cx: &Context, case: &FailureCause) -> CheckResult {
    let document = cx.document().paragraphs(6).build();
    let refusal = ParserBehaviour {
        answer: ParserAnswer::Refuse {
            status: 422,
            marker: "rejected by the check".to_owned(),
            retry_after_s: None,
        },
        ..ParserBehaviour::default()
    };
    let scripting = cx.standins()?.script_parser(document.sha256(), refusal);
    let script = scripting.await?;
    let pipeline = cx.pipeline()?;
    let first = pipeline.accept(document.upload()).await?;
    let replaced = (case.replace)(document.bytes());
    pipeline.put(&first.signed_url, replaced).await?;
    let failed = pipeline.until_final(&first).await?;
    ensure!(
        cx.contract().vocabulary.is_failure(&failed.status),
        "an unreadable document does not fail: {}",
        failed.summary()
    );
    script.withdraw().await?;
    let second = pipeline.complete(&document).await?;
    ensure!(
        second.document_id() == first.document_id
            || cx.contract().ids.document == Derivation::Random,
        "a document that was uploaded again has another id"
    );
    let chunks = cx.database()?.chunks_of(second.document_id()).await?;
    ensure!(
        chunks
            .iter()
            .any(|chunk| chunk.text.contains(document.nonce())),
        "a document that was uploaded again completed without its text"
    );
    Ok(())
}

/// How many requests for the missing bytes are waited for.
const LOOKS: usize = 3;

/// A user who knows the hash of another user's document, but not its bytes, gets no access to its text.
async fn a_known_hash_gives_no_access(cx: &Context) -> CheckResult {
    let document = cx.document().paragraphs(6).build();
    cx.pipeline()?.complete(&document).await?;
    let tenant = cx.tenant()?;
    let stranger = cx.pipeline_as(tenant.clone())?;
    let accepted = stranger.accept(document.upload()).await?;
    let raw = cx.contract().raw_path(tenant.user_id, accepted.document_id);
    let standins = cx.standins()?;
    let within = cx.contract().timing.complete_within;
    cx.eventually("the bytes are requested", within, async || {
        let job = stranger.view(&accepted).await?;
        ensure!(
            job.status != cx.contract().vocabulary.complete,
            "a document is complete although its bytes were not uploaded"
        );
        let calls = standins.storage_calls(&raw).await?;
        let looks = calls.iter().filter(|call| call.method != "POST").count();
        Ok((looks >= LOOKS).then_some(()))
    })
    .await?;
    let chunks = cx.database()?.chunks_of(accepted.document_id).await?;
    ensure!(
        chunks.is_empty(),
        "a user who knows only the hash of a document gets {} of its chunks",
        chunks.len()
    );
    let found = hits_if_searchable(cx, &stranger, document.nonce(), 5).await?;
    ensure!(
        found.is_empty(),
        "a user who knows only the hash of a document finds its text"
    );
    Ok(())
}
