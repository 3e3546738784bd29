//! `cutover proxy`: a fault proxy that clients of Toxiproxy configure, for tests in any language.

use std::net::SocketAddr;

use anyhow::Context as _;
use clap::Args;
use cutover_evidence::interrupt::Interrupt;
use cutover_fault::toxiproxy;
use cutover_reports::exit;
use tokio::net::TcpListener;

use crate::output::print_line;
use crate::{CommandError, UsageError, runtime};

/// Run a fault proxy with the HTTP API of Toxiproxy, until a signal
#[derive(Args, Debug)]
pub(super) struct Proxy {
    /// The address of the API; it has no authentication. Port 0 is any free port
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8474")]
    listen: SocketAddr,
}

impl Proxy {
    pub(super) fn run(self) -> Result<u8, CommandError> {
        let runtime = runtime::multi_thread()?;
        let interrupt = Interrupt::new();
        interrupt
            .listen(runtime.handle())
            .context("install the signal handlers")?;
        runtime.block_on(async {
            let listener = listen(self.listen).await?;
            let address = listener
                .local_addr()
                .context("read the address of the API")?;
            print_line(format!("the API of the fault proxy is at http://{address}"))?;
            let stop = async move {
                interrupt.asked().await;
            };
            let served = toxiproxy::serve(listener, stop).await;
            served.context("serve the API of the fault proxy")
        })?;
        Ok(exit::GO)
    }
}

async fn listen(address: SocketAddr) -> Result<TcpListener, UsageError> {
    TcpListener::bind(address).await.map_err(|cause| {
        let help = "free the address, or choose another with `--listen`; port 0 is any free port";
        UsageError::new(format!("listen on {address}"), cause, help)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_error_about_an_address_in_use_names_it_and_the_option() {
        let taken = listen(([127, 0, 0, 1], 0).into()).await.unwrap();
        let address = taken.local_addr().unwrap();
        let error = listen(address).await.unwrap_err();
        assert_eq!(error.to_string(), format!("listen on {address}"));
        assert!(error.help().contains("--listen"));
    }
}
