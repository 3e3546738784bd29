//! A database and a storage with correct documents that a test can corrupt.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use sha2::{Digest as _, Sha256};
use sqlx::{AssertSqlSafe, PgPool};
use uuid::Uuid;
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate, matchers};

use crate::contract::{Contract, DatabaseLayout};
use crate::invariant::{ALL, Scope, Surfaces};
use crate::probe::tests::cluster::Cluster;
use crate::probe::{Database, Http, Storage, client};
use cutover_evidence::journal::Recorder;
use cutover_evidence::secret::Secret;

const PDF: &[u8] = b"%PDF";
const CHUNKS: [&str; 2] = ["# One\nfirst\n", "# Two\nsecond\n"];

/// A bucket with the responses of real Supabase.
#[derive(Clone, Default)]
struct Objects(Arc<Mutex<BTreeMap<String, Vec<u8>>>>);

impl Respond for Objects {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let path = request.url.path().trim_start_matches("/storage/v1/object/");
        if let Some(bucket) = path.strip_prefix("list/") {
            return self.listed(bucket, &request.body);
        }
        let missing = serde_json::json!({"statusCode": "404", "message": "Object not found"});
        match self.0.lock().unwrap().get(path) {
            Some(bytes) => ResponseTemplate::new(200).set_body_bytes(bytes.clone()),
            None => ResponseTemplate::new(400).set_body_json(missing),
        }
    }
}

impl Objects {
    fn listed(&self, bucket: &str, body: &[u8]) -> ResponseTemplate {
        let body: serde_json::Value = serde_json::from_slice(body).unwrap();
        let folder = format!("{bucket}/{}/", body["prefix"].as_str().unwrap());
        let objects = self.0.lock().unwrap();
        let names = objects.keys().filter_map(|path| path.strip_prefix(&folder));
        let listed: Vec<_> = names
            .map(|name| serde_json::json!({ "name": name }))
            .collect();
        ResponseTemplate::new(200).set_body_json(listed)
    }
}

pub(super) struct TestPipeline {
    pool: PgPool,
    objects: Objects,
    pub(super) contract: Contract,
    pub(super) database: Database,
    pub(super) storage: Storage,
    _server: MockServer,
    _cluster: Cluster,
}

/// A complete document with correct data.
pub(super) struct Sound {
    pub(super) user: Uuid,
    document: Uuid,
    job: Uuid,
}

impl TestPipeline {
    /// Starts the database and the storage.
    pub(super) async fn new() -> Self {
        Self::with_layout("").await
    }

    /// Starts them, with the tables changed by this SQL, which a contract describes.
    pub(super) async fn with_layout(changes: &str) -> Self {
        let (cluster, pool) = Cluster::start().await;
        sqlx::raw_sql(include_str!("schema.sql"))
            .execute(&pool)
            .await
            .unwrap();
        sqlx::raw_sql(AssertSqlSafe(changes.to_owned()))
            .execute(&pool)
            .await
            .unwrap();
        let server = MockServer::start().await;
        let objects = Objects::default();
        Mock::given(matchers::any())
            .respond_with(objects.clone())
            .mount(&server)
            .await;
        let mut contract = Contract::fixture();
        contract.embedder.dimensions = 3;
        let http = Http::new(client().unwrap(), "storage", Recorder::silent());
        Self {
            database: Database::new(pool.clone(), &contract.database, Recorder::silent()),
            storage: Storage::new(
                http,
                server.uri().parse().unwrap(),
                Secret::new("service-role"),
            ),
            pool,
            objects,
            contract,
            _server: server,
            _cluster: cluster,
        }
    }

    /// The same database, read through another layout.
    pub(super) fn other_database(&self, layout: &DatabaseLayout) -> Database {
        Database::new(self.pool.clone(), layout, Recorder::silent())
    }

    pub(super) async fn execute(&self, sql: String) {
        sqlx::raw_sql(AssertSqlSafe(sql))
            .execute(&self.pool)
            .await
            .unwrap();
    }

    pub(super) fn store(&self, path: &str, bytes: &[u8]) {
        self.objects
            .0
            .lock()
            .unwrap()
            .insert(path.to_owned(), bytes.to_vec());
    }

    pub(super) fn delete(&self, path: &str) {
        self.objects.0.lock().unwrap().remove(path).unwrap();
    }

    /// A new user with one complete document.
    pub(super) async fn sound(&self) -> Sound {
        let (user, job) = (Uuid::new_v4(), Uuid::new_v4());
        let sha256 = |bytes: &[u8]| hex::encode(Sha256::digest(bytes));
        let document = self.contract.document_id(user, &sha256(PDF)).unwrap();
        let (raw, parsed) = (
            self.contract.raw_path(user, document),
            self.contract.parsed_path(user, document),
        );
        self.store(&raw, PDF);
        self.store(&parsed, CHUNKS.concat().as_bytes());
        let (pdf, text) = (sha256(PDF), sha256(CHUNKS.concat().as_bytes()));
        self.execute(format!(
            "SET search_path = upload_pipeline;
             INSERT INTO documents VALUES ('{document}', '{user}', 'a.pdf', 'application/pdf', {}, '{pdf}', '{text}',
                                           '{raw}', '{parsed}', 'complete');
             INSERT INTO upload_jobs (job_id, document_id, status, state) VALUES ('{job}', '{document}', 'complete', 'done');
             INSERT INTO events (job_id, document_id, type) VALUES ('{job}', '{document}', 'finalized');",
            PDF.len(),
        ))
        .await;
        for (ord, chunk) in (0..).zip(CHUNKS) {
            let (id, hash) = (
                self.contract.chunk_id(document, ord).unwrap(),
                sha256(chunk.as_bytes()),
            );
            self.execute(format!(
                "INSERT INTO upload_pipeline.document_chunks VALUES
                 ('{id}', '{document}', 'markdown-simple', '1', {ord}, '{chunk}', '{hash}', 'm', 3, '{{0.6,0.8,0}}')"
            ))
            .await;
        }
        Sound {
            user,
            document,
            job,
        }
    }

    /// The violated invariants of a user's documents.
    pub(super) async fn broken_for(&self, user: Uuid) -> Vec<&'static str> {
        let scope = Scope::users([user]);
        let mut broken = Vec::new();
        for invariant in ALL {
            if !invariant
                .violations(&self.surfaces(&scope))
                .await
                .unwrap()
                .is_empty()
            {
                broken.push(invariant.name);
            }
        }
        broken
    }

    pub(super) fn surfaces<'a>(&'a self, scope: &'a Scope) -> Surfaces<'a> {
        Surfaces {
            database: &self.database,
            storage: &self.storage,
            contract: &self.contract,
            scope,
        }
    }
}

impl Sound {
    pub(super) fn raw_path(&self, pipeline: &TestPipeline) -> String {
        pipeline.contract.raw_path(self.user, self.document)
    }

    pub(super) fn parsed_path(&self, pipeline: &TestPipeline) -> String {
        pipeline.contract.parsed_path(self.user, self.document)
    }

    /// Replaces the placeholders `$document`, `$job` and `$id` in a statement.
    pub(super) fn about(&self, sql: &str) -> String {
        let sql = sql
            .replace("$document", &format!("document_id = '{}'", self.document))
            .replace("$job", &format!("job_id = '{}'", self.job))
            .replace("$id", &format!("'{}'", self.document));
        format!("SET search_path = upload_pipeline; {sql}")
    }
}
