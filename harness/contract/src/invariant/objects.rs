//! Invariants over objects: they match their rows.

use futures::{StreamExt as _, TryStreamExt as _, stream};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::surfaces::Surfaces;
use super::violation::Violation;
use cutover_evidence::stop::{CheckResult, Stop};

/// The number of newest documents with objects that are read.
const MAX_DOCUMENTS: usize = 200;

/// The number of concurrent object reads.
const CONCURRENT_READS: usize = 8;

#[derive(Deserialize)]
struct RawObject {
    document_id: Uuid,
    status: String,
    bytes_len: Option<u64>,
    file_sha256: Option<String>,
    raw_path: Option<String>,
}

#[derive(Deserialize)]
struct ParsedObject {
    document_id: Uuid,
    status: String,
    parsed_sha256: Option<String>,
    parsed_path: Option<String>,
    /// The texts of the chunks in order, if the query selects them.
    chunks: Option<Vec<String>>,
}

/// Documents with missing bytes, or with bytes that differ from the registration.
pub(super) async fn wrong_bytes(surfaces: &Surfaces<'_>) -> CheckResult<Vec<Violation>> {
    let query = "SELECT document_id, status, bytes_len, file_sha256, raw_path
         FROM documents, facts WHERE facts->'with_bytes' ? status";
    judge_newest(surfaces, query, async |row: RawObject| {
        let object = match read(surfaces, row.raw_path.as_deref()).await? {
            Ok(object) => object,
            Err(missing) => return Ok(violation(row.document_id, &row.status, missing)),
        };
        let (length, sha256) = (object.len() as u64, hex::encode(Sha256::digest(&object)));
        let length_differs = row.bytes_len.filter(|registered| *registered != length);
        let hash_differs = row.file_sha256.filter(|registered| *registered != sha256);
        let what = match (length_differs, hash_differs) {
            (Some(registered), _) => {
                format!("{length} bytes are stored, {registered} are registered")
            }
            (None, Some(registered)) => format!(
                "the hash of the stored bytes is {sha256}, the registered one is {registered}"
            ),
            (None, None) => return Ok(None),
        };
        Ok(violation(row.document_id, &row.status, what))
    })
    .await
}

/// Documents with a missing parsed text, or with a hash that differs from the row.
pub(super) async fn wrong_texts(surfaces: &Surfaces<'_>) -> CheckResult<Vec<Violation>> {
    let query = "SELECT document_id, status, parsed_sha256, parsed_path, NULL AS chunks
         FROM documents, facts WHERE facts->'with_text' ? status";
    judge_newest(surfaces, query, async |row: ParsedObject| {
        let object = match read(surfaces, row.parsed_path.as_deref()).await? {
            Ok(object) => object,
            Err(missing) => return Ok(violation(row.document_id, &row.status, missing)),
        };
        let sha256 = hex::encode(Sha256::digest(&object));
        let recorded = row.parsed_sha256.as_deref().unwrap_or("nothing");
        if sha256 == recorded {
            return Ok(None);
        }
        let what =
            format!("the hash of the stored text is {sha256}, the recorded one is {recorded}");
        Ok(violation(row.document_id, &row.status, what))
    })
    .await
}

/// Complete documents with chunks that differ from the parsed text.
pub(super) async fn texts_unlike_chunks(surfaces: &Surfaces<'_>) -> CheckResult<Vec<Violation>> {
    let query = "SELECT document_id, status, parsed_sha256, parsed_path,
                (SELECT json_agg(text ORDER BY chunk_ord) FROM chunks
                 WHERE chunks.document_id = documents.document_id) AS chunks
         FROM documents, facts WHERE status = facts->>'complete'";
    judge_newest(surfaces, query, async |row: ParsedObject| {
        // Another invariant reports a missing text.
        let Ok(object) = read(surfaces, row.parsed_path.as_deref()).await? else {
            return Ok(None);
        };
        let chunks = row.chunks.unwrap_or_default();
        let chunker = &surfaces.contract.chunker;
        let what = chunker.difference(&String::from_utf8_lossy(&object), &chunks);
        Ok(what.and_then(|what| violation(row.document_id, &row.status, what)))
    })
    .await
}

/// The bytes of an object, or why it is missing.
async fn read(surfaces: &Surfaces<'_>, path: Option<&str>) -> CheckResult<Result<Vec<u8>, String>> {
    let Some(path) = path else {
        return Ok(Err("the row has no path".to_owned()));
    };
    let path = surfaces.contract.storage.object(path);
    let object = surfaces.storage.get(path).await?;
    Ok(object.ok_or_else(|| format!("object '{path}' does not exist")))
}

async fn judge_newest<T: DeserializeOwned>(
    surfaces: &Surfaces<'_>,
    query: &str,
    judge: impl AsyncFn(T) -> CheckResult<Option<Violation>>,
) -> CheckResult<Vec<Violation>> {
    let query = format!("{query} ORDER BY documents.created_at DESC LIMIT {MAX_DOCUMENTS}");
    let rows: Vec<T> = surfaces.rows(&query).await?;
    stream::iter(rows)
        .map(|row| judge(row))
        .buffered(CONCURRENT_READS)
        .try_filter_map(async |violation| Ok::<_, Stop>(violation))
        .try_collect()
        .await
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "every caller returns it as the result of a judge"
)]
fn violation(document: Uuid, status: &str, what: impl Into<String>) -> Option<Violation> {
    let subject = format!("document {document} ({status})");
    Some(Violation::new(subject, what))
}
