//! Retrieval: a search among many vectors finds the nearest ones, and in time.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use cutover_fixtures::prelude::*;
use cutover_fixtures::vector::embed;
use cutover_harness::check::Named;
use cutover_harness::contract::Accepted;
use cutover_harness::inputs::SOAK_SECONDS;
use cutover_harness::prelude::*;
use cutover_suite_support::outcomes::search_hits;
use serde::Deserialize;

use crate::looks::two_looks;
use crate::measured::{Better, as_float, gated, measured, median};

/// The checks of this file.
pub(crate) fn table() -> Vec<Check> {
    vec![
        check!(a_search_among_many_vectors_finds_the_nearest, TABLES)
            .requires([Http, Database, Processes])
            .reads(read::NOTHING)
            .calls([Endpoint::Search])
            .effect(Effect::Fault)
            .expected_duration(secs(5))
            .timeout(LONGEST)
            .severity(High)
            .alone_with_workers(1)
            .fresh_stack()
            .measures(),
    ]
}

/// How many vectors are in the table.
pub(super) struct Vectors {
    name: &'static str,
    count: usize,
}

impl Named for Vectors {
    fn name(&self) -> &'static str {
        self.name
    }
}

const TABLES: &[Vectors] = &[
    Vectors {
        name: "of_1000",
        count: 1_000,
    },
    Vectors {
        name: "of_10000",
        count: 10_000,
    },
    Vectors {
        name: "of_100000",
        count: 100_000,
    },
];

/// The most vectors in a run without a soak, and where vectors are stored as arrays.
const IN_EVERY_RUN: usize = 10_000;

/// The longest time in which a table is filled and searched.
const LONGEST: Duration = secs(300);

/// The nearest vectors, which a search must find. Their similarities are this far apart, from the highest one down.
const NEAREST: usize = 10;
const HIGHEST: f64 = 0.99;
const APART: f64 = 0.02;

/// The number of different vectors that are far from the query, and their highest similarity.
const FAR: usize = 32;
const FAR_HIGHEST: f64 = 0.3;

/// The share of the nearest vectors that a search must find: an index may miss one in twenty.
const RECALL: f64 = 0.95;

/// What a search may take at the median of several.
const SEARCH: Duration = secs(3);
const SEARCHES: usize = 3;

/// Chunks with these vectors, added to a document. Each near vector is stored once, the others in turn.
const FILL: &[&str] = &[
    "CREATE TABLE upload_pipeline.cutover_vectors (n integer, v real[])",
    "INSERT INTO upload_pipeline.cutover_vectors VALUES {values}",
    "INSERT INTO upload_pipeline.document_chunks
         (document_id, chunker_name, chunker_version, chunk_id, chunk_ord, text, chunk_sha,
          embed_model, embed_version, vector_dim, embed_updated_at, embedding)
     SELECT c.document_id, c.chunker_name, c.chunker_version, gen_random_uuid(), 1000 + i,
            CASE WHEN i % {stride} = 0 THEN 'near ' || i / {stride} ELSE 'far ' || i END,
            encode(sha256(convert_to('vector ' || i, 'UTF8')), 'hex'),
            c.embed_model, c.embed_version, c.vector_dim, c.embed_updated_at, v.v::{type}
     FROM generate_series(0, {count} - 1) AS i
     JOIN upload_pipeline.cutover_vectors v
       ON v.n = CASE WHEN i % {stride} = 0 THEN i / {stride} ELSE {nearest} + i % {far} END,
     LATERAL (SELECT * FROM upload_pipeline.document_chunks WHERE document_id = '{document}'
              ORDER BY chunk_ord LIMIT 1) AS c
     ORDER BY i",
    "DROP TABLE upload_pipeline.cutover_vectors",
    "ANALYZE upload_pipeline.document_chunks",
];

const COLUMN_TYPE: &str =
    "SELECT t.typname::text AS name FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
    WHERE a.attrelid = 'upload_pipeline.document_chunks'::regclass AND a.attname = 'embedding'";

/// The types of the column with pgvector and without it.
const VECTOR: &str = "vector";
const ARRAY: &str = "real[]";

#[derive(Deserialize)]
struct ColumnType {
    name: String,
}

/// A search returns the nearest vectors of the table, and takes bounded time.
async fn a_search_among_many_vectors_finds_the_nearest(
    cx: &Context,
    vectors: &Vectors,
) -> CheckResult {
    let column = column_type(cx).await?;
    if vectors.count > IN_EVERY_RUN {
        may_be_filled(cx, column)?;
    }
    let pipeline = cx.pipeline()?;
    let accepted = pipeline.complete(&cx.document().build()).await?.accepted;
    let query = "the premium is payable on the first day of each month";
    fill(cx, &accepted, query, (vectors.count, column)).await?;
    search_hits(cx, &pipeline, query, NEAREST_ASKED).await?;
    two_looks(async || {
        let mut times = Vec::new();
        let mut found = 0;
        for _ in 0..SEARCHES {
            let began = Instant::now();
            let hits = search_hits(cx, &pipeline, query, NEAREST_ASKED).await?;
            times.push(began.elapsed());
            found = hits.iter().filter(|hit| hit.to_string().contains("\"near ")).count();
        }
        let (time, recall) = (median(times), as_float(found as u64) / as_float(NEAREST as u64));
        let name = vectors.name.replace("of_", "");
        gated(cx, &format!("search among {name} vectors"), "ms", Better::Lower, time.as_secs_f64() * 1e3);
        measured(cx, &format!("recall among {name} vectors"), "of 1", Better::Higher, recall);
        if recall < RECALL {
            return Ok(Some(format!(
                "among {} vectors, a search for {NEAREST} finds {found} of the {NEAREST} nearest",
                vectors.count
            )));
        }
        Ok((time > SEARCH).then(|| {
            format!(
                "a search among {} vectors takes {time:.1?}, at the median of {SEARCHES}; at most {SEARCH:?} is expected",
                vectors.count
            )
        }))
    })
    .await
}

