//! The tables and columns of a target: whether the database has those that the contract names.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::report::{Report, chain};
use cutover_contract::contract::{Contract, DatabaseLayout, Table, read};
use cutover_contract::probe::{Database, DatabaseError, DocumentRow};

/// A column that the database has.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
pub(super) struct StoredColumn {
    schema: String,
    table: String,
    column: String,
    /// Whether the role may read it.
    is_readable: bool,
}

/// Every column of a schema, by the catalog, which also lists what the role may not read.
const COLUMNS: &str = "SELECT n.nspname::text AS schema, c.relname::text AS table, a.attname::text AS column, \
        has_schema_privilege(n.oid, 'USAGE') \
            AND has_column_privilege(c.oid, a.attnum, 'SELECT') AS is_readable \
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped \
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname = $1";

/// The secrets of jobs: their column must exist, but need not be readable.
const SECRET: &str = "contract.database.columns.jobs.webhook_secret";

/// Checks every table and column of the contract, and reports all that are missing.
pub(super) async fn check_tables(database: &Database, contract: &Contract, report: &mut Report) {
    let layout = &contract.database;
    let stored = match stored_columns(database, layout).await {
        Ok(stored) => stored,
        Err(error) => {
            report.add("tables", Err::<&str, _>(chain(error)));
            return;
        }
    };
    let problems = problems(layout, &stored);
    for problem in &problems {
        report.add("tables", Err::<&str, _>(problem));
    }
    if problems.is_empty() {
        let known = layout.all_columns().count();
        report.add(
            "tables",
            Ok::<_, &str>(format!("all {known} columns of the contract exist")),
        );
        check_paths(database, contract, report).await;
    }
}

async fn stored_columns(
    database: &Database,
    layout: &DatabaseLayout,
) -> Result<Vec<StoredColumn>, DatabaseError> {
    let mut schemas: Vec<_> = Table::ALL
        .into_iter()
        .filter_map(|table| Some(layout.qualified(table)?.0))
        .collect();
    schemas.sort_unstable();
    schemas.dedup();
    let mut stored = Vec::new();
    for schema in schemas {
        stored.extend(database.rows(COLUMNS, &[schema.into()]).await?);
    }
    Ok(stored)
}

/// What is missing, each with the key of the contract to change.
fn problems(layout: &DatabaseLayout, stored: &[StoredColumn]) -> Vec<String> {
    let mut tables: BTreeMap<(&str, &str), BTreeMap<&str, bool>> = BTreeMap::new();
    for column in stored {
        let columns = tables.entry((&column.schema, &column.table)).or_default();
        columns.insert(&column.column, column.is_readable);
    }
    let mut problems = Vec::new();
    for table in Table::ALL {
        let Some(name) = layout.qualified(table) else {
            continue;
        };
        if !tables.contains_key(&name) {
            let (schema, name) = name;
            let key = table.key();
            problems.push(format!(
                "there is no table '{schema}.{name}'; write its name, or \"none\", as contract.database.tables.{key}"
            ));
        }
    }
    for (table, key, column) in layout.all_columns() {
        let Some(name) = layout.qualified(table) else {
            continue;
        };
        let Some(columns) = tables.get(&name) else {
            continue;
        };
        let (schema, table) = name;
        match columns.get(column) {
            None => problems.push(format!(
                "table '{schema}.{table}' has no column '{column}'; write its name, or \"none\", as {key}"
            )),
            Some(false) if key != SECRET => problems.push(format!(
                "the role may not read column '{column}' of '{schema}.{table}'; GRANT SELECT on it, or write \"none\" as {key}"
            )),
            Some(_) => {}
        }
    }
    problems
}

/// Compares the paths of the newest document with those of the contract.
async fn check_paths(database: &Database, contract: &Contract, report: &mut Report) {
    if !contract.database.has(read::DOCUMENTS) {
        return;
    }
    match database.newest_document().await {
        Ok(Some(row)) => {
            for (key, result) in path_results(&row, contract) {
                report.add(key, result);
            }
        }
        Ok(None) => {}
        Err(error) => report.add("paths", Err::<&str, _>(chain(error))),
    }
}

/// For each path of a document: whether it is the path of the contract.
fn path_results(
    row: &DocumentRow,
    contract: &Contract,
) -> Vec<(&'static str, Result<String, String>)> {
    let (user, document) = (row.user_id, row.document_id);
    let paths = [
        (
            "storage.raw_path",
            &row.raw_path,
            contract.raw_path(user, document),
        ),
        (
            "storage.parsed_path",
            &row.parsed_path,
            contract.parsed_path(user, document),
        ),
    ];
    let known: Vec<_> = contract.storage.known_keys().collect();
    let paths = paths.into_iter().filter(|(key, ..)| known.contains(key));
    let result = |(key, stored, expected): (&'static str, &Option<String>, String)| {
        let stored = stored.as_deref()?;
        let result = if contract.storage.object(stored) == expected {
            Ok(format!("the newest document is stored at '{stored}'"))
        } else {
            Err(format!(
                "the newest document is stored at '{stored}', not at '{expected}'; correct contract.{key} or contract.storage.scheme"
            ))
        };
        Some((key, result))
    };
    paths.filter_map(result).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEFAULT: &str = include_str!("../../../../fixtures/contracts/upload_pipeline.toml");

    fn contract(overrides: &str) -> Contract {
        Contract::parse_with_overrides(DEFAULT, &overrides.parse().unwrap(), "x.toml").unwrap()
    }

    /// A database that has what a contract names.
    fn stored(layout: &DatabaseLayout) -> Vec<StoredColumn> {
        let column = |(table, _, column): (Table, String, &str)| {
            let (schema, table) = layout.qualified(table).unwrap();
            let [schema, table, column] = [schema, table, column].map(str::to_owned);
            StoredColumn {
                schema,
                table,
                column,
                is_readable: true,
            }
        };
        layout.all_columns().map(column).collect()
    }

    #[test]
    fn everything_that_is_missing_is_named_with_its_key() {
        let layout = contract("").database;
        let mut database = stored(&layout);
        assert_eq!(problems(&layout, &database), Vec::<String>::new());
        database.retain(|column| column.table != "events" && column.column != "embedding");
        for column in &mut database {
            column.is_readable = column.column != "mime" && column.column != "webhook_secret";
        }
        let problems = problems(&layout, &database);
        for (part, problem) in [
            "contract.database.tables.events",
            "GRANT SELECT",
            "contract.database.columns.chunks.embedding",
        ]
        .into_iter()
        .zip(&problems)
        {
            assert!(problem.contains(part), "{problem}");
        }
        assert_eq!(problems.len(), 3, "{problems:?}");
    }

    #[test]
    fn what_the_contract_says_is_missing_is_not_looked_for() {
        let layout = contract(
            "[database]\ntables = { events = 'none' }\ncolumns = { chunks = { embedding = 'none' } }",
        );
        let database = stored(&layout.database);
        let columns = database
            .iter()
            .filter(|column| column.column == "embedding");
        assert_eq!(columns.count(), 0);
        assert!(problems(&layout.database, &database).is_empty());
    }
}
