//! Hostile file names: a name is refused or kept as data, and no part of it becomes a part of a path.

use cutover_fixtures::prelude::*;
use cutover_harness::check::Named;
use cutover_harness::prelude::*;
use futures::future::try_join_all;

use cutover_suite_support::findings::about;
use cutover_suite_support::hostile_uploads::{UploadEnd, end_of, register};
use cutover_suite_support::outcomes::expect_complete;
use cutover_suite_support::texts;

/// The checks of this file.
pub(crate) fn table() -> Vec<Check> {
    vec![
        check!(no_file_name_reaches_a_path, KINDS)
            .requires([Http, Database, Storage, Standins])
            .reads(PATHS)
            .effect(Effect::WriteTenant)
            .expected_duration(secs(3))
            .severity(High),
        check!(names_that_mean_the_same_stay_apart)
            .requires([Http, Database, Storage, Standins])
            .reads(texts::WHOLE_TEXT)
            .effect(Effect::WriteTenant)
            .expected_duration(secs(4))
            .severity(High),
    ]
}

/// What the check of paths reads.
const PATHS: [cutover_harness::contract::Read; 4] = [
    read::CHUNKS,
    read::chunk::EMBEDDING.if_given(),
    read::document::RAW_PATH.if_given(),
    read::document::PARSED_PATH.if_given(),
];

/// A kind of file names. The word `MARK` in them stands for letters that nothing else contains.
pub(super) struct NameKind {
    name: &'static str,
    names: fn() -> Vec<String>,
}

impl Named for NameKind {
    fn name(&self) -> &'static str {
        self.name
    }
}

const fn kind(name: &'static str, names: fn() -> Vec<String>) -> NameKind {
    NameKind { name, names }
}

