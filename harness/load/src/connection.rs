//! A connection of one worker, which is opened when it is needed and kept.

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use crate::{HitOutcome, Request};

/// A connection of one worker.
#[derive(Debug, Default)]
pub(crate) struct Connection {
    sender: Option<SendRequest<Full<Bytes>>>,
}

impl Connection {
    /// Sends a request and reads the whole response.
    pub(crate) async fn exchange(&mut self, request: &Request) -> HitOutcome {
        if self.open(request).await.is_err() {
            return HitOutcome::Connect;
        }
        let Some(sender) = &mut self.sender else {
            return HitOutcome::Connect;
        };
        match exchange(sender, request).await {
            Ok(outcome) => outcome,
            Err(error) => {
                self.close();
                classify(&error)
            }
        }
    }

    /// Opens the connection if it is not open.
    pub(crate) async fn open(&mut self, request: &Request) -> Result<(), ConnectError> {
        if let Some(sender) = &mut self.sender
            && sender.ready().await.is_ok()
        {
            return Ok(());
        }
        self.sender = None;
        let stream = TcpStream::connect(request.address()).await?;
        stream.set_nodelay(true)?;
        let (sender, driver) = http1::handshake(TokioIo::new(stream)).await?;
        // Its errors are those of the exchange, which reports them.
        tokio::spawn(driver);
        self.sender = Some(sender);
        Ok(())
    }

    /// Closes the connection; the next exchange opens another.
    pub(crate) fn close(&mut self) {
        self.sender = None;
    }
}

/// A connection that cannot be opened.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConnectError {
    /// The network refuses it.
    #[error("connect")]
    Tcp(#[from] std::io::Error),
    /// HTTP cannot start on it.
    #[error("start HTTP")]
    Http(#[from] hyper::Error),
}

async fn exchange(
    sender: &mut SendRequest<Full<Bytes>>,
    request: &Request,
) -> Result<HitOutcome, hyper::Error> {
    let response = sender.send_request(request.message()).await?;
    let status = response.status();
    let mut body = response.into_body();
    while let Some(frame) = body.frame().await {
        frame?;
    }
    Ok(match status.as_u16() {
        ..400 => HitOutcome::Ok,
        400..500 => HitOutcome::ClientError,
        500.. => HitOutcome::ServerError,
    })
}

fn classify(error: &hyper::Error) -> HitOutcome {
    if error.is_parse() {
        HitOutcome::Protocol
    } else {
        HitOutcome::Reset
    }
}
