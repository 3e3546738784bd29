//! The pipeline suite: every document that was accepted arrives, once, whole, and for its owner alone.

mod callbacks;
mod limits;
mod queue;
mod reading;
mod startup;
mod status;
mod truth;
mod upload;
mod workflow;

use cutover_harness::prelude::*;

use callbacks::{
    SHAPES, every_callback_shape_yields_the_same_text, the_callback_address_is_the_public_api,
};
use limits::{OVERSIZED, the_concurrent_job_limit_holds, the_size_limits_hold};
use queue::two_workers_do_each_job_once;
use startup::{VARIABLES, a_process_refuses_to_start_unconfigured};
use status::{
    BAD_LISTS, a_job_shows_its_way_to_the_end, a_nonsensical_list_is_refused,
    the_job_list_is_the_callers_own,
};
use truth::{a_dead_worker_is_not_ready, health_and_version_answer};
use upload::{a_duplicate_is_refused, parallel_duplicates_make_one_document};
use workflow::{
    a_document_is_found_by_its_owner_alone, a_document_is_submitted_to_the_parser_once,
    every_chunk_has_its_own_vector, every_transition_is_recorded, ids_and_paths_are_deterministic,
    joined_chunks_are_the_parsed_text, stored_objects_match_their_hashes,
};

/// The suite's table.
pub(crate) fn suite() -> Suite {
    Suite::new(
        "pipeline",
        "every stage does its work, once, completely",
        [
            check!(a_document_is_found_by_its_owner_alone)
                .requires([Http, Database])
                .effect(WriteTenant)
                .severity(Critical),
            check!(every_transition_is_recorded)
                .requires([Http, Database])
                .effect(WriteTenant)
                .severity(High),
            check!(stored_objects_match_their_hashes)
                .requires([Http, Database, Storage])
                .effect(WriteTenant)
                .severity(Critical),
            check!(joined_chunks_are_the_parsed_text)
                .requires([Http, Database, Storage])
                .effect(WriteTenant)
                .severity(Critical),
            check!(every_chunk_has_its_own_vector)
                .requires([Http, Database, Standins])
                .effect(WriteTenant)
                .severity(Critical),
            check!(ids_and_paths_are_deterministic)
                .requires([Http, Database])
                .effect(WriteTenant)
                .severity(High),
            check!(a_document_is_submitted_to_the_parser_once)
                .requires([Http, Standins])
                .effect(WriteTenant)
                .severity(Critical),
            check!(the_callback_address_is_the_public_api)
                .requires([Http, Standins])
                .effect(WriteTenant)
                .severity(Critical),
            check!(every_callback_shape_yields_the_same_text, SHAPES)
                .requires([Http, Storage, Standins])
                .effect(WriteTenant)
                .severity(Critical),
            check!(a_duplicate_is_refused)
                .requires([Http])
                .effect(WriteTenant)
                .severity(High),
            check!(parallel_duplicates_make_one_document)
                .requires([Http, Database])
                .effect(WriteTenant)
                .severity(Critical),
            check!(the_size_limits_hold, OVERSIZED)
                .requires([Http])
                .effect(WriteTenant)
                .severity(High),
            check!(the_concurrent_job_limit_holds)
                .requires([Http])
                .effect(WriteTenant)
                .severity(High),
            check!(a_job_shows_its_way_to_the_end)
                .requires([Http, Database])
                .effect(WriteTenant)
                .severity(Critical),
            check!(the_job_list_is_the_callers_own)
                .requires([Http])
                .effect(WriteTenant)
                .severity(Critical),
            check!(a_nonsensical_list_is_refused, BAD_LISTS)
                .requires([Http])
                .effect(Read)
                .severity(High),
            check!(two_workers_do_each_job_once)
                .requires([Http, Database, Standins, Processes])
                .effect(Fault)
                .severity(Critical)
                .alone_with_workers(2),
            check!(health_and_version_answer)
                .requires([Http])
                .effect(Read)
                .severity(High),
            check!(a_dead_worker_is_not_ready)
                .requires([Http, Processes])
                .effect(Fault)
                .severity(Critical)
                .alone_with_workers(1),
            check!(a_process_refuses_to_start_unconfigured, VARIABLES)
                .requires([Processes])
                .effect(Fault)
                .severity(High)
                .alone_with_workers(1),
        ],
    )
}
