//! The way to a target: its names, its connections and its certificates, each before what needs them.

use std::collections::BTreeSet;

use time::OffsetDateTime;
use url::Url;

use super::report::Report;
use cutover_contract::probe::{certificate_expiry, connect, resolve};
use cutover_harness::target_file::Attachment;

/// A certificate that ends sooner should be renewed before anything else is done.
const DAYS_LEFT: i64 = 14;

/// Goes to each origin; gives those, by what they are there for, that can be reached.
pub(super) async fn reachable(
    attachment: &Attachment<'_>,
    report: &mut Report,
) -> BTreeSet<&'static str> {
    let mut seen: Vec<(&Url, bool)> = Vec::new();
    let mut open = BTreeSet::new();
    for (what, url) in attachment.origins() {
        let known = seen
            .iter()
            .find(|(other, _)| other.origin() == url.origin());
        let is_open = match known {
            Some((_, is_open)) => *is_open,
            None => walk(what, url, report).await.is_some(),
        };
        seen.push((url, is_open));
        if is_open {
            open.insert(what);
        }
    }
    open
}

/// Step by step to one origin; nothing where a step cannot be done.
async fn walk(what: &str, url: &Url, report: &mut Report) -> Option<()> {
    let name = url.host_str().unwrap_or_default();
    let addresses = report.step(&format!("{what}, name"), resolve(url).await, |addresses| {
        let addresses: Vec<_> = addresses.iter().map(|at| at.ip().to_string()).collect();
        format!("{name} is {}", addresses.join(", "))
    })?;
    let connection = connect(&addresses).await;
    report.step(&format!("{what}, connection"), connection, |(at, after)| {
        format!("{at} after {} ms", after.as_millis())
    })?;
    if url.scheme() == "https" {
        let until = certificate_expiry(url).await;
        report.step(&format!("{what}, TLS"), until, |until| told(*until))?;
    }
    Some(())
}

/// Until when a certificate is valid.
fn told(until: Option<OffsetDateTime>) -> String {
    let Some(until) = until else {
        return "the handshake is done; its certificate does not say how long it is valid"
            .to_owned();
    };
    let days = (until - OffsetDateTime::now_utc()).whole_days();
    let advice = if days < DAYS_LEFT { "; renew it" } else { "" };
    format!(
        "the certificate is valid until {}, for {days} more days{advice}",
        until.date()
    )
}

#[cfg(test)]
mod tests {
    use time::Duration;

    use super::*;

    #[test]
    fn a_certificate_that_ends_soon_is_to_be_renewed() {
        let now = OffsetDateTime::now_utc();
        let said = told(Some(now + Duration::days(3)));
        assert!(said.ends_with("for 2 more days; renew it"), "{said}");
        assert!(!told(Some(now + Duration::days(90))).contains("renew"));
        assert!(told(None).contains("handshake"));
    }
}
