//! The tables and contract values that the invariant queries use.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use crate::contract::Contract;

/// The tables limited to the scope `$1`; a document has the status of its newest job.
/// The values of the contract are `$2`.
const TABLES: &str = "WITH documents AS (
    SELECT d.document_id, d.user_id, d.bytes_len, d.file_sha256, d.parsed_sha256, d.raw_path, d.parsed_path,
           d.processing_status, d.created_at, d.updated_at, j.job_id, j.status, j.state
    FROM {schema}.documents AS d
    LEFT JOIN LATERAL (
        SELECT job_id, status, state FROM {schema}.upload_jobs AS j
        WHERE j.document_id = d.document_id ORDER BY j.created_at DESC, j.job_id LIMIT 1
    ) AS j ON true
    WHERE $1 IS NULL OR d.user_id = ANY ($1)
), jobs AS (
    SELECT j.job_id, j.document_id, j.status, j.state, j.claimed_at, j.next_attempt_at, j.created_at, j.updated_at
    FROM {schema}.upload_jobs AS j JOIN documents USING (document_id)
), chunks AS (
    SELECT c.chunk_id::text, c.document_id, c.chunker_name, c.chunker_version::text, c.chunk_ord, c.text, c.chunk_sha,
           c.embedding::text AS vector, c.vector_dim, c.created_at, c.updated_at, documents.status
    FROM {schema}.document_chunks AS c JOIN documents USING (document_id)
), events AS (
    SELECT e.event_id, e.job_id, e.ts, jobs.created_at AS job_created_at
    FROM {schema}.events AS e JOIN jobs USING (job_id)
)
";

/// Adds the tables in scope to a query.
pub(super) fn over_tables(query: &str) -> String {
    // PostgreSQL rejects an unused parameter, so `$2` is always referenced.
    format!("{TABLES}, facts AS (SELECT $2::jsonb AS facts)\n{query}")
}

/// The values of the contract that the queries use.
pub(super) fn from_contract(contract: &Contract) -> Value {
    let vocabulary = &contract.vocabulary;
    let legal: BTreeMap<_, _> = vocabulary
        .all_statuses()
        .map(|status| (status, vocabulary.states_of(status)))
        .collect();
    let deadlines: BTreeMap<_, _> = vocabulary
        .all_statuses()
        .map(|status| (status, deadline(contract, status).map(interval)))
        .collect();
    json!({
        "complete": vocabulary.complete,
        "complete_document": vocabulary.complete_document(),
        "failures": vocabulary.failures(),
        "active_states": vocabulary.active_states,
        "retryable_states": vocabulary.retryable_states,
        "legal": legal,
        "deadlines": deadlines,
        "with_bytes": vocabulary.from(&vocabulary.registered).get(1..).unwrap_or_default(),
        "with_text": vocabulary.from(&vocabulary.parsed),
        "dimensions": contract.embedder.dimensions,
    })
}

/// The maximum time in a status, if there is one: the wait that the status represents, plus the time
/// of a stage.
fn deadline(contract: &Contract, status: &str) -> Option<Duration> {
    let wait = if status == contract.vocabulary.registered {
        contract.limits.url_ttl
    } else if status == contract.vocabulary.awaiting_callback {
        if !contract.timing.has_parse_deadline() {
            return None;
        }
        contract.timing.parse_deadline_cap
    } else {
        Duration::ZERO
    };
    Some(wait + contract.timing.stage_deadline)
}

/// A duration as a PostgreSQL interval.
fn interval(duration: Duration) -> String {
    format!("{} milliseconds", duration.as_millis())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_facts_have_the_values_of_the_contract() {
        let facts = from_contract(&Contract::fixture());
        assert_eq!(facts["legal"]["complete"], json!(["done"]));
        assert_eq!(facts["deadlines"]["uploaded"], "420000 milliseconds");
        assert_eq!(facts["deadlines"]["parse_queued"], "720000 milliseconds");
        assert_eq!(facts["with_bytes"][0], "parse_queued");
        assert_eq!(facts["with_text"][0], "parsed");
    }
}
