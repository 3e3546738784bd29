//! Retrieval: a search gives the caller's best chunks, of complete documents, or says that it cannot.

use cutover_fixtures::prelude::*;
use cutover_harness::check::Named;
use cutover_harness::contract::{Endpoint, SearchRequest};
use cutover_harness::prelude::*;
use cutover_harness::probe::{ChunkRow, Vector};
use cutover_harness::standin::EmbedderBehaviour;
use serde_json::Value;

use cutover_suite_support::json::value_at;
use cutover_suite_support::outcomes::{give_up_within, search_hits};
use cutover_suite_support::responses::expect_error_body;

/// The checks of this file.
pub(crate) fn table() -> Vec<Check> {
    vec![
        check!(a_document_is_found_only_when_complete)
            .requires([Http, Standins])
            .effect(WriteTenant)
            .severity(Critical),
        check!(the_most_similar_chunks_come_first)
            .requires([Http, Database])
            .effect(WriteTenant)
            .severity(High),
        check!(a_hostile_query_is_plain_text, QUERIES)
            .requires([Http])
            .effect(WriteTenant)
            .severity(High),
        check!(an_invalid_search_breaks_nothing, NONSENSE)
            .requires([Http])
            .effect(Read)
            .severity(High),
        check!(a_search_without_a_query_vector_fails, EMBEDDER)
            .requires([Http, Standins])
            .effect(WriteTenant)
            .severity(High),
    ]
}

/// While the last vectors are missing, none of the document's chunks is found.
async fn a_document_is_found_only_when_complete(cx: &Context) -> CheckResult {
    let pages = cx.contract().embedder.max_batch + 1;
    let document = cx.document().pages(pages).paragraphs(1).build();
    let pipeline = cx.pipeline()?;
    let vocabulary = &cx.contract().vocabulary;
    // The last page's heading is in the last call alone.
    let last = format!("{}, part {pages} of {pages}", document.title());
    let late = EmbedderBehaviour::Late { delay_ms: 800 };
    let script = cx.standins()?.script_embedder(last, late).await?;
    let accepted = pipeline.upload(&document).await?;
    cx.eventually("the job ends", give_up_within(cx.contract()), async || {
        let found = search_hits(cx, &pipeline, document.nonce(), 5).await?.len();
        // Asked after the search: what is complete now may not have been so then, but not the reverse.
        let job = pipeline.view(&accepted).await?;
        ensure!(
            found == 0 || job.status == vocabulary.complete,
            "{found} chunks are found of a document that is not complete: {}",
            job.summary()
        );
        let ended = vocabulary.is_final(&job.status, job.state.as_deref());
        Ok(ended.then_some(()))
    })
    .await?;
    script.withdraw().await?;
    let found = search_hits(cx, &pipeline, document.nonce(), 5).await?.len();
    let may_choose = !cx.contract().requests.search.k.is_given();
    ensure!(
        found == 5 || (may_choose && found > 0),
        "a search for 5 chunks of a complete document finds {found}"
    );
    Ok(())
}

/// How far a reported similarity may lie from the true one.
const NEARLY: f64 = 1e-3;

/// A search gives as many chunks as asked for, the most similar ones first, each with its true similarity.
async fn the_most_similar_chunks_come_first(cx: &Context) -> CheckResult {
    let said = &cx.contract().requests.search;
    said.k.applies("how many chunks to find")?;
    let pipeline = cx.pipeline()?;
    let database = cx.database()?;
    let documents = [
        cx.document().paragraphs(25).build(),
        cx.document().paragraphs(12).unicode().build(),
    ];
    // Somebody else has something to be found, too.
    cx.pipeline()?
        .complete(&cx.document().paragraphs(12).build())
        .await?;
    let mut chunks = Vec::new();
    for document in &documents {
        let id = pipeline.complete(document).await?.document_id();
        chunks.extend(database.chunks_of(id).await?);
    }
    for wording in WORDINGS {
        let query = wording(documents[1].nonce());
        finds_the_most_similar(cx, &pipeline, &query, &chunks).await?;
    }
    Ok(())
}

