//! The names that pipelines give to the fields of the contract, and the search for them in a body.

use super::leaves::{Kind, Leaf};

/// A field of the contract, and its usual names, the most specific first.
struct Field {
    table: &'static str,
    key: &'static str,
    kind: Kind,
    names: &'static [&'static str],
}

/// Declares the fields of one table: key, type, names in lower case without separators.
macro_rules! fields {
    ($($table:literal: $($key:literal $kind:ident [$($name:literal),+ $(,)?],)+;)+) => {
        &[$($(Field { table: $table, key: $key, kind: Kind::$kind, names: &[$($name),+] },)+)+]
    };
}

#[rustfmt::skip]
const FIELDS: &[Field] = fields! {
    "requests.upload":
        "filename" Text ["filename", "originalname", "originalfilename", "documentname", "name", "title"],
        "bytes_len" Number ["byteslen", "filesize", "bytesize", "sizebytes", "contentlength", "size", "bytes", "length"],
        "mime" Text ["mimetype", "mime", "contenttype", "mediatype", "filetype", "type"],
        "sha256" Text ["sha256", "sha256hash", "filesha256", "checksum", "digest", "contenthash", "filehash", "hash"],
        "ocr" Bool ["ocr", "useocr", "enableocr", "pictures"],
    ;
    "requests.search":
        "query" Text ["query", "q", "question", "searchtext", "text", "prompt", "term"],
        "k" Number ["k", "topk", "limit", "maxresults", "most", "top", "count", "size", "n"],
    ;
    "fields.accepted":
        "job_id" Text ["jobid", "ingestionid", "taskid", "runid", "receipt", "processingid"],
        "document_id" Text ["documentid", "fileid", "docid", "id"],
        "signed_url" Text ["signedurl", "uploadurl", "presignedurl", "puturl", "url"],
        "upload_expires_at" Unknown ["uploadexpiresat", "uploadexpires", "uploaduntil", "expiresat", "expires", "expiry", "validuntil", "until"],
    ;
    "fields.job":
        "job_id" Text ["jobid", "ingestionid", "taskid", "runid", "id"],
        "document_id" Text ["documentid", "fileid", "docid"],
        "status" Text ["status", "stage", "phase", "processingstatus", "step"],
        "state" Text ["state", "queuestate"],
        "retry_count" Number ["retrycount", "retries", "attempts", "attempt"],
        "stage_percent" Number ["statuspct", "stagepercent", "stageprogress"],
        "total_percent" Number ["totalpct", "totalpercent", "percentcomplete", "percent", "progress"],
        "cost_cents" Number ["costcents", "cost"],
        "last_error" Object ["lasterror", "error", "problem", "failure"],
        "last_error_code" Text ["lasterrorcode", "errorcode", "problemcode", "problemkind", "failurecode"],
        "last_error_message" Text ["lasterrormessage", "errormessage", "problemmessage", "problemtext", "failurereason", "failuremessage"],
        "last_error_timestamp" Unknown ["lasterrortimestamp", "errorat", "failedat"],
        "last_error_details" Unknown ["lasterrordetails", "errordetails"],
        "updated_at" Unknown ["updatedat", "changedat", "modifiedat", "updated", "changed"],
    ;
    "fields.jobs":
        "jobs" List ["jobs", "ingestions", "tasks", "runs", "items", "results", "data"],
        "limit" Number ["limit", "pagesize", "perpage", "size"],
        "offset" Number ["offset", "skip"],
        "total" Number ["total", "totalcount", "count"],
        "has_more" Bool ["hasmore", "hasnext", "more"],
    ;
    "fields.retry":
        "job_id" Text ["jobid", "ingestionid", "taskid", "runid", "id"],
        "new_state" Text ["newstate", "state"],
    ;
    "fields.document":
        "document_id" Text ["documentid", "fileid", "docid", "id"],
        "status" Text ["processingstatus", "status", "stage", "phase", "state"],
        "filename" Text ["filename", "originalname", "originalfilename", "documentname", "name", "title"],
        "bytes_len" Number ["byteslen", "filesize", "bytesize", "sizebytes", "contentlength", "size", "bytes", "length"],
        "sha256" Text ["filesha256", "sha256", "sha256hash", "checksum", "digest", "contenthash", "filehash", "hash"],
        "chunk_count" Number ["chunkcount", "chunkscount", "numchunks", "nchunks", "chunks", "passages", "segments"],
    ;
    "fields.search":
        "results" List ["results", "hits", "matches", "chunks", "passages", "items", "data"],
        "chunk_id" Text ["chunkid", "passageid", "segmentid", "id"],
        "document_id" Text ["documentid", "fileid", "docid", "document"],
        "text" Text ["text", "content", "chunktext", "body", "passage", "snippet"],
        "similarity" Number ["similarity", "score", "relevance"],
    ;
    "fields.limits":
        "max_bytes" Number ["maxuploadbytes", "maxbytes", "maxfilesize", "maxfilebytes", "filebytes", "maxsize"],
        "concurrent_jobs" Number ["maxconcurrentjobs", "concurrentjobs", "maxactive", "maxactivejobs"],
        "daily_uploads" Number ["maxdailyuploads", "dailyuploads", "uploadsperday", "maxuploadsperday"],
    ;
    "fields.version":
        "commit" Text ["commit", "gitsha", "gitcommit", "revision", "sha"],
        "build" Text ["build", "buildid", "buildnumber"],
        "migration_head" Text ["migrationhead", "migration", "schemaversion"],
        "environment" Text ["environment", "env", "deployment"],
    ;
    "fields.error":
        "error" Text ["errorcode", "detailcode", "faultkind", "errorkind", "code", "error"],
        "message" Unknown ["errormessage", "detailmessage", "faulttext", "message", "detail", "errordetail", "error"],
        "request_id" Text ["requestid", "errorrequestid", "faultrequest", "correlationid", "traceid"],
        "error_type" Text ["errortype", "errorcode", "detailcode", "faultkind", "code"],
        "document_title" Text ["documenttitle", "existingtitle", "existingname", "existingfilename"],
        "last_uploaded" Unknown ["lastuploaded", "existinguploadedat", "existingsince", "existingcreatedat"],
    ;
};

