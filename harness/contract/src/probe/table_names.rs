//! Puts the target's names of tables and columns into a query, and finds what the query reads.

use crate::layout::{ColumnSpec, DatabaseLayout, Read, Table};

/// Why a query may not be run on a target.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// The target does not have a table or column.
    #[error("the query reads {read}, which the target does not have: '{key}' is \"none\"")]
    Absent {
        /// What it reads, such as `chunks.chunk_sha`.
        read: String,
        /// The key of the contract.
        key: String,
    },
    /// The line of the check does not declare that it reads this.
    #[error("check '{check}' reads {read} without declaring it; add it to `.reads(…)`")]
    Undeclared {
        /// The check.
        check: String,
        /// What it reads.
        read: String,
    },
}

/// The column that orders rows. It is never hidden, so that the order is always that of their creation.
const ORDER: &str = "created_at";

/// The column of jobs that may be null instead of having a word.
const STATUS: &str = "status";

/// What a check declared that it reads.
#[derive(Clone, Debug)]
pub(super) struct Declared {
    /// The check.
    pub(super) check: String,
    /// The tables and columns.
    pub(super) reads: Vec<Read>,
}

/// Whether a query is read column by column, or as rows whose missing columns are `None`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Missing {
    /// A missing or undeclared column is an error.
    Refused,
    /// A missing or undeclared column is null.
    Null,
    /// A missing column is null, and a missing table has no rows.
    Empty,
}

/// The query with the target's names.
///
/// `{schema}.documents`, and so on by the default names of tables, becomes the target's table.
/// Where the target has other names of columns, it becomes a subquery with the names of the
/// default contract. `{jobs.webhook_secret}` becomes the name of that column as a text.
pub(super) fn with_names(
    sql: &str,
    layout: &DatabaseLayout,
    declared: Option<&Declared>,
    missing: Missing,
) -> Result<String, ReadError> {
    let mut sql = with_column_names(sql, layout);
    let used: Vec<_> = Table::ALL
        .into_iter()
        .filter(|table| !places(&sql, *table).is_empty())
        .collect();
    let mut relations = Vec::new();
    for table in &used {
        relations.push(Relation::new(
            *table,
            &sql,
            layout,
            declared,
            missing,
            used.len(),
        )?);
    }
    for relation in &relations {
        sql = relation.put_into(&sql);
    }
    Ok(sql.replace("{schema}", &quoted(&layout.schema)))
}

/// A table of a query, as the target has it.
struct Relation {
    table: Table,
    text: String,
    is_renamed: bool,
}

impl Relation {
    fn new(
        table: Table,
        sql: &str,
        layout: &DatabaseLayout,
        declared: Option<&Declared>,
        missing: Missing,
        tables: usize,
    ) -> Result<Self, ReadError> {
        let whole = Read {
            table,
            column: None,
            optional: false,
        };
        let is_declared_read = |read: Read| {
            declared.is_none_or(|declared| {
                let mut reads = declared.reads.iter();
                reads.any(|known| {
                    known.table == table && (read.column.is_none() || known.column == read.column)
                })
            })
        };
        if missing != Missing::Empty {
            refuse(whole, layout, declared, is_declared_read(whole))?;
        }
        let mut columns = Vec::new();
        for spec in table
            .columns()
            .iter()
            .filter(|spec| mentions(sql, spec.name))
        {
            let read = Read {
                column: Some(spec.name),
                ..whole
            };
            let is_declared = spec.required || is_declared_read(read);
            // In a query over several tables, the column may be that of another one.
            if missing == Missing::Refused && tables == 1 {
                refuse(read, layout, declared, is_declared)?;
            }
            let hidden = missing == Missing::Null && !is_declared && spec.name != ORDER;
            let name = layout.column(table, spec.name).filter(|_| !hidden);
            columns.push((spec, name));
        }
        let Some((schema, name)) = layout.qualified(table) else {
            return Ok(Self::empty(table, layout));
        };
        let is_renamed = name != table.default_name();
        let stored = format!("{}.{}", quoted(schema), quoted(name));
        let unset_status = layout.unset_status.as_deref();
        let unset_status = unset_status.filter(|_| table == Table::Jobs);
        let differs = columns.iter().any(|(spec, name)| {
            *name != Some(spec.name) || (unset_status.is_some() && spec.name == STATUS)
        });
        if !differs {
            return Ok(Self {
                table,
                text: stored,
                is_renamed,
            });
        }
        let selected = selected(&columns, unset_status, sql);
        Ok(Self {
            table,
            text: format!("(SELECT {selected} FROM {stored} AS stored)"),
            is_renamed: true,
        })
    }