/// Words to search by: as many say, as nobody says, and at length.
const WORDINGS: &[fn(&str) -> String] = &[
    |nonce| format!("the premium is payable {nonce}"),
    |nonce| format!("WHICH Premium is Payable FOR {nonce}, And When?"),
    |nonce| {
        let question = "which of the sums that are insured is payable, and by whom, when".repeat(5);
        format!("{question} the policy of {nonce} ends without notice")
    },
];

/// Finds by these words what is nearest to them, and tells how near it is, and what it says.
async fn finds_the_most_similar(
    cx: &Context,
    pipeline: &Pipeline,
    query: &str,
    chunks: &[ChunkRow],
) -> CheckResult {
    let dimensions = cx.contract().embedder.dimensions;
    let asked = Vector(cutover_fixtures::vector::of(query, dimensions));
    let vectors = chunks.iter().filter_map(|chunk| chunk.embedding.as_ref());
    let mut truth: Vec<_> = vectors.map(|vector| vector.cosine(&asked)).collect();
    truth.sort_by(|a, b| b.total_cmp(a));
    for k in [1, 3, 100] {
        let hits = search_hits(cx, pipeline, query, k).await?;
        let found = similarities(cx, &hits)?;
        let expected = &truth[..truth.len().min(k as usize)];
        ensure_eq!(
            found.len(),
            expected.len(),
            "a search for {k} chunks gives another number of them"
        );
        ensure!(
            found.is_sorted_by(|a, b| a >= b),
            "the results are not sorted: {found:?}"
        );
        for (found, expected) in found.iter().zip(expected) {
            // What is not a number is near to nothing.
            let near = (found - expected).abs() <= NEARLY;
            ensure!(
                near,
                "a search for {k} chunks does not give the most similar ones: {found} instead of {expected}"
            );
        }
        let text = &cx.contract().fields.search.text;
        for hit in hits.iter().filter(|_| text.is_given()) {
            let text = value_at(text, hit, "a search result")?
                .as_str()
                .unwrap_or_default();
            ensure!(
                chunks.iter().any(|chunk| chunk.text.trim() == text.trim()),
                "a search gives a text that is no chunk's: {text:?}"
            );
        }
    }
    Ok(())
}

fn similarities(cx: &Context, found: &[Value]) -> CheckResult<Vec<f64>> {
    let pointer = &cx.contract().fields.search.similarity;
    let similarity = |hit| {
        Ok(value_at(pointer, hit, "a search result")?
            .as_f64()
            .unwrap_or(f64::NAN))
    };
    found.iter().map(similarity).collect()
}

/// A query that would break a careless search.
pub(super) struct Query {
    name: &'static str,
    words: &'static str,
}

impl Named for Query {
    fn name(&self) -> &'static str {
        self.name
    }
}

/// Queries that would break a careless search.
const QUERIES: &[Query] = &[
    Query {
        name: "quotes",
        words: r#"the insured's "loss" -- '; DROP TABLE documents; '"#,
    },
    Query {
        name: "percent_and_backslash",
        words: r"100 % of \damage\ _ %s %1$s {} $1 ?",
    },
    Query {
        name: "unicode",
        words: "Überschuß 保険証券 🦀 \u{200b}\u{301}",
    },
    Query {
        name: "right_to_left",
        words: "\u{202e}פוליסה ביטוח وثيقة التأمين",
    },
    Query {
        name: "control_characters",
        words: "loss\r\n\t\u{1b}[31mdamage\u{7f}",
    },
];

/// Whatever a query contains, it is searched for like any other words.
async fn a_hostile_query_is_plain_text(cx: &Context, case: &Query) -> CheckResult {
    let document = cx.document().build();
    let pipeline = cx.pipeline()?;
    pipeline.complete(&document).await?;
    let query = format!("{} {}", case.words, document.nonce());
    let text = &cx.contract().fields.search.text;
    for hit in search_hits(cx, &pipeline, &query, 3).await? {
        let text = value_at(text, &hit, "a search result")?;
        if text
            .as_str()
            .is_some_and(|text| text.contains(document.nonce()))
        {
            return Ok(());
        }
    }
    Err(Stop::violated(Finding::new(
        "a query with unusual characters does not find the document that it names",
    )))
}

