//! Where load may be sent to: this machine, or a host that a target file allows.

use std::path::Path;

use cutover_harness::environment::is_this_machine;
use cutover_harness::record::Effect;
use cutover_harness::target_file::{Class, Target};
use cutover_load::Request;
use url::Url;

use crate::UsageError;

/// How much load is asked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Amount {
    /// The highest rate, in requests per second; `None` for a closed loop.
    pub(super) rate: Option<f64>,
    /// The number of requests; 0 for a closed loop.
    pub(super) requests: f64,
}

const NAME_A_TARGET: &str = "name a target file that allows the host and load with --target";

/// Refuses another machine before its name is looked up, unless there is a target file.
pub(super) fn expect_host(url: &Url, target: Option<&Path>) -> Result<(), anyhow::Error> {
    let host = url.host_str().unwrap_or_default();
    if target.is_some() || is_this_machine(host) {
        return Ok(());
    }
    Err(refusal(host, "it is not this machine", NAME_A_TARGET))
}

/// Checks that a load may be sent to a URL; without a target file, only to this machine.
pub(super) fn check(
    url: &Url,
    request: &Request,
    target: Option<&Path>,
    amount: Amount,
) -> Result<Option<Target>, anyhow::Error> {
    let host = url.host_str().unwrap_or_default();
    let Some(path) = target else {
        let is_here = is_this_machine(host) && request.address().ip().is_loopback();
        if is_here {
            return Ok(None);
        }
        return Err(refusal(host, "it is not this machine", NAME_A_TARGET));
    };
    let target = Target::read(path)?;
    match problem(&target, host, amount) {
        None => Ok(Some(target)),
        Some((cause, help)) => Err(refusal(host, &cause, help)),
    }
}

fn refusal(host: &str, cause: &str, help: &str) -> anyhow::Error {
    UsageError::new(format!("send load to '{host}'"), cause, help).into()
}

/// Why a target does not allow a load, and the remedy.
fn problem(target: &Target, host: &str, amount: Amount) -> Option<(String, &'static str)> {
    let name = &target.name;
    let is_listed = target.safety.hosts.iter().any(|listed| listed == host);
    if !is_listed && !is_this_machine(host) {
        let cause = format!("target '{name}' does not list it");
        return Some((cause, "add the host to [safety] hosts"));
    }
    if target.max_effect() < Effect::Load {
        let cause = format!(
            "target '{name}' allows at most the effect {}",
            target.max_effect()
        );
        return Some((cause, "load needs a target of class local"));
    }
    if target.class != Class::Local {
        let cause = format!("target '{name}' must prove its identity before it gets load");
        return Some((cause, "send load to a target of class local only"));
    }
    let limits = (target.requests_per_second(), target.safety.requests);
    match (amount.rate, limits) {
        (None, (Some(_), _)) => Some((
            "a closed loop has no rate, and the target limits it".to_owned(),
            "use --rate instead of --closed",
        )),
        (Some(rate), (Some(limit), _)) if rate > limit => Some((
            format!("the target allows {limit} requests per second"),
            "lower the rate, or raise [safety] requests_per_second",
        )),
        (_, (_, limit)) if amount.requests.ceil() > super::text::number(limit) => Some((
            format!("the target allows {limit} requests"),
            "shorten the load, or raise [safety] requests",
        )),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AMOUNT: Amount = Amount {
        rate: Some(10.0),
        requests: 10.0,
    };

    fn attached(class: &str, more: &str) -> Target {
        let text = format!(
            "schema = 1\nname = \"t\"\nclass = \"{class}\"\n[safety]\nhosts = [\"api.example\"]\n{more}\n"
        );
        Target::parse(&text, "t.toml").unwrap()
    }

    #[test]
    fn a_host_that_is_not_listed_or_too_much_load_is_refused() {
        let target = attached("local", "requests_per_second = 20\nrequests = 100");
        assert!(problem(&target, "api.example", AMOUNT).is_none());
        assert!(problem(&target, "other.example", AMOUNT).is_some());
        let fast = Amount {
            rate: Some(21.0),
            ..AMOUNT
        };
        assert!(problem(&target, "api.example", fast).is_some());
        let long = Amount {
            requests: 110.0,
            ..AMOUNT
        };
        assert!(problem(&target, "api.example", long).is_some());
        let closed = Amount {
            rate: None,
            ..AMOUNT
        };
        assert!(problem(&target, "api.example", closed).is_some());
    }

    #[test]
    fn without_a_target_only_this_machine_gets_load() {
        let check = |url: &str| {
            let request = Request::get(url).unwrap();
            check(&url.parse().unwrap(), &request, None, AMOUNT)
        };
        assert!(check("http://127.0.0.1:9/").is_ok());
        assert!(check("http://192.0.2.1/").is_err());
    }
}
