//! Invariants over ids and paths: they have the values that the contract specifies.

use serde::Deserialize;
use uuid::Uuid;

use super::surfaces::Surfaces;
use super::violation::Violation;
use crate::contract::{Contract, Derivation};
use cutover_evidence::stop::{CheckResult, Stop};

#[derive(Deserialize)]
struct DocumentIds {
    document_id: Uuid,
    user_id: Uuid,
    file_sha256: Option<String>,
    raw_path: Option<String>,
    parsed_path: Option<String>,
}

#[derive(Deserialize)]
struct ChunkIds {
    chunk_id: String,
    document_id: Uuid,
    chunker_name: Option<String>,
    chunker_version: Option<String>,
    chunk_ord: i64,
}

const DOCUMENTS: &str =
    "SELECT document_id, user_id, file_sha256, raw_path, parsed_path FROM documents";

const CHUNKS: &str =
    "SELECT chunk_id, document_id, chunker_name, chunker_version, chunk_ord FROM chunks";

/// Why ids are not compared.
pub(super) const RANDOM_IDS: &str = "ids are random and cannot be computed";

/// Whether no id of the target can be computed.
pub(super) fn are_random(contract: &Contract) -> bool {
    let ids = &contract.ids;
    (&ids.document, &ids.chunk) == (&Derivation::Random, &Derivation::Random)
}

/// Documents and chunks with an id that differs from the specified one.
pub(super) async fn wrong_ids(surfaces: &Surfaces<'_>) -> CheckResult<Vec<Violation>> {
    if are_random(surfaces.contract) {
        return Err(Stop::not_applicable(RANDOM_IDS));
    }
    let documents: Vec<DocumentIds> = surfaces.rows(DOCUMENTS).await?;
    let chunks: Vec<ChunkIds> = surfaces.rows(CHUNKS).await?;
    let documents = documents.iter().filter_map(|row| {
        let sha256 = row.file_sha256.as_deref()?;
        let expected = surfaces.contract.document_id(row.user_id, sha256);
        differs("document", &row.document_id.to_string(), expected?)
    });
    let chunks = chunks.iter().filter_map(|row| {
        // A target without these columns has one chunker.
        let chunker = &surfaces.contract.chunker;
        let name = row.chunker_name.as_deref().unwrap_or(&chunker.name);
        let version = row.chunker_version.as_deref().unwrap_or(&chunker.version);
        let expected =
            surfaces
                .contract
                .chunk_id_with(row.document_id, name, version, row.chunk_ord);
        differs("chunk", &row.chunk_id, expected?)
    });
    Ok(documents.chain(chunks).collect())
}

/// Documents with object paths that differ from the specified ones.
pub(super) async fn wrong_paths(surfaces: &Surfaces<'_>) -> CheckResult<Vec<Violation>> {
    let documents: Vec<DocumentIds> = surfaces.rows(DOCUMENTS).await?;
    let wrong = |row: &DocumentIds| {
        let raw = surfaces.contract.raw_path(row.user_id, row.document_id);
        let parsed = surfaces.contract.parsed_path(row.user_id, row.document_id);
        let layout = &surfaces.contract.storage;
        let known = [
            (layout.has_raw_path(), &row.raw_path, raw),
            (layout.has_parsed_path(), &row.parsed_path, parsed),
        ];
        let known = known.into_iter().filter(|(is_known, ..)| *is_known);
        known
            .filter_map(|(_, actual, expected)| {
                let actual = actual.as_deref()?;
                if surfaces.contract.storage.object(actual) == expected {
                    return None;
                }
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

fn differs(kind: &str, actual: &str, expected: Uuid) -> Option<Violation> {
    let what = || format!("its id is not the expected {expected}");
    (actual != expected.to_string()).then(|| Violation::new(format!("{kind} {actual}"), what()))
}
