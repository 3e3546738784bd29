//! The client of the stand-ins' control API.

use std::time::Duration;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use reqwest::{Client, Method, RequestBuilder};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use time::OffsetDateTime;
use url::Url;

use super::call::{Calls, EmbedderCall, ParserCall, StorageCall};
use super::endpoints::StandinEndpoints;
use super::evidence;
use super::form::ResponseForm;
use super::guard::ScriptGuard;
use super::holding::Holding;
use super::refusal::{Refusal, Refusals};
use super::script::{
    AuthBehaviour, EmbedderBehaviour, ParserBehaviour, Script, ScriptId, StorageBehaviour,
};
use super::transport::{StandinError, send};
use crate::probe;
use cutover_evidence::journal::Recorder;

/// The stand-ins run on this machine, so a response is immediate.
const TIMEOUT: Duration = Duration::from_secs(10);

/// A client of the stand-ins' control API.
///
/// Scripts and received requests are recorded as evidence.
#[derive(Clone, Debug)]
pub struct StandinClient {
    http: Client,
    control: Url,
    recorder: Recorder,
    may_hold_callers: bool,
}

impl StandinClient {
    /// A client of the stand-ins at these endpoints.
    pub fn new(endpoints: &StandinEndpoints) -> Result<Self, StandinError> {
        Ok(Self {
            http: probe::client().map_err(StandinError::Client)?,
            control: endpoints.control.clone(),
            recorder: Recorder::silent(),
            may_hold_callers: true,
        })
    }

    /// The same client, recording for a trial.
    #[must_use]
    pub fn recording(&self, recorder: Recorder) -> Self {
        Self {
            recorder,
            ..self.clone()
        }
    }

    /// The same client for a check that must not keep callers of the stand-ins waiting.
    #[must_use]
    pub fn without_holding_callers(&self) -> Self {
        Self {
            may_hold_callers: false,
            ..self.clone()
        }
    }

