//! Deletes the documents that a trial created, and proves that they are gone.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;
use uuid::Uuid;

use super::client::Pipeline;
use super::created_documents::CreatedDocuments;
use super::endpoint::Endpoint;
use super::standing::Way;
use crate::probe::{HttpError, Response};

/// The ways that have shown a document of this run. Only then does their "unknown" prove anything:
/// a route that does not exist answers 404 to every id.
#[derive(Clone, Debug, Default)]
pub struct Witnesses(Arc<Mutex<BTreeSet<Way>>>);

impl Witnesses {
    /// Notes that a way has shown a document.
    pub(super) fn has_shown(&self, way: Way) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(way);
    }

    /// Whether a way has shown a document.
    fn is_proven(&self, way: Way) -> bool {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .contains(&way)
    }
}

/// What a way says about a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sighting {
    /// It exists.
    Shown,
    /// It is unknown.
    NotShown,
    /// The answer says neither.
    Unclear,
}

impl Pipeline {
    /// Deletes the documents of a trial, each as its owner.
    ///
    /// On a local stack it deletes only documents without an upload, because the pipeline polls for
    /// their bytes until the URL expires, and that would slow down other trials. A failure is
    /// ignored, because it is not part of the trial.
    pub async fn delete_created(&self, created: &CreatedDocuments) {
        for (document, registered) in created.drain_for_deletion() {
            let owner = self.as_tenant(registered.tenant);
            match &created.log {
                None => drop(owner.delete(document).await),
                Some(log) => {
                    if owner.delete_and_verify(document).await {
                        log.removed(document);
                    }
                }
            }
        }
    }

    /// Deletes a document, and returns whether it is proved that it no longer exists.
    ///
    /// It is proved if whatever showed it before no longer does. A document that nothing showed
    /// before is gone only if a way that has shown another document of this run answers that it is
    /// unknown. Everything else is residue.
    pub async fn delete_and_verify(&self, document: Uuid) -> bool {
        let before = self.sightings(document).await;
        for (way, _) in before.iter().filter(|(_, seen)| **seen == Sighting::Shown) {
            self.witnesses().has_shown(*way);
        }
        if self.contract().has(Endpoint::DeleteDocument) {
            // Its answer proves nothing, whatever it is.
            drop(self.delete(document).await);
        }
        let after = self.sightings(document).await;
        let is_gone = |way: &Way| after.get(way) == Some(&Sighting::NotShown);
        let mut shown = before
            .iter()
            .filter(|(_, seen)| **seen == Sighting::Shown)
            .map(|(way, _)| way);
        let is_shown = after.values().any(|seen| *seen == Sighting::Shown);
        let is_proven = |way: &&Way| is_gone(way) && self.witnesses().is_proven(**way);
        !is_shown && shown.all(is_gone) && after.keys().any(|way| is_proven(&way))
    }

    /// What each way of this target says about a document.
    async fn sightings(&self, document: Uuid) -> BTreeMap<Way, Sighting> {
        let mut seen = BTreeMap::new();
        if self.contract().has(Endpoint::Document) {
            seen.insert(Way::Document, self.sighted_by_route(document).await);
        }
        if self.contract().has(Endpoint::Jobs) {
            seen.insert(Way::Jobs, self.sighted_in_list(document).await);
        }
        if self.database().is_some() {
            seen.insert(Way::Database, self.sighted_in_rows(document).await);
        }
        seen
    }

    async fn sighted_by_route(&self, document: Uuid) -> Sighting {
        let Ok(request) = self.request(Endpoint::Document, document) else {
            return Sighting::Unclear;
        };
        match self
            .http()
            .send(request)
            .await
            .map_err(HttpError::into_stop)
        {
            Ok(response) if self.shows_document(&response, document) => Sighting::Shown,
            Ok(response) if response.status == 410 || self.is_unknown(&response) => {
                Sighting::NotShown
            }
            Ok(_) | Err(_) => Sighting::Unclear,
        }
    }

    fn is_unknown(&self, response: &Response) -> bool {
        self.contract().statuses.unknown.include(response.status)
    }

    /// Whether an answer of the document route is about this document.
    pub(super) fn shows_document(&self, response: &Response, document: Uuid) -> bool {
        let at = &self.contract().fields.document.document_id;
        let is_it = || {
            let body: Value = serde_json::from_slice(&response.body).unwrap_or_default();
            let id = at.find(&body).and_then(Value::as_str);
            id.and_then(|id| id.parse().ok()) == Some(document)
        };
        response.is_success() && (!at.is_given() || is_it())
    }

    async fn sighted_in_list(&self, document: Uuid) -> Sighting {
        let fields = &self.contract().fields;
        if !fields.job.document_id.is_given() {
            return Sighting::Unclear;
        }
        let Ok(body) = self.list_of_jobs().await.and_then(|list| list.json()) else {
            return Sighting::Unclear;
        };
        let Some(jobs) = fields.jobs.jobs.find(&body).and_then(Value::as_array) else {
            return Sighting::Unclear;
        };
        let is_it = |job: &Value| {
            let id = fields.job.document_id.find(job).and_then(Value::as_str);
            id.and_then(|id| id.parse().ok()) == Some(document)
        };
        if jobs.iter().any(is_it) {
            return Sighting::Shown;
        }
        // On a full page, the document may be among the older jobs.
        if jobs.len() < self.contract().limits.page_max as usize {
            Sighting::NotShown
        } else {
            Sighting::Unclear
        }
    }

    async fn sighted_in_rows(&self, document: Uuid) -> Sighting {
        let Some(database) = self.database() else {
            return Sighting::Unclear;
        };
        let rows = (
            database.document(document).await,
            database.jobs_of(document).await,
        );
        match rows {
            (Ok(None), Ok(jobs)) if jobs.is_empty() => Sighting::NotShown,
            (Ok(_), Ok(_)) => Sighting::Shown,
            (Ok(Some(_)), _) => Sighting::Shown,
            _ => Sighting::Unclear,
        }
    }
}
