//! Rules of storage: who reaches the stored objects, and how long.

use super::table::rules;

rules! {
    "STO-01" Critical [API8] [732] "no stored object is public"
        checked ["security::stored_objects_are_not_public"];
    "STO-02" High [API1] [548] "nobody but the service lists stored objects"
        checked ["security::nobody_but_the_service_reaches_stored_objects::listing_the_folder",
            "security::nobody_but_the_service_reaches_stored_objects::listing_the_bucket"];
    "STO-03" Critical [API1] [639] "nobody but the service reads, replaces, moves, copies or removes an object"
        checked ["security::nobody_but_the_service_reaches_stored_objects", "security::stored_objects_are_not_public",
            "security::storage_is_asked_with_both_keys_and_for_the_owners_folder"];
    "STO-04" High [API2] [613] "a signed URL is refused after its expiry"
        open "waiting for the expiry of a URL that the target issues; short lifetimes need a setting of the target";
    "STO-05" Medium [API2] [613] "a signed URL is valid as long as it says"
        checked ["pipeline::the_upload_url_points_to_the_storage"];
    "STO-06" Critical [API1] [345] "the token of a signed URL is valid for its object only"
        checked ["security::an_upload_token_is_valid_for_its_object"];
    "STO-07" Critical [API5] [863] "the token of an upload is no token of a download"
        checked ["security::an_upload_token_is_valid_for_its_object"];
    "STO-08" Medium [API6] [294] "a signed URL accepts bytes once"
        checked ["pipeline::an_upload_url_accepts_bytes_once"];
    "STO-09" Critical [API1] [22] "no path in a request leaves its folder"
        checked ["security::an_upload_token_is_valid_for_its_object", "security::a_client_sets_no_field_of_the_service::places",
            "pipeline::a_file_name_is_kept"];
    "STO-10" Medium [API4] [770] "the bucket has limits of size and type"
        open "the settings of the bucket: the contract does not say what they must be";
    "STO-11" High [API4] [770] "more bytes than allowed are not indexed"
        checked ["security::the_size_limits_hold", "pipeline::other_bytes_are_never_indexed"];
    "STO-12" High [API8] [79, 430] "stored content is served so that no browser runs it"
        not_applicable "the contract has no route that serves stored content";
    "STO-13" Medium [API3] [532] "signed URLs are not logged, and end with their document"
        checked ["security::nothing_confidential_is_logged", "pipeline::a_deleted_document_is_gone"];
}