/// The tables in which two fields may have the same pointer.
const SHARED: &str = "fields.error";

/// The pointer of each field of a table in a body; nothing for those that it does not have.
///
/// In a search result all pointers but that of the list are relative to one result.
pub(super) fn find_fields(table: &str, leaves: &[Leaf]) -> Vec<(&'static str, Option<String>)> {
    let mut taken: Vec<String> = Vec::new();
    let mut base = String::new();
    let mut found = Vec::new();
    for field in FIELDS.iter().filter(|field| field.table == table) {
        let usable = leaves.iter().filter(|leaf| {
            let relative = leaf.pointer.strip_prefix(base.as_str());
            relative.is_some_and(|relative| !relative.is_empty() && !relative.contains("/*"))
                && (table == SHARED || !taken.contains(&leaf.pointer))
                && has_kind(leaf.kind, field.kind)
        });
        let leaf = best(field.names, &usable.collect::<Vec<_>>());
        let pointer = leaf.map(|leaf| leaf.pointer[base.len()..].to_owned());
        taken.extend(leaf.map(|leaf| leaf.pointer.clone()));
        if (table, field.key) == ("fields.search", "results") {
            base = leaf.map_or_else(|| "/*".to_owned(), |leaf| format!("{}/*", leaf.pointer));
        }
        found.push((field.key, pointer));
    }
    found
}

fn has_kind(found: Kind, wanted: Kind) -> bool {
    found == wanted
        || found == Kind::Unknown
        || (wanted == Kind::Unknown
            && matches!(found, Kind::Text | Kind::Number | Kind::Object | Kind::List))
}

/// The leaf with the most specific of these names; of several, the one nearest to the root.
fn best<'a>(names: &[&str], leaves: &[&'a Leaf]) -> Option<&'a Leaf> {
    names.iter().find_map(|name| {
        let candidates = leaves
            .iter()
            .filter(|leaf| leaf_names(&leaf.pointer).iter().any(|own| own == name));
        candidates
            .min_by_key(|leaf| leaf.pointer.matches('/').count())
            .copied()
    })
}

/// The names of a leaf: its own, and its own with that of its parent.
fn leaf_names(pointer: &str) -> [String; 2] {
    let mut segments = pointer.rsplit('/').filter(|segment| *segment != "*");
    let own = normalized(segments.next().unwrap_or_default());
    let parent = normalized(segments.next().unwrap_or_default());
    let both = format!("{parent}{own}");
    [own, both]
}

/// A name in lower case without separators.
pub(super) fn normalized(name: &str) -> String {
    let letters = name.chars().filter(char::is_ascii_alphanumeric);
    letters.map(|letter| letter.to_ascii_lowercase()).collect()
}

#[cfg(test)]
mod tests {
    use super::super::leaves::leaves_of;
    use super::*;
    use serde_json::{Value, json};

    fn found(table: &str, body: &Value) -> Vec<(&'static str, String)> {
        let fields = find_fields(table, &leaves_of(body)).into_iter();
        fields
            .filter_map(|(key, pointer)| Some((key, pointer?)))
            .collect()
    }

    fn owned<'a>(pairs: &[(&'a str, &str)]) -> Vec<(&'a str, String)> {
        pairs
            .iter()
            .map(|(key, pointer)| (*key, (*pointer).to_owned()))
            .collect()
    }

    #[test]
    fn fields_are_found_by_their_names_in_any_style() {
        let body =
            json!({"document": {"id": "d"}, "receipt": "r", "upload": {"url": "u", "until": "t"}});
        let pointers = [
            ("job_id", "/receipt"),
            ("document_id", "/document/id"),
            ("signed_url", "/upload/url"),
            ("upload_expires_at", "/upload/until"),
        ];
        assert_eq!(found("fields.accepted", &body), owned(&pointers));
        let body = json!({"jobId": "j", "documentId": "d", "signedUrl": "u", "expiresAt": 7});
        let pointers = [
            ("job_id", "/jobId"),
            ("document_id", "/documentId"),
            ("signed_url", "/signedUrl"),
            ("upload_expires_at", "/expiresAt"),
        ];
        assert_eq!(found("fields.accepted", &body), owned(&pointers));
    }

    #[test]
    fn pointers_of_a_search_result_are_relative_to_it() {
        let body = json!({"hits": [{"passage_id": "p", "file_id": "f", "content": "c", "score": 0.5}], "took": 3});
        let pointers = [
            ("results", "/hits"),
            ("chunk_id", "/passage_id"),
            ("document_id", "/file_id"),
            ("text", "/content"),
            ("similarity", "/score"),
        ];
        assert_eq!(found("fields.search", &body), owned(&pointers));
    }

    #[test]
    fn a_value_of_another_type_is_no_match() {
        let body = json!({"status": 7, "state": "queued", "error": {"code": "x", "message": "y"}});
        let pointers = [
            ("state", "/state"),
            ("last_error", "/error"),
            ("last_error_code", "/error/code"),
            ("last_error_message", "/error/message"),
        ];
        assert_eq!(found("fields.job", &body), owned(&pointers));
    }
}
