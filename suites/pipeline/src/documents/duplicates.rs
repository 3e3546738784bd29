//! Duplicates: one document of a user is one document, however often it is sent.

use cutover_fixtures::prelude::*;
use cutover_harness::check::Named;
use cutover_harness::contract::Derivation;
use cutover_harness::prelude::*;
use cutover_harness::probe::Reply;
use cutover_harness::standin::{ParserAnswer, ParserBehaviour};
use futures::future::try_join_all;

use cutover_suite_support::json::{list_at, value_at};
use cutover_suite_support::responses::{expect_error_body, expect_one_success};

/// The checks of this file.
pub(crate) fn table() -> Vec<Check> {
    vec![
        check!(a_duplicate_is_refused)
            .requires([Http])
            .effect(WriteTenant)
            .severity(High),
        check!(a_renamed_duplicate_is_refused)
            .requires([Http, Database])
            .effect(WriteTenant)
            .severity(High),
        check!(parallel_duplicates_make_one_document, EARLIER)
            .requires([Http, Database])
            .effect(WriteTenant)
            .severity(Critical),
        check!(a_failed_document_may_be_uploaded_again, FAILURES)
            .requires([Http, Database, Standins])
            .effect(WriteTenant)
            .severity(High),
        check!(a_known_hash_gives_no_access)
            .requires([Http, Database, Standins])
            .effect(WriteTenant)
            .severity(Critical),
    ]
}

/// How many identical uploads are sent at a time.
const AT_ONCE: usize = 8;

/// Only a hash tells a document from others before its bytes are there.
fn told_by_its_hash(cx: &Context) -> CheckResult {
    let said = &cx.contract().requests.upload;
    said.sha256.applies("the hash of a document")
}

/// A document that is complete is not taken again, and the refusal says which one it is.
async fn a_duplicate_is_refused(cx: &Context) -> CheckResult {
    told_by_its_hash(cx)?;
    let document = cx.document().build();
    let pipeline = cx.pipeline()?;
    pipeline.complete(&document).await?;
    let again = pipeline
        .register(document.upload())
        .await?
        .expect_status(409)?;
    expect_error_body(&again, cx.contract())?;
    let body = again.json()?;
    let fields = &cx.contract().fields.error;
    let told = [
        (
            &fields.error_type,
            &cx.contract().vocabulary.duplicate_error,
        ),
        (&fields.document_title, &document.upload().filename),
    ];
    for (pointer, expected) in told.into_iter().filter(|(pointer, _)| pointer.is_given()) {
        let said = value_at(pointer, &body, "the refusal of a duplicate")?;
        ensure_eq!(
            said,
            expected,
            "the refusal of a duplicate is wrong about {}",
            pointer.as_str()
        );
    }
    if fields.last_uploaded.is_given() {
        let when = value_at(&fields.last_uploaded, &body, "the refusal of a duplicate")?;
        let when = when.as_str().unwrap_or_default();
        cx.contract()
            .time("the time in the refusal of a duplicate", when)?;
    }
    let stranger = cx.pipeline()?;
    stranger.accept(document.upload()).await?;
    Ok(())
}

/// The same bytes are the same document under any name, while its job waits and when it is complete.
async fn a_renamed_duplicate_is_refused(cx: &Context) -> CheckResult {
    told_by_its_hash(cx)?;
    let tenant = cx.tenant()?;
    let pipeline = cx.pipeline_as(tenant.clone())?;
    let (waiting, complete) = (cx.document().build(), cx.document().build());
    pipeline.complete(&complete).await?;
    pipeline.accept(waiting.upload()).await?;
    for document in [&waiting, &complete] {
        let mut renamed = document.upload().clone();
        renamed.filename = format!("copy of {}", renamed.filename);
        renamed.ocr = !renamed.ocr;
        let again = pipeline.register(&renamed).await?.expect_status(409)?;
        expect_error_body(&again, cx.contract())?;
    }
    let rows = cx.database()?.documents_of(tenant.user_id).await?;
    ensure_eq!(
        rows.len(),
        2,
        "a document that was sent again has another row"
    );
    Ok(())
}

/// What became of a document before it is uploaded several times at once.
pub(super) struct Earlier {
    name: &'static str,
    has_failed: bool,
}

impl Named for Earlier {
    fn name(&self) -> &'static str {
        self.name
    }
}

const EARLIER: &[Earlier] = &[
    Earlier {
        name: "for_the_first_time",
        has_failed: false,
    },
    Earlier {
        name: "after_a_failure",
        has_failed: true,
    },
];

