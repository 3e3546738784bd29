//! PDF structures: the pipeline passes valid PDFs of every structure to the parser, unchanged.

use cutover_fixtures::prelude::*;
use cutover_harness::contract::Upload;
use cutover_harness::prelude::*;
use cutover_harness::standin::ParserBehaviour;
use futures::future::try_join_all;

use cutover_suite_support::findings::about;
use cutover_suite_support::json::value_at;
use cutover_suite_support::texts::{self, expect_whole_text};

/// The checks of this file.
pub(crate) fn table() -> Vec<Check> {
    vec![
        check!(a_pdf_of_any_structure_arrives)
            .requires([Http, Database, Storage, Standins])
            .reads(texts::WHOLE_TEXT)
            .effect(Effect::WriteTenant)
            .expected_duration(secs(4))
            .severity(Critical),
        check!(the_users_own_documents_arrive)
            .requires([Http])
            .reads_corpus()
            .effect(Effect::WriteTenant)
            .severity(Critical),
    ]
}

/// Files at a time, each of another user.
const AT_ONCE: usize = 6;

/// A valid PDF of any structure reaches the parser with its exact bytes, and completes with the parser's text.
async fn a_pdf_of_any_structure_arrives(cx: &Context) -> CheckResult {
    let files = cx.document().pages(2).structures();
    for files in files.chunks(AT_ONCE) {
        try_join_all(files.iter().map(|file| async move {
            let arrived = expect_arrival(cx, file).await;
            arrived.map_err(|stop| about(&format!("PDF '{}'", file.name), stop))
        }))
        .await?;
    }
    Ok(())
}

/// The parser's text is scripted: whether a file can be read is not the pipeline's decision.
async fn expect_arrival(cx: &Context, file: &PdfStructure) -> CheckResult {
    let upload = Upload::pdf(format!("{}.pdf", file.name), file.bytes.clone());
    let text = format!("# Policy\n\nThe text of {}\n", upload.sha256);
    let standins = cx.standins()?;
    let sha256 = upload.sha256.clone();
    let script = standins
        .script_parser(sha256.clone(), ParserBehaviour::returning(&text))
        .await?;
    let pipeline = cx.pipeline()?;
    let accepted = pipeline.complete(upload).await?.accepted;
    script.withdraw().await?;
    expect_whole_text(cx, &pipeline, &accepted, &text).await?;
    let calls = standins.parser_calls(&sha256).await?;
    let arrived = calls
        .iter()
        .filter(|call| call.bytes == file.bytes.len() as u64)
        .count();
    ensure_eq!(
        arrived,
        1,
        "the parser does not receive the file once, with its exact bytes"
    );
    Ok(())
}

/// The text of every file of the corpus where the parser is a stand-in.
const OWN_TEXT: &str = "# Own document\n\nIts text is not read.\n";

/// The least number of chunks of a readable file.
const MIN_CHUNKS: u64 = 1;

/// Every PDF in the folder `[documents] corpus` of the target file completes with at least one chunk. The finding
/// names each file that does not.
async fn the_users_own_documents_arrive(cx: &Context) -> CheckResult {
    let files = cx.corpus()?;
    let mut problems = Vec::new();
    for path in files {
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let bytes = std::fs::read(path)?;
        match expect_own_document(cx, &name, bytes).await {
            Err(Stop::Violated(finding)) => problems.push(format!("{name}: {}", finding.summary)),
            other => other?,
        }
    }
    ensure!(
        problems.is_empty(),
        "{} of {} documents of the corpus do not arrive: {}",
        problems.len(),
        files.len(),
        problems.join("; ")
    );
    Ok(())
}

async fn expect_own_document(cx: &Context, name: &str, bytes: Vec<u8>) -> CheckResult {
    let limits = &cx.contract().limits;
    if bytes.len() as u64 > limits.max_bytes {
        cx.observe(
            "corpus",
            format!("{name} is larger than the limit, and is left out"),
            bytes.len().into(),
        );
        return Ok(());
    }
    let name: String = name.chars().take(limits.filename_chars).collect();
    let upload = Upload::pdf(name, bytes);
    // A stand-in reads few of the files that a real parser reads.
    let script = match cx.standins_if_granted() {
        Some(standins) => Some(
            standins
                .script_parser(upload.sha256.clone(), ParserBehaviour::returning(OWN_TEXT))
                .await?,
        ),
        None => None,
    };
    let pipeline = cx.pipeline()?;
    let done = pipeline.complete(upload).await?;
    if let Some(script) = script {
        script.withdraw().await?;
    }
    let field = &cx.contract().fields.document.chunk_count;
    let shown = match pipeline.document(done.document_id()).await {
        Err(Stop::Skip { .. }) => return Ok(()),
        shown => shown?.expect_status(200)?.json()?,
    };
    if field.is_given() {
        let chunks = value_at(field, &shown, "a document")?.as_u64();
        ensure!(
            chunks >= Some(MIN_CHUNKS),
            "it has {} chunks",
            chunks.unwrap_or_default()
        );
    }
    Ok(())
}
