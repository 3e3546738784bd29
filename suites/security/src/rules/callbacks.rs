//! Rules of callbacks: who may report a result, and what a report can do.

use super::table::rules;

rules! {
    "WHK-01" Critical [API2] [306] ["4.1.5", "13.2.1"] "a callback without a signature is refused"
        remedy "Verify the signature before the body of a callback is parsed. Answer 401 if the header is missing."
        checked ["security::a_forged_callback_is_refused::unsigned",
            "security::a_forged_callback_is_refused::unsigned_failure", "security::callbacks_prove_their_sender"];
    "WHK-02" Critical [API2] [347] ["4.1.5"] "a callback with a wrong or partial signature is refused"
        remedy "Compute the signature over the received bytes, and compare it in full and in constant time."
        checked ["security::a_forged_callback_is_refused"];
    "WHK-03" Critical [API2] [636, 1188] ["16.5.3"] "an empty secret opens nothing, and the service does not start without one"
        remedy "Refuse to start without a callback secret. Treat an empty secret as a missing one."
        checked ["security::a_forged_callback_is_refused::no_secret",
            "security::a_forged_callback_is_refused::empty_signature",
            "pipeline::a_process_refuses_to_start_unconfigured"];
    "WHK-04" Critical [API2] [345] ["4.1.5"] "a signature is valid for its own body only"
        remedy "Sign the body together with the job, or use one secret for each job. Give the secret to the parser only."
        checked ["security::a_forged_callback_is_refused", "security::a_callback_secret_is_valid_for_one_job",
            "security::only_the_parser_gets_the_callback_secret"];
    "WHK-05" High [API2] [345] ["4.1.5"] "a signature covers the exact bytes of the body"
        remedy "Verify the raw bytes of the request, and parse them afterwards. Never serialise the body again for the comparison."
        checked ["security::a_signature_covers_the_exact_bytes"];
    "WHK-06" High [API2] [294] [] "an old or changed timestamp is refused"
        remedy "Sign a timestamp with the body, and refuse it outside of a tolerance of five minutes."
        not_applicable "the callbacks of the contract carry no timestamp";
    "WHK-07" High [API2] [294] ["15.4.2"] "a repeated callback has no second effect"
        remedy "Change the job in one statement with its expected state as the condition. Ignore the callback if no row changes."
        checked ["pipeline::a_callback_counts_once", "pipeline::a_replayed_callback_changes_nothing"];
    "WHK-08" High [API2] [757] ["4.1.5"] "only the documented scheme of signatures is accepted"
        remedy "Accept one scheme and one signature in the header, and refuse all others."
        checked ["security::a_forged_callback_is_refused::not_a_signature"];
    "WHK-09" High [API10] [345] ["2.2.1"] "a callback for an unknown job or with an unknown event changes nothing"
        remedy "Look up the job and the event before any effect. Answer a documented status for unknown ones and change nothing."
        checked ["security::a_callback_for_an_unknown_job_is_refused",
            "security::a_callback_without_a_result_changes_nothing"];
    "WHK-10" Medium [API6] [841] ["2.3.1"] "a late or contradicting callback does not change a final state"
        remedy "Allow only the transitions of the documented states, and none out of a final state."
        checked ["pipeline::a_replayed_callback_changes_nothing",
            "pipeline::a_report_about_a_given_up_submission_changes_nothing"];
    "WHK-11" Critical [API7] [918] ["1.3.6", "13.2.4"] "no address in a callback is fetched"
        remedy "Fetch results only from the configured address of the parser, by the id of its job. Ignore addresses in the body."
        checked ["security::no_address_from_outside_is_fetched::in_a_callback",
            "security::no_address_from_outside_is_fetched::in_a_text"];
    "WHK-12" Medium [API8] [20, 400] ["2.2.1", "16.5.4"] "a malformed callback is refused and breaks nothing"
        remedy "Validate the body by a schema with limits of size and depth. Answer 4xx if that fails, and keep the state."
        checked ["security::a_callback_without_a_result_changes_nothing::malformed",
            "security::a_callback_without_a_result_changes_nothing::not_json"];
    "WHK-13" High [API8] [209] ["16.5.1"] "the refusal of a callback does not tell the right signature"
        remedy "Answer a refused callback with a fixed text. Log neither the expected signature nor the secret."
        checked ["security::a_refused_callback_tells_no_signature"];
}
