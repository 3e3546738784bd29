//! Whether the policy fits to a plan: what it names exists, and its waivers are allowed for the run.

use time::Date;

use super::parse::{PolicyError, ValueError};
use super::rules::Policy;
use super::waiver::{MAX_WAIVER_DAYS, Waiver, WaiverSubject};
use crate::record::{Plan, PlannedRule};

impl Policy {
    /// Rejects a waiver or an objective that names what does not exist, because a misspelt one would look like one
    /// that is not needed, and a waiver that the run does not allow. The rules are all that there are, also those
    /// of suites that the plan does not select.
    pub fn validate_against(&self, plan: &Plan, rules: &[PlannedRule]) -> Result<(), PolicyError> {
        self.validate_waivers(plan, rules)?;
        let mut objectives = self.objectives.iter().enumerate();
        match objectives.find(|(_, it)| plan.check(&it.check).is_none()) {
            None => Ok(()),
            Some((row, it)) => {
                let text = unknown_check(it.check.as_str());
                Err(self.invalid(ValueError::new(Some(("objective", row)), "check", text)))
            }
        }
    }

    /// Rejects a waiver that names an unknown check or rule, that lasts too long after the day of the run, or that
    /// is about a critical rule of isolation in production.
    pub fn validate_waivers(&self, plan: &Plan, rules: &[PlannedRule]) -> Result<(), PolicyError> {
        let problem = |waiver: &Waiver| {
            subject_problem(waiver, plan, rules)
                .or_else(|| expiry_problem(waiver, plan.created_at.date()))
        };
        let mut waivers = self.waivers.iter().enumerate();
        let found = waivers.find_map(|(row, waiver)| Some((row, problem(waiver)?)));
        match found {
            None => Ok(()),
            Some((row, (key, text))) => {
                Err(self.invalid(ValueError::new(Some(("waiver", row)), key, text)))
            }
        }
    }
}

fn unknown_check(check: &str) -> String {
    format!("names '{check}', and no check has this id; `cutover list` shows all checks")
}

/// The key and the problem of a waiver that names what does not exist or must not be waived.
fn subject_problem(
    waiver: &Waiver,
    plan: &Plan,
    rules: &[PlannedRule],
) -> Option<(&'static str, String)> {
    let subject = waiver.subject()?;
    let mut about = rules.iter().filter(|rule| match subject {
        WaiverSubject::Check(check) => rule.is_proved_by(check),
        WaiverSubject::Rule(id) => rule.id == id,
        // Which rule it violates is known after the run; the judge refuses it then.
        WaiverSubject::Fingerprint(_) => false,
    });
    let unknown = match subject {
        WaiverSubject::Check(check) => plan
            .check(check)
            .is_none()
            .then(|| unknown_check(check.as_str())),
        WaiverSubject::Rule(id) => (!rules.iter().any(|rule| rule.id == id)).then(|| {
            format!(
                "names '{id}', and no rule has this id; `cutover list --suite security --format markdown` shows \
                 all rules"
            )
        }),
        WaiverSubject::Fingerprint(_) => None,
    };
    let refused = || {
        let is_refused = |rule: &&PlannedRule| rule.is_critical_isolation();
        let rule = about.find(|rule| plan.target.is_production() && is_refused(rule))?;
        Some(format!(
            "names '{}': in production, no waiver is accepted for {}, a critical rule that keeps users apart; \
             remove the waiver, and the cause",
            subject.value(),
            rule.id
        ))
    };
    let text = unknown.or_else(refused)?;
    Some((subject.key(), text))
}

/// The problem of a waiver that lasts too long after the day of the run.
fn expiry_problem(waiver: &Waiver, run: Date) -> Option<(&'static str, String)> {
    let latest = Waiver::latest_expiry(run);
    (waiver.expires > latest).then(|| {
        let text = format!(
            "is {}, more than {MAX_WAIVER_DAYS} days after the day of the run, {run}; choose {latest} or an \
             earlier day",
            waiver.expires
        );
        ("expires", text)
    })
}
