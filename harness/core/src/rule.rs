//! A rule of a suite: what must hold whatever the pipeline is, how bad a violation is, and what proves it.

use cutover_reports::record::Severity;

/// A rule. Its id is stable: reports and waivers name it.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    /// The id, such as `TEN-01`.
    pub id: &'static str,
    /// What must hold, as a sentence without its full stop.
    pub statement: &'static str,
    /// The severity of a violation.
    pub severity: Severity,
    /// The classes of the OWASP API Security Top 10 of 2023, such as `API1`.
    pub owasp: &'static [&'static str],
    /// The numbers of the Common Weakness Enumeration.
    pub cwe: &'static [u16],
    /// What proves it.
    pub state: RuleState,
}

/// What proves a rule, or why nothing does.
#[derive(Clone, Copy, Debug)]
pub enum RuleState {
    /// These checks, or rows of checks, by `suite::check` or `suite::check::row`.
    Checked(&'static [&'static str]),
    /// The rule says nothing about a pipeline with the default contract, for this reason.
    NotApplicable(&'static str),
    /// Nothing proves it: this is missing.
    Open(&'static str),
}

impl Rule {
    /// The checks that prove it; none where nothing does.
    pub fn checks(&self) -> &'static [&'static str] {
        match self.state {
            RuleState::Checked(checks) => checks,
            RuleState::NotApplicable(_) | RuleState::Open(_) => &[],
        }
    }

    /// Whether this check, or row of a check, proves it.
    pub fn is_proved_by(&self, check: &str) -> bool {
        self.checks().iter().any(|name| {
            let rest = check.strip_prefix(name);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_is_proved_by_its_checks_and_their_rows() {
        let rule = Rule {
            id: "TEN-01",
            statement: "nobody reads the job of another user",
            severity: Severity::Critical,
            owasp: &["API1"],
            cwe: &[639],
            state: RuleState::Checked(&["pipeline::unknown::job", "security::mixed"]),
        };
        assert!(rule.is_proved_by("pipeline::unknown::job"));
        assert!(rule.is_proved_by("security::mixed::at_once"));
        assert!(!rule.is_proved_by("pipeline::unknown"));
        assert!(!rule.is_proved_by("pipeline::unknown::jobs"));
    }
}
