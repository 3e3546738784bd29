//! Database roles: what each role may read and change, independently of the services.

use cutover_harness::check::Named;
use cutover_harness::contract::Table;
use cutover_harness::prelude::*;
use serde::Deserialize;

use super::policies::{
    CallerSources, FUNCTIONS, Function, POLICIES, UserPolicy, functions_of_the_caller,
};

/// The checks of this file.
pub(crate) fn table() -> Vec<Check> {
    vec![
        check!(the_database_keeps_users_apart, RULES)
            .requires([Http, Database])
            .reads(read::NOTHING)
            .effect(Effect::Read)
            .severity(Critical),
        check!(the_services_connect_without_special_rights)
            .requires([Http, Database, Processes])
            .calls([Endpoint::Jobs])
            .reads(read::NOTHING)
            .effect(Effect::Read)
            .severity(High)
            .alone_with_workers(1),
    ]
}

/// A rule about the database, and a query for its violations.
pub(super) struct RoleRule {
    name: &'static str,
    statement: &'static str,
    /// Returns one row with `what` for each violation.
    violations: &'static str,
}

impl Named for RoleRule {
    fn name(&self) -> &'static str {
        self.name
    }
}

/// Rules about tables, views, functions and roles.
const RULES: &[RoleRule] = &[
    RoleRule {
        name: "every_table_has_row_level_security",
        statement: "every table of the schema has row-level security",
        violations: "SELECT format('table %s', c.relname) AS what
             FROM pg_class c WHERE c.relnamespace = to_regnamespace('{schema}')
             AND c.relkind IN ('r', 'p') AND NOT c.relrowsecurity",
    },
    RoleRule {
        name: "users_see_their_own_rows",
        statement: "every policy for users depends on the user, or allows nothing",
        violations: POLICIES,
    },
    RoleRule {
        name: "users_change_nothing",
        statement: "users have read-only rights, and cannot read secrets",
        violations: "SELECT format('%s on %s', t.privilege, c.relname) AS what
             FROM pg_class c, unnest(ARRAY['INSERT', 'UPDATE', 'DELETE', 'TRUNCATE']) AS t (privilege)
             WHERE c.relnamespace = to_regnamespace('{schema}') AND c.relkind IN ('r', 'p', 'v', 'm')
             AND EXISTS (SELECT FROM pg_roles r WHERE r.rolname = 'authenticated'
                         AND CASE WHEN t.privilege IN ('INSERT', 'UPDATE')
                             THEN has_any_column_privilege(r.oid, c.oid, t.privilege)
                             ELSE has_table_privilege(r.oid, c.oid, t.privilege) END)
             UNION ALL
             SELECT format('SELECT on %s.%s', a.attrelid::regclass, a.attname)
             FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
             WHERE c.relnamespace = to_regnamespace('{schema}') AND a.attname = {jobs.webhook_secret}
             AND EXISTS (SELECT FROM pg_roles r WHERE r.rolname IN ('authenticated', 'anon')
                         AND has_column_privilege(r.oid, a.attrelid, a.attnum, 'SELECT'))",
    },
    RoleRule {
        name: "anonymous_users_see_nothing",
        statement: "users who are not logged in have no rights on any table",
        violations: "SELECT format('%s on %s', t.privilege, c.relname) AS what
             FROM pg_roles r, pg_class c, unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) AS t (privilege)
             WHERE r.rolname = 'anon' AND c.relnamespace = to_regnamespace('{schema}')
             AND c.relkind IN ('r', 'p', 'v', 'm')
             AND CASE WHEN t.privilege = 'DELETE' THEN has_table_privilege(r.oid, c.oid, t.privilege)
                 ELSE has_any_column_privilege(r.oid, c.oid, t.privilege) END",
    },
    RoleRule {
        name: "views_use_the_callers_rights",
        statement: "views that users can read run with the caller's rights, and no materialized view is readable",
        violations: "SELECT format('%s %s', CASE c.relkind WHEN 'v' THEN 'view' ELSE 'materialized view' END, c.oid::regclass) AS what
             FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
             WHERE c.relkind IN ('v', 'm') AND n.nspname IN (trim('{schema}', '\"'), 'public')
             AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')
             AND NOT coalesce(array_to_string(c.reloptions, ' '), '') ~ 'security_invoker=(true|on|1|yes)'
             AND EXISTS (SELECT FROM pg_roles r WHERE r.rolname IN ('authenticated', 'anon')
                         AND has_schema_privilege(r.oid, n.oid, 'USAGE')
                         AND has_any_column_privilege(r.oid, c.oid, 'SELECT'))",
    },
    RoleRule {
        name: "security_definer_functions_are_restricted",
        statement: "functions that run with their owner's rights have a fixed search path, and anonymous users cannot call them",
        violations: "SELECT format('function %s', p.oid::regprocedure) AS what
             FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
             WHERE p.prosecdef AND n.nspname IN (trim('{schema}', '\"'), 'public')
             AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')
             AND (NOT coalesce(array_to_string(p.proconfig, ' '), '') LIKE '%search_path=%'
                  OR EXISTS (SELECT FROM pg_roles r WHERE r.rolname = 'anon'
                             AND has_function_privilege(r.oid, p.oid, 'EXECUTE')))",
    },
    RoleRule {
        name: "policies_believe_nothing_that_users_write",
        statement: "no policy depends on metadata that users can change",
        violations: "SELECT format('policy %s of %s.%s', p.policyname, p.schemaname, p.tablename) AS what
             FROM pg_policies p
             WHERE p.schemaname IN (trim('{schema}', '\"'), 'public', 'storage')
             AND concat(p.qual, p.with_check) ~ 'user_metadata|raw_user_meta_data'",
    },
    RoleRule {
        name: "new_tables_are_closed",
        statement: "what later migrations create gives users no rights of itself",
        violations: "SELECT format('%s on new %s of %s', a.privilege_type,
                 CASE d.defaclobjtype WHEN 'r' THEN 'tables' WHEN 'f' THEN 'functions' ELSE 'sequences' END,
                 coalesce(n.nspname, 'every schema')) AS what
             FROM pg_default_acl d LEFT JOIN pg_namespace n ON n.oid = d.defaclnamespace,
             aclexplode(d.defaclacl) a JOIN pg_roles r ON r.oid = a.grantee
             WHERE r.rolname IN ('anon', 'authenticated') AND d.defaclobjtype IN ('r', 'f', 'S')
             AND n.nspname = trim('{schema}', '\"') AND n.nspname <> 'public'",
    },
    RoleRule {
        name: "users_reach_no_files_and_no_network",
        statement: "neither users nor the services' role can read files of the machine, run programs, or open connections",
        violations: "SELECT format('%s is a member of %s', r.rolname, g.rolname) AS what
             FROM pg_roles r JOIN pg_roles g ON pg_has_role(r.oid, g.oid, 'USAGE')
             WHERE NOT r.rolsuper AND r.rolname IN ('anon', 'authenticated')
             AND g.rolname IN ('pg_read_server_files', 'pg_write_server_files', 'pg_execute_server_program',
                               'pg_read_all_data', 'pg_write_all_data')
             UNION ALL
             SELECT format('%s may call %s', r.rolname, p.oid::regprocedure)
             FROM pg_proc p JOIN pg_depend d ON d.objid = p.oid AND d.deptype = 'e'
             JOIN pg_extension e ON e.oid = d.refobjid, pg_roles r
             WHERE e.extname IN ('dblink', 'file_fdw', 'adminpack') AND r.rolname IN ('anon', 'authenticated')
             AND has_schema_privilege(r.oid, p.pronamespace, 'USAGE')
             AND has_function_privilege(r.oid, p.oid, 'EXECUTE')",
    },
    RoleRule {
        name: "published_tables_have_row_level_security",
        statement: "every table that is published to subscribers has row-level security",
        violations: "SELECT format('table %s.%s in publication %s', t.schemaname, t.tablename, t.pubname) AS what
             FROM pg_publication_tables t
             JOIN pg_class c ON c.oid = format('%I.%I', t.schemaname, t.tablename)::regclass
             WHERE t.pubname = 'supabase_realtime' AND NOT c.relrowsecurity",
    },
    RoleRule {
        name: "tables_of_the_public_schema_are_closed",
        statement: "every table in schema public that users can read has row-level security",
        violations: "SELECT format('%s may read table %s', r.rolname, c.oid::regclass) AS what
             FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace, pg_roles r
             WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') AND NOT c.relrowsecurity
             AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')
             AND r.rolname IN ('anon', 'authenticated') AND has_schema_privilege(r.oid, n.oid, 'USAGE')
             AND has_any_column_privilege(r.oid, c.oid, 'SELECT')",
    },
];

