//! The roles of users: whether the database role of the target may act as them.

use cutover_contract::probe::Database;
use serde::Deserialize;

use super::report::{Report, chain};

/// The roles of users that can read tables of the schema, and as which the current role may not act.
const REFUSED: &str = "SELECT r.rolname::text AS role, current_user::text AS own \
    FROM pg_roles r WHERE r.rolname IN ('authenticated', 'anon') \
    AND NOT pg_has_role(current_user, r.oid, 'MEMBER') \
    AND has_schema_privilege(r.oid, to_regnamespace('{schema}'), 'USAGE') \
    AND EXISTS (SELECT FROM pg_class c WHERE c.relnamespace = to_regnamespace('{schema}') \
        AND c.relkind IN ('r', 'p', 'v', 'm') AND has_any_column_privilege(r.oid, c.oid, 'SELECT')) \
    ORDER BY r.rolname";

/// A role of users.
#[derive(Deserialize)]
struct RefusedRole {
    role: String,
    own: String,
}

/// Reports the roles of users as which the checks of row-level security cannot read.
pub(super) async fn check_user_roles(database: &Database, report: &mut Report) {
    match database.rows::<RefusedRole>(REFUSED, &[]).await {
        Ok(refused) => {
            for RefusedRole { role, own } in refused {
                let problem = format!(
                    "the role {own} may not act as {role}, so the checks of row-level security have no result; GRANT {role} TO {own}"
                );
                report.add("roles", Err::<&str, _>(problem));
            }
        }
        Err(error) => report.add("roles", Err::<&str, _>(chain(error))),
    }
}
