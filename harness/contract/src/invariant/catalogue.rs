//! The list of invariants: name, statement, severity, and the query for violations.

use cutover_reports::record::Severity::{self, Critical, High, Medium};

use super::ids::{RANDOM_IDS, are_random};
use super::orphans::{NO_FOLDERS, has_folders};
use crate::contract::read::{self, chunk, document, job};
use crate::contract::{Contract, Read};

/// A statement that holds for all rows and objects.
#[derive(Debug)]
pub struct Invariant {
    /// Its name, a short form of the statement.
    pub name: &'static str,
    /// The statement.
    pub statement: &'static str,
    /// The severity of a violation.
    pub severity: Severity,
    /// The tables and columns that it reads.
    pub reads: &'static [Read],
    pub(super) rule: Rule,
}

impl Invariant {
    /// Why it does not apply to a target with this contract; nothing if it applies.
    pub fn not_applicable(&self, contract: &Contract) -> Option<&'static str> {
        match self.rule {
            Rule::Ids => are_random(contract).then_some(RANDOM_IDS),
            Rule::Orphans => (!has_folders(contract)).then_some(NO_FOLDERS),
            Rule::Rows(_)
            | Rule::Paths
            | Rule::RawObjects
            | Rule::ParsedObjects
            | Rule::JoinedChunks => None,
        }
    }
}

/// How violations are found.
#[derive(Debug)]
pub(super) enum Rule {
    /// By a query over the tables in scope; its rows have a `subject` and `what` is wrong with it.
    Rows(&'static str),
    /// By computation of the ids of documents and chunks.
    Ids,
    /// By computation of the object paths.
    Paths,
    /// By reading the uploaded bytes.
    RawObjects,
    /// By reading the parsed texts.
    ParsedObjects,
    /// By listing the objects of the users.
    Orphans,
    /// By comparison of the parsed texts with the chunks.
    JoinedChunks,
}

/// The invariant with this name.
pub fn named(name: &str) -> Option<&'static Invariant> {
    ALL.iter().find(|invariant| invariant.name == name)
}

