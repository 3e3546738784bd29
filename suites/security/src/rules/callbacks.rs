//! Rules of callbacks: who may report a result, and what a report can do.

use super::table::rules;

rules! {
    "WHK-01" Critical [API2] [306] "a callback without a signature is refused"
        checked ["security::a_forged_callback_is_refused::unsigned",
            "security::a_forged_callback_is_refused::unsigned_failure", "security::callbacks_prove_their_sender"];
    "WHK-02" Critical [API2] [347] "a callback with a wrong or partial signature is refused"
        checked ["security::a_forged_callback_is_refused"];
    "WHK-03" Critical [API2] [636, 1188] "an empty secret opens nothing, and the service does not start without one"
        checked ["security::a_forged_callback_is_refused::no_secret",
            "security::a_forged_callback_is_refused::empty_signature",
            "pipeline::a_process_refuses_to_start_unconfigured"];
    "WHK-04" Critical [API2] [345] "a signature is valid for its own body only"
        checked ["security::a_forged_callback_is_refused", "security::a_callback_secret_is_valid_for_one_job",
            "security::only_the_parser_gets_the_callback_secret"];
    "WHK-05" High [API2] [345] "a signature covers the exact bytes of the body"
        checked ["security::a_signature_covers_the_exact_bytes"];
    "WHK-06" High [API2] [294] "an old or changed timestamp is refused"
        not_applicable "the callbacks of the contract carry no timestamp";
    "WHK-07" High [API2] [294] "a repeated callback has no second effect"
        checked ["pipeline::a_callback_counts_once", "pipeline::a_replayed_callback_changes_nothing"];
    "WHK-08" High [API2] [757] "only the documented scheme of signatures is accepted"
        checked ["security::a_forged_callback_is_refused::not_a_signature"];
    "WHK-09" High [API10] [345] "a callback for an unknown job or with an unknown event changes nothing"
        checked ["security::a_callback_for_an_unknown_job_is_refused",
            "security::a_callback_without_a_result_changes_nothing"];
    "WHK-10" Medium [API6] [841] "a late or contradicting callback does not change a final state"
        checked ["pipeline::a_replayed_callback_changes_nothing",
            "pipeline::a_report_about_a_given_up_submission_changes_nothing"];
    "WHK-11" Critical [API7] [918] "no address in a callback is fetched"
        checked ["security::no_address_from_outside_is_fetched::in_a_callback",
            "security::no_address_from_outside_is_fetched::in_a_text"];
    "WHK-12" Medium [API8] [20, 400] "a malformed callback is refused and breaks nothing"
        checked ["security::a_callback_without_a_result_changes_nothing::malformed",
            "security::a_callback_without_a_result_changes_nothing::not_json"];
    "WHK-13" High [API8] [209] "the refusal of a callback does not tell the right signature"
        checked ["security::a_refused_callback_tells_no_signature"];
}
