//! Rules of the database: what its roles may see and change, whatever the services do.

use super::table::rules;

rules! {
    "RLS-01" Critical [API1] [862] "every table of the schema, and every readable one in public, has row-level security"
        checked ["security::the_database_keeps_users_apart::every_table_has_row_level_security",
            "security::the_database_keeps_users_apart::tables_of_the_public_schema_are_closed"];
    "RLS-02" High [API1] [862] "no table has policies while row-level security is off"
        checked ["security::the_database_keeps_users_apart::every_table_has_row_level_security"];
    "RLS-03" Critical [API1] [863] "no policy for users holds for everybody"
        checked ["security::the_database_keeps_users_apart::users_see_their_own_rows"];
    "RLS-04" Critical [API5] [250] "the services connect as no superuser, owner or role without row-level security"
        checked ["security::the_services_connect_without_special_rights"];
    "RLS-05" Critical [API1] [863] "each role sees exactly its own rows of each table"
        checked ["security::nobody_reads_anothers_rows", "security::users_read_their_own_rows"];
    "RLS-06" Critical [API1] [863] "no user writes rows, so that none is moved to another user"
        checked ["security::the_database_keeps_users_apart::users_change_nothing"];
    "RLS-07" High [API1] [636] "a session without a user sees nothing"
        checked ["security::nobody_reads_anothers_rows::without_logging_in"];
    "RLS-08" High [API5] [269] "no function with its owner's rights is open to anonymous users"
        checked ["security::the_database_keeps_users_apart::security_definer_functions_are_restricted"];
    "RLS-09" High [API8] [426] "functions with their owner's rights have a fixed search path"
        checked ["security::the_database_keeps_users_apart::security_definer_functions_are_restricted"];
    "RLS-10" High [API3] [863] "views that users can read have the rights of their caller"
        checked ["security::the_database_keeps_users_apart::views_use_the_callers_rights"];
    "RLS-11" Critical [API5] [807] "no policy believes metadata that users can change"
        checked ["security::the_database_keeps_users_apart::policies_believe_nothing_that_users_write"];
    "RLS-12" High [API8] [732] "anonymous users have no rights, users only read, and new tables are closed"
        checked ["security::the_database_keeps_users_apart::anonymous_users_see_nothing",
            "security::the_database_keeps_users_apart::users_change_nothing",
            "security::the_database_keeps_users_apart::new_tables_are_closed"];
    "RLS-13" High [API7] [918] "users reach neither files nor the network through the database"
        checked ["security::the_database_keeps_users_apart::users_reach_no_files_and_no_network"];
    "RLS-14" Critical [API1, API9] [862] "the data API of the project shows nobody the rows of another user"
        open "a target with a data API (REST or GraphQL) in front of its tables";
    "RLS-15" Critical [API1] [863] "the policies of stored objects are those of their owners"
        checked ["security::nobody_but_the_service_reaches_stored_objects",
            "security::stored_objects_are_not_public"];
    "RLS-16" High [API1] [862] "published tables have row-level security"
        checked ["security::the_database_keeps_users_apart::published_tables_have_row_level_security"];
    "RLS-17" Low [API1] [203] "a vector index finds as much for each user as an exact search"
        checked ["performance::a_search_among_many_vectors_finds_the_nearest"];
}
