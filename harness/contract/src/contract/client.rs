//! The HTTP client of the pipeline's API: one method per route; responses are not judged.

use std::fmt::Display;
use std::sync::Arc;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;
use url::Url;

use super::accepted::Accepted;
use super::callback::Proof;
use super::contract::Contract;
use super::created_documents::CreatedDocuments;
use super::deletion::Witnesses;
use super::endpoint::{Endpoint, Presence};
use super::standing::Way;
use super::upload::Upload;
use crate::accounts::Quota;
use crate::identity::Tenant;
use crate::probe::{Database, Http, HttpError, Request, Response};
use cutover_evidence::stop::{CheckResult, Stop};

/// The characters of a path segment that need no encoding.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');

/// The pipeline's API, as one tenant uses it.
#[derive(Clone, Debug)]
pub struct Pipeline {
    http: Http,
    contract: Arc<Contract>,
    api: Url,
    tenant: Option<Tenant>,
    pub(super) through_outages: bool,
    created: CreatedDocuments,
    quota: Option<Arc<Quota>>,
    database: Option<Database>,
    witnesses: Witnesses,
}

impl Pipeline {
    /// The API at this URL, as this tenant uses it.
    pub fn new(http: Http, contract: Arc<Contract>, api: Url, tenant: Tenant) -> Self {
        Self {
            http,
            contract,
            api,
            tenant: Some(tenant),
            through_outages: false,
            created: CreatedDocuments::default(),
            quota: None,
            database: None,
            witnesses: Witnesses::default(),
        }
    }

    /// The same pipeline, whose rows may also be read to learn the standing of a document.
    #[must_use]
    pub fn with_database(self, database: Option<Database>) -> Self {
        Self { database, ..self }
    }

    /// The same pipeline, which shares with others what proves a deletion.
    #[must_use]
    pub fn with_witnesses(self, witnesses: &Witnesses) -> Self {
        Self {
            witnesses: witnesses.clone(),
            ..self
        }
    }

    /// The database, if it may be read.
    pub(super) fn database(&self) -> Option<&Database> {
        self.database.as_ref()
    }

    /// What proves a deletion.
    pub(super) fn witnesses(&self) -> &Witnesses {
        &self.witnesses
    }

    /// The same pipeline, recording the documents that it creates.
    #[must_use]
    pub fn recording_into(self, documents: &CreatedDocuments) -> Self {
        Self {
            created: documents.clone(),
            ..self
        }
    }

    /// The same pipeline, for tenants with an upload quota.
    #[must_use]
    pub fn with_quota(self, quota: Option<Arc<Quota>>) -> Self {
        Self { quota, ..self }
    }

    /// The same API without a token.
    #[must_use]
    pub fn anonymous(&self) -> Self {
        Self {
            tenant: None,
            ..self.clone()
        }
    }

    /// The same API, as another tenant uses it.
    #[must_use]
    pub fn as_tenant(&self, tenant: Tenant) -> Self {
        Self {
            tenant: Some(tenant),
            ..self.clone()
        }
    }

    /// The same routes at another origin, for the routes that every process of the pipeline has.
    #[must_use]
    pub fn at(&self, origin: &Url) -> Self {
        Self {
            api: origin.clone(),
            ..self.clone()
        }
    }

    /// The same pipeline, for a check that causes an outage. While it waits for a job, an
    /// unreachable API or a 5xx response means *not yet*.
    #[must_use]
    pub fn through_outages(&self) -> Self {
        Self {
            through_outages: true,
            ..self.clone()
        }
    }

    /// The contract of the pipeline.
    pub fn contract(&self) -> &Contract {
        &self.contract
    }

    /// The tenant, if any.
    pub fn tenant(&self) -> Option<&Tenant> {
        self.tenant.as_ref()
    }

    /// The HTTP probe that sends the requests.
    pub fn http(&self) -> &Http {
        &self.http
    }

    /// Registers a document.
    pub async fn register(&self, upload: &Upload) -> CheckResult<Response> {
        self.register_as(&self.contract.requests.upload.body(upload))
            .await
    }

    /// Registers a document with this request body.
    pub async fn register_as(&self, body: &Value) -> CheckResult<Response> {
        let request = self.request(Endpoint::Upload, "")?.json(body);
        self.ask(Endpoint::Upload, request).await
    }

    /// Uploads a document's bytes to a signed URL.
    pub async fn put(&self, signed_url: &Url, bytes: impl Into<Vec<u8>>) -> CheckResult<Response> {
        self.created.uploaded(signed_url);
        let request = Request::put(signed_url.clone()).body(&self.contract.limits.mime, bytes);
        let response = self.http.surface("storage").send(request).await;
        response.map_err(HttpError::into_stop)
    }

    /// Reads a job.
    pub async fn job(&self, id: impl Display) -> CheckResult<Response> {
        self.call(Endpoint::Job, id).await
    }