/// All invariants.
pub static ALL: &[Invariant] = &[
    Invariant {
        name: "complete_implies_done",
        statement: "a complete job is done",
        severity: High,
        reads: &[read::DOCUMENTS, job::STATE],
        rule: Rule::Rows(
            "SELECT format('job %s', job_id) AS subject, format('it is complete and %s', state) AS what
             FROM jobs, facts
             WHERE status = facts->>'complete' AND NOT coalesce(facts->'legal'->status ? state, false)",
        ),
    },
    Invariant {
        name: "complete_has_chunks",
        statement: "a complete document has chunks",
        severity: Critical,
        reads: &[read::DOCUMENTS, read::JOBS, read::CHUNKS],
        rule: Rule::Rows(
            "SELECT format('document %s', document_id) AS subject, 'it is complete and has no chunks' AS what
             FROM documents, facts
             WHERE status = facts->>'complete' AND document_id NOT IN (SELECT document_id FROM chunks)",
        ),
    },
    Invariant {
        name: "vectors_are_sound",
        statement: "a complete document's chunks have vectors; no vector of the newest 200 documents is zero, has a wrong dimension or contains NaN",
        severity: Critical,
        reads: &[read::DOCUMENTS, read::JOBS, chunk::EMBEDDING, chunk::VECTOR_DIM.if_given()],
        rule: Rule::Rows(
            "SELECT format('chunk %s', chunk_id) AS subject, what
             FROM chunks, facts,
             -- OFFSET keeps the conversion of a vector to text from being repeated in each branch. NaN, NULL, null and
             -- Infinity have an N or an n, and numbers have none; a search for one letter is fast.
             -- The text of a vector has 30 kB, so that those of all documents would take many seconds.
             LATERAL (SELECT vector AS written OFFSET 0) AS once, LATERAL (SELECT CASE
                 WHEN written IS NULL AND status = facts->>'complete' THEN 'it has no vector'
                 WHEN strpos(written, 'N') + strpos(written, 'n') > 0 THEN 'its vector contains NaN, NULL or infinity'
                 WHEN written !~ '[1-9]' THEN 'its vector is zero'
                 WHEN octet_length(written) - octet_length(replace(written, ',', '')) + 1 <> (facts->>'dimensions')::int
                     THEN format('its vector dimension is %s', octet_length(written) - octet_length(replace(written, ',', '')) + 1)
                 WHEN written IS NOT NULL AND vector_dim <> (facts->>'dimensions')::int
                     THEN format('its declared vector dimension is %s', vector_dim)
             END AS what) AS judged
             WHERE what IS NOT NULL
               AND document_id IN (SELECT document_id FROM documents ORDER BY created_at DESC LIMIT 200)",
        ),
    },
    Invariant {
        name: "chunk_hashes_match",
        statement: "a chunk's recorded hash matches its text",
        severity: High,
        reads: &[read::DOCUMENTS, chunk::CHUNK_SHA],
        rule: Rule::Rows(
            "SELECT format('chunk %s', chunk_id) AS subject, format('its recorded hash %s is not that of its text', chunk_sha) AS what
             FROM chunks
             WHERE chunk_sha IS DISTINCT FROM encode(sha256(convert_to(text, 'UTF8')), 'hex')",
        ),
    },
    Invariant {
        name: "chunk_ords_are_contiguous",
        statement: "a complete document's chunks are numbered from 0 without a gap",
        severity: High,
        reads: &[read::DOCUMENTS, read::JOBS, read::CHUNKS],
        rule: Rule::Rows(
            "SELECT format('document %s', document_id) AS subject,
                    format('its %s chunks are numbered from %s to %s', count(*), min(chunk_ord), max(chunk_ord)) AS what
             FROM chunks, facts
             WHERE status = facts->>'complete'
             GROUP BY document_id, chunker_name, chunker_version
             HAVING min(chunk_ord) <> 0 OR max(chunk_ord) <> count(*) - 1 OR count(DISTINCT chunk_ord) <> count(*)",
        ),
    },
    Invariant {
        name: "joined_chunks_agree_with_the_parsed_text",
        statement: "the joined chunks of a complete document equal its parsed text",
        severity: Critical,
        reads: &[document::PARSED_PATH, read::JOBS, read::CHUNKS],
        rule: Rule::JoinedChunks,
    },
    Invariant {
        name: "failed_documents_have_no_chunks",
        statement: "a failed document has no chunks",
        severity: High,
        reads: &[read::DOCUMENTS, read::JOBS, read::CHUNKS],
        rule: Rule::Rows(
            "SELECT format('document %s', document_id) AS subject,
                    format('it is %s and has %s chunks', status, count(*)) AS what
             FROM chunks, facts
             WHERE facts->'failures' ? status
             GROUP BY document_id, status",
        ),
    },
    Invariant {
        name: "raw_objects_are_as_registered",
        statement: "the bytes of a document in processing exist and have the registered length and hash",
        severity: Critical,
        reads: &[document::RAW_PATH, read::JOBS, document::BYTES_LEN.if_given(), document::FILE_SHA256.if_given()],
        rule: Rule::RawObjects,
    },
    Invariant {
        name: "parsed_objects_are_as_recorded",
        statement: "the text of a parsed document exists and has the recorded hash",
        severity: Critical,
        reads: &[document::PARSED_PATH, document::PARSED_SHA256, read::JOBS],
        rule: Rule::ParsedObjects,
    },
    Invariant {
        name: "ids_are_the_specified_ones",
        statement: "the ids of documents and chunks are the UUIDs specified by the contract",
        severity: High,
        reads: &[document::FILE_SHA256, read::CHUNKS.if_given()],
        rule: Rule::Ids,
    },
    Invariant {
        name: "paths_are_the_specified_ones",
        statement: "the objects of a document are at the paths specified by the contract",
        severity: Medium,
        reads: &[document::RAW_PATH.if_given(), document::PARSED_PATH.if_given()],
        rule: Rule::Paths,
    },
    Invariant {
        name: "every_object_has_a_document",
        statement: "every object in the folders of a user belongs to a document",
        severity: Medium,
        reads: &[document::RAW_PATH, document::PARSED_PATH],
        rule: Rule::Orphans,
    },
    Invariant {
        name: "every_document_has_a_job",
        statement: "a document has at least one job",
        severity: High,
        reads: &[read::DOCUMENTS, read::JOBS],
        rule: Rule::Rows(
            "SELECT format('document %s', document_id) AS subject, 'it has no job' AS what
             FROM documents
             WHERE job_id IS NULL",
        ),
    },
    Invariant {
        name: "documents_follow_their_jobs",
        statement: "a document is complete if and only if its newest job is complete",
        severity: High,
        reads: &[document::PROCESSING_STATUS, read::JOBS],
        rule: Rule::Rows(
            "SELECT format('document %s', document_id) AS subject,
                    format('it is %s and its job is %s', coalesce(processing_status, 'nothing'), status) AS what
             FROM documents, facts
             WHERE job_id IS NOT NULL
               AND EXISTS (SELECT FROM documents WHERE processing_status IS NOT NULL)
               AND (status = facts->>'complete') <> (coalesce(processing_status, '') = facts->>'complete_document')",
        ),
    },
    Invariant {
        name: "at_most_one_active_job_per_document",
        statement: "a document has at most one active job",
        severity: Critical,
        reads: &[read::DOCUMENTS, job::STATE],
        rule: Rule::Rows(
            "SELECT format('document %s', document_id) AS subject, format('it has %s active jobs', count(*)) AS what
             FROM jobs, facts
             WHERE facts->'active_states' ? state
             GROUP BY document_id
             HAVING count(*) > 1",
        ),
    },
    Invariant {
        name: "only_legal_status_state_pairs",
        statement: "the state of a job is allowed for its status",
        severity: High,
        reads: &[read::DOCUMENTS, job::STATE],
        rule: Rule::Rows(
            "SELECT format('job %s', job_id) AS subject, format('it is %s and %s', status, state) AS what
             FROM jobs, facts
             WHERE NOT coalesce(facts->'legal'->status ? state, false)",
        ),
    },
    Invariant {
        name: "timestamps_are_monotone",
        statement: "no row was changed or claimed, and no event happened, before its creation time",
        severity: Medium,
        reads: &[document::CREATED_AT, job::CREATED_AT],
        // One second of tolerance: the clocks of a transaction and of a statement differ.
        rule: Rule::Rows(
            "SELECT subject, format('it was created at %s and %s at %s', made, verb, later) AS what
             FROM (
                 SELECT format('document %s', document_id), created_at, 'changed', updated_at FROM documents
                 UNION ALL SELECT format('job %s', job_id), created_at, 'changed', updated_at FROM jobs
                 UNION ALL SELECT format('job %s', job_id), created_at, 'was claimed', claimed_at FROM jobs
                 UNION ALL SELECT format('chunk %s', chunk_id), created_at, 'changed', updated_at FROM chunks
                 UNION ALL SELECT format('job %s', job_id), job_created_at, 'had an event', ts FROM events
             ) AS times (subject, made, verb, later)
             WHERE later < made - interval '1 second'",
        ),
    },
    Invariant {
        name: "no_status_is_older_than_its_deadline",
        statement: "no active job stays in a status beyond the deadline of the status",
        severity: High,
        reads: &[read::DOCUMENTS, job::STATE, job::UPDATED_AT, job::NEXT_ATTEMPT_AT.if_given()],
        rule: Rule::Rows(
            "SELECT format('job %s', job_id) AS subject, format('it has been %s and %s since %s', status, state, since) AS what
             FROM jobs, facts, LATERAL (SELECT CASE
                 WHEN facts->'retryable_states' ? state THEN greatest(updated_at, next_attempt_at)
                 ELSE updated_at
             END AS since) AS wait
             WHERE facts->'active_states' ? state
               AND clock_timestamp() - since > (facts->'deadlines'->>status)::interval",
        ),
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique() {
        for invariant in ALL {
            assert!(
                std::ptr::eq(named(invariant.name).unwrap(), invariant),
                "{}",
                invariant.name
            );
        }
    }
}
