//! Retrieval: a search returns the caller's best chunks of complete documents, or reports that it failed.

use cutover_fixtures::prelude::*;
use cutover_harness::check::Named;
use cutover_harness::contract::{Contract, Endpoint, SearchRequest};
use cutover_harness::prelude::*;
use cutover_harness::probe::{ChunkRow, Vector};
use cutover_harness::standin::{Callback, EmbedderBehaviour, ParsedText, ParserBehaviour};
use serde_json::Value;

use cutover_suite_support::json::value_at;
use cutover_suite_support::outcomes::{give_up_within, search_hits};
use cutover_suite_support::responses::expect_error_body;

/// The checks of this file.
pub(crate) fn table() -> Vec<Check> {
    vec![
        check!(a_document_is_found_only_when_complete)
            .requires([Http, Standins])
            .calls([Endpoint::Search])
            .effect(Effect::WriteTenant)
            .occupies(Resource::Worker)
            .severity(Critical),
        check!(the_most_similar_chunks_come_first)
            .only_where([Condition::SEARCH_COUNT])
            .requires([Http, Database, Standins])
            .calls([Endpoint::Search])
            .reads([read::CHUNKS, read::chunk::EMBEDDING])
            .effect(Effect::WriteTenant)
            .expected_duration(secs(3))
            .severity(High),
        check!(a_hostile_query_is_plain_text, QUERIES)
            .requires([Http])
            .calls([Endpoint::Search])
            .effect(Effect::WriteTenant)
            .severity(High),
        check!(an_invalid_search_breaks_nothing, INVALID_SEARCHES)
            .requires([Http])
            .calls([Endpoint::Search])
            .effect(Effect::Read)
            .severity(High),
        check!(a_search_without_a_query_vector_fails, EMBEDDER_ERRORS)
            .requires([Http, Standins])
            .calls([Endpoint::Search])
            .effect(Effect::WriteTenant)
            .occupies(Resource::Connections)
            .severity(High),
    ]
}

