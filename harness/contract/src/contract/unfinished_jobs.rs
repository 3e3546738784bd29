//! The query for the number of unfinished jobs by status, from the tables and words of a contract.

use super::{Contract, read};
use crate::probe::literal;

impl Contract {
    /// A query over the default names of tables and columns, which selects one JSON object: the number of unfinished
    /// jobs by status. `None` if the target has no table of jobs.
    ///
    /// The state of a job decides whether it is finished; without one, the status does.
    pub fn unfinished_jobs(&self) -> Option<String> {
        if !self.database.has(read::JOBS) {
            return None;
        }
        let words = &self.vocabulary;
        let finished = [&words.complete, &words.duplicate].map(String::as_str);
        let finished = list(finished.into_iter().chain(words.failures()));
        let by_status = format!("status::text NOT IN ({finished})");
        let has_states = self.database.has(read::job::STATE) && !words.final_states.is_empty();
        let unfinished = if has_states {
            let states = list(words.final_states.iter().map(String::as_str));
            format!(
                "CASE WHEN state IS NULL THEN {by_status} ELSE state::text NOT IN ({states}) END"
            )
        } else {
            by_status
        };
        Some(format!(
            "SELECT COALESCE(json_object_agg(word, n), '{{}}')::text FROM (SELECT status::text AS word, count(*) AS n \
             FROM {{schema}}.upload_jobs WHERE {unfinished} AND status IS NOT NULL GROUP BY 1) AS counts"
        ))
    }
}

fn list<'a>(words: impl Iterator<Item = &'a str>) -> String {
    let literals: Vec<_> = words.map(literal).collect();
    literals.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contract(overrides: &str) -> Contract {
        let default = include_str!("../../../../fixtures/contracts/upload_pipeline.toml");
        let overrides = overrides.parse().unwrap();
        Contract::parse_with_overrides(default, &overrides, "x.toml").unwrap()
    }

    #[test]
    fn the_state_decides_where_there_is_one() {
        let sql = contract("").unfinished_jobs().unwrap();
        assert!(
            sql.contains("ELSE state::text NOT IN ('done', 'deadletter')"),
            "{sql}"
        );
        let stateless = contract("[database.columns.jobs]\nstate = 'none'");
        let sql = stateless.unfinished_jobs().unwrap();
        assert!(!sql.contains("deadletter"), "{sql}");
        assert!(
            sql.contains("'complete'") && sql.contains("'duplicate'"),
            "{sql}"
        );
    }

    #[test]
    fn a_target_may_have_no_jobs() {
        let none = contract("[database.tables]\njobs = 'none'");
        assert_eq!(none.unfinished_jobs(), None);
    }
}
