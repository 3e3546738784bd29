//! Slow clients: connections that send next to nothing hold up nobody.

use std::time::Instant;

use cutover_fixtures::prelude::*;
use cutover_harness::check::Named;
use cutover_harness::prelude::*;
use futures::future::try_join_all;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

/// The checks of this file.
pub(crate) fn table() -> Vec<Check> {
    vec![
        check!(slow_clients_hold_up_nobody, BEGINNINGS)
            .requires([Http, Processes])
            .effect(Effect::Fault)
            .expected_duration(secs(2))
            .alone_with_workers(1)
            .severity(High),
    ]
}

/// What a slow client sends before it pauses.
pub(super) struct Beginning {
    name: &'static str,
    /// The beginning of a request to a path of a host.
    text: fn(&str, &str) -> String,
}

impl Named for Beginning {
    fn name(&self) -> &'static str {
        self.name
    }
}

const BEGINNINGS: &[Beginning] = &[
    Beginning {
        name: "nothing",
        text: |_, _| String::new(),
    },
    Beginning {
        name: "half_a_line",
        text: |path, _| format!("POST {path}"),
    },
    Beginning {
        name: "half_of_the_headers",
        text: |path, host| format!("POST {path} HTTP/1.1\r\nhost: {host}\r\nx-slow: "),
    },
    Beginning {
        name: "half_of_the_body",
        text: |path, host| {
            format!(
                "POST {path} HTTP/1.1\r\nhost: {host}\r\ncontent-type: application/json\r\n\
                 authorization: {TOKEN}\r\ncontent-length: 400\r\n\r\n{{\"filename\": "
            )
        },
    },
    Beginning {
        name: "half_of_a_chunk",
        text: |path, host| {
            format!(
                "POST {path} HTTP/1.1\r\nhost: {host}\r\ncontent-type: application/json\r\n\
                 authorization: {TOKEN}\r\ntransfer-encoding: chunked\r\n\r\n190\r\n{{\"filename\": "
            )
        },
    },
];

/// The place of the user's token in a beginning.
const TOKEN: &str = "{token}";

/// The number of slow clients. Servers that have a thread or a permit for each connection have fewer of them.
const CLIENTS: usize = 150;

/// How long a request may take beside slow clients.
const WITHIN: std::time::Duration = secs(2);

/// While many clients pause in the middle of a request, the requests of others are answered as usual.
async fn slow_clients_hold_up_nobody(cx: &Context, case: &Beginning) -> CheckResult {
    let pipeline = cx.pipeline()?;
    let request = pipeline.request(Endpoint::Upload, "")?;
    let url = request.url();
    let host = url.host_str().unwrap_or_default();
    let port = url.port_or_known_default().unwrap_or(80);
    let token = pipeline
        .tenant()
        .map(|tenant| format!("Bearer {}", tenant.token.expose()));
    let text = (case.text)(url.path(), &format!("{host}:{port}"));
    let text = text.replace(TOKEN, &token.unwrap_or_default());
    // These connections are opened here, because no HTTP client pauses in the middle of a request.
    let clients = (0..CLIENTS).map(async |_| {
        let mut client = TcpStream::connect((host, port)).await?;
        client.write_all(text.as_bytes()).await?;
        std::io::Result::Ok(client)
    });
    let clients = try_join_all(clients).await;
    let clients = clients.map_err(|error| anyhow::anyhow!("connect as a slow client: {error}"))?;
    let usual = cx.pipeline()?;
    let began = Instant::now();
    let accepted = usual.accept(cx.document().build().upload()).await?;
    usual.view(&accepted).await?;
    let took = began.elapsed();
    ensure!(
        took < WITHIN,
        "beside {CLIENTS} clients that pause in a request, a registration and a read take {:.1} s",
        took.as_secs_f64()
    );
    drop(clients);
    Ok(())
}
