//! Registration: invalid requests are refused without a row, and valid ones are stored as sent.

use cutover_fixtures::prelude::*;
use cutover_harness::check::Named;
use cutover_harness::contract::{Contract, Endpoint, Limits, Pointer, UploadRequest};
use cutover_harness::prelude::*;
use cutover_harness::probe::DocumentRow;
use serde_json::{Value, json};

use cutover_suite_support::responses::expect_error_body;

/// The checks of this file.
pub(crate) fn table() -> Vec<Check> {
    vec![
        check!(a_bad_registration_is_refused, INVALID_BODIES)
            .requires([Http, Database])
            .reads([read::DOCUMENTS])
            .effect(Effect::WriteTenant)
            .severity(High),
        check!(a_file_name_is_kept, NAMES)
            .only_where([Condition::UPLOAD_NAME])
            .requires([Http, Database])
            .reads([
                read::document::FILENAME,
                read::document::RAW_PATH.if_given(),
            ])
            .effect(Effect::WriteTenant)
            .severity(High),
        check!(a_registration_belongs_to_its_caller)
            .requires([Http, Database])
            .reads([
                read::document::RAW_PATH.if_given(),
                read::document::PROCESSING_STATUS.if_given(),
            ])
            .effect(Effect::WriteTenant)
            .severity(Critical),
        check!(an_accepted_document_has_its_rows)
            .requires([Http, Database])
            .reads([
                read::document::FILE_SHA256.if_given(),
                read::document::MIME.if_given(),
                read::document::BYTES_LEN.if_given(),
                read::JOBS,
            ])
            .effect(Effect::WriteTenant)
            .severity(Critical),
    ]
}

/// Turns a valid registration into an invalid body.
type Invalidate = fn(Value, &UploadRequest, &Limits) -> CheckResult<String>;

/// An invalid registration body.
pub(super) struct InvalidBody {
    name: &'static str,
    body: Invalidate,
}

impl Named for InvalidBody {
    fn name(&self) -> &'static str {
        self.name
    }

    fn not_applicable(&self, contract: &Contract) -> Option<String> {
        let body = (self.body)(json!({}), &contract.requests.upload, &contract.limits);
        match body {
            Err(Stop::Skip { reason, .. }) => Some(reason),
            _ => None,
        }
    }
}

const fn invalid(name: &'static str, body: Invalidate) -> InvalidBody {
    InvalidBody { name, body }
}

/// Invalid registration bodies.
const INVALID_BODIES: &[InvalidBody] = &[
    invalid("no_name", |body, fields, _| without(body, &fields.filename)),
    invalid("an_empty_name", |body, fields, _| {
        with(body, &fields.filename, "")
    }),
    invalid("a_name_of_control_characters", |body, fields, _| {
        with(body, &fields.filename, "\u{1}\r\n\u{7f}")
    }),
    invalid("a_name_too_long", |body, fields, limits| {
        with(
            body,
            &fields.filename,
            "é".repeat(limits.filename_chars + 1),
        )
    }),
    invalid("a_number_for_a_name", |body, fields, _| {
        with(body, &fields.filename, 7)
    }),
    invalid("an_unpaired_surrogate", |body, fields, _| {
        with(body, &fields.filename, "HALF").map(|body| body.replace("HALF", "\\ud800"))
    }),
    invalid("no_length", |body, fields, _| {
        without(body, &fields.bytes_len)
    }),
    invalid("a_negative_length", |body, fields, _| {
        with(body, &fields.bytes_len, -1)
    }),
    invalid("a_fractional_length", |body, fields, _| {
        with(body, &fields.bytes_len, 1.5)
    }),
    invalid("a_huge_length", |body, fields, _| {
        with(body, &fields.bytes_len, u64::MAX)
    }),
    invalid("a_text_for_a_length", |body, fields, _| {
        with(body, &fields.bytes_len, "1024")
    }),
    invalid("no_type", |body, fields, _| without(body, &fields.mime)),
    invalid("another_type", |body, fields, _| {
        with(body, &fields.mime, "text/html")
    }),
    invalid("no_hash", |body, fields, _| without(body, &fields.sha256)),
    invalid("null_for_a_hash", |body, fields, _| {
        with(body, &fields.sha256, Value::Null)
    }),
    invalid("a_short_hash", |body, fields, _| {
        with(body, &fields.sha256, "a".repeat(63))
    }),
    invalid("a_long_hash", |body, fields, _| {
        with(body, &fields.sha256, "a".repeat(65))
    }),
    invalid("a_hash_in_capitals", |body, fields, _| {
        with(body, &fields.sha256, "A".repeat(64))
    }),
    invalid("a_hash_with_other_letters", |body, fields, _| {
        with(body, &fields.sha256, "g".repeat(64))
    }),
    invalid("a_text_for_a_boolean", |body, fields, _| {
        with(body, &fields.ocr, "yes")
    }),
    invalid("not_json", |_, _, _| Ok("{\"filename\": ".to_owned())),
    invalid("an_empty_body", |_, _, _| Ok(String::new())),
    invalid("null", |_, _, _| Ok("null".to_owned())),
    invalid("a_list", |_, _, _| Ok("[]".to_owned())),
    invalid("a_list_of_the_values", |body, fields, _| {
        let places = [
            &fields.filename,
            &fields.bytes_len,
            &fields.mime,
            &fields.sha256,
            &fields.ocr,
        ];
        Ok(json!(places.map(|place| place.find(&body))).to_string())
    }),
];