#[derive(Deserialize)]
struct RoleViolation {
    what: String,
}

/// Policies that show users rows of others.
async fn open_policies(cx: &Context) -> CheckResult<Vec<String>> {
    let policies: Vec<UserPolicy> = cx.database()?.rows(POLICIES, &[]).await?;
    let tables = [Table::Documents, Table::Jobs, Table::Chunks];
    let layout = &cx.contract().database;
    let owned = tables.map(|table| layout.qualified(table));
    let owned: Vec<_> = owned.into_iter().flatten().map(|(_, name)| name).collect();
    let functions: Vec<Function> = cx.database()?.rows(FUNCTIONS, &[]).await?;
    let sources = CallerSources {
        owned: &owned,
        functions: &functions_of_the_caller(&functions),
    };
    let open = policies
        .iter()
        .filter_map(|policy| policy.violation(&sources));
    Ok(open.collect())
}

/// The database itself separates users, and grants no rights beyond those of the services.
async fn the_database_keeps_users_apart(cx: &Context, case: &RoleRule) -> CheckResult {
    let violations = if case.violations == POLICIES {
        open_policies(cx).await?
    } else {
        let rows: Vec<RoleViolation> = cx.database()?.rows(case.violations, &[]).await?;
        rows.into_iter().map(|violation| violation.what).collect()
    };
    if violations.is_empty() {
        return Ok(());
    }
    let summary = format!("violated: {}", case.statement);
    Err(Stop::violated(
        Finding::new(summary).comparing(case.statement, violations.join("\n")),
    ))
}

/// Roles of the services' connections that are superusers, bypass row security, or own tables.
const PRIVILEGED: &str = "SELECT DISTINCT format('role %s', r.rolname) AS what
     FROM pg_stat_activity a JOIN pg_roles r ON r.oid = a.usesysid
     WHERE a.datname = current_database() AND a.application_name <> 'cutover'
     AND a.backend_type = 'client backend'
     AND (r.rolsuper OR r.rolbypassrls OR EXISTS (
         SELECT FROM pg_class c WHERE c.relnamespace = to_regnamespace('{schema}') AND c.relowner = r.oid))";

/// API and worker connect with a role that is neither a superuser nor the owner of the tables.
async fn the_services_connect_without_special_rights(cx: &Context) -> CheckResult {
    // A service that has answered has a database connection.
    cx.pipeline()?.jobs(&[]).await?.expect_status(200)?;
    let roles: Vec<RoleViolation> = cx.database()?.rows(PRIVILEGED, &[]).await?;
    let roles: Vec<_> = roles.into_iter().map(|role| role.what).collect();
    ensure!(
        roles.is_empty(),
        "the services connect with more rights than they need: {}",
        roles.join(", ")
    );
    Ok(())
}
