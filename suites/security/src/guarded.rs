//! Guarded routes: what is said about tokens means something only where a route refuses requests without one.

use cutover_harness::prelude::*;
use cutover_harness::probe::Request;

use super::client_headers::send;

/// The request, which has no token, is refused. Otherwise the check cannot tell anything about tokens, and the check
/// of requests without a token reports the route.
pub(super) async fn require_guarded(pipeline: &Pipeline, request: Request) -> CheckResult {
    let reply = send(pipeline, request).await?;
    let codes = &pipeline.contract().statuses.unauthenticated;
    if codes.include(reply.status) {
        return Ok(());
    }
    Err(Stop::precondition_missing(format!(
        "{} is not refused without a token, so that nothing can be said about tokens: {}",
        reply.request,
        reply.summary()
    )))
}
