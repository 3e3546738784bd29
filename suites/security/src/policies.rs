//! Row-level policies: which of them show a user rows of others.

use serde::Deserialize;

/// All policies of the schema that apply to users.
pub(super) const POLICIES: &str = "SELECT p.policyname AS name, p.tablename AS table, \
        p.permissive = 'PERMISSIVE' AS is_permissive, p.qual AS condition, p.with_check AS new_rows \
    FROM pg_policies p WHERE p.schemaname = trim('{schema}', '\"') \
    AND p.roles && ARRAY['public', 'anon', 'authenticated']::name[]";

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
    /// A description of the policy, if it allows rows without a condition on the user. `owned` are the tables whose own
    /// policies decide about the rows of a document.
    pub(super) fn violation(&self, owned: &[&str]) -> Option<String> {
        let condition = self.condition.as_ref().or(self.new_rows.as_ref());
        let condition = condition.map_or("true", String::as_str);
        let is_sound = !self.is_permissive || is_never(condition) || names_caller(condition, owned);
        (!is_sound).then(|| format!("policy {} of table {}: {condition}", self.name, self.table))
    }
}

/// Whether a condition holds for nobody.
fn is_never(condition: &str) -> bool {
    let condition = condition.trim_matches(|c: char| c.is_whitespace() || c == '(' || c == ')');
    condition.eq_ignore_ascii_case("false")
}

/// Whether a condition depends on the caller, itself or by the rows of another table.
fn names_caller(condition: &str, owned: &[&str]) -> bool {
    let condition = condition.to_lowercase();
    let mut words = condition.split(|c: char| !(c.is_alphanumeric() || c == '_'));
    NAMES_THE_CALLER.iter().any(|part| condition.contains(part))
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
        policy.violation(&["documents", "upload_jobs"])
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
        ] {
            assert_eq!(violation(Some(sound), None, true), None, "{sound}");
            assert_eq!(violation(None, Some(sound), true), None, "{sound}");
        }
        assert_eq!(violation(Some("true"), None, false), None, "restrictive");
    }

    #[test]
    fn a_policy_for_everybody_is_a_violation() {
        for open in [
            "true",
            "(true)",
            "(false OR true)",
            "(status = 'complete'::text)",
            "(user_id IS NOT NULL)",
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
