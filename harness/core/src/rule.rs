//! A rule of a suite: what must hold whatever the pipeline is, how bad a violation is, and what proves it.

use cutover_reports::record::{PlannedRule, Severity};

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
    /// The requirements of the OWASP Application Security Verification Standard 5.0.0, such as `8.2.2`;
    /// empty where none says the same.
    pub asvs: &'static [&'static str],
    /// What to change after a violation, in at most two sentences.
    pub remedy: &'static str,
    /// Whether it keeps users apart: in production, no waiver is accepted for a critical one.
    pub isolation: bool,
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

    /// The rule as a plan records it.
    pub(crate) fn planned(&self) -> PlannedRule {
        let unproved = match self.state {
            RuleState::Checked(_) => None,
            RuleState::NotApplicable(reason) => {
                Some(format!("{}{reason}", PlannedRule::DOES_NOT_APPLY))
            }
            RuleState::Open(missing) => Some(format!("{}{missing}", PlannedRule::NOT_CHECKED)),
        };
        PlannedRule {
            id: self.id.to_owned(),
            statement: self.statement.to_owned(),
            severity: self.severity,
            owasp: owned(self.owasp),
            cwe: self.cwe.to_vec(),
            asvs: owned(self.asvs),
            remedy: self.remedy.to_owned(),
            isolation: self.isolation,
            checks: owned(self.checks()),
            unproved,
        }
    }
}

fn owned(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
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
            asvs: &["8.2.2"],
            remedy: "Compare the owner of the job with the user of the token.",
            isolation: true,
            state: RuleState::Checked(&["pipeline::unknown::job", "security::mixed"]),
        };
        let planned = rule.planned();
        let proves = |id: &str| planned.is_proved_by(&id.parse().unwrap());
        assert!(proves("pipeline::unknown::job"));
        assert!(proves("security::mixed::at_once"));
        assert!(!proves("pipeline::unknown"));
        assert!(!proves("pipeline::unknown::jobs"));
    }
}
