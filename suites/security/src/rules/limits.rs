//! Rules of limits: how much one client can take from others.

use super::table::rules;

rules! {
    "RL-01" High [API4] [770] ["2.3.2", "2.4.1"] "limits hold, say when to come back, and end"
        remedy "Check limits in the database, in the transaction that uses them. Send 429 with `Retry-After`, and count finished jobs no longer."
        checked ["security::the_concurrent_job_limit_holds", "security::the_daily_limit_is_each_users_own",
            "security::finished_jobs_do_not_count_as_active"];
    "RL-02" High [API4] [348, 807] ["4.1.3", "15.3.4"] "no header of a client lifts a limit"
        remedy "Count by the user of the token. Read forwarded addresses only from your own proxy."
        checked ["security::client_headers_change_no_limit"];
    "RL-03" Medium [API4] [400] ["15.2.2", "15.4.4"] "the flood of one user leaves others alone"
        remedy "Give each user a share of workers and connections, and serve the users in turn."
        checked ["performance::a_flood_of_one_user_slows_no_other"];
    "RL-04" High [API4, API6] [770] ["2.4.1"] "no paid call is made that nobody ordered"
        remedy "Record each call to a paid provider before it is made, under a unique key. Limit retries, pages and tokens of each user."
        checked ["pipeline::every_paid_call_was_ordered", "pipeline::a_document_is_submitted_to_the_parser_once"];
    "DOS-01" Medium [API4] [400] ["15.4.4"] "slow clients hold up nobody"
        remedy "Set deadlines for headers, bodies and idle connections. Let a proxy buffer requests."
        checked ["security::slow_clients_hold_up_nobody"];
    "DOS-02" Low [API4] [770] [] "long paths, queries and headers are refused or answered"
        remedy "Set limits of paths, queries and headers in the server, and answer 414 or 431 above them."
        checked ["security::a_malformed_request_breaks_nothing::long_path",
            "security::a_malformed_request_breaks_nothing::long_query",
            "security::a_malformed_request_breaks_nothing::long_header"];
    "DOS-03" Medium [API4] [409, 770] ["2.2.1", "15.2.2"] "bodies that are too large or compressed break nothing"
        remedy "Refuse a body above the limit before it is read. Limit the unpacked size of compressed bodies, too, or refuse them."
        checked ["security::a_malformed_request_breaks_nothing::gzip_body", "pipeline::an_invalid_search_breaks_nothing"];
    "DOS-04" High [API8] [444] ["4.2.1"] "requests with contradicting lengths are refused"
        remedy "Refuse a request with both Content-Length and Transfer-Encoding, and close its connection. Use one HTTP parser behind the proxy and in it."
        open "a check with raw requests";
}