    /// Lists the tenant's jobs.
    pub async fn jobs(&self, query: &[(&str, &str)]) -> CheckResult<Response> {
        let request = self
            .request(Endpoint::Jobs, "")?
            .query(query.iter().copied());
        self.ask(Endpoint::Jobs, request).await
    }

    /// Retries a failed job.
    pub async fn retry(&self, id: impl Display) -> CheckResult<Response> {
        self.call(Endpoint::Retry, id).await
    }

    /// Reads a document.
    pub async fn document(&self, id: impl Display) -> CheckResult<Response> {
        let id = id.to_string();
        let response = self.call(Endpoint::Document, &id).await?;
        if let Ok(id) = id.parse()
            && self.shows_document(&response, id)
        {
            self.witnesses.has_shown(Way::Document);
        }
        Ok(response)
    }

    /// Deletes a document.
    pub async fn delete(&self, id: impl Display) -> CheckResult<Response> {
        self.call(Endpoint::DeleteDocument, id).await
    }

    /// Searches the tenant's chunks.
    pub async fn search(&self, query: &str, k: u32) -> CheckResult<Response> {
        let body = self.contract.requests.search.body(query, k);
        let request = self.request(Endpoint::Search, "")?.json(&body);
        self.ask(Endpoint::Search, request).await
    }

    /// Reads the current limits.
    pub async fn limits(&self) -> CheckResult<Response> {
        self.call(Endpoint::Limits, "").await
    }

    /// Sends a callback for a job, as the parser does, with this proof.
    pub async fn callback(
        &self,
        job: impl Display,
        payload: impl Into<Vec<u8>>,
        proof: &Proof,
    ) -> CheckResult<Response> {
        let request = self.callback_to(job, proof)?;
        let request = request.body("application/json", payload);
        self.ask(Endpoint::Callback, request).await
    }

    /// The URL for the callback of a job; where the contract has a token in it, with the token of the URL that the
    /// pipeline sent.
    ///
    /// # Errors
    /// If the route is absent.
    pub fn callback_url(&self, job: impl Display, sent: &str) -> CheckResult<Url> {
        let rules = &self.contract.callback;
        let route = self.contract.route(Endpoint::Callback);
        let route = route.map_or("", |route| &route.path);
        let token = rules.auth.is_in_url().then(|| rules.token_of(sent, route));
        let proof = Proof {
            url_token: token.flatten(),
            ..Proof::default()
        };
        Ok(self.callback_to(job, &proof)?.url().clone())
    }

    fn callback_to(&self, job: impl Display, proof: &Proof) -> CheckResult<Request> {
        let job = job.to_string();
        let values: [(&str, &dyn Display); 2] = [("job_id", &job), ("token", &proof.segment())];
        let request = self.request_with(Endpoint::Callback, &values)?;
        Ok(proof.apply_to(request, &self.contract.callback))
    }

    /// Liveness of the process.
    pub async fn health(&self) -> CheckResult<Response> {
        self.call(Endpoint::Health, "").await
    }

    /// Readiness of the service.
    pub async fn ready(&self) -> CheckResult<Response> {
        self.call(Endpoint::Ready, "").await
    }

    /// The running version.
    pub async fn version(&self) -> CheckResult<Response> {
        self.call(Endpoint::Version, "").await
    }

    /// The Prometheus metrics.
    pub async fn metrics(&self) -> CheckResult<Response> {
        self.call(Endpoint::Metrics, "").await
    }

    /// A request to an endpoint for one id, with the tenant's token if the endpoint requires one.
    ///
    /// The check is skipped if the contract declares the endpoint absent.
    pub fn request(&self, endpoint: Endpoint, id: impl Display) -> CheckResult<Request> {
        self.request_with(endpoint, &[("job_id", &id), ("document_id", &id)])
    }

    /// A request to an endpoint with these values of the placeholders in its route.
    fn request_with(
        &self,
        endpoint: Endpoint,
        values: &[(&str, &dyn Display)],
    ) -> CheckResult<Request> {
        let route = self.contract.route(endpoint);
        let Some(route) = route.filter(|route| route.presence != Presence::Absent) else {
            let reason = format!("the contract declares endpoint '{endpoint}' absent");
            return Err(Stop::not_applicable(reason));
        };
        let encoded =
            |value: &dyn Display| utf8_percent_encode(&value.to_string(), SEGMENT).to_string();
        let values: Vec<_> = values
            .iter()
            .map(|(name, value)| (*name, encoded(*value)))
            .collect();
        let values: Vec<(&str, &dyn Display)> = values
            .iter()
            .map(|(name, value)| (*name, value as &dyn Display))
            .collect();
        let path = self.contract.path(route, &values);
        let url = format!("{}{path}", self.api.as_str().trim_end_matches('/'));
        let request = Request::new(route.method.clone(), Url::parse(&url)?);
        Ok(match &self.tenant {
            Some(tenant) if endpoint.needs_token() => request.bearer(&tenant.token),
            _ => request,
        })
    }