fn with(mut body: Value, place: &Pointer, value: impl Into<Value>) -> CheckResult<String> {
    place.applies("this field of a registration")?;
    place.put(&mut body, value);
    Ok(body.to_string())
}

fn without(mut body: Value, place: &Pointer) -> CheckResult<String> {
    place.applies("this field of a registration")?;
    place.remove(&mut body);
    Ok(body.to_string())
}

/// An invalid registration is refused with 4xx, and nothing is stored.
async fn a_bad_registration_is_refused(cx: &Context, case: &InvalidBody) -> CheckResult {
    let tenant = cx.tenant()?;
    let pipeline = cx.pipeline_as(tenant.clone())?;
    let fields = &cx.contract().requests.upload;
    let valid = fields.body(cx.document().build().upload());
    let body = (case.body)(valid, fields, &cx.contract().limits)?;
    // A body that is not JSON may also be answered with 400.
    let readable = serde_json::from_str::<Value>(&body).is_ok();
    let request = pipeline
        .request(Endpoint::Upload, "")?
        .body("application/json", body);
    let reply = pipeline.ask(Endpoint::Upload, request).await?;
    let reply = if reply.status == 400 && !readable {
        reply
    } else {
        reply.expect_status(&cx.contract().statuses.invalid)?
    };
    expect_error_body(&reply, cx.contract())?;
    let rows = cx.database()?.documents_of(tenant.user_id).await?;
    ensure!(rows.is_empty(), "a refused registration creates a row");
    Ok(())
}

/// A file name, and the name that is stored.
pub(super) struct FileName {
    case: &'static str,
    given: fn(&Limits) -> String,
    kept: fn(&Limits) -> String,
}

impl Named for FileName {
    fn name(&self) -> &'static str {
        self.case
    }
}

/// A name that is stored unchanged.
const fn plain(name: &'static str, given: fn(&Limits) -> String) -> FileName {
    FileName {
        case: name,
        given,
        kept: given,
    }
}

/// File names.
const NAMES: &[FileName] = &[
    plain("one_letter", |_| "a".to_owned()),
    plain("the_longest", |limits| "é".repeat(limits.filename_chars)),
    plain("a_path", |_| "../../../etc/passwd".to_owned()),
    plain("a_program", |_| "invoice.pdf.exe".to_owned()),
    plain("a_statement", |_| {
        "x'); DROP TABLE documents; --.pdf".to_owned()
    }),
    FileName {
        case: "control_characters",
        given: |_| "po\r\nli\u{0}cy\u{1b}[31m\u{7f}.pdf".to_owned(),
        kept: |_| "policy[31m.pdf".to_owned(),
    },
    FileName {
        case: "long_with_control_characters",
        given: |limits| format!("{}\n\n", "x".repeat(limits.filename_chars)),
        kept: |limits| "x".repeat(limits.filename_chars),
    },
];

/// A file name is stored unchanged except for control characters, and does not appear in the storage path.
async fn a_file_name_is_kept(cx: &Context, case: &FileName) -> CheckResult {
    let limits = &cx.contract().limits;
    let mut upload = cx.document().build().upload().clone();
    upload.filename = (case.given)(limits);
    let tenant = cx.tenant()?;
    let accepted = cx.pipeline_as(tenant.clone())?.accept(&upload).await?;
    let rows = cx.database()?.documents_of(tenant.user_id).await?;
    ensure_eq!(
        rows.len(),
        1,
        "an accepted document does not have exactly one row"
    );
    ensure_eq!(
        rows[0].filename.as_deref(),
        Some((case.kept)(limits).as_str()),
        "the file name is not stored as expected"
    );
    let contract = cx.contract();
    if contract.database.has(read::document::RAW_PATH) && contract.storage.has_raw_path() {
        let path = rows[0].raw_path.as_deref();
        ensure_eq!(
            path.map(|path| contract.storage.object(path)),
            Some(&*contract.raw_path(tenant.user_id, accepted.document_id)),
            "the file name affects the storage path"
        );
    }
    Ok(())
}

