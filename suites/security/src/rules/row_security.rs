//! Rules of the database: what its roles may see and change, whatever the services do.

use super::table::rules;

rules! {
    isolation;
    "RLS-01" Critical [API1] [862] ["8.2.2", "8.3.1"] "every table of the schema, and every readable one in public, has row-level security"
        remedy "Enable row-level security on the table in a migration. Check it for new tables and partitions, too."
        checked ["security::the_database_keeps_users_apart::every_table_has_row_level_security",
            "security::the_database_keeps_users_apart::tables_of_the_public_schema_are_closed"];
    "RLS-02" High [API1] [862] ["8.2.2"] "no table has policies while row-level security is off"
        remedy "Run ALTER TABLE … ENABLE ROW LEVEL SECURITY on each table that has policies."
        checked ["security::the_database_keeps_users_apart::every_table_has_row_level_security"];
    "RLS-03" Critical [API1] [863] ["8.2.2", "8.4.1"] "no policy for users holds for everybody"
        remedy "Replace the condition of the policy by a comparison of the owner column with the user of the session."
        checked ["security::the_database_keeps_users_apart::users_see_their_own_rows"];
    "RLS-04" Critical [API5] [250] ["13.2.2"] "the services connect as no superuser, owner or role without row-level security"
        remedy "Connect as a role without SUPERUSER and BYPASSRLS that owns no table. Add FORCE ROW LEVEL SECURITY where the owner must connect."
        checked ["security::the_services_connect_without_special_rights"];
    "RLS-05" Critical [API1] [863] ["8.2.2", "8.4.1"] "each role sees exactly its own rows of each table"
        remedy "Write one policy for each table and command that compares the owner with the user of the session. Test each as two users."
        checked ["security::nobody_reads_anothers_rows", "security::users_read_their_own_rows"];
    "RLS-06" Critical [API1] [863] ["8.2.2", "8.4.1"] "no user writes rows, so that none is moved to another user"
        remedy "Revoke the rights of users to write, or add WITH CHECK with the same condition as USING."
        checked ["security::the_database_keeps_users_apart::users_change_nothing"];
    "RLS-07" High [API1] [636] ["8.2.2", "16.5.3"] "a session without a user sees nothing"
        remedy "Let the policy give no row where the session has no user, because a comparison with NULL is never true. Set the user with SET LOCAL only."
        checked ["security::nobody_reads_anothers_rows::without_logging_in"];
    "RLS-08" High [API5] [269] ["8.2.1", "8.3.3"] "no function with its owner's rights is open to anonymous users"
        remedy "Revoke EXECUTE from PUBLIC and anon, or declare the function SECURITY INVOKER."
        checked ["security::the_database_keeps_users_apart::security_definer_functions_are_restricted"];
    "RLS-09" High [API8] [426] [] "functions with their owner's rights have a fixed search path"
        remedy "Declare the function with SET search_path = '', and qualify each name in it with its schema."
        checked ["security::the_database_keeps_users_apart::security_definer_functions_are_restricted"];
    "RLS-10" High [API3] [863] ["8.3.3"] "views that users can read have the rights of their caller"
        remedy "Create the view WITH (security_invoker = true), or revoke SELECT on it from users."
        checked ["security::the_database_keeps_users_apart::views_use_the_callers_rights"];
    "RLS-11" Critical [API5] [807] ["8.3.1"] "no policy believes metadata that users can change"
        remedy "Read roles and tenants from `app_metadata` or from a table in the policy. `user_metadata` belongs to the user."
        checked ["security::the_database_keeps_users_apart::policies_believe_nothing_that_users_write"];
    "RLS-12" High [API8] [732] ["8.2.1", "13.2.2"] "anonymous users have no rights, users only read, and new tables are closed"
        remedy "Revoke all rights from PUBLIC and anon, and leave users SELECT. Set the default rights for new tables with ALTER DEFAULT PRIVILEGES."
        checked ["security::the_database_keeps_users_apart::anonymous_users_see_nothing",
            "security::the_database_keeps_users_apart::users_change_nothing",
            "security::the_database_keeps_users_apart::new_tables_are_closed"];
    "RLS-13" High [API7] [918] ["13.2.2", "13.2.4"] "users reach neither files nor the network through the database"
        remedy "Revoke the functions of http, pg_net and dblink and the roles pg_read_server_files and pg_write_server_files from users."
        checked ["security::the_database_keeps_users_apart::users_reach_no_files_and_no_network"];
    "RLS-14" Critical [API1, API9] [862] ["8.2.2"] "the data API of the project shows nobody the rows of another user"
        remedy "Remove the schema from the data API, or revoke the tables from anon and authenticated. Keep row-level security on each table that stays."
        open "a target with a data API (REST or GraphQL) in front of its tables";
    "RLS-15" Critical [API1] [863] ["8.2.2", "8.4.1"] "the policies of stored objects are those of their owners"
        remedy "Compare the first folder of the object name with the user in each policy of storage.objects."
        checked ["security::nobody_but_the_service_reaches_stored_objects",
            "security::stored_objects_are_not_public"];
    "RLS-16" High [API1] [862] ["8.2.2"] "published tables have row-level security"
        remedy "Remove the table from the publication, or enable row-level security on it."
        checked ["security::the_database_keeps_users_apart::published_tables_have_row_level_security"];
    "RLS-17" Low [API1] [203] [] "a vector index finds as much for each user as an exact search"
        remedy "Use iterative index scans or a partial index for each large user. Compare the results with an exact search."
        checked ["performance::a_search_among_many_vectors_finds_the_nearest"];
}