    /// A table without rows. Its ids have the type of the ids of documents, so that they can be compared.
    fn empty(table: Table, layout: &DatabaseLayout) -> Self {
        let documents = layout.qualified(Table::Documents);
        let id = layout.column(Table::Documents, "document_id");
        let id = id.map(|id| format!("stored.{}", quoted(id)));
        let value = |spec: &ColumnSpec| {
            let value = id.clone().filter(|_| spec.kind == "uuid");
            let value = value.unwrap_or_else(|| format!("NULL::{}", spec.kind));
            format!("{value} AS {}", quoted(spec.name))
        };
        let values: Vec<_> = table.columns().iter().map(value).collect();
        let from = documents.map_or_else(String::new, |(schema, name)| {
            format!("FROM {}.{} AS stored ", quoted(schema), quoted(name))
        });
        Self {
            table,
            text: format!("(SELECT {} {from}WHERE false)", values.join(", ")),
            is_renamed: true,
        }
    }

    /// Replaces the placeholder of the table everywhere.
    fn put_into(&self, sql: &str) -> String {
        let mut result = String::new();
        let mut rest = sql;
        while let Some(place) = places(rest, self.table).first().copied() {
            let after = &rest[place + placeholder(self.table).len()..];
            result.push_str(&rest[..place]);
            result.push_str(&self.text);
            let has_alias = after.trim_start().to_uppercase().starts_with("AS ");
            if self.is_renamed && !has_alias {
                result.push_str(" AS ");
                result.push_str(self.table.default_name());
            }
            rest = after;
        }
        result + rest
    }
}

/// The columns of a subquery, with their names in the default contract.
fn selected(
    columns: &[(&ColumnSpec, Option<&str>)],
    unset_status: Option<&str>,
    sql: &str,
) -> String {
    let column = |(spec, name): &(&ColumnSpec, Option<&str>)| match (name, unset_status) {
        (Some(name), Some(unset)) if spec.name == STATUS => format!(
            "COALESCE(stored.{}::text, {}) AS {}",
            quoted(name),
            literal(unset),
            quoted(spec.name)
        ),
        (Some(name), _) => format!("stored.{} AS {}", quoted(name), quoted(spec.name)),
        (None, _) => format!("NULL::{} AS {}", spec.kind, quoted(spec.name)),
    };
    // A query that reads whole rows also gets the columns that cutover does not know.
    let others = sql.contains("to_jsonb(").then(|| "stored.*".to_owned());
    let selected: Vec<_> = columns.iter().map(column).chain(others).collect();
    selected.join(", ")
}

/// An error if the target lacks what is read, or the check does not declare it.
fn refuse(
    read: Read,
    layout: &DatabaseLayout,
    declared: Option<&Declared>,
    is_declared: bool,
) -> Result<(), ReadError> {
    if let (false, Some(declared)) = (is_declared, declared) {
        return Err(ReadError::Undeclared {
            check: declared.check.clone(),
            read: read.to_string(),
        });
    }
    layout.missing_key(read).map_or(Ok(()), |key| {
        let read = read.to_string();
        Err(ReadError::Absent { read, key })
    })
}

fn placeholder(table: Table) -> String {
    format!("{{schema}}.{}", table.default_name())
}

/// Where the placeholder of a table starts.
fn places(sql: &str, table: Table) -> Vec<usize> {
    let placeholder = placeholder(table);
    let is_whole = |place: &usize| !sql[place + placeholder.len()..].starts_with(is_of_word);
    let found = sql.match_indices(&placeholder).map(|(place, _)| place);
    found.filter(is_whole).collect()
}

fn is_of_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

/// Whether a query contains the word, other than as a type.
fn mentions(sql: &str, word: &str) -> bool {
    sql.match_indices(word).any(|(place, _)| {
        let (before, after) = (&sql[..place], &sql[place + word.len()..]);
        !before.ends_with(is_of_word) && !before.ends_with("::") && !after.starts_with(is_of_word)
    })
}

/// Replaces `{table.column}` by the name of the target's column, as a text.
fn with_column_names(sql: &str, layout: &DatabaseLayout) -> String {
    let mut sql = sql.to_owned();
    for table in Table::ALL {
        if !sql.contains(&format!("{{{}.", table.key())) {
            continue;
        }
        for spec in table.columns() {
            let name = layout.column(table, spec.name).unwrap_or_default();
            sql = sql.replace(
                &format!("{{{}.{}}}", table.key(), spec.name),
                &literal(name),
            );
        }
    }
    sql
}

