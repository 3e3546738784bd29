//! Registrations: what does not make sense is refused and leaves nothing, what does is kept to the letter.

use cutover_fixtures::prelude::*;
use cutover_harness::check::Named;
use cutover_harness::contract::{Endpoint, Limits, Pointer, UploadRequest};
use cutover_harness::prelude::*;
use serde_json::{Value, json};

use cutover_suite_support::responses::expect_error_body;

/// The checks of this file.
pub(crate) fn table() -> Vec<Check> {
    vec![
        check!(a_bad_registration_is_refused, BAD)
            .requires([Http, Database])
            .effect(WriteTenant)
            .severity(High),
        check!(a_file_name_is_kept, NAMES)
            .requires([Http, Database])
            .effect(WriteTenant)
            .severity(High),
        check!(a_registration_belongs_to_its_caller)
            .requires([Http, Database])
            .effect(WriteTenant)
            .severity(Critical),
        check!(an_accepted_document_has_its_rows)
            .requires([Http, Database])
            .effect(WriteTenant)
            .severity(Critical),
    ]
}

/// What turns a sound registration into the body that is sent.
type Spoil = fn(Value, &UploadRequest, &Limits) -> CheckResult<String>;

/// A body that makes no sense.
pub(super) struct Bad {
    name: &'static str,
    body: Spoil,
}

impl Named for Bad {
    fn name(&self) -> &'static str {
        self.name
    }
}

const fn bad(name: &'static str, body: Spoil) -> Bad {
    Bad { name, body }
}

/// Bodies that make no sense.
const BAD: &[Bad] = &[
    bad("no_name", |body, said, _| without(body, &said.filename)),
    bad("an_empty_name", |body, said, _| {
        with(body, &said.filename, "")
    }),
    bad("a_name_of_control_characters", |body, said, _| {
        with(body, &said.filename, "\u{1}\r\n\u{7f}")
    }),
    bad("a_name_too_long", |body, said, limits| {
        with(body, &said.filename, "é".repeat(limits.filename_chars + 1))
    }),
    bad("a_number_for_a_name", |body, said, _| {
        with(body, &said.filename, 7)
    }),
    bad("an_unpaired_surrogate", |body, said, _| {
        with(body, &said.filename, "HALF").map(|body| body.replace("HALF", "\\ud800"))
    }),
    bad("no_length", |body, said, _| without(body, &said.bytes_len)),
    bad("a_negative_length", |body, said, _| {
        with(body, &said.bytes_len, -1)
    }),
    bad("a_fractional_length", |body, said, _| {
        with(body, &said.bytes_len, 1.5)
    }),
    bad("a_huge_length", |body, said, _| {
        with(body, &said.bytes_len, u64::MAX)
    }),
    bad("a_text_for_a_length", |body, said, _| {
        with(body, &said.bytes_len, "1024")
    }),
    bad("no_type", |body, said, _| without(body, &said.mime)),
    bad("another_type", |body, said, _| {
        with(body, &said.mime, "text/html")
    }),
    bad("no_hash", |body, said, _| without(body, &said.sha256)),
    bad("null_for_a_hash", |body, said, _| {
        with(body, &said.sha256, Value::Null)
    }),
    bad("a_short_hash", |body, said, _| {
        with(body, &said.sha256, "a".repeat(63))
    }),
    bad("a_long_hash", |body, said, _| {
        with(body, &said.sha256, "a".repeat(65))
    }),
    bad("a_hash_in_capitals", |body, said, _| {
        with(body, &said.sha256, "A".repeat(64))
    }),
    bad("a_hash_with_other_letters", |body, said, _| {
        with(body, &said.sha256, "g".repeat(64))
    }),
    bad("a_text_for_a_boolean", |body, said, _| {
        with(body, &said.ocr, "yes")
    }),
    bad("not_json", |_, _, _| Ok("{\"filename\": ".to_owned())),
    bad("an_empty_body", |_, _, _| Ok(String::new())),
    bad("null", |_, _, _| Ok("null".to_owned())),
    bad("a_list", |_, _, _| Ok("[]".to_owned())),
    bad("a_list_of_the_values", |body, said, _| {
        let places = [
            &said.filename,
            &said.bytes_len,
            &said.mime,
            &said.sha256,
            &said.ocr,
        ];
        Ok(json!(places.map(|place| place.find(&body))).to_string())
    }),
];

fn with(mut body: Value, place: &Pointer, value: impl Into<Value>) -> CheckResult<String> {
    place.applies("what is wrong here")?;
    place.put(&mut body, value);
    Ok(body.to_string())
}

