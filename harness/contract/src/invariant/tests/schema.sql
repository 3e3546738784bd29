-- The tables of the pipeline without a single constraint: a broken world must be possible.
CREATE SCHEMA upload_pipeline;
SET search_path = upload_pipeline;

CREATE TABLE documents (
    document_id uuid, user_id uuid, filename text, mime text, bytes_len bigint, file_sha256 text, parsed_sha256 text,
    raw_path text, parsed_path text, processing_status text,
    created_at timestamptz DEFAULT now(), updated_at timestamptz DEFAULT now()
);

CREATE TABLE upload_jobs (
    job_id uuid, document_id uuid, status text, state text, retry_count int DEFAULT 0, last_error jsonb, progress jsonb,
    webhook_secret text DEFAULT 'never to be seen', claimed_by text, claimed_at timestamptz,
    lease_expires_at timestamptz, next_attempt_at timestamptz,
    created_at timestamptz DEFAULT now(), updated_at timestamptz DEFAULT now()
);

CREATE TABLE document_chunks (
    chunk_id uuid, document_id uuid, chunker_name text, chunker_version text, chunk_ord int, text text, chunk_sha text,
    embed_model text, vector_dim int, embedding real[],
    created_at timestamptz DEFAULT now(), updated_at timestamptz DEFAULT now()
);

CREATE TABLE events (
    event_id bigint GENERATED ALWAYS AS IDENTITY, job_id uuid, document_id uuid, ts timestamptz DEFAULT now(),
    type text, severity text, code text, payload jsonb, correlation_id text
);
