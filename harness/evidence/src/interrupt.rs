//! Stop requests of a run: Ctrl-C, SIGTERM, or an exceeded limit.

use std::sync::Arc;

use tokio::runtime::Handle;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

/// A stop request (Ctrl-C, SIGTERM, or a safety limit).
#[derive(Clone, Debug)]
pub struct Interrupt {
    by: watch::Receiver<Option<&'static str>>,
    sender: Arc<watch::Sender<Option<&'static str>>>,
}

impl Default for Interrupt {
    fn default() -> Self {
        Self::new()
    }
}

impl Interrupt {
    /// No stop request; signals are ignored until [`listen`](Self::listen) is called.
    pub fn new() -> Self {
        let (sender, by) = watch::channel(None);
        Self {
            by,
            sender: Arc::new(sender),
        }
    }

    /// Listens for signals. From then on a signal requests a stop instead of
    /// terminating the process immediately.
    pub fn listen(&self, runtime: &Handle) -> std::io::Result<()> {
        let _inside = runtime.enter();
        for (kind, name) in [
            (SignalKind::interrupt(), "Ctrl-C"),
            (SignalKind::terminate(), "SIGTERM"),
        ] {
            let mut signals = signal(kind)?;
            let interrupt = self.clone();
            runtime.spawn(async move {
                while signals.recv().await.is_some() {
                    interrupt.ask(name);
                }
            });
        }
        Ok(())
    }

    /// Requests a stop; only the first requester is kept.
    pub fn ask(&self, name: &'static str) {
        self.sender
            .send_if_modified(|by| by.is_none() && by.replace(name).is_none());
    }

    /// The requester, if a stop was requested.
    pub fn by(&self) -> Option<&'static str> {
        *self.by.borrow()
    }

    /// Waits for a stop request, and returns the requester.
    pub async fn asked(&self) -> &'static str {
        let mut by = self.by.clone();
        loop {
            if let Some(name) = *by.borrow_and_update() {
                return name;
            }
            if by.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }
}