fn without(mut body: Value, place: &Pointer) -> CheckResult<String> {
    place.applies("what is wrong here")?;
    place.remove(&mut body);
    Ok(body.to_string())
}

/// A body that makes no sense is the caller's mistake, and nothing is registered.
async fn a_bad_registration_is_refused(cx: &Context, case: &Bad) -> CheckResult {
    let tenant = cx.tenant()?;
    let pipeline = cx.pipeline_as(tenant.clone())?;
    let said = &cx.contract().requests.upload;
    let sound = said.body(cx.document().build().upload());
    let body = (case.body)(sound, said, &cx.contract().limits)?;
    // What cannot even be read may be called a bad request.
    let readable = serde_json::from_str::<Value>(&body).is_ok();
    let request = pipeline
        .request(Endpoint::Upload, "")?
        .body("application/json", body);
    let reply = pipeline.ask(Endpoint::Upload, request).await?;
    let reply = if reply.status == 400 && !readable {
        reply
    } else {
        reply.expect_status(422)?
    };
    expect_error_body(&reply, cx.contract())?;
    let rows = cx.database()?.documents_of(tenant.user_id).await?;
    ensure!(rows.is_empty(), "a refused registration leaves a row");
    Ok(())
}

/// A name that a file may have, and what is kept of it.
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

/// A name that is kept as it is.
const fn plain(name: &'static str, given: fn(&Limits) -> String) -> FileName {
    FileName {
        case: name,
        given,
        kept: given,
    }
}

/// Names that files may have.
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

/// A name is kept to the letter, without control characters, and names no object.
async fn a_file_name_is_kept(cx: &Context, case: &FileName) -> CheckResult {
    let limits = &cx.contract().limits;
    let said = &cx.contract().requests.upload;
    said.filename.applies("what a file is called")?;
    let mut upload = cx.document().build().upload().clone();
    upload.filename = (case.given)(limits);
    let tenant = cx.tenant()?;
    let accepted = cx.pipeline_as(tenant.clone())?.accept(&upload).await?;
    let rows = cx.database()?.documents_of(tenant.user_id).await?;
    ensure_eq!(
        rows.len(),
        1,
        "an accepted document has not exactly one row"
    );
    ensure_eq!(
        rows[0].filename,
        (case.kept)(limits),
        "the name of the file is not kept"
    );
    ensure_eq!(
        rows[0].raw_path,
        Some(cx.contract().raw_path(tenant.user_id, accepted.document_id)),
        "the name of the file has an effect on where its bytes are"
    );
    Ok(())
}

/// Whoever is told that a document was accepted has a row of it that says the same, and one job.
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
            "a document that was accepted has no row",
        )));
    };
    ensure_eq!(
        row.user_id,
        tenant.user_id,
        "the document is somebody else's"
    );
    ensure_eq!(
        (row.file_sha256.as_str(), row.mime.as_str(), row.bytes_len),
        (
            document.sha256(),
            document.upload().mime.as_str(),
            i64::try_from(document.bytes().len())?
        ),
        "the row says something else than the registration"
    );
    let jobs = database.jobs_of(accepted.document_id).await?;
    let ids: Vec<_> = jobs.iter().map(|job| job.job_id).collect();
    ensure_eq!(
        ids,
        [accepted.job_id],
        "the job that was told is not the document's only one"
    );
    ensure_eq!(
        jobs[0].status,
        cx.contract().vocabulary.registered,
        "a job without bytes is further than registered"
    );
    Ok(())
}

/// Whatever else a body says, the document is the caller's, where it belongs, and at the beginning.
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
    let foreign = database.documents_of(other.user_id).await?;
    ensure!(
        foreign.is_empty(),
        "a registration makes a document of somebody else's"
    );
    // Not to take a body that says more than it should is as good.
    if reply.status == 422 {
        return Ok(());
    }
    reply.expect_status(200)?;
    let contract = cx.contract();
    let rows = database.documents_of(tenant.user_id).await?;
    let [row] = rows.as_slice() else {
        let summary = format!("an accepted document has {} rows", rows.len());
        return Err(Stop::violated(Finding::new(summary)));
    };
    let id = contract.document_id(tenant.user_id, document.sha256());
    let id = id.unwrap_or(row.document_id);
    let raw = contract.raw_path(tenant.user_id, id);
    let registered = contract.vocabulary.registered.clone();
    ensure_eq!(
        (row.document_id, &row.raw_path, &row.processing_status),
        (id, &Some(raw), &Some(registered)),
        "a body that says more than it should has a say in the row"
    );
    ensure!(
        row.document_id != other.user_id,
        "a body says which id its document has"
    );
    Ok(())
}