    /// Changes the parser's behaviour for the submissions in this scope.
    pub fn script_parser(
        &self,
        scope: impl Into<String>,
        behaviour: ParserBehaviour,
    ) -> Scripting<'_, ParserBehaviour> {
        self.script("parser", scope.into(), behaviour)
    }

    /// Changes the embedder's behaviour for the requests in this scope.
    pub fn script_embedder(
        &self,
        scope: impl Into<String>,
        behaviour: EmbedderBehaviour,
    ) -> Scripting<'_, EmbedderBehaviour> {
        self.script("embedder", scope.into(), behaviour)
    }

    /// Changes the storage's behaviour for the requests in this scope.
    pub fn script_storage(
        &self,
        scope: impl Into<String>,
        behaviour: StorageBehaviour,
    ) -> Scripting<'_, StorageBehaviour> {
        self.script("storage", scope.into(), behaviour)
    }

    /// Changes the identity provider's behaviour for the requests in this scope.
    pub fn script_auth(
        &self,
        scope: impl Into<String>,
        behaviour: AuthBehaviour,
    ) -> Scripting<'_, AuthBehaviour> {
        self.script("auth", scope.into(), behaviour)
    }

    /// The submissions to the parser in this scope, oldest first.
    pub async fn parser_calls(&self, scope: &str) -> Result<Vec<ParserCall>, StandinError> {
        self.calls("parser", scope).await
    }

    /// The requests to the embedder in this scope, oldest first.
    pub async fn embedder_calls(&self, scope: &str) -> Result<Vec<EmbedderCall>, StandinError> {
        self.calls("embedder", scope).await
    }

    /// The requests to storage in this scope, oldest first.
    pub async fn storage_calls(&self, scope: &str) -> Result<Vec<StorageCall>, StandinError> {
        self.calls("storage", scope).await
    }

    /// The requests that the stand-ins refused since this moment without a script that says so, oldest first.
    ///
    /// The list explains a failure to a person. It decides nothing, so it is not recorded as evidence here.
    pub async fn refusals(&self, since: OffsetDateTime) -> Result<Vec<Refusal>, StandinError> {
        let action = "list the refusals of the stand-ins";
        let Refusals { refusals } =
            read(action, self.request(Method::GET, self.url(&["refusals"]))).await?;
        Ok(refusals
            .into_iter()
            .filter(|refusal| refusal.at >= since)
            .collect())
    }

    /// Removes all scripts, received requests and refusals. Stored objects stay.
    pub async fn reset(&self) -> Result<(), StandinError> {
        let request = self.request(Method::POST, self.url(&["reset"]));
        send("reset", request).await.map(drop)
    }

    fn script<B>(&self, standin: &'static str, scope: String, behaviour: B) -> Scripting<'_, B> {
        let script = Script {
            scope,
            times: None,
            form: ResponseForm::default(),
            behaviour,
        };
        Scripting {
            client: self,
            standin,
            script,
        }
    }

    async fn post_script<B: Serialize + Holding>(
        &self,
        standin: &str,
        script: &Script<B>,
    ) -> Result<ScriptGuard, StandinError> {
        if !self.may_hold_callers && script.behaviour.holds_caller() {
            return Err(StandinError::HoldsCaller {
                standin: standin.to_owned(),
            });
        }
        let action = format!("script the {standin} for '{}'", script.scope);
        let request = self.request(Method::POST, self.url(&["scripts", standin]));
        let request = request.json(script);
        let response: Value = read(&action, request).await?;
        let id = response["id"]
            .as_u64()
            .map(ScriptId)
            .ok_or_else(|| StandinError::Rejected {
                action,
                status: 200,
                body: response.to_string(),
            })?;
        let script_path = ["scripts", standin, &id.0.to_string()];
        let removal = self.request(Method::DELETE, self.url(&script_path));
        self.recorder.record(evidence::scripted(standin, script));
        Ok(ScriptGuard::new(id, removal))
    }

    async fn calls<C: DeserializeOwned + Serialize>(
        &self,
        standin: &str,
        scope: &str,
    ) -> Result<Vec<C>, StandinError> {
        let mut url = self.url(&["calls", standin]);
        url.query_pairs_mut().append_pair("scope", scope);
        let action = format!("list the requests to the {standin} in scope '{scope}'");
        let Calls { calls }: Calls<C> = read(&action, self.request(Method::GET, url)).await?;
        self.recorder
            .record(evidence::received(standin, scope, &calls));
        Ok(calls)
    }

    fn request(&self, method: Method, url: Url) -> RequestBuilder {
        self.http.request(method, url).timeout(TIMEOUT)
    }

    fn url(&self, segments: &[&str]) -> Url {
        let mut url = self.control.clone();
        // Fails only for URLs that cannot be a base; the endpoints are always origins.
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(segments);
        }
        url
    }
}

/// A script before it is sent: `.await` it, or first limit the number of requests.
#[must_use = "the script is sent only when this is awaited"]
#[derive(Debug)]
pub struct Scripting<'a, B> {
    client: &'a StandinClient,
    standin: &'static str,
    script: Script<B>,
}

impl<B> Scripting<'_, B> {
    /// Limits the script to this many requests.
    pub fn times(mut self, times: u32) -> Self {
        self.script.times = Some(times);
        self
    }

    /// Sends the responses in this form.
    pub fn form(mut self, form: ResponseForm) -> Self {
        self.script.form = form;
        self
    }
}

impl<'a, B: Serialize + Holding + Send + Sync + 'a> IntoFuture for Scripting<'a, B> {
    type Output = Result<ScriptGuard, StandinError>;
    type IntoFuture = BoxFuture<'a, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        async move { self.client.post_script(self.standin, &self.script).await }.boxed()
    }
}

/// Sends a request and reads the JSON response.
async fn read<T: DeserializeOwned>(
    action: &str,
    request: RequestBuilder,
) -> Result<T, StandinError> {
    let no_response = |source| StandinError::NoResponse {
        action: action.to_owned(),
        source,
    };
    send(action, request)
        .await?
        .json()
        .await
        .map_err(no_response)
}