    /// The URL of a path at the origin of the API, whether or not a route is there.
    pub fn at_path(&self, path: &str) -> Url {
        let mut url = self.api.clone();
        url.set_query(None);
        url.set_path(path);
        url
    }

    /// Sends a request to an endpoint; a missing response is a finding.
    ///
    /// The check is skipped if the target does not have an optional endpoint.
    pub async fn ask(&self, endpoint: Endpoint, request: Request) -> CheckResult<Response> {
        if endpoint == Endpoint::Upload {
            return self.send_registration(request).await;
        }
        self.send(endpoint, request).await
    }

    /// Sends a registration. The document is recorded before the request and after a success.
    async fn send_registration(&self, request: Request) -> CheckResult<Response> {
        self.before_registration(&request)?;
        let response = self.send(Endpoint::Upload, request).await?;
        self.after_registration(&response);
        Ok(response)
    }

    /// Records a document, and counts it, before it is registered.
    pub(super) fn before_registration(&self, request: &Request) -> CheckResult {
        let quota = self
            .quota
            .as_deref()
            .zip(self.tenant().map(|tenant| tenant.user_id));
        if let Some((quota, user_id)) = quota {
            let reserved = quota.begin(user_id);
            reserved.map_err(|exceeded| Stop::precondition_missing(exceeded.to_string()))?;
        }
        if let Some(gate) = self.http.gate() {
            gate.document();
        }
        self.created
            .registering(&self.contract, self.tenant(), &request.body);
        Ok(())
    }

    /// Records what was registered.
    pub(super) fn after_registration(&self, response: &Response) {
        let quota = self.quota.as_deref().zip(self.tenant());
        if let (Some((quota, tenant)), 400..=499) = (quota, response.status) {
            quota.refused(tenant.user_id);
        }
        if response.is_success()
            && let Ok(accepted) = Accepted::read(response, &self.contract)
        {
            self.created.accepted(self.tenant(), &accepted);
        }
    }

    /// A 429 for an account of a pool means *could not tell*: other runs may have used its daily quota.
    pub(super) fn check_quota(&self, response: &Response) -> CheckResult {
        let quota = self.quota.as_deref().zip(self.tenant());
        if let (Some((quota, tenant)), 429) = (quota, response.status)
            && let Some(used) = quota.exhaust(tenant.user_id)
        {
            return Err(anyhow::anyhow!(
                "account {} received status 429 after {used} uploads in this run: other runs may have used its daily quota; \
                 add accounts under [identity], add a secret that signs tokens, or wait until tomorrow",
                tenant.user_id
            )
            .into());
        }
        Ok(())
    }

    async fn send(&self, endpoint: Endpoint, request: Request) -> CheckResult<Response> {
        let response = self.http.send(request).await;
        let response = response.map_err(HttpError::into_stop)?;
        self.check_presence(endpoint, &response)?;
        Ok(response)
    }

    /// Skips the check if an optional endpoint is missing: its method is not allowed, or it
    /// responds 404 although its path contains no id.
    pub(super) fn check_presence(&self, endpoint: Endpoint, response: &Response) -> CheckResult {
        let optional = |route: &&super::Route| route.presence == Presence::Optional;
        let Some(route) = self.contract.route(endpoint).filter(optional) else {
            return Ok(());
        };
        let has_id = route.path.contains("_id}");
        if response.status == 405 || (response.status == 404 && !has_id) {
            let reason = format!("this target has no {route}, which is optional in the contract");
            return Err(Stop::not_applicable(reason));
        }
        Ok(())
    }

    async fn call(&self, endpoint: Endpoint, id: impl Display) -> CheckResult<Response> {
        let id = id.to_string();
        let response = self.ask(endpoint, self.request(endpoint, &id)?).await?;
        let is_optional = |route: &super::Route| {
            route.presence == Presence::Optional && route.path.contains("_id}")
        };
        let route = self.contract.route(endpoint);
        if let Some(route) = route.filter(|route| response.status == 404 && is_optional(route))
            && self.is_listed(&id).await
        {
            let reason = format!(
                "this target has no {route}, which is optional in the contract: it answers 404 for an id \
                 that the list of jobs shows"
            );
            return Err(Stop::not_applicable(reason));
        }
        Ok(response)
    }

    /// Whether the list of the tenant's jobs shows this id of a job or a document.
    async fn is_listed(&self, id: &str) -> bool {
        let list = self
            .contract
            .has(Endpoint::Jobs)
            .then(|| self.list_of_jobs());
        let Some(list) = list else { return false };
        let text = list.await.map(|list| list.text());
        text.is_ok_and(|text| text.contains(id))
    }
}
