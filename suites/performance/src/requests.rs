//! Requests: a user with a complete document, and what the user asks again and again.

use std::time::Duration;

use cutover_fixtures::prelude::*;
use cutover_harness::contract::Accepted;
use cutover_harness::load::load_request;
use cutover_harness::load_generator::{Constant, Load, Report};
use cutover_harness::prelude::*;

/// A request that a user sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Health,
    List,
    Job,
    Document,
    Search,
    /// A document that does not exist.
    Unknown,
}

impl Kind {
    /// All kinds.
    pub(crate) const ALL: [Self; 6] = [
        Self::Health,
        Self::List,
        Self::Job,
        Self::Document,
        Self::Search,
        Self::Unknown,
    ];

    /// What it asks for.
    pub(crate) fn what(self) -> &'static str {
        match self {
            Self::Health => "a health request",
            Self::List => "a list of jobs",
            Self::Job => "a request for a job",
            Self::Document => "a request for a document",
            Self::Search => "a search",
            Self::Unknown => "a request for an unknown document",
        }
    }

    fn endpoint(self) -> Endpoint {
        match self {
            Self::Health => Endpoint::Health,
            Self::List => Endpoint::Jobs,
            Self::Job => Endpoint::Job,
            Self::Document | Self::Unknown => Endpoint::Document,
            Self::Search => Endpoint::Search,
        }
    }
}

/// The connections of a load with a rate: enough for a rate that a service keeps.
const CONNECTIONS: usize = 32;

/// The longest time of a request, and how long the last may take.
const TIMEOUT: Duration = secs(10);

/// A user with a complete document.
pub(crate) struct Asked<'a> {
    cx: &'a Context,
    pub(crate) pipeline: Pipeline,
    pub(crate) accepted: Accepted,
}

impl<'a> Asked<'a> {
    /// A new user, whose document is complete.
    pub(crate) async fn new(cx: &'a Context) -> CheckResult<Self> {
        let pipeline = cx.pipeline()?;
        let accepted = pipeline.complete(&cx.document().build()).await?.accepted;
        Ok(Self {
            cx,
            pipeline,
            accepted,
        })
    }

    /// The kinds of request that the target has a route for.
    pub(crate) fn kinds(&self) -> impl Iterator<Item = Kind> {
        let contract = self.cx.contract();
        let mut kinds = Kind::ALL.into_iter();
        std::iter::from_fn(move || kinds.find(|kind| contract.has(kind.endpoint())))
    }

    /// Sends requests at a constant rate.
    pub(crate) async fn open(
        &self,
        kind: Kind,
        per_second: f64,
        time: Duration,
    ) -> CheckResult<Report> {
        self.open_on(CONNECTIONS, kind, per_second, time).await
    }

    /// Sends requests at a constant rate on this many connections.
    pub(crate) async fn open_on(
        &self,
        connections: usize,
        kind: Kind,
        per_second: f64,
        time: Duration,
    ) -> CheckResult<Report> {
        let pacer = Constant::new(per_second, time).map_err(anyhow::Error::from)?;
        let what = format!("{} at {per_second} requests per second", kind.what());
        let load = self.load(kind, connections)?;
        self.cx.open_load(&what, load, Box::new(pacer)).await
    }

    /// Sends requests back to back on each of these connections.
    pub(crate) async fn closed(
        &self,
        kind: Kind,
        connections: usize,
        time: Duration,
    ) -> CheckResult<Report> {
        let what = format!("{} on {connections} connections, back to back", kind.what());
        let load = self.load(kind, connections)?;
        self.cx.closed_load(&what, load, time).await
    }

    fn load(&self, kind: Kind, connections: usize) -> CheckResult<Load> {
        Ok(Load {
            connections,
            timeout: TIMEOUT,
            drain: TIMEOUT,
            ..Load::new(load_request(&self.request(kind)?)?)
        })
    }

    fn request(&self, kind: Kind) -> CheckResult<cutover_harness::probe::Request> {
        let (pipeline, accepted) = (&self.pipeline, &self.accepted);
        match kind {
            Kind::Health | Kind::List => pipeline.request(kind.endpoint(), ""),
            Kind::Job => pipeline.job_request(accepted),
            Kind::Document => pipeline.request(kind.endpoint(), accepted.document_id),
            Kind::Unknown => {
                let unknown = uuid::Builder::from_random_bytes(self.cx.random()).into_uuid();
                pipeline.request(kind.endpoint(), unknown)
            }
            Kind::Search => {
                let body = self.cx.contract().requests.search.body("performance", 3);
                Ok(pipeline.request(kind.endpoint(), "")?.json(&body))
            }
        }
    }
}