fn owned(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

const KINDS: &[NameKind] = &[
    kind("that_leave_their_folder", || {
        owned(&[
            "../../../../tmp/MARK.pdf",
            "..\\..\\..\\MARK.pdf",
            "/etc/MARK",
            "C:\\Windows\\MARK.pdf",
            "\\\\127.0.0.1\\share\\MARK.pdf",
            "....//....//MARK.pdf",
            "%2e%2e%2f%2e%2e%2fMARK.pdf",
            "..%252f..%252fMARK.pdf",
            "\u{2025}/\u{ff0e}\u{ff0e}\u{ff0f}MARK.pdf",
            "~/MARK.pdf",
            "file:///etc/MARK",
            "MARK/../../raw/MARK.pdf",
        ])
    }),
    kind("with_control_characters", || {
        owned(&[
            "MARK\u{0}.pdf",
            "\u{0}MARK",
            "MARK\r\nX-Injected: 1\r\n\r\n.pdf",
            "MARK\".pdf\"; name=\"webhook_url\"\r\n\r\nhttp://127.0.0.1:9/",
            "MARK\u{1b}[2J.pdf",
            "MARK\u{8}\u{7f}\u{85}.pdf",
            "MARK\t.pdf",
        ])
    }),
    kind("against_the_direction", || {
        owned(&[
            "MARK\u{202e}fdp.exe",
            "\u{2067}MARK\u{2069}.pdf",
            "\u{200f}MARK\u{200e}.pdf",
            "MARK\u{200b}\u{feff}\u{2060}.pdf",
            "M\u{430}RK MARK.pdf",
            "MARK\u{e0061}\u{e0062}.pdf",
        ])
    }),
    kind("that_are_long", || {
        vec![
            format!("MARK{}.pdf", "x".repeat(251)),
            format!("MARK{}.pdf", "\u{e9}".repeat(250)),
            format!("MARKx{}.pdf", "\u{1f980}".repeat(1_100)),
            format!("MARK{}", "/a".repeat(2_000)),
            format!("MARK{}.pdf", "\u{300}".repeat(4_000)),
            format!("MARK{}.pdf", "x".repeat(65_536)),
        ]
    }),
    kind("that_are_reserved", || {
        owned(&[
            "CON",
            "nul.pdf",
            "COM1.MARK",
            "LPT1",
            ".",
            "..",
            "...",
            ".MARK",
            "MARK.",
            "MARK...",
            "MARK ",
            "MARK.pdf::$DATA",
            "MARK:stream.pdf",
            ".htaccess",
            "-rf MARK",
            "MARK*?|<>.pdf",
            "$(touch MARK).pdf",
            "`MARK`.pdf",
            "${MARK}.pdf",
        ])
    }),
];

/// Names at a time, each of another user.
const AT_ONCE: usize = 6;

/// Whatever its name, a document is refused or completes with its own text, and neither an address, a stored path nor
/// a request to storage contains a part of the name.
async fn no_file_name_reaches_a_path(cx: &Context, case: &NameKind) -> CheckResult {
    for names in (case.names)().chunks(AT_ONCE) {
        try_join_all(names.iter().map(async |name| {
            let kept_out = expect_kept_out(cx, name).await;
            let shown: String = name.escape_debug().take(60).collect();
            kept_out.map_err(|stop| about(&format!("file name '{shown}'"), stop))
        }))
        .await?;
    }
    Ok(())
}

async fn expect_kept_out(cx: &Context, name: &str) -> CheckResult {
    let letters = cx.random::<16>().map(|byte| char::from(b'g' + byte % 20));
    let mark: String = letters.iter().collect();
    let (pipeline, document) = (cx.pipeline()?, cx.document().build());
    let mut upload = document.upload().clone();
    upload.filename = name.replace("MARK", &mark);
    let end = end_of(cx, &pipeline, &upload).await?;
    ensure!(
        !matches!(end, UploadEnd::Failed),
        "a document fails because of its name"
    );
    let requests = cx.standins()?.storage_calls(&mark).await?;
    ensure!(
        requests.is_empty(),
        "a part of the file name is in the path of an object: {}",
        requests.first().map_or("", |call| &call.object)
    );
    let UploadEnd::Complete(accepted) = end else {
        return Ok(());
    };
    ensure!(
        !accepted.signed_url.as_str().contains(&mark),
        "a part of the file name is in the upload URL"
    );
    expect_complete(cx, &pipeline, &accepted, &document).await?;
    let row = cx.database()?.document(accepted.document_id).await?;
    let paths = row.map(|row| [row.raw_path, row.parsed_path]);
    let stored = paths
        .into_iter()
        .flatten()
        .flatten()
        .find(|path| path.contains(&mark));
    ensure!(
        stored.is_none(),
        "a part of the file name is in a stored path: {}",
        stored.unwrap_or_default()
    );
    Ok(())
}

/// Pairs of names that some systems take for the same.
const PAIRS: &[[&str; 2]] = &[
    ["caf\u{e9} \u{c5}.pdf", "cafe\u{301} A\u{30a}.pdf"],
    ["\u{fb01}le \u{2460}.pdf", "file 1.pdf"],
    ["policy.pdf", "POLICY.PDF"],
    ["policy.pdf", "policy.pdf."],
    ["policy.pdf", "policy .pdf"],
    ["policy.pdf", "a/../policy.pdf"],
    ["policy.pdf", "policy%2epdf"],
    ["policy.pdf", "policy\u{200b}.pdf"],
    ["policy.pdf", "p\u{43e}licy.pdf"],
    ["stra\u{df}e.pdf", "STRASSE.pdf"],
    ["policy.pdf", "policy.pdf"],
];

/// Two documents of one user, whose names mean the same, are both registered before their bytes arrive. Each that is
/// not refused completes with its own text.
async fn names_that_mean_the_same_stay_apart(cx: &Context) -> CheckResult {
    for pairs in PAIRS.chunks(AT_ONCE) {
        try_join_all(pairs.iter().map(async |pair| {
            let apart = expect_apart(cx, pair).await;
            apart.map_err(|stop| about(&format!("file names {pair:?}"), stop))
        }))
        .await?;
    }
    Ok(())
}

async fn expect_apart(cx: &Context, names: &[&str; 2]) -> CheckResult {
    let pipeline = cx.pipeline()?;
    let mut registered = Vec::new();
    for name in names {
        let document = cx.document().build();
        let mut upload = document.upload().clone();
        (*name).clone_into(&mut upload.filename);
        let accepted = register(cx, &pipeline, &upload).await?;
        registered.extend(accepted.map(|accepted| (document, accepted)));
    }
    for (document, accepted) in &registered {
        pipeline.deliver(accepted, document.upload()).await?;
    }
    for (document, accepted) in &registered {
        expect_complete(cx, &pipeline, accepted, document).await?;
    }
    Ok(())
}
