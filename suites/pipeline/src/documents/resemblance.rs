//! Resemblance: documents with equal names, texts, bytes or beginnings do not affect each other.

use cutover_fixtures::prelude::*;
use cutover_harness::check::Named;
use cutover_harness::contract::{Accepted, Upload};
use cutover_harness::prelude::*;
use cutover_harness::standin::EmbedderBehaviour;
use futures::future::try_join;

use cutover_suite_support::findings::about;
use cutover_suite_support::json::value_at;
use cutover_suite_support::outcomes::hits_if_searchable;
use cutover_suite_support::texts::{self, complete_with_text, expect_whole_text, parse_as};

/// The checks of this file.
pub(crate) fn table() -> Vec<Check> {
    vec![
        check!(
            documents_that_resemble_each_other_are_independent,
            RESEMBLANCES
        )
        .requires([Http, Database, Storage, Standins])
        .reads(texts::NAME_AND_TEXT)
        .effect(Effect::WriteTenant)
        .expected_duration(secs(2))
        .severity(Critical),
        check!(
            a_failure_leaves_a_document_with_the_same_text_intact,
            OWNERS
        )
        .requires([Http, Database, Storage, Standins])
        .reads(texts::NAME_AND_TEXT)
        .effect(Effect::WriteTenant)
        .expected_duration(secs(1))
        .severity(Critical),
    ]
}

/// What two documents have in common.
pub(super) struct Resemblance {
    name: &'static str,
    /// Whether one user owns both.
    same_user: bool,
    same_name: bool,
    /// The texts of both, which contain this word.
    texts: fn(&str) -> [String; 2],
    bytes: SecondBytes,
}

/// The bytes of the second document.
#[derive(Clone, Copy, PartialEq, Eq)]
enum SecondBytes {
    /// Its own.
    Other,
    /// Those of the first.
    Same,
    /// Those of the first, and one more line.
    Longer,
}

impl Named for Resemblance {
    fn name(&self) -> &'static str {
        self.name
    }
}

/// Six sections, of which some are equal.
fn sections(word: &str, end: &str) -> String {
    let equal = format!("# Terms\n\nThe policy {word} ends without notice.\n\n").repeat(3);
    format!("# Policy {word}\n\nIts holder is insured.\n\n{equal}# End\n\n{end}\n")
}

const fn resemblance(
    name: &'static str,
    same_user: bool,
    same_name: bool,
    bytes: SecondBytes,
    texts: fn(&str) -> [String; 2],
) -> Resemblance {
    Resemblance {
        name,
        same_user,
        same_name,
        texts,
        bytes,
    }
}

fn equal_texts(word: &str) -> [String; 2] {
    [sections(word, "same"), sections(word, "same")]
}

fn equal_beginnings(word: &str) -> [String; 2] {
    [sections(word, "one"), sections(word, "another one")]
}

fn one_within_the_other(word: &str) -> [String; 2] {
    let part = sections(word, "same");
    [
        part.clone(),
        format!("# Cover\n\nSee below.\n\n{part}# More\n\nOf {word}\n"),
    ]
}

const RESEMBLANCES: &[Resemblance] = &[
    resemblance(
        "same_name",
        true,
        true,
        SecondBytes::Other,
        equal_beginnings,
    ),
    resemblance("same_text", true, false, SecondBytes::Other, equal_texts),
    resemblance(
        "same_name_and_text",
        true,
        true,
        SecondBytes::Other,
        equal_texts,
    ),
    resemblance(
        "same_beginning",
        true,
        false,
        SecondBytes::Longer,
        equal_beginnings,
    ),
    resemblance(
        "one_within_the_other",
        true,
        true,
        SecondBytes::Longer,
        one_within_the_other,
    ),
    resemblance(
        "same_text_of_another_user",
        false,
        false,
        SecondBytes::Other,
        equal_texts,
    ),
    resemblance(
        "same_name_of_another_user",
        false,
        true,
        SecondBytes::Other,
        equal_beginnings,
    ),
    resemblance(
        "same_bytes_of_another_user",
        false,
        true,
        SecondBytes::Same,
        equal_texts,
    ),
];

/// A document of a user, with its text.
struct Owned {
    pipeline: Pipeline,
    upload: Upload,
    text: String,
}

impl Owned {
    async fn complete(&self) -> CheckResult<Accepted> {
        Ok(self.pipeline.complete(self.upload.clone()).await?.accepted)
    }

    /// Its bytes, text, chunks and vectors are stored, its name is shown, and a search finds each of its chunks.
    async fn expect_intact(&self, cx: &Context, accepted: &Accepted, when: &str) -> CheckResult {
        let intact = self.intact(cx, accepted).await;
        intact.map_err(|stop| about(when, stop))
    }

    async fn intact(&self, cx: &Context, accepted: &Accepted) -> CheckResult {
        let id = accepted.document_id;
        let chunks = expect_whole_text(cx, &self.pipeline, accepted, &self.text).await?;
        if let Some(tenant) = self.pipeline.tenant() {
            let raw = cx.contract().raw_path(tenant.user_id, id);
            let stored = cx.storage()?.get(&raw).await?;
            ensure!(
                stored.as_ref() == Some(&self.upload.bytes),
                "the bytes of a document are not stored"
            );
        }
        let row = cx.database()?.document(id).await?;
        let name = row.and_then(|row| row.filename).unwrap_or_default();
        ensure_eq!(name, self.upload.filename, "a document has another name");
        let field = &cx.contract().fields.search.document_id;
        let words = self.text.lines().nth(2).unwrap_or_default();
        let mut found = 0;
        for hit in hits_if_searchable(cx, &self.pipeline, words, 100).await? {
            let hit = value_at(field, &hit, "a search result")?;
            found += usize::from(*hit == id.to_string());
        }
        let contract = cx.contract();
        let may_choose = !contract.has(Endpoint::Search) || !contract.requests.search.k.is_given();
        ensure!(
            found == chunks.len() || may_choose,
            "a search finds {found} of the {} chunks of a document",
            chunks.len()
        );
        Ok(())
    }

