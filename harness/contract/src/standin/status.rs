//! Whether the stand-ins run at their endpoints, and whether their ports are free.

use std::io;
use std::net::{IpAddr, TcpListener};
use std::time::Duration;

use serde_json::Value;

use super::endpoints::StandinEndpoints;
use crate::probe::client_builder;

/// The service name in the health response of the control API.
pub const SERVICE: &str = "cutover-standins";

/// The stand-ins run on this machine or nearby, so a response is immediate.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Whether stand-ins are running.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StandinStatus {
    /// The control API responds.
    Running,
    /// Nothing listens on the port of the control API.
    Absent,
}

/// Why the stand-ins cannot run at an endpoint.
#[derive(Debug, thiserror::Error)]
pub enum StandinStatusError {
    /// The HTTP client could not be built.
    #[error("build an HTTP client for the stand-ins")]
    Client(#[source] reqwest::Error),
    /// Another service uses the port.
    #[error(
        "find the stand-ins at {url}, key 'standins.{name}' of the target: another service uses this port ({reason}); \
         stop it, or use another port"
    )]
    Taken {
        /// The stand-in.
        name: &'static str,
        /// Its URL.
        url: String,
        /// The evidence.
        reason: String,
    },
    /// Listening on the address failed.
    #[error("listen on {url}, key 'standins.{name}' of the target")]
    Unusable {
        /// The stand-in.
        name: &'static str,
        /// Its URL.
        url: String,
        /// The cause.
        source: io::Error,
    },
}

impl StandinStatus {
    /// Queries the control API of the stand-ins.
    ///
    /// # Errors
    /// If another service responds.
    pub async fn query(endpoints: &StandinEndpoints) -> Result<Self, StandinStatusError> {
        let http = client_builder().timeout(TIMEOUT).build();
        let http = http.map_err(StandinStatusError::Client)?;
        let taken = |reason: String| StandinStatusError::Taken {
            name: "control",
            url: endpoints.control.to_string(),
            reason,
        };
        let mut health = endpoints.control.clone();
        health.set_path("/health");
        let response = match http.get(health).send().await {
            Ok(response) => response,
            Err(error) if error.is_connect() => return Ok(Self::Absent),
            Err(error) => return Err(taken(format!("the response is not HTTP: {error}"))),
        };
        let status = response.status();
        let body: Value = response.json().await.unwrap_or_default();
        if body["service"] == SERVICE {
            Ok(Self::Running)
        } else {
            Err(taken(format!(
                "GET /health returns {status} without the service name of the stand-ins"
            )))
        }
    }
}

/// Checks that the ports of all stand-ins are free on an address of this machine.
///
/// # Errors
/// If another program uses one of them.
pub fn check_ports_free(
    endpoints: &StandinEndpoints,
    bind: IpAddr,
) -> Result<(), StandinStatusError> {
    for (name, url) in [
        ("parser", &endpoints.parser),
        ("embedder", &endpoints.embedder),
        ("supabase", &endpoints.supabase),
        ("control", &endpoints.control),
    ] {
        let port = url.port_or_known_default().unwrap_or_default();
        let url = url.to_string();
        match TcpListener::bind((bind, port)) {
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
                let reason = "another program listens there".to_owned();
                return Err(StandinStatusError::Taken { name, url, reason });
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

    /// The URL of a free port.
    fn free() -> Url {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        origin(&listener)
    }

    fn origin(listener: &TcpListener) -> Url {
        let address = listener.local_addr().unwrap();
        format!("http://{address}/").parse().unwrap()
    }

    fn endpoints(control: Url) -> StandinEndpoints {
        StandinEndpoints {
            parser: free(),
            embedder: free(),
            supabase: free(),
            control,
        }
    }

    async fn responding(body: Value) -> MockServer {
        let server = MockServer::start().await;
        Mock::given(path("/health"))
            .respond_with(ResponseTemplate::new(200).set_body_json(body))
            .mount(&server)
            .await;
        server
    }

    #[tokio::test]
    async fn stand_ins_are_running_or_absent() {
        let server = responding(json!({"status": "ok", "service": SERVICE})).await;
        let running = endpoints(server.uri().parse().unwrap());
        assert_eq!(
            StandinStatus::query(&running).await.unwrap(),
            StandinStatus::Running
        );
        let absent = endpoints(free());
        assert_eq!(
            StandinStatus::query(&absent).await.unwrap(),
            StandinStatus::Absent
        );
        check_ports_free(&absent, Ipv4Addr::LOCALHOST.into()).unwrap();
    }

    #[tokio::test]
    async fn another_service_on_a_port_is_an_error_that_names_the_key() {
        let server = responding(json!({"status": "ok"})).await;
        let other = endpoints(server.uri().parse().unwrap());
        let error = StandinStatus::query(&other).await.unwrap_err().to_string();
        assert!(
            error.contains("standins.control") && error.contains("another port"),
            "{error}"
        );
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let taken = StandinEndpoints {
            embedder: origin(&listener),
            ..endpoints(free())
        };
        let error = check_ports_free(&taken, Ipv4Addr::LOCALHOST.into())
            .unwrap_err()
            .to_string();
        assert!(error.contains("standins.embedder"), "{error}");
    }
}
