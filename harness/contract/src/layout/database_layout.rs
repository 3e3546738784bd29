//! The layout of the database: the names of the schema, the tables and the columns.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::columns::{ColumnSpec, Read, Table};

/// The value of a table or column that the target does not have.
const NONE: &str = "none";

/// The layout of the database.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DatabaseLayout {
    /// The schema.
    pub schema: String,
    /// The names of tables, `"schema.table"` for a table of another schema, or `"none"`. A table
    /// that is not listed has the name of the default contract.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tables: BTreeMap<Table, String>,
    /// The names of columns by table, or `"none"`. A column that is not listed has the name of the
    /// default contract.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub columns: BTreeMap<Table, BTreeMap<String, String>>,
    /// The status of a job whose status is null, from `vocabulary`; `None` where a null is no status.
    #[serde(skip)]
    pub unset_status: Option<String>,
}

impl DatabaseLayout {
    /// The default tables in this schema.
    pub fn in_schema(schema: &str) -> Self {
        Self {
            schema: schema.to_owned(),
            ..Self::default()
        }
    }

    /// The name of a table; `None` if the target does not have it.
    pub fn table(&self, table: Table) -> Option<&str> {
        let name = self.tables.get(&table).map(String::as_str);
        Some(name.unwrap_or(table.default_name())).filter(|name| *name != NONE)
    }

    /// The name of a column by its name in the default contract; `None` if the target does not have it.
    pub fn column<'a>(&'a self, table: Table, column: &'a str) -> Option<&'a str> {
        self.table(table)?;
        let names = self.columns.get(&table);
        let name = names.and_then(|names| names.get(column));
        Some(name.map_or(column, String::as_str)).filter(|name| *name != NONE)
    }

    /// Whether the target has the table or column.
    pub fn has(&self, read: Read) -> bool {
        self.missing_key(read).is_none()
    }

    /// The key of a contract that says that the target lacks the table or column.
    pub fn missing_key(&self, read: Read) -> Option<String> {
        let table = read.table;
        if self.table(table).is_none() {
            return Some(format!("contract.database.tables.{}", table.key()));
        }
        let column = read.column?;
        let missing = self.column(table, column).is_none();
        missing.then(|| format!("contract.database.columns.{}.{column}", table.key()))
    }

    /// The schema and the name of a table, not quoted; `None` if the target does not have it.
    pub fn qualified(&self, table: Table) -> Option<(&str, &str)> {
        let name = self.table(table)?;
        Some(name.split_once('.').unwrap_or((&self.schema, name)))
    }

    /// Every table with its columns: the key of the contract, and the target's name of the column.
    pub fn all_columns(&self) -> impl Iterator<Item = (Table, String, &str)> {
        let named = Table::ALL
            .into_iter()
            .filter(|table| self.table(*table).is_some());
        named.flat_map(move |table| {
            let column = move |spec: &'static ColumnSpec| {
                let key = format!("contract.database.columns.{}.{}", table.key(), spec.name);
                Some((table, key, self.column(table, spec.name)?))
            };
            table.columns().iter().filter_map(column)
        })
    }

    /// A column that cutover does not know, or that a table cannot be without, and the remedy.
    pub(crate) fn contradiction(&self) -> Option<(String, String)> {
        self.columns.iter().find_map(|(table, names)| {
            let wrong = |(column, name): (&String, &String)| {
                let key = format!("database.columns.{}.{column}", table.key());
                let specs = table.columns();
                let Some(spec) = specs.iter().find(|spec| spec.name == column) else {
                    return Some((key, unknown_column(column, specs)));
                };
                let is_missing = name == NONE && spec.required && self.table(*table).is_some();
                let detail = format!(
                    "may not be \"none\", because the table is not read without it; name the column, \
                     or write database.tables.{} = \"none\"",
                    table.key()
                );
                is_missing.then_some((key, detail))
            };
            names.iter().find_map(wrong)
        })
    }
}

fn unknown_column(column: &str, specs: &[ColumnSpec]) -> String {
    let names = specs.iter().map(|spec| spec.name);
    let nearest = names
        .clone()
        .max_by(|a, b| {
            let similarity = |name| strsim::jaro_winkler(column, name);
            similarity(a).total_cmp(&similarity(b))
        })
        .unwrap_or_default();
    let known: Vec<_> = names.collect();
    format!(
        "is not a column that cutover reads; did you mean '{nearest}'? The columns are {}",
        known.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::{Contract, read};

    fn layout(text: &str) -> Result<DatabaseLayout, String> {
        let default = include_str!("../../../../fixtures/contracts/upload_pipeline.toml");
        let overrides = text.parse().unwrap();
        Contract::parse_with_overrides(default, &overrides, "x.toml")
            .map(|contract| contract.database)
            .map_err(|error| error.to_string())
    }

    #[test]
    fn the_default_contract_lists_every_table_and_column_with_its_default_name() {
        let layout = Contract::fixture().database;
        for table in Table::ALL {
            assert_eq!(layout.tables[&table], table.default_name());
            let listed: Vec<_> = layout.columns[&table].iter().collect();
            assert_eq!(listed.len(), table.columns().len(), "{}", table.key());
            assert!(listed.iter().all(|(ours, theirs)| ours == theirs));
        }
        assert_eq!(layout.contradiction(), None);
    }

    #[test]
    fn a_missing_table_or_column_is_named_by_its_key() {
        let layout = layout(
            "[database.tables]\nevents = 'none'\njobs = 'public.runs'\n\
             [database.columns.chunks]\nchunk_sha = 'none'",
        )
        .unwrap();
        let missing = |read| layout.missing_key(read);
        assert_eq!(missing(read::CHUNKS), None);
        let chunk_sha = missing(read::chunk::CHUNK_SHA);
        assert_eq!(
            chunk_sha.as_deref(),
            Some("contract.database.columns.chunks.chunk_sha")
        );
        let code = missing(read::event::CODE);
        assert_eq!(code.as_deref(), Some("contract.database.tables.events"));
        assert_eq!(layout.qualified(Table::Jobs), Some(("public", "runs")));
        assert_eq!(layout.qualified(Table::Events), None);
    }

    #[test]
    fn an_unknown_or_indispensable_column_is_refused() {
        let error = layout("[database.columns.chunks]\nchunk_hash = 'x'").unwrap_err();
        assert!(
            error.contains("'database.columns.chunks.chunk_hash'") && error.contains("'chunk_sha'"),
            "{error}"
        );
        let error = layout("[database.columns.chunks]\ntext = 'none'").unwrap_err();
        assert!(
            error.contains("database.tables.chunks = \"none\""),
            "{error}"
        );
        let none =
            "[database]\ntables = { chunks = 'none' }\ncolumns = { chunks = { text = 'none' } }";
        assert!(layout(none).is_ok());
    }
}
