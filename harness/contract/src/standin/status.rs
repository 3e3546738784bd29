//! Whether the stand-ins of a card are served, and whether they could be where nobody serves them.

use std::io;
use std::net::{IpAddr, TcpListener};
use std::time::Duration;

use serde_json::Value;

use super::endpoints::StandinEndpoints;
use crate::probe::client_builder;

/// What the control of the stand-ins calls itself when it is asked for its health.
pub const SERVICE: &str = "cutover-standins";

/// They are on this machine or near it, and answer at once or not at all.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Whether stand-ins are served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StandinStatus {
    /// Their control answers.
    Running,
    /// Nobody listens where their control should be.
    Absent,
}

/// A place of the stand-ins at which they are not and cannot be.
#[derive(Debug, thiserror::Error)]
pub enum StandinStatusError {
    /// No client could be made.
    #[error("make a client for the stand-ins")]
    Client(#[source] reqwest::Error),
    /// Something else is there.
    #[error(
        "look for the stand-ins at {url}, key 'standins.{name}' of the target: something that is no stand-in has that \
         place ({sign}); end it, or give the stand-in another port"
    )]
    Taken {
        /// The stand-in.
        name: &'static str,
        /// Its address.
        url: String,
        /// How that shows.
        sign: String,
    },
    /// The address cannot be listened on.
    #[error("listen on {url}, key 'standins.{name}' of the target")]
    Unusable {
        /// The stand-in.
        name: &'static str,
        /// Its address.
        url: String,
        /// Why.
        source: io::Error,
    },
}

impl StandinStatus {
    /// Asks the control of the stand-ins on a card.
    ///
    /// # Errors
    /// Where something answers there that is no stand-in of ours.
    pub async fn of(card: &StandinEndpoints) -> Result<Self, StandinStatusError> {
        let http = client_builder().timeout(TIMEOUT).build();
        let http = http.map_err(StandinStatusError::Client)?;
        let taken = |sign: String| StandinStatusError::Taken {
            name: "control",
            url: card.control.to_string(),
            sign,
        };
        let mut health = card.control.clone();
        health.set_path("/health");
        let answer = match http.get(health).send().await {
            Ok(answer) => answer,
            Err(error) if error.is_connect() => return Ok(Self::Absent),
            Err(error) => return Err(taken(format!("it does not speak HTTP: {error}"))),
        };
        let status = answer.status();
        let said: Value = answer.json().await.unwrap_or_default();
        if said["service"] == SERVICE {
            Ok(Self::Running)
        } else {
            Err(taken(format!(
                "GET /health is answered {status}, otherwise than by a stand-in"
            )))
        }
    }
}

/// Refuses a card whose ports are not free on an address of this machine.
///
/// # Errors
/// Where another program has one of them.
pub fn check_ports_free(card: &StandinEndpoints, bind: IpAddr) -> Result<(), StandinStatusError> {
    for (name, url) in [
        ("parser", &card.parser),
        ("embedder", &card.embedder),
        ("supabase", &card.supabase),
        ("control", &card.control),
    ] {
        let port = url.port_or_known_default().unwrap_or_default();
        let url = url.to_string();
        match TcpListener::bind((bind, port)) {
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
                let sign = "another program listens there".to_owned();
                return Err(StandinStatusError::Taken { name, url, sign });
            }
            Err(source) => return Err(StandinStatusError::Unusable { name, url, source }),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use serde_json::json;
    use url::Url;
    use wiremock::matchers::path;
    use wiremock::{Mock, MockServer, ResponseTemplate};

    use super::*;

    /// A port on which nobody listens.
    fn free() -> Url {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        origin(&listener)
    }

    fn origin(listener: &TcpListener) -> Url {
        let address = listener.local_addr().unwrap();
        format!("http://{address}/").parse().unwrap()
    }

    fn card(control: Url) -> StandinEndpoints {
        StandinEndpoints {
            parser: free(),
            embedder: free(),
            supabase: free(),
            control,
        }
    }

    async fn answering(body: Value) -> MockServer {
        let server = MockServer::start().await;
        Mock::given(path("/health"))
            .respond_with(ResponseTemplate::new(200).set_body_json(body))
            .mount(&server)
            .await;
        server
    }

    #[tokio::test]
    async fn they_are_served_or_nobody_is_there() {
        let server = answering(json!({"status": "ok", "service": SERVICE})).await;
        let there = card(server.uri().parse().unwrap());
        assert_eq!(
            StandinStatus::of(&there).await.unwrap(),
            StandinStatus::Running
        );
        let vacant = card(free());
        assert_eq!(
            StandinStatus::of(&vacant).await.unwrap(),
            StandinStatus::Absent
        );
        check_ports_free(&vacant, Ipv4Addr::LOCALHOST.into()).unwrap();
    }

    #[tokio::test]
    async fn whoever_else_is_there_is_told_apart_and_named() {
        let server = answering(json!({"status": "ok"})).await;
        let other = card(server.uri().parse().unwrap());
        let error = StandinStatus::of(&other).await.unwrap_err().to_string();
        assert!(
            error.contains("standins.control") && error.contains("another port"),
            "{error}"
        );
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let taken = StandinEndpoints {
            embedder: origin(&listener),
            ..card(free())
        };
        let error = check_ports_free(&taken, Ipv4Addr::LOCALHOST.into())
            .unwrap_err()
            .to_string();
        assert!(error.contains("standins.embedder"), "{error}");
    }
}
