//! Rules of uploaded content: what a file may be, and what it can do.

use super::table::rules;

rules! {
    "UPL-01" High [API8] [434] ["5.2.2"] "bytes that are no PDF end in a failure with its cause"
        remedy "Check the first bytes and the structure of the file before it is sent to the parser. End the job as failed with that cause."
        checked ["pipeline::a_broken_document_fails_with_its_cause::not_a_pdf",
            "security::a_hostile_file_ends_and_harms_nobody::of_other_types",
            "security::a_hostile_file_ends_and_harms_nobody::registered_as_other_types"];
    "UPL-02" Medium [API8] [434] ["3.2.1", "5.2.2"] "a file of two formats is refused, or parsed as it was uploaded"
        remedy "Refuse a file whose PDF header is not at its first byte, or serve it as an attachment only."
        checked ["security::a_hostile_file_ends_and_harms_nobody::of_two_formats"];
    "UPL-03" Medium [API8] [130] ["2.2.3"] "a file that is shorter or longer than declared is not indexed"
        remedy "Compare the stored size with the declared size before the job is queued, and fail the job if they differ."
        checked ["pipeline::other_bytes_are_never_indexed", "security::a_hostile_file_ends_and_harms_nobody::cut_anywhere"];
    "UPL-04" High [API8] [354] ["2.2.3"] "a file with another hash than declared is not indexed"
        remedy "Compute the hash of the stored bytes, and fail the job if it is not the declared one."
        checked ["pipeline::other_bytes_are_never_indexed::of_another_hash"];
    "UPL-05" High [API4] [409] ["5.2.1", "5.2.3"] "a file that unpacks to many times its size ends, and needs bounded memory"
        remedy "Limit pages, objects and unpacked bytes before parsing. Parse in a process with limits of memory and time."
        checked ["security::a_hostile_file_ends_and_harms_nobody::that_unpack_to_more",
            "security::a_hostile_file_ends_and_harms_nobody::with_many_parts",
            "security::a_hostile_file_ends_and_harms_nobody::with_false_numbers",
            "security::hostile_files_need_bounded_memory"];
    "UPL-06" High [API4, API8] [409, 22, 611] ["1.5.1", "5.2.3", "5.2.5", "5.3.3"] "an archive ends in a failure"
        remedy "Refuse archives by their first bytes. Where they are accepted, limit the unpacked size, and ignore links, paths and external entities."
        checked ["security::a_hostile_file_ends_and_harms_nobody::of_other_types"];
    "UPL-07" High [API7] [918, 829] ["1.3.6", "13.2.4"] "no address in a document is fetched"
        remedy "Parse documents without access to the network, with scripts and external references switched off."
        checked ["security::nothing_that_a_file_names_is_fetched", "security::no_address_from_outside_is_fetched::in_a_text"];
    "UPL-08" Medium [API4] [400] ["5.2.6"] "a file with a huge image ends, and needs bounded memory"
        remedy "Read the dimensions of an image before it is decoded, and refuse it above a fixed number of pixels."
        checked ["security::a_hostile_file_ends_and_harms_nobody::that_unpack_to_more",
            "security::hostile_files_need_bounded_memory"];
    "UPL-09" Low [API8] [20] ["5.2.2", "16.5.3"] "an empty, encrypted or broken file ends in a failure with its cause"
        remedy "Map each error of the parser to a final failure with a code. Retry only errors that may pass."
        checked ["pipeline::a_broken_document_fails_with_its_cause",
            "security::a_hostile_file_ends_and_harms_nobody::cut_anywhere", "security::the_size_limits_hold::an_empty_file"];
    "UPL-10" Medium [API8] [434] ["5.4.3"] "a file with the test pattern of virus scanners is treated as documented"
        remedy "Scan files before they are parsed, or document that they are not scanned."
        open "the contract does not say whether the target scans files";
    "UPL-11" Medium [API8] [1427] [] "instructions in a text are kept as text, and followed by nobody"
        remedy "Pass the text to models as data, apart from instructions. Give them no tools that fetch addresses or read other documents."
        checked ["security::instructions_in_a_text_are_data", "security::no_address_from_outside_is_fetched::in_a_text",
            "pipeline::an_unusual_text_is_kept"];
    "UPL-12" Medium [API4] [770] ["2.3.2", "5.2.4"] "each user has limits of uploads and of jobs at once"
        remedy "Count the uploads and jobs of a user in the transaction that adds one. Answer 429 above the limit."
        checked ["security::the_daily_limit_is_each_users_own", "security::the_concurrent_job_limit_holds",
            "security::requests_at_one_moment_keep_every_limit", "security::uploads_at_once_keep_the_limit",
            "security::one_file_is_accepted_once_by_two_processes"];
}