/// Of identical uploads at the same time one is taken, and one row is made.
async fn parallel_duplicates_make_one_document(cx: &Context, case: &Earlier) -> CheckResult {
    told_by_its_hash(cx)?;
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
    let replies: Vec<Reply> = try_join_all(uploads).await?;
    expect_one_success(&replies, "identical uploads at once")?;
    let database = cx.database()?;
    let documents = database.documents_of(tenant.user_id).await?;
    ensure_eq!(
        documents.len(),
        1,
        "identical uploads do not make exactly one row"
    );
    let jobs = database.jobs_of(documents[0].document_id).await?;
    let earlier = usize::from(case.has_failed);
    ensure!(
        jobs.len() <= 1 + earlier,
        "identical uploads make {} jobs",
        jobs.len() - earlier
    );
    let active = &cx.contract().vocabulary.active_states;
    let active = jobs.iter().filter(|job| active.contains(&job.state));
    ensure_eq!(
        active.count(),
        1,
        "identical uploads do not make exactly one job"
    );
    Ok(())
}

/// A way for a document to fail.
pub(super) struct Failure {
    name: &'static str,
    /// What is put to the signed address instead of the document's bytes.
    spoil: fn(&[u8]) -> Vec<u8>,
}

impl Named for Failure {
    fn name(&self) -> &'static str {
        self.name
    }
}

/// Ways for a document to fail.
const FAILURES: &[Failure] = &[
    Failure {
        name: "refused_by_the_parser",
        spoil: <[u8]>::to_vec,
    },
    Failure {
        name: "truncated_in_upload",
        spoil: |bytes| bytes[..bytes.len() / 2].to_vec(),
    },
];

/// A document that failed is taken again, and completes as if it were the first time.
async fn a_failed_document_may_be_uploaded_again(cx: &Context, case: &Failure) -> CheckResult {
    let document = cx.document().paragraphs(6).build();
    let refusal = ParserBehaviour {
        answer: ParserAnswer::Refuse {
            status: 422,
            marker: "unreadable today".to_owned(),
            retry_after_s: None,
        },
        ..ParserBehaviour::default()
    };
    let scripting = cx.standins()?.script_parser(document.sha256(), refusal);
    let script = scripting.await?;
    let pipeline = cx.pipeline()?;
    let first = pipeline.accept(document.upload()).await?;
    let spoilt = (case.spoil)(document.bytes());
    pipeline.put(&first.signed_url, spoilt).await?;
    let failed = pipeline.until_final(&first).await?;
    ensure!(
        cx.contract().vocabulary.is_failure(&failed.status),
        "a document that cannot be read does not fail: {}",
        failed.summary()
    );
    script.withdraw().await?;
    let second = pipeline.complete(&document).await?;
    ensure!(
        second.document_id() == first.document_id
            || cx.contract().ids.document == Derivation::Random,
        "a document that is uploaded again becomes another one"
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

/// How often the bytes of a document are looked for before they are taken to be missed.
const LOOKS: usize = 3;

/// Whoever knows the hash of somebody's document, and not its bytes, gets nothing of it.
async fn a_known_hash_gives_no_access(cx: &Context) -> CheckResult {
    let document = cx.document().paragraphs(6).build();
    cx.pipeline()?.complete(&document).await?;
    let tenant = cx.tenant()?;
    let stranger = cx.pipeline_as(tenant.clone())?;
    let accepted = stranger.accept(document.upload()).await?;
    let raw = cx.contract().raw_path(tenant.user_id, accepted.document_id);
    let standins = cx.standins()?;
    let within = cx.contract().timing.complete_within;
    cx.eventually("the bytes are looked for", within, async || {
        let job = stranger.view(&accepted).await?;
        ensure!(
            job.status != cx.contract().vocabulary.complete,
            "a document is complete although nobody sent its bytes"
        );
        let calls = standins.storage_calls(&raw).await?;
        let looks = calls.iter().filter(|call| call.method != "POST").count();
        Ok((looks >= LOOKS).then_some(()))
    })
    .await?;
    let chunks = cx.database()?.chunks_of(accepted.document_id).await?;
    ensure!(
        chunks.is_empty(),
        "whoever knows the hash of a document gets {} of its chunks",
        chunks.len()
    );
    let answer = stranger.search(document.nonce(), 5).await?;
    let answer = answer.expect_status(200)?.json()?;
    let results = &cx.contract().fields.search.results;
    let found = list_at(results, &answer, "the answer to a search")?;
    ensure!(
        found.is_empty(),
        "whoever knows the hash of a document finds its text"
    );
    Ok(())
}
