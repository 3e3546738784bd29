//! Row-level policies: which of them show a user rows of others.

use serde::Deserialize;

/// All policies of the schema that apply to users.
pub(super) const POLICIES: &str = "SELECT p.policyname AS name, p.tablename AS table, \
        p.permissive = 'PERMISSIVE' AS is_permissive, p.qual AS condition, p.with_check AS new_rows \
    FROM pg_policies p WHERE p.schemaname = trim('{schema}', '\"') \
    AND p.roles && ARRAY['public', 'anon', 'authenticated']::name[]";

/// All functions outside the system's schemas, with their definitions. Policies may call them.
pub(super) const FUNCTIONS: &str = "SELECT p.proname AS name, pg_get_functiondef(p.oid) AS definition \
    FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace \
    WHERE p.prokind = 'f' AND n.nspname NOT IN ('pg_catalog', 'information_schema') \
    AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')";

/// A function that a policy may call.
#[derive(Debug, Deserialize)]
pub(super) struct Function {
    name: String,
    definition: String,
}

/// The names of the functions whose result depends on the caller, themselves or by functions that they call.
pub(super) fn functions_of_the_caller(functions: &[Function]) -> Vec<&str> {
    let mut found: Vec<&str> = Vec::new();
    loop {
        let depends = |function: &&Function| {
            let is_new = !found.contains(&function.name.as_str());
            is_new && depends_on_caller(body_of(&function.definition), &found)
        };
        let more: Vec<_> = functions.iter().filter(depends).collect();
        if more.is_empty() {
            return found;
        }
        found.extend(more.into_iter().map(|function| function.name.as_str()));
    }
}

/// A definition without its head, which has the function's own name.
fn body_of(definition: &str) -> &str {
    let head = definition.find('\n').unwrap_or(0);
    &definition[head..]
}

/// Whether a text depends on the caller, itself or by one of these functions.
fn depends_on_caller(text: &str, functions: &[&str]) -> bool {
    let text = text.to_lowercase();
    let calls = |function: &&str| text.contains(&format!("{}(", function.to_lowercase()));
    NAMES_THE_CALLER.iter().any(|part| text.contains(part)) || functions.iter().any(calls)
}

/// What the condition of a policy may use to depend on the caller.
pub(super) struct CallerSources<'a> {
    /// The tables whose own policies decide about the rows of a document.
    pub(super) owned: &'a [&'a str],
    /// The functions whose result depends on the caller.
    pub(super) functions: &'a [&'a str],
}

/// A policy for users.
#[derive(Debug, Deserialize)]
pub(super) struct UserPolicy {
    name: String,
    table: String,
    /// Whether it allows rows, other than restricting what others allow.
    is_permissive: bool,
    /// The condition of the rows that it shows.
    condition: Option<String>,
    /// The condition of the rows that may be written.
    new_rows: Option<String>,
}

/// Parts of a condition that depend on the request or the role.
const NAMES_THE_CALLER: [&str; 8] = [
    "uid(",
    "jwt(",
    "request.jwt",
    "auth.role(",
    "auth.email(",
    "current_setting(",
    "current_user",
    "session_user",
];

impl UserPolicy {
    /// A description of the policy, if it allows rows without a condition on the user.
    pub(super) fn violation(&self, sources: &CallerSources<'_>) -> Option<String> {
        let condition = self.condition.as_ref().or(self.new_rows.as_ref());
        let condition = condition.map_or("true", String::as_str);
        let is_sound =
            !self.is_permissive || is_never(condition) || names_caller(condition, sources);
        (!is_sound).then(|| format!("policy {} of table {}: {condition}", self.name, self.table))
    }
}

/// Whether a condition holds for nobody.
fn is_never(condition: &str) -> bool {
    let condition = condition.trim_matches(|c: char| c.is_whitespace() || c == '(' || c == ')');
    condition.eq_ignore_ascii_case("false")
}

/// Whether a condition depends on the caller, itself, by a function, or by the rows of another table.
fn names_caller(condition: &str, sources: &CallerSources<'_>) -> bool {
    let condition = condition.to_lowercase();
    let owned = sources.owned;
    let mut words = condition.split(|c: char| !(c.is_alphanumeric() || c == '_'));
    depends_on_caller(&condition, sources.functions)
        || words.any(|word| owned.iter().any(|table| table.eq_ignore_ascii_case(word)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn violation(
        condition: Option<&str>,
        new_rows: Option<&str>,
        is_permissive: bool,
    ) -> Option<String> {
        let policy = UserPolicy {
            name: "p".to_owned(),
            table: "t".to_owned(),
            is_permissive,
            condition: condition.map(str::to_owned),
            new_rows: new_rows.map(str::to_owned),
        };
        policy.violation(&CallerSources {
            owned: &["documents", "upload_jobs"],
            functions: &["is_owner"],
        })
    }

    #[test]
    fn a_policy_that_names_the_caller_or_nobody_is_sound() {
        for sound in [
            "false",
            "(false)",
            "( FALSE )",
            "(user_id = auth.uid())",
            "(user_id = ( SELECT auth.uid() AS uid))",
            "((auth.jwt() ->> 'sub'::text) = (user_id)::text)",
            "(user_id = (current_setting('request.jwt.claims'::text, true))::uuid)",
            "(auth.role() = 'service_role'::text)",
            "(document_id IN ( SELECT d.document_id FROM documents d))",
            "(EXISTS ( SELECT 1 FROM upload_pipeline.upload_jobs j WHERE (j.job_id = t.job_id)))",
            "(owner = CURRENT_USER)",
            "app.is_owner(document_id)",
        ] {
            assert_eq!(violation(Some(sound), None, true), None, "{sound}");
            assert_eq!(violation(None, Some(sound), true), None, "{sound}");
        }
        assert_eq!(violation(Some("true"), None, false), None, "restrictive");
    }

    #[test]
    fn a_function_depends_on_the_caller_itself_or_by_another_one() {
        let function = |name: &str, body: &str| Function {
            name: name.to_owned(),
            definition: format!("CREATE OR REPLACE FUNCTION app.{name}(id uuid)\n AS $$ {body} $$"),
        };
        let functions = [
            function("is_member", "SELECT app.is_owner(id)"),
            function("is_owner", "SELECT owner = auth.uid() FROM app.files"),
            function("is_public", "SELECT true"),
            function("jwt", "SELECT app.is_public(id)"),
        ];
        let mut found = functions_of_the_caller(&functions);
        found.sort_unstable();
        assert_eq!(found, ["is_member", "is_owner"]);
    }

    #[test]
    fn a_policy_for_everybody_is_a_violation() {
        for open in [
            "true",
            "(true)",
            "(false OR true)",
            "(status = 'complete'::text)",
            "(user_id IS NOT NULL)",
            "app.is_public(document_id)",
        ] {
            assert!(violation(Some(open), None, true).is_some(), "{open}");
        }
        assert!(violation(None, None, true).is_some());
        assert!(
            violation(None, Some("true"), true)
                .unwrap()
                .contains("policy p of table t: true")
        );
    }
}
