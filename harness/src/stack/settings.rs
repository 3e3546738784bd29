//! What the reference pipeline is configured with, apart from where things are.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::contract::CallbackRules;

/// The contract's limits and times, as the reference pipeline reads them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PipelineSettings {
    /// `ENVIRONMENT`: local, staging or production.
    pub environment: String,
    /// The prefix of the API's routes.
    pub api_prefix: String,
    /// The prefix of the callback's route.
    pub webhook_prefix: String,
    /// How access tokens are checked: `jwt` or `introspection`.
    pub auth_mode: String,
    /// How callbacks are authenticated, and where they carry the proof.
    pub callback: CallbackRules,
    /// The largest document that is accepted.
    pub max_upload_bytes: u64,
    /// The largest document that is a valid request at all.
    pub hard_max_upload_bytes: u64,
    /// How many jobs of one user may be active.
    pub max_concurrent_jobs: usize,
    /// How many documents a user may upload in a day.
    pub max_daily_uploads: usize,
    /// How long a signed upload address lives.
    pub upload_url_ttl: Duration,
    /// How often an idle worker looks for work.
    pub poll_interval: Duration,
    /// The first wait before a retry.
    pub retry_base: Duration,
    /// The longest wait before a retry.
    pub retry_cap: Duration,
    /// How often a job is retried.
    pub max_retries: usize,
    /// How long a claim holds without a heartbeat.
    pub lease: Duration,
    /// How often a worker renews its claims.
    pub heartbeat: Duration,
    /// How long the parser may take for 50 pages.
    pub parse_deadline: Duration,
    /// How long the parser may take at most.
    pub parse_deadline_cap: Duration,
    /// How long a call to the parser or the embedder may take.
    pub provider_timeout: Duration,
    /// How long a call to storage may take.
    pub storage_timeout: Duration,
    /// How long a process may take to end in good order.
    pub shutdown_grace: Duration,
    /// How many jobs a worker runs at once.
    pub worker_concurrency: usize,
    /// How long a job may wait before the pipeline is not ready.
    pub queue_age_limit: Duration,
    /// How many database connections a process opens.
    pub database_pool: usize,
    /// The model that makes the vectors.
    pub embed_model: String,
    /// How many numbers a vector has.
    pub embed_dimensions: usize,
    /// How many texts are embedded in one call.
    pub embed_batch: usize,
    /// The commit that `/version` names, if it is to be another than the build's.
    pub build_commit: Option<String>,
}

impl Default for PipelineSettings {
    /// The contract's own values.
    fn default() -> Self {
        Self {
            environment: "local".to_owned(),
            api_prefix: "/api/v2".to_owned(),
            webhook_prefix: "/api/upload-pipeline".to_owned(),
            auth_mode: "jwt".to_owned(),
            callback: CallbackRules::default(),
            max_upload_bytes: 5 << 20,
            hard_max_upload_bytes: 25 << 20,
            max_concurrent_jobs: 2,
            max_daily_uploads: 50,
            upload_url_ttl: Duration::from_mins(5),
            poll_interval: Duration::from_millis(500),
            retry_base: Duration::from_secs(3),
            retry_cap: Duration::from_mins(5),
            max_retries: 3,
            lease: Duration::from_secs(30),
            heartbeat: Duration::from_secs(10),
            parse_deadline: Duration::from_mins(2),
            parse_deadline_cap: Duration::from_mins(10),
            provider_timeout: Duration::from_secs(30),
            storage_timeout: Duration::from_secs(10),
            shutdown_grace: Duration::from_secs(25),
            worker_concurrency: 4,
            queue_age_limit: Duration::from_secs(15),
            database_pool: 8,
            embed_model: "text-embedding-3-small".to_owned(),
            embed_dimensions: 1536,
            embed_batch: 256,
            build_commit: None,
        }
    }
}

impl PipelineSettings {
    /// The settings as the environment of a process.
    pub fn environment(&self) -> BTreeMap<String, String> {
        let ms = |duration: Duration| duration.as_millis().to_string();
        let table = [
            ("ENVIRONMENT", self.environment.clone()),
            ("API_PREFIX", self.api_prefix.clone()),
            ("WEBHOOK_PREFIX", self.webhook_prefix.clone()),
            ("AUTH_MODE", self.auth_mode.clone()),
            ("CALLBACK_AUTH", self.callback.auth.word().to_owned()),
            (
                "CALLBACK_SIGNATURE_HEADER",
                self.callback.signature_header.clone(),
            ),
            (
                "CALLBACK_STATIC_HEADER",
                self.callback.static_header.clone(),
            ),
            ("MAX_UPLOAD_BYTES", self.max_upload_bytes.to_string()),
            (
                "HARD_MAX_UPLOAD_BYTES",
                self.hard_max_upload_bytes.to_string(),
            ),
            ("MAX_CONCURRENT_JOBS", self.max_concurrent_jobs.to_string()),
            ("MAX_DAILY_UPLOADS", self.max_daily_uploads.to_string()),
            ("UPLOAD_URL_TTL_MS", ms(self.upload_url_ttl)),
            ("POLL_INTERVAL_MS", ms(self.poll_interval)),
            ("RETRY_BASE_MS", ms(self.retry_base)),
            ("RETRY_CAP_MS", ms(self.retry_cap)),
            ("MAX_RETRIES", self.max_retries.to_string()),
            ("LEASE_MS", ms(self.lease)),
            ("HEARTBEAT_MS", ms(self.heartbeat)),
            ("PARSE_DEADLINE_MS", ms(self.parse_deadline)),
            ("PARSE_DEADLINE_CAP_MS", ms(self.parse_deadline_cap)),
            ("PROVIDER_TIMEOUT_MS", ms(self.provider_timeout)),
            ("STORAGE_TIMEOUT_MS", ms(self.storage_timeout)),
            ("SHUTDOWN_GRACE_MS", ms(self.shutdown_grace)),
            ("WORKER_CONCURRENCY", self.worker_concurrency.to_string()),
            ("QUEUE_AGE_LIMIT_MS", ms(self.queue_age_limit)),
            ("DATABASE_POOL", self.database_pool.to_string()),
            ("EMBED_MODEL", self.embed_model.clone()),
            ("EMBED_DIMENSIONS", self.embed_dimensions.to_string()),
            ("EMBED_BATCH", self.embed_batch.to_string()),
        ];
        let commit = self.build_commit.clone();
        table
            .into_iter()
            .chain(commit.map(|commit| ("BUILD_COMMIT", commit)))
            .map(|(name, value)| (name.to_owned(), value))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_given_in_milliseconds() {
        let settings = PipelineSettings {
            poll_interval: Duration::from_millis(50),
            build_commit: Some("abc".to_owned()),
            ..PipelineSettings::default()
        };
        let environment = settings.environment();
        assert_eq!(environment["POLL_INTERVAL_MS"], "50");
        assert_eq!(environment["UPLOAD_URL_TTL_MS"], "300000");
        assert_eq!(environment["MAX_UPLOAD_BYTES"], "5242880");
        assert_eq!(environment["BUILD_COMMIT"], "abc");
        assert_eq!(environment.len(), 30);
    }
}
