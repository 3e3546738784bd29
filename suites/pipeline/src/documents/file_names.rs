//! File names: a document of any name completes, and is shown and found as a duplicate under that name.

use cutover_fixtures::prelude::*;
use cutover_harness::prelude::*;
use futures::future::try_join_all;

use cutover_suite_support::findings::about;
use cutover_suite_support::json::value_at;
use cutover_suite_support::outcomes::expect_complete;
use cutover_suite_support::texts;

/// The checks of this file.
pub(crate) fn table() -> Vec<Check> {
    vec![
        check!(every_file_name_is_kept_from_upload_to_duplicate)
            .requires([Http, Database, Storage, Standins])
            .reads(texts::NAME_AND_TEXT)
            .effect(Effect::WriteTenant)
            .expected_duration(secs(3))
            .severity(High),
    ]
}

/// File names as users have them.
const NAMES: &[&str] = &[
    "\u{dc}berschu\u{df} \"\u{4fdd}\u{967a}\u{8a3c}\u{5238}\" ; %0D%0A \\ \u{5e4}\u{5d5}\u{5dc}\u{5d9}\u{5e1}\u{5d4} \u{1f980}.pdf",
    "e\u{301}t\u{e9} A\u{30a}\u{c5}.pdf",
    "100%25 %2e%2e%2f %00 %zz.pdf",
    "a+b&c=d?e#f@g!h$i.pdf",
    "'; DROP TABLE documents; --.pdf",
    "{\"a\": null} {{x}} ${y} $(z) %s.pdf",
    "<b>bold</b> <script>x</script> &amp;.pdf",
    "../../..\\..\\etc/passwd",
    "/absolute/path.pdf",
    "C:\\Users\\me\\policy.pdf",
    "CON.pdf",
    ".hidden",
    "no extension",
    "two.dots..pdf.PDF",
    "UPPER.PDF",
    "policy.docx",
    "a; filename=\"b.pdf\"; x=.pdf",
    "\u{202e}fdp.exe\u{202c}\u{200b}\u{feff}.pdf",
    "\u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467}\u{1f1e9}\u{1f1ea} \u{fb01}\u{2460}\u{ff21}.pdf",
    "a  b\u{a0}c\u{3000}d.pdf",
    "https://example.com/policy.pdf?x=1",
    "someone@example.com.pdf",
    "null",
    "0",
    "-rf",
    "<|endoftext|>.pdf",
    "\u{648}\u{62b}\u{64a}\u{642}\u{629} 12.pdf",
    "=cmd|' /C calc'!A0.pdf",
];

/// Names at a time, each of another user.
const AT_ONCE: usize = 6;

/// Of every file name: the document completes, and row, document and refused duplicate have exactly that name.
async fn every_file_name_is_kept_from_upload_to_duplicate(cx: &Context) -> CheckResult {
    let longest = "\u{1f980}".repeat(cx.contract().limits.filename_chars);
    let all: Vec<_> = NAMES.iter().copied().chain([longest.as_str()]).collect();
    for names in all.chunks(AT_ONCE) {
        try_join_all(names.iter().map(|name| expect_kept(cx, name))).await?;
    }
    Ok(())
}

async fn expect_kept(cx: &Context, name: &str) -> CheckResult {
    let contract = cx.contract();
    let document = cx.document().build();
    let mut upload = document.upload().clone();
    name.clone_into(&mut upload.filename);
    let pipeline = cx.pipeline()?;
    let accepted = pipeline
        .upload(upload.clone())
        .await
        .map_err(|stop| about(name, stop))?;
    let completed = expect_complete(cx, &pipeline, &accepted, &document).await;
    completed.map_err(|stop| about(name, stop))?;
    let row = cx.database()?.document(accepted.document_id).await?;
    let stored = row.and_then(|row| row.filename).unwrap_or_default();
    ensure_eq!(stored, name, "a file name is not stored as given");
    let field = &contract.fields.document.filename;
    if field.is_given() && contract.has(Endpoint::Document) {
        let shown = pipeline.document(accepted.document_id).await?;
        let shown = shown.expect_status(200)?.json()?;
        let shown = value_at(field, &shown, "a document")?;
        ensure_eq!(shown, name, "a document is shown under another name");
    }
    let field = &contract.fields.error.document_title;
    if field.is_given() && contract.requests.upload.sha256.is_given() {
        let again = pipeline
            .register(&upload)
            .await?
            .expect_status(&cx.contract().statuses.duplicate)?;
        let again = again.json()?;
        let title = value_at(field, &again, "the refusal of a duplicate")?;
        ensure_eq!(title, name, "a refused duplicate names another document");
    }
    Ok(())
}
