//! A person or a supervisor asks the run to stop: Ctrl-C, SIGTERM.

use std::sync::Arc;

use tokio::runtime::Handle;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

/// The run's wish to stop, once somebody has uttered it.
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
    /// Never asked, until [`listen`](Self::listen) is called.
    pub fn new() -> Self {
        let (sender, by) = watch::channel(None);
        Self {
            by,
            sender: Arc::new(sender),
        }
    }

    /// Listens for signals; from here on the first one asks for a stop, instead
    /// of ending the process where it stands.
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

    /// Asks for a stop; whoever asked first is named.
    pub fn ask(&self, name: &'static str) {
        self.sender
            .send_if_modified(|by| by.is_none() && by.replace(name).is_none());
    }

    /// Who asked, if anybody did.
    pub fn by(&self) -> Option<&'static str> {
        *self.by.borrow()
    }

    /// Waits until somebody asks.
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
