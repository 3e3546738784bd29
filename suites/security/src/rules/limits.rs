//! Rules of limits: how much one client can take from others.

use super::table::rules;

rules! {
    "RL-01" High [API4] [770] "limits hold, say when to come back, and end"
        checked ["security::the_concurrent_job_limit_holds", "security::the_daily_limit_is_each_users_own",
            "security::finished_jobs_do_not_count_as_active"];
    "RL-02" High [API4] [348, 807] "no header of a client lifts a limit"
        checked ["security::client_headers_change_no_limit"];
    "RL-03" Medium [API4] [400] "the flood of one user leaves others alone"
        checked ["performance::a_flood_of_one_user_slows_no_other"];
    "RL-04" High [API4, API6] [770] "no paid call is made that nobody ordered"
        checked ["pipeline::every_paid_call_was_ordered", "pipeline::a_document_is_submitted_to_the_parser_once"];
    "DOS-01" Medium [API4] [400] "slow clients hold up nobody"
        checked ["security::slow_clients_hold_up_nobody"];
    "DOS-02" Low [API4] [770] "long paths, queries and headers are refused or answered"
        checked ["security::a_malformed_request_breaks_nothing::long_path",
            "security::a_malformed_request_breaks_nothing::long_query",
            "security::a_malformed_request_breaks_nothing::long_header"];
    "DOS-03" Medium [API4] [409, 770] "bodies that are too large or compressed break nothing"
        checked ["security::a_malformed_request_breaks_nothing::gzip_body", "pipeline::an_invalid_search_breaks_nothing"];
    "DOS-04" High [API8] [444] "requests with contradicting lengths are refused"
        open "a check with raw requests";
}