/// A search that makes no sense.
pub(super) struct Nonsense {
    name: &'static str,
    body: fn(&SearchRequest) -> CheckResult<String>,
}

impl Named for Nonsense {
    fn name(&self) -> &'static str {
        self.name
    }
}

/// Searches that make no sense.
const NONSENSE: &[Nonsense] = &[
    Nonsense {
        name: "zero_results",
        body: |said| so_many(said, 0),
    },
    Nonsense {
        name: "negative_results",
        body: |said| so_many(said, -1),
    },
    Nonsense {
        name: "too_many_results",
        body: |said| so_many(said, i64::MAX),
    },
    Nonsense {
        name: "a_word_for_a_number",
        body: |said| so_many(said, "many"),
    },
    Nonsense {
        name: "an_empty_query",
        body: |said| Ok(said.body("", 3).to_string()),
    },
    Nonsense {
        name: "no_query",
        body: |said| {
            let mut body = said.body("policy", 3);
            said.query.remove(&mut body);
            Ok(body.to_string())
        },
    },
    Nonsense {
        name: "a_long_query",
        body: |said| Ok(said.body("policy ".repeat(5_000), 3).to_string()),
    },
    Nonsense {
        name: "a_truncated_body",
        body: |_| Ok(r#"{"query": "#.to_owned()),
    },
    Nonsense {
        name: "a_list",
        body: |_| Ok(r#"["policy", 3]"#.to_owned()),
    },
];

/// A search for a number of chunks that is none.
fn so_many(said: &SearchRequest, k: impl Into<Value>) -> CheckResult<String> {
    said.k.applies("how many chunks to find")?;
    Ok(said.body("policy", k).to_string())
}

/// A search that makes no sense is the caller's mistake, or answered in some way, and never breaks the service.
async fn an_invalid_search_breaks_nothing(cx: &Context, case: &Nonsense) -> CheckResult {
    let body = (case.body)(&cx.contract().requests.search)?;
    let pipeline = cx.pipeline()?;
    let request = pipeline
        .request(Endpoint::Search, "")?
        .body("application/json", body);
    let reply = pipeline.ask(Endpoint::Search, request).await?;
    ensure!(
        reply.status < 500,
        "a search that makes no sense is answered with {}",
        reply.summary()
    );
    if !reply.is_success() {
        expect_error_body(&reply, cx.contract())?;
    }
    Ok(())
}

/// What the embedder does with a query.
pub(super) struct Deaf {
    name: &'static str,
    behaviour: fn() -> EmbedderBehaviour,
}

impl Named for Deaf {
    fn name(&self) -> &'static str {
        self.name
    }
}

/// What an embedder may do with a query that leaves nothing to search by.
const EMBEDDER: &[Deaf] = &[
    Deaf {
        name: "refused",
        behaviour: || EmbedderBehaviour::Refuse {
            status: 503,
            marker: "the embedder is down".to_owned(),
            retry_after_s: None,
        },
    },
    Deaf {
        name: "no_answer",
        behaviour: || EmbedderBehaviour::Hang,
    },
    Deaf {
        name: "zero_vector",
        behaviour: || EmbedderBehaviour::Zero,
    },
    Deaf {
        name: "no_vector",
        behaviour: || EmbedderBehaviour::Short,
    },
];

/// A search without an embedder is an outage that is told, never a search that finds nothing.
async fn a_search_without_a_query_vector_fails(cx: &Context, case: &Deaf) -> CheckResult {
    let document = cx.document().build();
    let pipeline = cx.pipeline()?;
    pipeline.complete(&document).await?;
    let script = cx
        .standins()?
        .script_embedder(document.nonce(), (case.behaviour)())
        .await?;
    let reply = pipeline.search(document.nonce(), 3).await?;
    script.withdraw().await?;
    ensure!(
        reply.status >= 500,
        "a search without its embedder is answered as if it had worked: {}",
        reply.summary()
    );
    expect_error_body(&reply, cx.contract())
}
