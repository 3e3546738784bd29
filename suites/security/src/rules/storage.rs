//! Rules of storage: who reaches the stored objects, and how long.

use super::table::rules;

rules! {
    "STO-01" Critical [API8] [732] ["8.2.2"] "no stored object is public"
        remedy "Set the bucket to private, and hand out signed URLs only."
        checked ["security::stored_objects_are_not_public"];
    "STO-02" High [API1] [548] ["8.2.2", "13.4.3"] "nobody but the service lists stored objects"
        remedy "Remove policies that let anon or authenticated select from storage.objects."
        checked ["security::nobody_but_the_service_reaches_stored_objects::listing_the_folder",
            "security::nobody_but_the_service_reaches_stored_objects::listing_the_bucket"];
    "STO-03" Critical [API1] [639] ["8.2.2", "8.4.1"] "nobody but the service reads, replaces, moves, copies or removes an object"
        remedy "Give access to objects to the service role only. Let clients use signed URLs of single objects."
        checked ["security::nobody_but_the_service_reaches_stored_objects", "security::stored_objects_are_not_public",
            "security::storage_is_asked_with_both_keys_and_for_the_owners_folder"];
    "STO-04" High [API2] [613] ["9.2.1"] "a signed URL is refused after its expiry"
        remedy "Check the expiry of a signed URL at each request. Keep caches from answering for longer than the URL is valid."
        open "waiting for the expiry of a URL that the target issues; short lifetimes need a setting of the target";
    "STO-05" Medium [API2] [613] ["9.2.1"] "a signed URL is valid as long as it says"
        remedy "Set the lifetime of signed URLs to the value that the response states. Compare it with the settings of the storage."
        checked ["pipeline::the_upload_url_points_to_the_storage"];
    "STO-06" Critical [API1] [345] ["9.2.2"] "the token of a signed URL is valid for its object only"
        remedy "Sign the bucket and the whole object path, and compare both with the request."
        checked ["security::an_upload_token_is_valid_for_its_object"];
    "STO-07" Critical [API5] [863] ["9.2.2"] "the token of an upload is no token of a download"
        remedy "Sign the operation with the path, and check it. Update a storage that accepts a download token for an upload."
        checked ["security::an_upload_token_is_valid_for_its_object"];
    "STO-08" Medium [API6] [294] [] "a signed URL accepts bytes once"
        remedy "Sign upload URLs without upsert, and refuse bytes for an object that exists."
        checked ["pipeline::an_upload_url_accepts_bytes_once"];
    "STO-09" Critical [API1] [22] ["5.3.2"] "no path in a request leaves its folder"
        remedy "Generate object paths on the server from ids. Refuse a path that changes when it is decoded and normalised."
        checked ["security::an_upload_token_is_valid_for_its_object", "security::a_client_sets_no_field_of_the_service::places",
            "pipeline::a_file_name_is_kept"];
    "STO-10" Medium [API4] [770] ["5.2.1", "5.2.2"] "the bucket has limits of size and type"
        remedy "Set `file_size_limit` and `allowed_mime_types` of the bucket to the limits of the contract."
        open "the settings of the bucket: the contract does not say what they must be";
    "STO-11" High [API4] [770] ["5.2.1"] "more bytes than allowed are not indexed"
        remedy "Limit the size in the storage, and compare the stored size with the declared one before parsing. Delete what is too large."
        checked ["security::the_size_limits_hold", "pipeline::other_bytes_are_never_indexed"];
    "STO-12" High [API8] [79, 430] ["3.2.1"] "stored content is served so that no browser runs it"
        remedy "Serve stored content as an attachment with `X-Content-Type-Options: nosniff`, from a host of its own."
        not_applicable "the contract has no route that serves stored content";
    "STO-13" Medium [API3] [532] ["14.2.7", "16.2.5"] "signed URLs are not logged, and end with their document"
        remedy "Remove query strings from logged URLs. Delete the object together with its document."
        checked ["security::nothing_confidential_is_logged", "pipeline::a_deleted_document_is_gone"];
}
