//! The proxies that clients have created, with their toxics.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;

use super::refusal::Refusal;
use super::toxic::{Toxic, ToxicRequest};
use crate::proxy::{FaultGuard, Proxy};

/// A proxy as a client sends it; what is absent has a default, or stays as it is.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ProxyRequest {
    name: Option<String>,
    listen: Option<String>,
    upstream: Option<String>,
    enabled: Option<bool>,
}

/// A proxy as the API shows it.
#[derive(Debug, Serialize)]
pub(super) struct ProxyView {
    name: String,
    listen: String,
    upstream: String,
    enabled: bool,
    toxics: Vec<Toxic>,
}

/// A proxy of a client; while it is disabled, it does not listen.
#[derive(Debug)]
pub(super) struct Entry {
    name: String,
    /// The address as requested, which `populate` is compared with.
    requested: String,
    /// The address with the port that the proxy got.
    listen: String,
    upstream: String,
    proxy: Option<Proxy>,
    toxics: Vec<(Toxic, Option<FaultGuard>)>,
}

/// All proxies, by name.
#[derive(Debug, Default)]
pub(super) struct Collection {
    entries: BTreeMap<String, Entry>,
}

impl Collection {
    pub(super) fn get(&mut self, name: &str) -> Result<&mut Entry, Refusal> {
        self.entries.get_mut(name).ok_or(Refusal::ProxyNotFound)
    }

    pub(super) fn views(&self) -> BTreeMap<String, ProxyView> {
        let entries = self.entries.iter();
        entries
            .map(|(name, entry)| (name.clone(), entry.view()))
            .collect()
    }

    pub(super) async fn create(&mut self, request: ProxyRequest) -> Result<ProxyView, Refusal> {
        let field = |value: Option<String>, name| {
            let given = value.filter(|value| !value.is_empty());
            given.ok_or(Refusal::MissingField(name))
        };
        let name = field(request.name, "name")?;
        let upstream = field(request.upstream, "upstream")?;
        if self.entries.contains_key(&name) {
            return Err(Refusal::ProxyExists);
        }
        let listen = request.listen.filter(|listen| !listen.is_empty());
        let listen = listen.unwrap_or_else(|| "127.0.0.1:0".to_owned());
        let mut entry = Entry {
            name: name.clone(),
            requested: listen.clone(),
            listen,
            upstream,
            proxy: None,
            toxics: Vec::new(),
        };
        if request.enabled.unwrap_or(true) {
            entry.enable().await?;
        }
        let view = entry.view();
        self.entries.insert(name, entry);
        Ok(view)
    }

    /// Creates proxies; one that exists with the same addresses is left as it is.
    pub(super) async fn populate(
        &mut self,
        requests: Vec<ProxyRequest>,
    ) -> Result<Vec<ProxyView>, Refusal> {
        let mut views = Vec::new();
        for request in requests {
            let name = request.name.clone().unwrap_or_default();
            if let Some(entry) = self.entries.get(&name) {
                if entry.is_same(&request) {
                    views.push(entry.view());
                    continue;
                }
                self.delete(&name).await?;
            }
            views.push(self.create(request).await?);
        }
        Ok(views)
    }

    pub(super) async fn delete(&mut self, name: &str) -> Result<(), Refusal> {
        let mut entry = self.entries.remove(name).ok_or(Refusal::ProxyNotFound)?;
        entry.disable().await;
        Ok(())
    }

    /// Enables every proxy and removes every toxic.
    pub(super) async fn reset(&mut self) -> Result<(), Refusal> {
        for entry in self.entries.values_mut() {
            entry.toxics.clear();
            entry.enable().await?;
        }
        Ok(())
    }
}

impl Entry {
    pub(super) fn view(&self) -> ProxyView {
        ProxyView {
            name: self.name.clone(),
            listen: self.listen.clone(),
            upstream: self.upstream.clone(),
            enabled: self.proxy.is_some(),
            toxics: self.toxics(),
        }
    }

    pub(super) fn toxics(&self) -> Vec<Toxic> {
        self.toxics.iter().map(|(toxic, _)| toxic.clone()).collect()
    }

    fn is_same(&self, request: &ProxyRequest) -> bool {
        let listen = request.listen.as_ref();
        let listens = listen.is_none_or(|each| *each == self.listen || *each == self.requested);
        listens && request.upstream.as_ref() == Some(&self.upstream)
    }

    /// Changes what the request names. Another address drops the connections.
    pub(super) async fn update(&mut self, request: ProxyRequest) -> Result<(), Refusal> {
        let enabled = request.enabled.unwrap_or(self.proxy.is_some());
        let listen = request.listen.filter(|each| *each != self.listen);
        let upstream = request.upstream.filter(|each| *each != self.upstream);
        if !enabled || listen.is_some() || upstream.is_some() {
            self.disable().await;
        }
        if let Some(listen) = listen {
            (self.requested, self.listen) = (listen.clone(), listen);
        }
        self.upstream = upstream.unwrap_or_else(|| self.upstream.clone());
        if enabled {
            self.enable().await?;
        }
        Ok(())
    }

    async fn enable(&mut self) -> Result<(), Refusal> {
        if self.proxy.is_some() {
            return Ok(());
        }
        let started = match TcpListener::bind(&self.listen).await {
            Ok(listener) => Proxy::start(listener, self.upstream.as_str()),
            Err(error) => Err(error),
        };
        let proxy = started.map_err(|source| Refusal::Listen {
            address: self.listen.clone(),
            source,
        })?;
        self.listen = proxy.address().to_string();
        for (toxic, guard) in &mut self.toxics {
            *guard = Some(proxy.inject(toxic.injection())?);
        }
        self.proxy = Some(proxy);
        Ok(())
    }

    async fn disable(&mut self) {
        for (_, guard) in &mut self.toxics {
            *guard = None;
        }
        if let Some(proxy) = self.proxy.take() {
            proxy.close().await;
        }
    }

    pub(super) fn toxic(&self, name: &str) -> Result<Toxic, Refusal> {
        Ok(self.toxics[self.position(name)?].0.clone())
    }

    pub(super) fn add_toxic(&mut self, request: ToxicRequest) -> Result<Toxic, Refusal> {
        let toxic = Toxic::new(request)?;
        if self.position(&toxic.name).is_ok() {
            return Err(Refusal::ToxicExists);
        }
        let guard = self.inject(&toxic)?;
        self.toxics.push((toxic.clone(), guard));
        Ok(toxic)
    }

    pub(super) fn update_toxic(
        &mut self,
        name: &str,
        request: ToxicRequest,
    ) -> Result<Toxic, Refusal> {
        let position = self.position(name)?;
        let toxic = self.toxics[position].0.updated(request)?;
        // The new fault is injected before the old one is healed: no byte passes between them.
        let guard = self.inject(&toxic)?;
        self.toxics[position] = (toxic.clone(), guard);
        Ok(toxic)
    }

    pub(super) fn remove_toxic(&mut self, name: &str) -> Result<(), Refusal> {
        let position = self.position(name)?;
        self.toxics.remove(position);
        Ok(())
    }

    fn position(&self, name: &str) -> Result<usize, Refusal> {
        let position = self.toxics.iter().position(|(toxic, _)| toxic.name == name);
        position.ok_or(Refusal::ToxicNotFound)
    }

    fn inject(&self, toxic: &Toxic) -> Result<Option<FaultGuard>, Refusal> {
        let proxy = self.proxy.as_ref();
        Ok(proxy
            .map(|proxy| proxy.inject(toxic.injection()))
            .transpose()?)
    }
}
