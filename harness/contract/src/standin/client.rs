//! Programs the stand-ins and asks them what they saw.

use std::time::Duration;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use reqwest::{Client, RequestBuilder, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use url::Url;

use super::call::{Calls, EmbedderCall, ParserCall, StorageCall};
use super::endpoints::StandinEndpoints;
use super::evidence;
use super::guard::ScriptGuard;
use super::script::{
    AuthBehaviour, EmbedderBehaviour, ParserBehaviour, Script, ScriptId, StorageBehaviour,
};
use crate::probe::client_builder;
use cutover_evidence::journal::Recorder;

/// The stand-ins are on this machine and answer at once, or not at all.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Why the stand-ins did not do what they were told.
#[derive(Debug, thiserror::Error)]
pub enum StandinError {
    /// No client could be made.
    #[error("make a client for the stand-ins")]
    Client(#[source] reqwest::Error),
    /// They gave no answer that can be read.
    #[error("ask the stand-ins: {asked}")]
    Unanswered {
        /// What was asked.
        asked: String,
        /// Why.
        source: reqwest::Error,
    },
    /// They refused.
    #[error("{asked}: the stand-ins answered {status}: {answer}")]
    Refused {
        /// What was asked.
        asked: String,
        /// The status.
        status: u16,
        /// The body.
        answer: String,
    },
}

/// Programs the stand-ins and asks them what they saw.
///
/// What it does and what they saw goes into its recorder's journal.
#[derive(Clone, Debug)]
pub struct StandinClient {
    http: Client,
    control: Url,
    recorder: Recorder,
}

impl StandinClient {
    /// A client of the stand-ins on this card.
    pub fn new(card: &StandinEndpoints) -> Result<Self, StandinError> {
        let builder = client_builder().timeout(TIMEOUT);
        Ok(Self {
            http: builder.build().map_err(StandinError::Client)?,
            control: card.control.clone(),
            recorder: Recorder::silent(),
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

    /// Makes the parser deviate for the submissions in this scope.
    pub fn script_parser(
        &self,
        scope: impl Into<String>,
        behaviour: ParserBehaviour,
    ) -> Scripting<'_, ParserBehaviour> {
        self.script("parser", scope.into(), behaviour)
    }

    /// Makes the embedder deviate for the calls in this scope.
    pub fn script_embedder(
        &self,
        scope: impl Into<String>,
        behaviour: EmbedderBehaviour,
    ) -> Scripting<'_, EmbedderBehaviour> {
        self.script("embedder", scope.into(), behaviour)
    }

    /// Makes storage deviate for the calls in this scope.
    pub fn script_storage(
        &self,
        scope: impl Into<String>,
        behaviour: StorageBehaviour,
    ) -> Scripting<'_, StorageBehaviour> {
        self.script("storage", scope.into(), behaviour)
    }

    /// Makes the identity provider deviate for the calls in this scope.
    pub fn script_auth(
        &self,
        scope: impl Into<String>,
        behaviour: AuthBehaviour,
    ) -> Scripting<'_, AuthBehaviour> {
        self.script("auth", scope.into(), behaviour)
    }

    /// What was submitted to the parser in this scope, oldest first.
    pub async fn parser_calls(&self, scope: &str) -> Result<Vec<ParserCall>, StandinError> {
        self.calls("parser", scope).await
    }

    /// What the embedder was asked in this scope, oldest first.
    pub async fn embedder_calls(&self, scope: &str) -> Result<Vec<EmbedderCall>, StandinError> {
        self.calls("embedder", scope).await
    }

    /// What storage was asked in this scope, oldest first.
    pub async fn storage_calls(&self, scope: &str) -> Result<Vec<StorageCall>, StandinError> {
        self.calls("storage", scope).await
    }

    /// Withdraws every script and forgets every call. Stored objects stay.
    pub async fn reset(&self) -> Result<(), StandinError> {
        let request = self.http.post(self.url(&["reset"]));
        answered("reset", request).await.map(drop)
    }

    fn script<B>(&self, standin: &'static str, scope: String, behaviour: B) -> Scripting<'_, B> {
        let script = Script {
            scope,
            times: None,
            behaviour,
        };
        Scripting {
            client: self,
            standin,
            script,
        }
    }

    async fn post_script<B: Serialize>(
        &self,
        standin: &str,
        script: &Script<B>,
    ) -> Result<ScriptGuard, StandinError> {
        let asked = format!("script the {standin} for '{}'", script.scope);
        let request = self.http.post(self.url(&["scripts", standin])).json(script);
        let answer: Value = read(&asked, request).await?;
        let id = answer["id"]
            .as_u64()
            .map(ScriptId)
            .ok_or_else(|| StandinError::Refused {
                asked,
                status: 200,
                answer: answer.to_string(),
            })?;
        let withdrawal = self
            .http
            .delete(self.url(&["scripts", standin, &id.0.to_string()]));
        self.recorder.record(evidence::scripted(standin, script));
        Ok(ScriptGuard::new(id, withdrawal))
    }

    async fn calls<C: DeserializeOwned + Serialize>(
        &self,
        standin: &str,
        scope: &str,
    ) -> Result<Vec<C>, StandinError> {
        let mut url = self.url(&["calls", standin]);
        url.query_pairs_mut().append_pair("scope", scope);
        let asked = format!("list the calls to the {standin} about '{scope}'");
        let Calls { calls }: Calls<C> = read(&asked, self.http.get(url)).await?;
        self.recorder.record(evidence::seen(standin, scope, &calls));
        Ok(calls)
    }

    fn url(&self, segments: &[&str]) -> Url {
        let mut url = self.control.clone();
        // Fails only for addresses that cannot be a base, and a card holds origins.
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(segments);
        }
        url
    }
}

/// A script on its way to its stand-in: `.await` it, or say first how often it applies.
#[must_use = "await me, or nothing is scripted"]
#[derive(Debug)]
pub struct Scripting<'a, B> {
    client: &'a StandinClient,
    standin: &'static str,
    script: Script<B>,
}

impl<B> Scripting<'_, B> {
    /// For this many calls only.
    pub fn times(mut self, times: u32) -> Self {
        self.script.times = Some(times);
        self
    }
}

impl<'a, B: Serialize + Send + Sync + 'a> IntoFuture for Scripting<'a, B> {
    type Output = Result<ScriptGuard, StandinError>;
    type IntoFuture = BoxFuture<'a, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        async move { self.client.post_script(self.standin, &self.script).await }.boxed()
    }
}

/// The JSON that answers a request.
async fn read<T: DeserializeOwned>(
    asked: &str,
    request: RequestBuilder,
) -> Result<T, StandinError> {
    let unanswered = |source| StandinError::Unanswered {
        asked: asked.to_owned(),
        source,
    };
    answered(asked, request)
        .await?
        .json()
        .await
        .map_err(unanswered)
}

/// The answer to a request, if it is a success.
pub(super) async fn answered(
    asked: &str,
    request: RequestBuilder,
) -> Result<Response, StandinError> {
    let asked = asked.to_owned();
    let response = match request.send().await {
        Ok(response) => response,
        Err(source) => return Err(StandinError::Unanswered { asked, source }),
    };
    let status = response.status();
    if status.is_success() {
        return Ok(response);
    }
    let answer = response.text().await.unwrap_or_default();
    Err(StandinError::Refused {
        asked,
        status: status.as_u16(),
        answer,
    })
}