/// An accepted document has a row with the registered values, and exactly one job.
async fn an_accepted_document_has_its_rows(cx: &Context) -> CheckResult {
    let document = cx.document().build();
    let tenant = cx.tenant()?;
    let accepted = cx
        .pipeline_as(tenant.clone())?
        .accept(document.upload())
        .await?;
    let database = cx.database()?;
    let Some(row) = database.document(accepted.document_id).await? else {
        return Err(Stop::violated(Finding::new(
            "an accepted document has no row",
        )));
    };
    ensure_eq!(
        row.user_id,
        tenant.user_id,
        "the document belongs to another user"
    );
    let layout = &cx.contract().database;
    let length = document.bytes().len().to_string();
    for (read, found, registered) in [
        (
            read::document::FILE_SHA256,
            row.file_sha256,
            document.sha256(),
        ),
        (read::document::MIME, row.mime, &*document.upload().mime),
        (
            read::document::BYTES_LEN,
            row.bytes_len.map(|length| length.to_string()),
            &length,
        ),
    ] {
        ensure!(
            found.as_deref() == Some(registered) || !layout.has(read),
            "{read} differs from the registration: {found:?}, not '{registered}'"
        );
    }
    let jobs = database.jobs_of(accepted.document_id).await?;
    let ids: Vec<_> = jobs.iter().map(|job| job.job_id).collect();
    ensure_eq!(
        ids,
        [accepted.job_id],
        "the document does not have exactly the job of the response"
    );
    ensure_eq!(
        jobs[0].status,
        cx.contract().vocabulary.registered,
        "a job without bytes has a status beyond registered"
    );
    Ok(())
}

/// The row of a document that another user has registered without extra fields.
async fn registered_row(cx: &Context) -> CheckResult<DocumentRow> {
    let accepted = cx
        .pipeline()?
        .accept(cx.document().build().upload())
        .await?;
    let row = cx.database()?.document(accepted.document_id).await?;
    row.ok_or_else(|| Stop::violated(Finding::new("an accepted document has no row")))
}

/// Extra fields in the body change neither the owner nor the ids, the path or the status of a document.
async fn a_registration_belongs_to_its_caller(cx: &Context) -> CheckResult {
    let (tenant, other) = (cx.tenant()?, cx.tenant()?);
    let document = cx.document().build();
    let mut body = cx.contract().requests.upload.body(document.upload());
    let forged = cx.contract().raw_path(other.user_id, other.user_id);
    body["user_id"] = json!(other.user_id);
    body["document_id"] = json!(other.user_id);
    body["job_id"] = json!(other.user_id);
    body["raw_path"] = json!(forged);
    body["status"] = json!(cx.contract().vocabulary.complete);
    let pipeline = cx.pipeline_as(tenant.clone())?;
    let reply = pipeline.register_as(&body).await?;
    let database = cx.database()?;
    let others = database.documents_of(other.user_id).await?;
    ensure!(
        others.is_empty(),
        "a registration creates a document of another user"
    );
    // Refusing a body with unknown fields is acceptable, too.
    let statuses = &cx.contract().statuses;
    if statuses.invalid.include(reply.status) {
        return Ok(());
    }
    reply.expect_status(&statuses.accepted)?;
    let contract = cx.contract();
    let rows = database.documents_of(tenant.user_id).await?;
    let [row] = rows.as_slice() else {
        let summary = format!("an accepted document has {} rows", rows.len());
        return Err(Stop::violated(Finding::new(summary)));
    };
    let id = contract.document_id(tenant.user_id, document.sha256());
    let id = id.unwrap_or(row.document_id);
    let control = registered_row(cx).await?;
    // A pipeline may fill in the path later, but then for every document.
    let is_known = contract.storage.has_raw_path();
    let raw = control.raw_path.filter(|_| is_known);
    let raw = raw.map(|_| contract.raw_path(tenant.user_id, id));
    let stored = row.raw_path.as_deref().filter(|_| is_known);
    ensure_eq!(
        (
            row.document_id,
            stored.map(|path| contract.storage.object(path)),
            &row.processing_status
        ),
        (id, raw.as_deref(), &control.processing_status),
        "extra fields of a registration change the row"
    );
    ensure!(
        row.document_id != other.user_id,
        "a registration sets the id of its document"
    );
    Ok(())
}
