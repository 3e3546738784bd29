//! Asks whether the invariants hold, and says what violates them.

use cutover_reports::record::Finding;
use futures::future::try_join_all;
use serde::Deserialize;

use super::catalogue::{ALL, Invariant, Rule};
use super::scope::Scope;
use super::{facts, ids, objects};
use crate::contract::Contract;
use crate::probe::{Database, DatabaseError, Parameter, Storage};
use cutover_evidence::stop::{CheckResult, Stop};

/// How many violations a finding tells.
const TOLD: usize = 5;

/// What the invariants are asked of.
#[derive(Clone, Copy, Debug)]
pub struct Surfaces<'a> {
    /// The rows.
    pub database: &'a Database,
    /// The objects.
    pub storage: &'a Storage,
    /// What the pipeline promises.
    pub contract: &'a Contract,
    /// Whose documents.
    pub scope: &'a Scope,
}

impl Surfaces<'_> {
    /// The rows of a query over the tables in scope.
    pub(super) async fn rows<T: serde::de::DeserializeOwned>(
        &self,
        query: &str,
    ) -> Result<Vec<T>, DatabaseError> {
        let parameters = [
            self.scope.parameter(),
            Parameter::Json(facts::of(self.contract)),
        ];
        self.database
            .rows(&facts::over_tables(query), &parameters)
            .await
    }
}

/// Something that an invariant does not allow.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Violation {
    /// The row or object.
    pub subject: String,
    /// What is wrong with it.
    pub what: String,
}

impl Violation {
    pub(super) fn new(subject: impl Into<String>, what: impl Into<String>) -> Self {
        Self {
            subject: subject.into(),
            what: what.into(),
        }
    }
}

impl Invariant {
    /// What violates the invariant now.
    pub async fn violations(&self, surfaces: &Surfaces<'_>) -> CheckResult<Vec<Violation>> {
        let first = self.look(surfaces).await?;
        if first.is_empty() || matches!(self.rule, Rule::Rows(_)) {
            return Ok(first);
        }
        // Rows and objects are read one after the other: only what is still wrong is wrong.
        let second = self.look(surfaces).await?;
        Ok(first
            .into_iter()
            .filter(|violation| second.contains(violation))
            .collect())
    }

    /// A finding if the invariant does not hold.
    pub async fn check(&self, surfaces: &Surfaces<'_>) -> CheckResult {
        match self.violations(surfaces).await? {
            violations if violations.is_empty() => Ok(()),
            violations => Err(Stop::violated(finding(&[(self, violations)]))),
        }
    }

    async fn look(&self, surfaces: &Surfaces<'_>) -> CheckResult<Vec<Violation>> {
        match self.rule {
            Rule::Rows(query) => Ok(surfaces.rows(query).await?),
            Rule::Ids => ids::wrong_ids(surfaces).await,
            Rule::Paths => ids::wrong_paths(surfaces).await,
            Rule::RawObjects => objects::wrong_bytes(surfaces).await,
            Rule::ParsedObjects => objects::wrong_texts(surfaces).await,
            Rule::JoinedChunks => objects::texts_unlike_chunks(surfaces).await,
        }
    }
}

/// A finding if any invariant does not hold.
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
    let look = async |invariant: &'static Invariant| {
        let violations = match invariant.violations(&surfaces).await {
            // What does not apply is not violated.
            Err(Stop::Skip { .. }) => Vec::new(),
            violations => violations?,
        };
        CheckResult::Ok((invariant, violations))
    };
    let mut broken = try_join_all(ALL.iter().map(look)).await?;
    broken.retain(|(_, violations)| !violations.is_empty());
    if broken.is_empty() {
        return Ok(());
    }
    Err(Stop::violated(finding(&broken)))
}

/// Names every invariant that does not hold, and tells of some violations of each.
fn finding(broken: &[(&Invariant, Vec<Violation>)]) -> Finding {
    let names: Vec<_> = broken.iter().map(|(invariant, _)| invariant.name).collect();
    let statements: Vec<_> = broken
        .iter()
        .map(|(invariant, _)| invariant.statement)
        .collect();
    let violations: Vec<_> = broken
        .iter()
        .map(|(_, violations)| told(violations))
        .collect();
    let verb = if broken.len() == 1 { "does" } else { "do" };
    Finding::new(format!("{} {verb} not hold", names.join(", ")))
        .comparing(statements.join("\n"), violations.join("\n"))
}

fn told(violations: &[Violation]) -> String {
    let mut lines: Vec<_> = violations
        .iter()
        .take(TOLD)
        .map(|violation| format!("{}: {}", violation.subject, violation.what))
        .collect();
    if let Some(more) = violations.len().checked_sub(TOLD).filter(|more| *more > 0) {
        lines.push(format!("and {more} more"));
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_names_the_invariants_and_tells_of_a_few_violations() {
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
