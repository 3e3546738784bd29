//! The client of the pipeline, as one tenant or as nobody: one method per route, answers unjudged.

use std::fmt::Display;
use std::sync::Arc;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;
use url::Url;

use super::accepted::Accepted;
use super::callback::Proof;
use super::contract::Contract;
use super::created_documents::CreatedDocuments;
use super::endpoint::{Endpoint, Presence};
use super::upload::Upload;
use crate::accounts::Quota;
use crate::identity::Tenant;
use crate::probe::{Http, HttpError, Request, Response};
use cutover_evidence::stop::{CheckResult, Stop};

/// What stays as it is within one segment of a path.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');

/// The pipeline, as one tenant sees it.
#[derive(Clone, Debug)]
pub struct Pipeline {
    http: Http,
    contract: Arc<Contract>,
    api: Url,
    tenant: Option<Tenant>,
    pub(super) through_outages: bool,
    created: CreatedDocuments,
    quota: Option<Arc<Quota>>,
}

impl Pipeline {
    /// The pipeline at an address, as this tenant sees it.
    pub fn new(http: Http, contract: Arc<Contract>, api: Url, tenant: Tenant) -> Self {
        Self {
            http,
            contract,
            api,
            tenant: Some(tenant),
            through_outages: false,
            created: CreatedDocuments::default(),
            quota: None,
        }
    }

    /// The same pipeline, recording the documents that it creates.
    #[must_use]
    pub fn recording_into(self, created: &CreatedDocuments) -> Self {
        Self {
            created: created.clone(),
            ..self
        }
    }

    /// The same pipeline, for tenants with an upload quota.
    #[must_use]
    pub fn with_quota(self, quota: Option<Arc<Quota>>) -> Self {
        Self { quota, ..self }
    }

    /// The same pipeline, without a token.
    #[must_use]
    pub fn anonymous(&self) -> Self {
        Self {
            tenant: None,
            ..self.clone()
        }
    }

    /// The same pipeline, as another tenant sees it.
    #[must_use]
    pub fn as_tenant(&self, tenant: Tenant) -> Self {
        Self {
            tenant: Some(tenant),
            ..self.clone()
        }
    }

    /// The same routes at another origin: those that every process of the pipeline has.
    #[must_use]
    pub fn at(&self, origin: &Url) -> Self {
        Self {
            api: origin.clone(),
            ..self.clone()
        }
    }

    /// The same pipeline, for a check that breaks it: while it waits for a job, it
    /// takes an API that is away, or answers 5xx, for *not yet*.
    #[must_use]
    pub fn through_outages(&self) -> Self {
        Self {
            through_outages: true,
            ..self.clone()
        }
    }

    /// What the pipeline promises.
    pub fn contract(&self) -> &Contract {
        &self.contract
    }

    /// Who asks; `None` is nobody.
    pub fn tenant(&self) -> Option<&Tenant> {
        self.tenant.as_ref()
    }

    /// The probe it asks through.
    pub fn http(&self) -> &Http {
        &self.http
    }

    /// Registers a document.
    pub async fn register(&self, upload: &Upload) -> CheckResult<Response> {
        self.register_as(&self.contract.requests.upload.body(upload))
            .await
    }

    /// Registers whatever the body says.
    pub async fn register_as(&self, body: &Value) -> CheckResult<Response> {
        let request = self.request(Endpoint::Upload, "")?.json(body);
        self.ask(Endpoint::Upload, request).await
    }

    /// Puts a document's bytes to a signed address.
    pub async fn put(&self, signed_url: &Url, bytes: impl Into<Vec<u8>>) -> CheckResult<Response> {
        self.created.sent(signed_url);
        let request = Request::put(signed_url.clone()).body(&self.contract.limits.mime, bytes);
        let answer = self.http.surface("storage").send(request).await;
        answer.map_err(HttpError::into_stop)
    }

    /// Shows a job.
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

    /// Tries a failed job again.
    pub async fn retry(&self, id: impl Display) -> CheckResult<Response> {
        self.call(Endpoint::Retry, id).await
    }

    /// Shows a document.
    pub async fn document(&self, id: impl Display) -> CheckResult<Response> {
        self.call(Endpoint::Document, id).await
    }

    /// Removes a document.
    pub async fn delete(&self, id: impl Display) -> CheckResult<Response> {
        self.call(Endpoint::DeleteDocument, id).await
    }

    /// Finds the tenant's chunks by meaning.
    pub async fn search(&self, query: &str, k: u32) -> CheckResult<Response> {
        let body = self.contract.requests.search.body(query, k);
        let request = self.request(Endpoint::Search, "")?.json(&body);
        self.ask(Endpoint::Search, request).await
    }

    /// Shows the limits in force.
    pub async fn limits(&self) -> CheckResult<Response> {
        self.call(Endpoint::Limits, "").await
    }

