//! The routes of the API.

use std::io;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::Mutex;

use super::collection::{Collection, ProxyRequest};
use super::refusal::Refusal;
use super::toxic::ToxicRequest;

/// The version of Toxiproxy whose API this is; clients compare it.
const VERSION: &str = "2.12.0";

type Proxies = State<Arc<Mutex<Collection>>>;
type Answer = Result<Response, Refusal>;

/// Serves the API until `shutdown`; the proxies that clients have created end with it.
pub async fn serve<S>(listener: TcpListener, shutdown: S) -> io::Result<()>
where
    S: Future<Output = ()> + Send + 'static,
{
    let proxies = Arc::<Mutex<Collection>>::default();
    let server = axum::serve(listener, router(proxies));
    server.with_graceful_shutdown(shutdown).await
}

fn router(proxies: Arc<Mutex<Collection>>) -> Router {
    let proxy = get(show_proxy)
        .post(update_proxy)
        .patch(update_proxy)
        .delete(delete_proxy);
    let toxic = get(show_toxic)
        .post(update_toxic)
        .patch(update_toxic)
        .delete(delete_toxic);
    Router::new()
        .route("/proxies", get(list_proxies).post(create_proxy))
        .route("/proxies/{proxy}", proxy)
        .route(
            "/proxies/{proxy}/toxics",
            get(list_toxics).post(create_toxic),
        )
        .route("/proxies/{proxy}/toxics/{toxic}", toxic)
        .route("/populate", post(populate))
        .route("/reset", post(reset))
        .route(
            "/version",
            get(async || Json(json!({ "version": VERSION }))),
        )
        .fallback(async || Refusal::NoRoute)
        .with_state(proxies)
}

/// Reads a body whatever its content type is, as clients send JSON without one.
fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Refusal> {
    Ok(serde_json::from_slice(body)?)
}

#[expect(clippy::unnecessary_wraps, reason = "the result of every route")]
fn answer(status: StatusCode, body: impl Serialize) -> Answer {
    Ok((status, Json(body)).into_response())
}

async fn list_proxies(State(proxies): Proxies) -> Answer {
    answer(StatusCode::OK, proxies.lock().await.views())
}

async fn create_proxy(State(proxies): Proxies, body: Bytes) -> Answer {
    let request: ProxyRequest = read(&body)?;
    answer(
        StatusCode::CREATED,
        proxies.lock().await.create(request).await?,
    )
}

async fn populate(State(proxies): Proxies, body: Bytes) -> Answer {
    let requests: Vec<ProxyRequest> = read(&body)?;
    let created = proxies.lock().await.populate(requests).await?;
    answer(StatusCode::CREATED, json!({ "proxies": created }))
}

async fn reset(State(proxies): Proxies) -> Result<StatusCode, Refusal> {
    proxies.lock().await.reset().await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn show_proxy(State(proxies): Proxies, Path(proxy): Path<String>) -> Answer {
    answer(StatusCode::OK, proxies.lock().await.get(&proxy)?.view())
}

async fn update_proxy(State(proxies): Proxies, Path(proxy): Path<String>, body: Bytes) -> Answer {
    let mut proxies = proxies.lock().await;
    let entry = proxies.get(&proxy)?;
    entry.update(read(&body)?).await?;
    answer(StatusCode::OK, entry.view())
}

async fn delete_proxy(
    State(proxies): Proxies,
    Path(proxy): Path<String>,
) -> Result<StatusCode, Refusal> {
    proxies.lock().await.delete(&proxy).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn list_toxics(State(proxies): Proxies, Path(proxy): Path<String>) -> Answer {
    answer(StatusCode::OK, proxies.lock().await.get(&proxy)?.toxics())
}

async fn create_toxic(State(proxies): Proxies, Path(proxy): Path<String>, body: Bytes) -> Answer {
    let mut proxies = proxies.lock().await;
    let entry = proxies.get(&proxy)?;
    let request: ToxicRequest = read(&body)?;
    answer(StatusCode::OK, entry.add_toxic(request)?)
}

type Names = Path<(String, String)>;

async fn show_toxic(State(proxies): Proxies, Path((proxy, toxic)): Names) -> Answer {
    answer(
        StatusCode::OK,
        proxies.lock().await.get(&proxy)?.toxic(&toxic)?,
    )
}

async fn update_toxic(State(proxies): Proxies, Path((proxy, toxic)): Names, body: Bytes) -> Answer {
    let mut proxies = proxies.lock().await;
    let entry = proxies.get(&proxy)?;
    let request: ToxicRequest = read(&body)?;
    answer(StatusCode::OK, entry.update_toxic(&toxic, request)?)
}

async fn delete_toxic(
    State(proxies): Proxies,
    Path((proxy, toxic)): Names,
) -> Result<StatusCode, Refusal> {
    proxies.lock().await.get(&proxy)?.remove_toxic(&toxic)?;
    Ok(StatusCode::NO_CONTENT)
}
