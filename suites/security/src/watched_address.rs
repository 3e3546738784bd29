//! An address whose requests the stand-ins record, to show that a service fetches no address from an upload.

use cutover_harness::prelude::*;
use cutover_harness::probe::Request;
use time::OffsetDateTime;
use url::Url;

use super::client_headers::send;

/// An address whose requests the stand-ins record, and which no other part of the check requests.
pub(super) struct Watched {
    pub(super) url: Url,
    /// A part of the path that nothing else has.
    nonce: String,
    since: OffsetDateTime,
}

impl Watched {
    pub(super) fn new(cx: &Context) -> CheckResult<Self> {
        let nonce = uuid::Builder::from_random_bytes(cx.random()).into_uuid();
        let mut url = cx.storage()?.supabase().clone();
        // Storage refuses this without a key, and records the refusal.
        url.set_path(&format!("/storage/v1/bucket/{nonce}"));
        Ok(Self {
            nonce: nonce.to_string(),
            url,
            since: OffsetDateTime::now_utc(),
        })
    }

    /// Nobody has asked for the address.
    pub(super) async fn expect_unasked(&self, cx: &Context) -> CheckResult {
        let refusals = cx.standins()?.refusals(self.since).await?;
        let asked = refusals
            .iter()
            .find(|refusal| refusal.path.contains(&self.nonce));
        if let Some(refusal) = asked {
            return Err(Stop::violated(Finding::new(format!(
                "the service fetches an address that it was given from outside: {} {} by '{}'",
                refusal.method, refusal.path, refusal.user_agent
            ))));
        }
        Ok(())
    }

    /// Somebody who asks for the address is noticed, so that silence means something.
    pub(super) async fn expect_noticed(cx: &Context) -> CheckResult {
        let control = Self::new(cx)?;
        let pipeline = cx.pipeline()?.anonymous();
        send(&pipeline, Request::get(control.url.clone())).await?;
        cx.eventually("the stand-ins notice a request", secs(5), async || {
            let refusals = cx.standins()?.refusals(control.since).await?;
            Ok(refusals
                .iter()
                .any(|refusal| refusal.path.contains(&control.nonce))
                .then_some(()))
        })
        .await
    }
}