    /// Calls back about a job as the parser would, with what is to prove that it is the parser.
    pub async fn callback(
        &self,
        job: impl Display,
        payload: impl Into<Vec<u8>>,
        proof: &Proof,
    ) -> CheckResult<Response> {
        let request = self
            .request(Endpoint::Callback, job)?
            .body("application/json", payload);
        let request = proof.apply_to(request, &self.contract.callback);
        self.ask(Endpoint::Callback, request).await
    }

    /// Says that the process lives.
    pub async fn health(&self) -> CheckResult<Response> {
        self.call(Endpoint::Health, "").await
    }

    /// Says that the service can work.
    pub async fn ready(&self) -> CheckResult<Response> {
        self.call(Endpoint::Ready, "").await
    }

    /// Says what is running.
    pub async fn version(&self) -> CheckResult<Response> {
        self.call(Endpoint::Version, "").await
    }

    /// Shows the counters.
    pub async fn metrics(&self) -> CheckResult<Response> {
        self.call(Endpoint::Metrics, "").await
    }

    /// A request to an endpoint about one thing, with the tenant's token where the endpoint wants one.
    ///
    /// It does not apply where the contract says that the target lacks the endpoint.
    pub fn request(&self, endpoint: Endpoint, id: impl Display) -> CheckResult<Request> {
        let route = self.contract.route(endpoint);
        let Some(route) = route.filter(|route| route.presence != Presence::Absent) else {
            let reason = format!("the contract says that this target has no endpoint '{endpoint}'");
            return Err(Stop::not_applicable(reason));
        };
        let id = utf8_percent_encode(&id.to_string(), SEGMENT).to_string();
        let path = self
            .contract
            .path(route, &[("job_id", &id), ("document_id", &id)]);
        let address = format!("{}{path}", self.api.as_str().trim_end_matches('/'));
        let request = Request::new(route.method.clone(), Url::parse(&address)?);
        Ok(match &self.tenant {
            Some(tenant) if endpoint.needs_token() => request.bearer(&tenant.token),
            _ => request,
        })
    }

    /// Sends a request that was made for an endpoint; an API that stays silent is a finding.
    ///
    /// It does not apply where the target turns out to lack an optional endpoint.
    pub async fn ask(&self, endpoint: Endpoint, request: Request) -> CheckResult<Response> {
        if endpoint == Endpoint::Upload {
            return self.ask_to_create(request).await;
        }
        self.send(endpoint, request).await
    }

    /// Sends what may create a document: written down before it is sent, and when it did.
    async fn ask_to_create(&self, request: Request) -> CheckResult<Response> {
        let quota = self
            .quota
            .as_deref()
            .zip(self.tenant().map(|tenant| tenant.user_id));
        if let Some((quota, user_id)) = quota {
            let left = quota.begin(user_id);
            left.map_err(|spent| Stop::precondition_missing(spent.to_string()))?;
        }
        if let Some(gate) = self.http.gate() {
            gate.document();
        }
        self.created.registering(self, &request.body);
        let reply = self.send(Endpoint::Upload, request).await?;
        if let (Some((quota, user_id)), 400..=499) = (quota, reply.status) {
            quota.refused(user_id);
        }
        if reply.is_success()
            && let Ok(accepted) = Accepted::read(&reply, &self.contract)
        {
            self.created.accepted(self.tenant(), &accepted);
        }
        Ok(reply)
    }

    /// Who of a pool is told to come again later has uploaded too much; with whom, only this run knows for itself.
    pub(super) fn not_spent_by_others(&self, reply: &Response) -> CheckResult {
        let quota = self.quota.as_deref().zip(self.tenant());
        if let (Some((quota, tenant)), 429) = (quota, reply.status)
            && let Some(used) = quota.exhaust(tenant.user_id)
        {
            return Err(anyhow::anyhow!(
                "account {} is refused an upload with 429 after {used} in this run: earlier runs, or others, may have used \
                 what a day allows it; give more accounts under [identity], a secret to mint tokens with, or wait until \
                 tomorrow",
                tenant.user_id
            )
            .into());
        }
        Ok(())
    }

    async fn send(&self, endpoint: Endpoint, request: Request) -> CheckResult<Response> {
        let reply = self.http.send(request).await;
        let reply = reply.map_err(HttpError::into_stop)?;
        self.check_presence(endpoint, &reply)?;
        Ok(reply)
    }

    /// An endpoint lacks when its method is not allowed, or when nothing is there
    /// although no id of a thing is in its path.
    pub(super) fn check_presence(&self, endpoint: Endpoint, reply: &Response) -> CheckResult {
        let optional = |route: &&super::Route| route.presence == Presence::Optional;
        let Some(route) = self.contract.route(endpoint).filter(optional) else {
            return Ok(());
        };
        let names_a_thing = route.path.contains("_id}");
        if reply.status == 405 || (reply.status == 404 && !names_a_thing) {
            let reason = format!("this target has no {route}, which the contract calls optional");
            return Err(Stop::not_applicable(reason));
        }
        Ok(())
    }

    async fn call(&self, endpoint: Endpoint, id: impl Display) -> CheckResult<Response> {
        self.ask(endpoint, self.request(endpoint, id)?).await
    }
}