/// How many results a search asks for.
#[expect(clippy::cast_possible_truncation, reason = "ten")]
const NEAREST_ASKED: u32 = NEAREST as u32;

/// The type of the column of the vectors.
async fn column_type(cx: &Context) -> CheckResult<&'static str> {
    let column: Vec<ColumnType> = cx.database()?.rows(COLUMN_TYPE, &[]).await?;
    Ok(match column.first().map(|column| column.name.as_str()) {
        Some(VECTOR) => VECTOR,
        _ => ARRAY,
    })
}

/// Whether a table of many vectors is filled in this run; the reason if it is not.
fn may_be_filled(cx: &Context, column: &str) -> CheckResult {
    let soak: Option<f64> = cx.parameter(SOAK_SECONDS)?;
    if soak.is_none() {
        return Err(Stop::not_applicable(
            "a search among 100,000 vectors is part of the soak only",
        ));
    }
    if column != VECTOR {
        return Err(Stop::not_applicable(
            "without pgvector, the database searches vectors one by one",
        ));
    }
    Ok(())
}

/// Adds chunks to a document, some of which are near to the query.
async fn fill(
    cx: &Context,
    accepted: &Accepted,
    query: &str,
    (count, column): (usize, &str),
) -> CheckResult {
    let values = vectors_around(query, cx.contract().embedder.dimensions);
    for statement in FILL {
        let statement = statement
            .replace("{values}", &values)
            .replace("{stride}", &(count / NEAREST).to_string())
            .replace("{count}", &count.to_string())
            .replace("{nearest}", &NEAREST.to_string())
            .replace("{far}", &FAR.to_string())
            .replace("{type}", column)
            .replace("{document}", &accepted.document_id.to_string());
        cx.own_database()?.execute(&statement).await?;
    }
    Ok(())
}

/// Rows of a number and a vector whose similarity to the query is known: the near ones first.
///
/// With unit vectors `q` and `e` at a right angle, `s q + √(1 − s²) e` has the similarity `s` to `q`.
fn vectors_around(query: &str, dimensions: usize) -> String {
    let query = embed(query, dimensions);
    let near = (0..NEAREST).map(|at| HIGHEST - APART * as_float(at as u64));
    let far = (0..FAR).map(|at| FAR_HIGHEST * as_float(at as u64) / as_float(FAR as u64));
    let mut rows = String::new();
    for (at, similarity) in near.chain(far).enumerate() {
        let aside = right_angled(&embed(&format!("direction {at}"), dimensions), &query);
        let rest = (1.0 - similarity * similarity).sqrt();
        let numbers = query.iter().zip(&aside);
        let numbers = numbers.map(|(q, e)| similarity * f64::from(*q) + rest * e);
        let comma = if at == 0 { "" } else { ", " };
        let _ = write!(rows, "{comma}({at}, '{{");
        for (place, number) in numbers.enumerate() {
            let comma = if place == 0 { "" } else { "," };
            let _ = write!(rows, "{comma}{number:.7}");
        }
        rows.push_str("}')");
    }
    rows
}

/// The part of a vector that is at a right angle to a unit vector, as a unit vector.
fn right_angled(vector: &[f32], to: &[f32]) -> Vec<f64> {
    let pairs = || {
        vector
            .iter()
            .zip(to)
            .map(|(v, t)| (f64::from(*v), f64::from(*t)))
    };
    let along: f64 = pairs().map(|(v, t)| v * t).sum();
    let part: Vec<f64> = pairs().map(|(v, t)| v - along * t).collect();
    let length = part
        .iter()
        .map(|number| number * number)
        .sum::<f64>()
        .sqrt();
    part.into_iter().map(|number| number / length).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vectors_have_the_similarity_that_is_asked_for() {
        let query = embed("a query", 64);
        let aside = right_angled(&embed("direction", 64), &query);
        let dot: f64 = query
            .iter()
            .zip(&aside)
            .map(|(q, e)| f64::from(*q) * e)
            .sum();
        assert!(dot.abs() < 1e-6, "{dot}");
        let length: f64 = aside.iter().map(|number| number * number).sum();
        assert!((length - 1.0).abs() < 1e-9, "{length}");
        let rows = vectors_around("a query", 64);
        assert_eq!(rows.matches("'{").count(), NEAREST + FAR);
        assert_eq!(rows.matches(',').count(), (NEAREST + FAR) * 65 - 1);
    }
}