    async fn delete(&self, accepted: &Accepted) -> CheckResult {
        let reply = self.pipeline.delete(accepted.document_id).await?;
        ensure!(
            reply.is_success(),
            "a deletion is answered with {}",
            reply.summary()
        );
        Ok(())
    }
}

/// Both documents of a case.
fn documents(cx: &Context, case: &Resemblance) -> CheckResult<[Owned; 2]> {
    let (first, second) = (cx.document().build(), cx.document().build());
    let owner = cx.pipeline()?;
    let other = if case.same_user {
        owner.clone()
    } else {
        cx.pipeline()?
    };
    let name = |document: &Document| document.upload().filename.clone();
    let bytes = match case.bytes {
        SecondBytes::Other => second.bytes().to_vec(),
        SecondBytes::Same => first.bytes().to_vec(),
        SecondBytes::Longer => [first.bytes(), b"\n"].concat(),
    };
    let second_name = if case.same_name {
        name(&first)
    } else {
        name(&second)
    };
    let [text, second_text] = (case.texts)(first.nonce());
    Ok([
        Owned {
            pipeline: owner,
            upload: first.upload().clone(),
            text,
        },
        Owned {
            pipeline: other,
            upload: Upload::pdf(second_name, bytes),
            text: second_text,
        },
    ])
}

/// Of two documents that resemble each other, each is complete with its own text, and remains so when the
/// other one is deleted and uploaded again.
async fn documents_that_resemble_each_other_are_independent(
    cx: &Context,
    case: &Resemblance,
) -> CheckResult {
    let [first, second] = documents(cx, case)?;
    let mut scripts = Vec::new();
    for owned in [&first, &second] {
        scripts.push(script(cx, owned).await?);
    }
    let (one, two) = if case.same_user {
        (first.complete().await?, second.complete().await?)
    } else {
        try_join(first.complete(), second.complete()).await?
    };
    ensure!(
        one.document_id != two.document_id,
        "two documents share the id {}",
        one.document_id
    );
    first
        .expect_intact(cx, &one, "after the second upload")
        .await?;
    second
        .expect_intact(cx, &two, "after the second upload")
        .await?;
    if cx.contract().has(Endpoint::DeleteDocument) {
        expect_independent_deletions(cx, (&first, &one), (&second, &two)).await?;
    }
    for script in scripts {
        script.withdraw().await?;
    }
    Ok(())
}

/// Each of two documents stays as it is when the other one is deleted, and so it does after a new upload.
async fn expect_independent_deletions(
    cx: &Context,
    (first, one): (&Owned, &Accepted),
    (second, two): (&Owned, &Accepted),
) -> CheckResult {
    first.delete(one).await?;
    second
        .expect_intact(cx, two, "after the deletion of the first document")
        .await?;
    let again = first.complete().await?;
    first
        .expect_intact(cx, &again, "after its deletion and a new upload")
        .await?;
    second.delete(two).await?;
    first
        .expect_intact(cx, &again, "after the deletion of the second document")
        .await
}

async fn script(cx: &Context, owned: &Owned) -> CheckResult<cutover_harness::standin::ScriptGuard> {
    use cutover_harness::standin::{Callback, ParsedText, ParserBehaviour};
    let callback = Callback {
        text: ParsedText::Literal {
            text: owned.text.clone(),
        },
        ..Callback::default()
    };
    let behaviour = ParserBehaviour::calling_back(callback);
    let standins = cx.standins()?;
    Ok(standins
        .script_parser(owned.upload.sha256.clone(), behaviour)
        .await?)
}

/// Who owns the document that fails.
pub(super) struct Owner {
    name: &'static str,
    same_user: bool,
}

impl Named for Owner {
    fn name(&self) -> &'static str {
        self.name
    }
}

const OWNERS: &[Owner] = &[
    Owner {
        name: "of_the_same_user",
        same_user: true,
    },
    Owner {
        name: "of_another_user",
        same_user: false,
    },
];

/// If a document fails after its chunks were stored, a complete document with the same text keeps everything.
async fn a_failure_leaves_a_document_with_the_same_text_intact(
    cx: &Context,
    case: &Owner,
) -> CheckResult {
    let (first, second) = (cx.document().build(), cx.document().build());
    let owner = cx.pipeline()?;
    let other = if case.same_user {
        owner.clone()
    } else {
        cx.pipeline()?
    };
    let kept = Owned {
        text: sections(first.nonce(), "same"),
        upload: first.upload().clone(),
        pipeline: owner,
    };
    let accepted = complete_with_text(cx, &kept.pipeline, &first, &kept.text).await?;
    let parsing = parse_as(cx, &second, &kept.text).await?;
    let refusal = EmbedderBehaviour::Refuse {
        status: 400,
        marker: "rejected by the check".to_owned(),
        retry_after_s: None,
    };
    let embedding = cx
        .standins()?
        .script_embedder(first.nonce(), refusal)
        .await?;
    let failing = other.upload(&second).await?;
    let failed = other.until_final(&failing).await?;
    embedding.withdraw().await?;
    parsing.withdraw().await?;
    ensure!(
        cx.contract().vocabulary.is_failure(&failed.status),
        "a document that the embedder rejects does not fail: {}",
        failed.summary()
    );
    kept.expect_intact(cx, &accepted, "after the failure of an equal document")
        .await
}
