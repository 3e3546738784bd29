//! Rules of uploaded content: what a file may be, and what it can do.

use super::table::rules;

rules! {
    "UPL-01" High [API8] [434] "bytes that are no PDF end in a failure with its cause"
        checked ["pipeline::a_broken_document_fails_with_its_cause::not_a_pdf",
            "security::a_hostile_file_ends_and_harms_nobody::of_other_types",
            "security::a_hostile_file_ends_and_harms_nobody::registered_as_other_types"];
    "UPL-02" Medium [API8] [434] "a file of two formats is refused, or parsed as it was uploaded"
        checked ["security::a_hostile_file_ends_and_harms_nobody::of_two_formats"];
    "UPL-03" Medium [API8] [130] "a file that is shorter or longer than declared is not indexed"
        checked ["pipeline::other_bytes_are_never_indexed", "security::a_hostile_file_ends_and_harms_nobody::cut_anywhere"];
    "UPL-04" High [API8] [354] "a file with another hash than declared is not indexed"
        checked ["pipeline::other_bytes_are_never_indexed::of_another_hash"];
    "UPL-05" High [API4] [409] "a file that unpacks to many times its size ends, and needs bounded memory"
        checked ["security::a_hostile_file_ends_and_harms_nobody::that_unpack_to_more",
            "security::a_hostile_file_ends_and_harms_nobody::with_many_parts",
            "security::a_hostile_file_ends_and_harms_nobody::with_false_numbers",
            "security::hostile_files_need_bounded_memory"];
    "UPL-06" High [API4, API8] [409, 22, 611] "an archive ends in a failure"
        checked ["security::a_hostile_file_ends_and_harms_nobody::of_other_types"];
    "UPL-07" High [API7] [918, 829] "no address in a document is fetched"
        checked ["security::nothing_that_a_file_names_is_fetched", "security::no_address_from_outside_is_fetched::in_a_text"];
    "UPL-08" Medium [API4] [400] "a file with a huge image ends, and needs bounded memory"
        checked ["security::a_hostile_file_ends_and_harms_nobody::that_unpack_to_more",
            "security::hostile_files_need_bounded_memory"];
    "UPL-09" Low [API8] [20] "an empty, encrypted or broken file ends in a failure with its cause"
        checked ["pipeline::a_broken_document_fails_with_its_cause",
            "security::a_hostile_file_ends_and_harms_nobody::cut_anywhere", "security::the_size_limits_hold::an_empty_file"];
    "UPL-10" Medium [API8] [434] "a file with the test pattern of virus scanners is treated as documented"
        open "the contract does not say whether the target scans files";
    "UPL-11" Medium [API8] [1427] "instructions in a text are kept as text, and followed by nobody"
        checked ["security::instructions_in_a_text_are_data", "security::no_address_from_outside_is_fetched::in_a_text",
            "pipeline::an_unusual_text_is_kept"];
    "UPL-12" Medium [API4] [770] "each user has limits of uploads and of jobs at once"
        checked ["security::the_daily_limit_is_each_users_own", "security::the_concurrent_job_limit_holds",
            "security::requests_at_one_moment_keep_every_limit", "security::uploads_at_once_keep_the_limit",
            "security::one_file_is_accepted_once_by_two_processes"];
}
