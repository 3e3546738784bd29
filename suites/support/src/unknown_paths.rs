//! Unknown paths: a service that answers any path alike has no route there.

use cutover_harness::prelude::*;
use cutover_harness::probe::{HttpError, Request, Response};

/// Whether the response to a request says no more than the response to the same request at a path beside it that
/// nobody chose: every path is answered alike there, as by the page of an application for browsers.
pub async fn is_answered_like_unknown(
    cx: &Context,
    pipeline: &Pipeline,
    request: Request,
    response: &Response,
) -> CheckResult<bool> {
    let path = request.url().path().to_owned();
    let parent = path.trim_end_matches('/').rsplit_once('/');
    let parent = parent.map_or("", |(parent, _)| parent);
    let unknown = format!(
        "{parent}/{}",
        uuid::Builder::from_random_bytes(cx.random()).into_uuid()
    );
    let sent = pipeline.http().send(request.to(pipeline.at_path(&unknown)));
    let of_unknown = sent.await.map_err(HttpError::into_stop)?;
    Ok(is_alike((response, &path), (&of_unknown, &unknown)))
}

/// Whether two responses are the same error, or differ in nothing but the paths of their requests.
fn is_alike((one, path): (&Response, &str), (other, other_path): (&Response, &str)) -> bool {
    let kind = |response: &Response| response.header("content-type").map(ToOwned::to_owned);
    let text = |response: &Response, path: &str| response.text().replace(path, "");
    one.status == other.status
        && kind(one) == kind(other)
        && (!one.is_success() || text(one, path) == text(other, other_path))
}