/// No chunk of a document is found until all its vectors are stored.
async fn a_document_is_found_only_when_complete(cx: &Context) -> CheckResult {
    let pages = cx.contract().embedder.max_batch + 1;
    let document = cx.document().pages(pages).paragraphs(1).build();
    let pipeline = cx.pipeline()?;
    let vocabulary = &cx.contract().vocabulary;
    // Only the last embedder call contains the heading of the last page.
    let last = format!("{}, part {pages} of {pages}", document.title());
    let late = EmbedderBehaviour::Late { delay_ms: 800 };
    let script = cx.standins()?.script_embedder(last, late).await?;
    let accepted = pipeline.upload(&document).await?;
    cx.eventually("the job ends", give_up_within(cx.contract()), async || {
        let found = search_hits(cx, &pipeline, document.nonce(), 5).await?.len();
        // The status is read after the search: a document that is complete by now may not have been so before.
        let job = pipeline.view(&accepted).await?;
        ensure!(
            found == 0 || job.status == vocabulary.complete,
            "{found} chunks of an incomplete document are found: {}",
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
        "a search for 5 chunks of a complete document returns {found}"
    );
    Ok(())
}

/// The largest error of a reported similarity.
const TOLERANCE: f64 = 1e-3;

/// A search returns the requested number of chunks, most similar first, each with its true similarity.
async fn the_most_similar_chunks_come_first(cx: &Context) -> CheckResult {
    let pipeline = cx.pipeline()?;
    let database = cx.database()?;
    let documents = [
        cx.document().paragraphs(25).build(),
        cx.document().paragraphs(12).unicode().build(),
    ];
    // Other users have more chunks that are more similar to each query than a search may return.
    for _ in 0..OTHER_USERS {
        let theirs = cx.document().build();
        complete_as(
            cx,
            &cx.pipeline()?,
            &theirs,
            &similar_text(documents[1].nonce()),
        )
        .await?;
    }
    let mut chunks = Vec::new();
    for document in &documents {
        let id = pipeline.complete(document).await?.document_id();
        chunks.extend(database.chunks_of(id).await?);
    }
    for text in QUERY_TEXTS {
        let query = text(documents[1].nonce());
        expect_most_similar(cx, &pipeline, &query, &chunks).await?;
    }
    Ok(())
}

/// The number of other users.
const OTHER_USERS: usize = 2;

/// The number of chunks of another user that are similar to one query.
const SIMILAR_CHUNKS: usize = 50;

/// A text whose chunks are almost equal to the queries.
fn similar_text(nonce: &str) -> String {
    let queries = QUERY_TEXTS.iter().map(|query| query(nonce));
    let chunks = queries.flat_map(|query| {
        (0..SIMILAR_CHUNKS).map(move |number| format!("# {number}\n\n{query}\n\n"))
    });
    chunks.collect()
}

/// Completes a document of which the parser returns this text.
async fn complete_as(
    cx: &Context,
    pipeline: &Pipeline,
    document: &Document,
    text: &str,
) -> CheckResult {
    let text = ParsedText::Literal {
        text: text.to_owned(),
    };
    let behaviour = ParserBehaviour::calling_back(Callback {
        text,
        ..Callback::default()
    });
    let standins = cx.standins()?;
    let script = standins.script_parser(document.sha256(), behaviour).await?;
    pipeline.complete(document).await?;
    Ok(script.withdraw().await?)
}

/// Query texts: common words, unusual capitals, and a long question.
const QUERY_TEXTS: &[fn(&str) -> String] = &[
    |nonce| format!("the premium is payable {nonce}"),
    |nonce| format!("WHICH Premium is Payable FOR {nonce}, And When?"),
    |nonce| {
        let question = "which of the sums that are insured is payable, and by whom, when".repeat(5);
        format!("{question} the policy of {nonce} ends without notice")
    },
];

/// A search by these words returns the nearest chunks, with their similarity and text.
async fn expect_most_similar(
    cx: &Context,
    pipeline: &Pipeline,
    query: &str,
    chunks: &[ChunkRow],
) -> CheckResult {
    let dimensions = cx.contract().embedder.dimensions;
    let asked = Vector(cutover_fixtures::vector::embed(query, dimensions));
    let vectors = chunks.iter().filter_map(|chunk| chunk.embedding.as_ref());
    let mut true_similarities: Vec<_> = vectors.map(|vector| vector.cosine(&asked)).collect();
    true_similarities.sort_by(|a, b| b.total_cmp(a));
    for k in [1, 3, 100] {
        let hits = search_hits(cx, pipeline, query, k).await?;
        let found = similarities(cx, &hits)?;
        let expected = &true_similarities[..true_similarities.len().min(k as usize)];
        ensure_eq!(
            found.len(),
            expected.len(),
            "a search for {k} chunks returns another number of results"
        );
        ensure!(
            found.is_sorted_by(|a, b| a >= b),
            "the results are not sorted: {found:?}"
        );
        for (found, expected) in found.iter().zip(expected) {
            // A NaN similarity fails this test.
            let near = (found - expected).abs() <= TOLERANCE;
            ensure!(
                near,
                "a search for {k} chunks does not return the most similar ones: {found} instead of {expected}"
            );
        }
        let text = &cx.contract().fields.search.text;
        for hit in hits.iter().filter(|_| text.is_given()) {
            let text = value_at(text, hit, "a search result")?
                .as_str()
                .unwrap_or_default();
            ensure!(
                chunks.iter().any(|chunk| chunk.text.trim() == text.trim()),
                "a search returns a text that is not a chunk: {text:?}"
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

/// A query with special characters.
pub(super) struct Query {
    name: &'static str,
    words: &'static str,
}

impl Named for Query {
    fn name(&self) -> &'static str {
        self.name
    }
}

/// Queries with special characters.
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

/// Special characters in a query are treated as text.
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
        "a query with special characters does not find the document whose marker it contains",
    )))
}

/// An invalid search request.
pub(super) struct InvalidSearch {
    name: &'static str,
    body: fn(&SearchRequest) -> CheckResult<String>,
}

impl Named for InvalidSearch {
    fn name(&self) -> &'static str {
        self.name
    }

    fn not_applicable(&self, contract: &Contract) -> Option<String> {
        match (self.body)(&contract.requests.search) {
            Err(Stop::Skip { reason, .. }) => Some(reason),
            _ => None,
        }
    }
}

