//! What is measured: a plain connection, the proxy, and trixter.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use cutover_fault::faults::{Latency, Reset};
use cutover_fault::{Direction, FaultGuard, Proxy};
use tokio::runtime::Runtime;

use crate::{Measured, upstream};

/// The fault under which a subject is measured.
#[derive(Clone, Copy)]
pub(crate) enum Fault {
    None,
    /// A delay of what is sent upstream.
    DelayMs(u64),
}

pub(crate) enum Subject {
    Plain(SocketAddr),
    Cutover {
        proxy: Proxy,
        _delay: Option<FaultGuard>,
        /// Dropped last, as its own runtime serves the proxy.
        _runtime: Runtime,
    },
    Trixter {
        address: SocketAddr,
        api: SocketAddr,
        process: Child,
    },
}

impl Subject {
    pub(crate) fn all(fault: Fault) -> Measured<Vec<Self>> {
        let upstream = upstream::start()?;
        let mut all = vec![Self::Plain(upstream), Self::cutover(upstream, fault)?];
        all.extend(Self::trixter(upstream, fault)?);
        Ok(all)
    }

    fn cutover(upstream: SocketAddr, fault: Fault) -> Measured<Self> {
        let mut runtime = tokio::runtime::Builder::new_multi_thread();
        let runtime = runtime.worker_threads(1).enable_all().build()?;
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        let proxy = runtime.block_on(Proxy::bind(any, upstream.to_string()))?;
        let delay = match fault {
            Fault::None => None,
            Fault::DelayMs(delay_ms) => Some(proxy.inject(Latency {
                direction: Direction::ToUpstream,
                delay_ms,
                jitter_ms: 0,
            })?),
        };
        Ok(Self::Cutover {
            proxy,
            _delay: delay,
            _runtime: runtime,
        })
    }

    fn trixter(upstream: SocketAddr, fault: Fault) -> Measured<Option<Self>> {
        let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."));
        let binary = root.join("target/anchors/bin/trixter");
        if !binary.exists() {
            return Ok(None);
        }
        let delay = match fault {
            Fault::None => 0,
            Fault::DelayMs(delay) => delay,
        };
        let (address, api) = (free()?, free()?);
        let process = Command::new(binary)
            .args([
                "--listen",
                &address.to_string(),
                "--upstream",
                &upstream.to_string(),
            ])
            .args(["--api", &api.to_string(), "--delay-ms", &delay.to_string()])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let deadline = Instant::now() + Duration::from_secs(10);
        while TcpStream::connect(address).is_err() && Instant::now() < deadline {
            // Until the process listens.
            std::thread::sleep(Duration::from_millis(10));
        }
        Ok(Some(Self::Trixter {
            address,
            api,
            process,
        }))
    }

    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Plain(_) => "plain",
            Self::Cutover { .. } => "cutover",
            Self::Trixter { .. } => "trixter",
        }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        match self {
            Self::Plain(address) | Self::Trixter { address, .. } => *address,
            Self::Cutover { proxy, .. } => proxy.address(),
        }
    }

    pub(crate) fn can_reset(&self) -> bool {
        !matches!(self, Self::Plain(_))
    }

    /// Resets every open connection.
    pub(crate) fn reset(&self) -> Measured<Option<FaultGuard>> {
        match self {
            Self::Plain(_) => Ok(None),
            Self::Cutover { proxy, .. } => Ok(Some(proxy.inject(Reset::default())?)),
            Self::Trixter { api, .. } => {
                let mut stream = TcpStream::connect(api)?;
                let body = r#"{"reason":"reset"}"#;
                write!(
                    stream,
                    "POST /connections/_all/shutdown HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\
                     content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
                    body.len()
                )?;
                stream.read_to_end(&mut Vec::new())?;
                Ok(None)
            }
        }
    }
}

impl Drop for Subject {
    fn drop(&mut self) {
        if let Self::Trixter { process, .. } = self {
            // It may have ended by itself.
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

fn free() -> std::io::Result<SocketAddr> {
    TcpListener::bind("127.0.0.1:0")?.local_addr()
}
