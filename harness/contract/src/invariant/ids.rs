//! Invariants over ids and paths: they have the values that the contract specifies.

use serde::Deserialize;
use uuid::Uuid;

use super::surfaces::Surfaces;
use super::violation::Violation;
use crate::contract::Derivation;
use cutover_evidence::stop::{CheckResult, Stop};

#[derive(Deserialize)]
struct DocumentIds {
    document_id: Uuid,
    user_id: Uuid,
    file_sha256: String,
    raw_path: Option<String>,
    parsed_path: Option<String>,
}

#[derive(Deserialize)]
struct ChunkIds {
    chunk_id: Uuid,
    document_id: Uuid,
    chunker_name: String,
    chunker_version: String,
    chunk_ord: i64,
}

const DOCUMENTS: &str =
    "SELECT document_id, user_id, file_sha256, raw_path, parsed_path FROM documents";

const CHUNKS: &str =
    "SELECT chunk_id, document_id, chunker_name, chunker_version, chunk_ord FROM chunks";

/// Documents and chunks with an id that differs from the specified one.
pub(super) async fn wrong_ids(surfaces: &Surfaces<'_>) -> CheckResult<Vec<Violation>> {
    let ids = &surfaces.contract.ids;
    if (&ids.document, &ids.chunk) == (&Derivation::Random, &Derivation::Random) {
        return Err(Stop::not_applicable(
            "ids are random and cannot be computed",
        ));
    }
    let documents: Vec<DocumentIds> = surfaces.rows(DOCUMENTS).await?;
    let chunks: Vec<ChunkIds> = surfaces.rows(CHUNKS).await?;
    let documents = documents.iter().filter_map(|row| {
        let expected = surfaces.contract.document_id(row.user_id, &row.file_sha256);
        differs("document", row.document_id, expected?)
    });
    let chunks = chunks.iter().filter_map(|row| {
        let (name, version) = (&row.chunker_name, &row.chunker_version);
        let expected =
            surfaces
                .contract
                .chunk_id_with(row.document_id, name, version, row.chunk_ord);
        differs("chunk", row.chunk_id, expected?)
    });
    Ok(documents.chain(chunks).collect())
}

/// Documents with object paths that differ from the specified ones.
pub(super) async fn wrong_paths(surfaces: &Surfaces<'_>) -> CheckResult<Vec<Violation>> {
    let documents: Vec<DocumentIds> = surfaces.rows(DOCUMENTS).await?;
    let wrong = |row: &DocumentIds| {
        let raw = surfaces.contract.raw_path(row.user_id, row.document_id);
        let parsed = surfaces.contract.parsed_path(row.user_id, row.document_id);
        [(&row.raw_path, raw), (&row.parsed_path, parsed)]
            .into_iter()
            .filter_map(|(actual, expected)| {
                let actual = actual.as_ref().filter(|actual| **actual != expected)?;
                let subject = format!("document {}", row.document_id);
                Some(Violation::new(
                    subject,
                    format!("its path is '{actual}', expected '{expected}'"),
                ))
            })
            .collect::<Vec<_>>()
    };
    Ok(documents.iter().flat_map(wrong).collect())
}

fn differs(kind: &str, actual: Uuid, expected: Uuid) -> Option<Violation> {
    let what = || format!("its id is not the expected {expected}");
    (actual != expected).then(|| Violation::new(format!("{kind} {actual}"), what()))
}