/// Invalid search requests.
const INVALID_SEARCHES: &[InvalidSearch] = &[
    InvalidSearch {
        name: "zero_results",
        body: |request| with_k(request, 0),
    },
    InvalidSearch {
        name: "negative_results",
        body: |request| with_k(request, -1),
    },
    InvalidSearch {
        name: "too_many_results",
        body: |request| with_k(request, i64::MAX),
    },
    InvalidSearch {
        name: "a_word_for_a_number",
        body: |request| with_k(request, "many"),
    },
    InvalidSearch {
        name: "an_empty_query",
        body: |request| Ok(request.body("", 3).to_string()),
    },
    InvalidSearch {
        name: "no_query",
        body: |request| {
            let mut body = request.body("policy", 3);
            request.query.remove(&mut body);
            Ok(body.to_string())
        },
    },
    InvalidSearch {
        name: "a_long_query",
        body: |request| Ok(request.body("policy ".repeat(5_000), 3).to_string()),
    },
    InvalidSearch {
        name: "a_truncated_body",
        body: |_| Ok(r#"{"query": "#.to_owned()),
    },
    InvalidSearch {
        name: "a_list",
        body: |_| Ok(r#"["policy", 3]"#.to_owned()),
    },
];

/// A search with this number of results.
fn with_k(request: &SearchRequest, k: impl Into<Value>) -> CheckResult<String> {
    request.k.applies("the number of results")?;
    Ok(request.body("policy", k).to_string())
}

/// An invalid search is answered without a server error.
async fn an_invalid_search_breaks_nothing(cx: &Context, case: &InvalidSearch) -> CheckResult {
    let body = (case.body)(&cx.contract().requests.search)?;
    let pipeline = cx.pipeline()?;
    let search = pipeline
        .request(Endpoint::Search, "")?
        .body("application/json", body);
    let reply = pipeline.ask(Endpoint::Search, search).await?;
    ensure!(
        reply.status < 500,
        "an invalid search is answered with {}",
        reply.summary()
    );
    if !reply.is_success() {
        expect_error_body(&reply, cx.contract())?;
    }
    Ok(())
}

/// An error of the embedder during a search.
pub(super) struct EmbedderFault {
    name: &'static str,
    behaviour: fn() -> EmbedderBehaviour,
}

impl Named for EmbedderFault {
    fn name(&self) -> &'static str {
        self.name
    }
}

/// Errors of the embedder that leave a query without a vector.
const EMBEDDER_ERRORS: &[EmbedderFault] = &[
    EmbedderFault {
        name: "refused",
        behaviour: || EmbedderBehaviour::Refuse {
            status: 503,
            marker: "the embedder is down".to_owned(),
            retry_after_s: None,
        },
    },
    EmbedderFault {
        name: "no_answer",
        behaviour: || EmbedderBehaviour::Hang,
    },
    EmbedderFault {
        name: "zero_vector",
        behaviour: || EmbedderBehaviour::Zero,
    },
    EmbedderFault {
        name: "no_vector",
        behaviour: || EmbedderBehaviour::Short,
    },
];

/// A search without a query vector fails with a server error, and does not return an empty list.
async fn a_search_without_a_query_vector_fails(cx: &Context, case: &EmbedderFault) -> CheckResult {
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
        "a search without a query vector does not fail: {}",
        reply.summary()
    );
    expect_error_body(&reply, cx.contract())
}
