//! DNS resolution, TCP connect and TLS certificate of every origin of a target.

use std::collections::BTreeSet;

use time::OffsetDateTime;
use url::Url;

use super::report::Report;
use cutover_contract::probe::{certified, connected, resolved};
use cutover_harness::target_file::Attachment;

/// A certificate that expires sooner should be renewed.
const MIN_DAYS_LEFT: i64 = 14;

/// Connects to each origin; returns the names of the endpoints that can be reached.
pub(super) async fn reachable_endpoints(
    attachment: &Attachment<'_>,
    report: &mut Report,
) -> BTreeSet<&'static str> {
    let mut tried: Vec<(&Url, bool)> = Vec::new();
    let mut reachable = BTreeSet::new();
    for (endpoint, url) in attachment.origins() {
        let known = tried
            .iter()
            .find(|(other, _)| other.origin() == url.origin());
        let is_reachable = match known {
            Some((_, is_reachable)) => *is_reachable,
            None => connect(endpoint, url, report).await.is_some(),
        };
        tried.push((url, is_reachable));
        if is_reachable {
            reachable.insert(endpoint);
        }
    }
    reachable
}

/// Connects to one origin step by step; `None` if a step fails.
async fn connect(endpoint: &str, url: &Url, report: &mut Report) -> Option<()> {
    let host = url.host_str().unwrap_or_default();
    let step = format!("{endpoint}, DNS");
    let addresses = report.add_step(&step, resolved(url).await, |addresses| {
        let addresses: Vec<_> = addresses.iter().map(|at| at.ip().to_string()).collect();
        format!("{host} resolves to {}", addresses.join(", "))
    })?;
    let step = format!("{endpoint}, TCP");
    report.add_step(&step, connected(&addresses).await, |(address, elapsed)| {
        format!("connected to {address} in {} ms", elapsed.as_millis())
    })?;
    if url.scheme() == "https" {
        let step = format!("{endpoint}, TLS");
        report.add_step(&step, certified(url).await, |expiry| {
            describe_expiry(*expiry)
        })?;
    }
    Some(())
}

fn describe_expiry(expiry: Option<OffsetDateTime>) -> String {
    let Some(expiry) = expiry else {
        return "the handshake succeeded; the expiry of the certificate is unknown".to_owned();
    };
    let days = (expiry - OffsetDateTime::now_utc()).whole_days();
    let advice = if days < MIN_DAYS_LEFT {
        "; renew it"
    } else {
        ""
    };
    format!(
        "the certificate is valid until {}, for {days} more days{advice}",
        expiry.date()
    )
}

#[cfg(test)]
mod tests {
    use time::Duration;

    use super::*;

    #[test]
    fn a_certificate_that_expires_soon_should_be_renewed() {
        let now = OffsetDateTime::now_utc();
        let description = describe_expiry(Some(now + Duration::days(3)));
        assert!(
            description.ends_with("for 2 more days; renew it"),
            "{description}"
        );
        assert!(!describe_expiry(Some(now + Duration::days(90))).contains("renew"));
        assert!(describe_expiry(None).contains("handshake"));
    }
}
