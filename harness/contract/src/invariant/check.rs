//! Checks the invariants, and reports their violations as findings.

use cutover_reports::record::Finding;

use super::catalogue::{ALL, Invariant, Rule};
use super::scope::Scope;
use super::surfaces::Surfaces;
use super::violation::Violation;
use super::{ids, objects, orphans};
use crate::contract::Contract;
use crate::probe::{Database, Storage};
use cutover_evidence::stop::{CheckResult, Stop};

/// The number of violations per invariant in a finding.
const MAX_LISTED: usize = 5;

impl Invariant {
    /// The current violations of the invariant.
    pub async fn violations(&self, surfaces: &Surfaces<'_>) -> CheckResult<Vec<Violation>> {
        if let Some(key) = self.missing_key(surfaces.contract) {
            let reason = format!("reads what the target does not have: '{key}' is \"none\"");
            return Err(Stop::precondition_missing(reason));
        }
        let first = self.find(surfaces).await?;
        if first.is_empty() || matches!(self.rule, Rule::Rows(_)) {
            return Ok(first);
        }
        if matches!(self.rule, Rule::Orphans) {
            // A deletion may remove the row first, and an upload may store the object first.
            tokio::time::sleep(surfaces.contract.standing.grace).await;
        }
        // Rows and objects are read one after the other, so a violation must appear twice.
        let second = self.find(surfaces).await?;
        Ok(first
            .into_iter()
            .filter(|violation| second.contains(violation))
            .collect())
    }

    /// Stops with a finding if the invariant does not hold.
    pub async fn check(&self, surfaces: &Surfaces<'_>) -> CheckResult {
        match self.violations(surfaces).await? {
            violations if violations.is_empty() => Ok(()),
            violations => Err(Stop::violated(finding(&[(self, violations)]))),
        }
    }

    /// The key of the contract by which the target lacks what the invariant reads.
    fn missing_key(&self, contract: &Contract) -> Option<String> {
        let required = self.reads.iter().filter(|read| !read.optional);
        let mut keys = required.filter_map(|read| contract.database.missing_key(*read));
        keys.next()
    }

    async fn find(&self, surfaces: &Surfaces<'_>) -> CheckResult<Vec<Violation>> {
        match self.rule {
            Rule::Rows(query) => Ok(surfaces.rows(query).await?),
            Rule::Ids => ids::wrong_ids(surfaces).await,
            Rule::Paths => ids::wrong_paths(surfaces).await,
            Rule::RawObjects => objects::wrong_bytes(surfaces).await,
            Rule::ParsedObjects => objects::wrong_texts(surfaces).await,
            Rule::Orphans => orphans::orphans(surfaces).await,
            Rule::JoinedChunks => objects::texts_unlike_chunks(surfaces).await,
        }
    }
}

/// Stops with a finding if any invariant does not hold.
pub async fn check(
    database: &Database,
    storage: &Storage,
    contract: &Contract,
    scope: &Scope,
) -> CheckResult {
    let surfaces = Surfaces {
        database,
        storage,
        contract,
        scope,
    };
    let find = async |invariant: &'static Invariant| {
        let violations = match invariant.violations(&surfaces).await {
            // An invariant that does not apply is not violated.
            Err(Stop::Skip { .. }) => Vec::new(),
            violations => violations?,
        };
        CheckResult::Ok((invariant, violations))
    };
    // One after the other: a connection plans the next query much faster than a second connection would.
    let mut broken = Vec::new();
    for invariant in ALL {
        broken.push(find(invariant).await?);
    }
    broken.retain(|(_, violations)| !violations.is_empty());
    if broken.is_empty() {
        return Ok(());
    }
    Err(Stop::violated(finding(&broken)))
}

/// A finding with every violated invariant and the first violations of each.
fn finding(broken: &[(&Invariant, Vec<Violation>)]) -> Finding {
    let names: Vec<_> = broken.iter().map(|(invariant, _)| invariant.name).collect();
    let statements: Vec<_> = broken
        .iter()
        .map(|(invariant, _)| invariant.statement)
        .collect();
    let violations: Vec<_> = broken
        .iter()
        .map(|(_, violations)| listed(violations))
        .collect();
    let verb = if broken.len() == 1 { "does" } else { "do" };
    Finding::new(format!("{} {verb} not hold", names.join(", ")))
        .comparing(statements.join("\n"), violations.join("\n"))
}

fn listed(violations: &[Violation]) -> String {
    let mut lines: Vec<_> = violations
        .iter()
        .take(MAX_LISTED)
        .map(|violation| format!("{}: {}", violation.subject, violation.what))
        .collect();
    if let Some(more) = violations
        .len()
        .checked_sub(MAX_LISTED)
        .filter(|more| *more > 0)
    {
        lines.push(format!("and {more} more"));
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_lists_the_invariants_and_the_first_violations() {
        let many = (0..7).map(|n| Violation::new(format!("chunk {n}"), "its vector is zero"));
        let broken = [
            (
                &ALL[0],
                vec![Violation::new("job 1", "it is complete and queued")],
            ),
            (&ALL[2], many.collect()),
        ];
        let finding = finding(&broken);
        assert_eq!(
            finding.summary,
            "complete_implies_done, vectors_are_sound do not hold"
        );
        let actual = finding.actual.unwrap();
        assert!(
            actual.starts_with("job 1: it is complete and queued\nchunk 0: "),
            "{actual}"
        );
        assert!(actual.ends_with("and 2 more"), "{actual}");
    }
}