/// A text as a literal.
pub(crate) fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// An identifier in quotes.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::read;

    fn layout(tables: &[(Table, &str)], columns: &[(Table, &str, &str)]) -> DatabaseLayout {
        let mut layout = DatabaseLayout::in_schema("s");
        for (table, name) in tables {
            layout.tables.insert(*table, (*name).to_owned());
        }
        for (table, ours, theirs) in columns {
            let names = layout.columns.entry(*table).or_default();
            names.insert((*ours).to_owned(), (*theirs).to_owned());
        }
        layout
    }

    fn named(sql: &str, layout: &DatabaseLayout) -> String {
        with_names(sql, layout, None, Missing::Refused).unwrap()
    }

    #[test]
    fn a_query_over_the_default_names_stays_as_it_is() {
        let layout = layout(&[], &[]);
        let sql = "SELECT job_id FROM {schema}.upload_jobs AS j, {schema}.workers, '{schema}.%I'";
        let expected = "SELECT job_id FROM \"s\".upload_jobs AS j, \"s\".workers, '\"s\".%I'";
        assert_eq!(
            named(sql, &layout),
            expected.replace("upload_jobs", "\"upload_jobs\"")
        );
    }

    #[test]
    fn other_names_are_read_through_a_subquery() {
        let layout = layout(
            &[(Table::Jobs, "public.runs")],
            &[
                (Table::Jobs, "job_id", "id"),
                (Table::Jobs, "state", "none"),
            ],
        );
        assert_eq!(
            named(
                "SELECT 1 FROM {schema}.upload_jobs WHERE job_id = $1",
                &layout
            ),
            "SELECT 1 FROM (SELECT stored.\"id\" AS \"job_id\" FROM \"public\".\"runs\" AS stored) \
             AS upload_jobs WHERE job_id = $1"
        );
        assert_eq!(
            named("SELECT 1 FROM {schema}.upload_jobs", &layout),
            "SELECT 1 FROM \"public\".\"runs\" AS upload_jobs"
        );
        let secret = named("SELECT {jobs.webhook_secret}, {jobs.state}", &layout);
        assert_eq!(secret, "SELECT 'webhook_secret', ''");
    }

    #[test]
    fn a_status_that_is_null_is_read_as_the_word_of_the_contract() {
        let mut layout = layout(&[], &[]);
        layout.unset_status = Some("it's waiting".to_owned());
        let sql = named("SELECT status FROM {schema}.upload_jobs", &layout);
        let expected = "COALESCE(stored.\"status\"::text, 'it''s waiting') AS \"status\"";
        assert!(sql.contains(expected), "{sql}");
        let sql = "SELECT chunk_id FROM {schema}.document_chunks";
        assert!(!named(sql, &layout).contains("COALESCE"));
    }

    #[test]
    fn what_the_target_lacks_is_an_error_or_null() {
        let layout = layout(
            &[(Table::Events, "none")],
            &[(Table::Jobs, "state", "none")],
        );
        let sql = "SELECT state FROM {schema}.upload_jobs";
        let error = with_names(sql, &layout, None, Missing::Refused).unwrap_err();
        assert!(
            error
                .to_string()
                .contains("contract.database.columns.jobs.state")
        );
        let null = with_names(sql, &layout, None, Missing::Null).unwrap();
        assert!(null.contains("NULL::text AS \"state\""), "{null}");
        let sql = "SELECT 1 FROM {schema}.events";
        let error = with_names(sql, &layout, None, Missing::Null).unwrap_err();
        assert!(
            error
                .to_string()
                .contains("contract.database.tables.events")
        );
    }

    #[test]
    fn an_undeclared_table_or_column_is_refused() {
        let layout = layout(&[], &[]);
        let declared = |reads: &[Read]| Declared {
            check: "a_check".to_owned(),
            reads: reads.to_vec(),
        };
        let refused = |sql, reads: &[Read], missing| {
            with_names(sql, &layout, Some(&declared(reads)), missing)
                .map_err(|error| error.to_string())
        };
        let sql = "SELECT job_id, status, state FROM {schema}.upload_jobs";
        let error = refused(sql, &[read::CHUNKS], Missing::Refused).unwrap_err();
        assert!(error.contains("'a_check' reads jobs without"), "{error}");
        let error = refused(sql, &[read::JOBS], Missing::Refused).unwrap_err();
        assert!(error.contains("reads jobs.state without"), "{error}");
        assert!(refused(sql, &[read::job::STATE], Missing::Refused).is_ok());
        let hidden = refused(sql, &[read::JOBS], Missing::Null).unwrap();
        assert!(hidden.contains("NULL::text AS \"state\""), "{hidden}");
    }
}
