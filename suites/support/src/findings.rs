//! Findings of checks that try many cases in one trial: each says which case it is about.

use cutover_harness::prelude::*;

/// The same stop; a finding says first what it is about.
pub fn about(what: &str, stop: Stop) -> Stop {
    match stop {
        Stop::Violated(mut finding) => {
            finding.summary = format!("{what}: {}", finding.summary);
            Stop::Violated(finding)
        }
        stop @ (Stop::Error(_) | Stop::Skip { .. }) => stop,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_names_its_case_and_other_stops_are_kept() {
        let stop = about("case 7", Stop::violated(Finding::new("it is wrong")));
        assert_eq!(stop.summary(), "case 7: it is wrong");
        let stop = about("case 7", Stop::not_applicable("not here"));
        assert_eq!(stop.summary(), "not here");
    }
}
