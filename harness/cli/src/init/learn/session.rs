//! The requests of one test tenant to the target, each of which is shown.

use cutover_contract::contract::{Contract, Endpoint, Presence};
use cutover_contract::identity::Tenant;
use cutover_contract::probe::{Http, Request, Response};
use cutover_contract::standin::StandinClient;
use serde_json::Value;
use url::Url;

use super::error::LearnError;
use crate::init::draft::Draft;
use crate::init::leaves::{Leaf, leaves_of};

/// A response, with its body as JSON where it is JSON.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: Value,
    pub(super) leaves: Vec<Leaf>,
    /// Status and the beginning of the body.
    pub(super) summary: String,
    pub(super) is_success: bool,
    /// Whether it names the scheme of tokens.
    pub(super) has_challenge: bool,
    /// Whether caches must not keep it.
    pub(super) is_no_store: bool,
}

/// Requests to the target, as one tenant.
pub(crate) struct Session<'a> {
    pub(crate) http: Http,
    pub(crate) api: Url,
    pub(crate) tenant: Tenant,
    pub(crate) standins: Option<StandinClient>,
    /// The default contract.
    pub(crate) default: &'a str,
    /// Shows one line to the user.
    pub(crate) show: &'a dyn Fn(String),
}

impl Session<'_> {
    /// The contract of the draft so far.
    pub(super) fn contract(&self, draft: &Draft) -> Result<Contract, LearnError> {
        draft
            .contract(self.default)
            .map_err(|error| LearnError::Other(error.into()))
    }

    /// A request to an endpoint with the tenant's token; nothing if the draft has no route for it.
    pub(super) fn request(
        &self,
        draft: &Draft,
        endpoint: Endpoint,
        ids: [&str; 2],
    ) -> Result<Option<Request>, LearnError> {
        // A route of the default contract is not a route of this target.
        let is_drafted = draft.value("routes", endpoint.name()).is_some();
        let contract = self.contract(draft)?;
        let route = contract
            .route(endpoint)
            .filter(|route| route.presence != Presence::Absent);
        let Some(route) = route.filter(|_| is_drafted) else {
            return Ok(None);
        };
        let [job, document] = ids;
        let path = contract.path(route, &[("job_id", &job), ("document_id", &document)]);
        let url = self.url(&path)?;
        let request = Request::new(route.method.clone(), url);
        Ok(Some(if endpoint.needs_token() {
            request.bearer(&self.tenant.token)
        } else {
            request
        }))
    }

    /// A URL of the target.
    pub(super) fn url(&self, path: &str) -> Result<Url, LearnError> {
        let url = format!("{}{path}", self.api.as_str().trim_end_matches('/'));
        url.parse().map_err(|_| LearnError::Url(url))
    }

    /// Sends a request, and shows what came back.
    pub(super) async fn send(&self, what: &str, request: Request) -> Result<Answer, LearnError> {
        let response = self.http.send(request).await?;
        (self.show)(format!(
            "{what}: {} -> {}",
            without_query(&response.request),
            response.status
        ));
        Ok(answer(&response))
    }

    /// Sends a request without a line about it.
    pub(super) async fn send_quietly(&self, request: Request) -> Result<Answer, LearnError> {
        Ok(answer(&self.http.send(request).await?))
    }
}

/// A request without its query, which may contain tokens.
fn without_query(request: &str) -> &str {
    request.split('?').next().unwrap_or(request)
}

fn answer(response: &Response) -> Answer {
    let body = serde_json::from_slice(&response.body).unwrap_or(Value::Null);
    let header = |name| {
        let value = response.header(name).unwrap_or_default();
        value.to_ascii_lowercase()
    };
    Answer {
        status: response.status,
        leaves: leaves_of(&body),
        body,
        summary: response.summary(),
        is_success: response.is_success(),
        has_challenge: header("www-authenticate").starts_with("bearer"),
        is_no_store: header("cache-control").contains("no-store"),
    }
}
