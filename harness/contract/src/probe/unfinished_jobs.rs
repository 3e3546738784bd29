//! The query for the number of unfinished jobs by status, from the tables and words of a contract.

use super::table_names::{Missing, literal, with_names};
use crate::contract::{Contract, read};

/// The query, which selects one JSON object; `None` if the target has no table of jobs.
///
/// The state of a job decides whether it is finished; without one, the status does.
pub(super) fn query(contract: &Contract) -> Option<String> {
    let words = &contract.vocabulary;
    let [parse, chunking, embedding] = words.failures();
    let finished = [&words.complete, &words.duplicate].map(String::as_str);
    let finished = list(finished.into_iter().chain([parse, chunking, embedding]));
    let by_status = format!("status::text NOT IN ({finished})");
    let unfinished = if contract.database.has(read::job::STATE) && !words.final_states.is_empty() {
        let states = list(words.final_states.iter().map(String::as_str));
        format!("CASE WHEN state IS NULL THEN {by_status} ELSE state::text NOT IN ({states}) END")
    } else {
        by_status
    };
    let sql = format!(
        "SELECT COALESCE(json_object_agg(word, n), '{{}}')::text FROM (SELECT status::text AS word, count(*) AS n \
         FROM {{schema}}.upload_jobs WHERE {unfinished} AND status IS NOT NULL GROUP BY 1) AS counts"
    );
    with_names(&sql, &contract.database, None, Missing::Refused).ok()
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
        let sql = query(&contract("")).unwrap();
        assert!(
            sql.contains("ELSE state::text NOT IN ('done', 'deadletter')"),
            "{sql}"
        );
        let sql = query(&contract("[database.columns.jobs]\nstate = 'none'")).unwrap();
        assert!(!sql.contains("deadletter"), "{sql}");
        assert!(
            sql.contains("'complete'") && sql.contains("'duplicate'"),
            "{sql}"
        );
    }

    #[test]
    fn a_target_has_its_own_names_or_no_jobs() {
        let renamed =
            "[database.tables]\njobs = 'public.runs'\n[database.columns.jobs]\nstatus = 'stage'";
        let sql = query(&contract(renamed)).unwrap();
        assert!(
            sql.contains("\"public\".\"runs\"") && sql.contains("\"stage\""),
            "{sql}"
        );
        assert_eq!(query(&contract("[database.tables]\njobs = 'none'")), None);
    }
}
