//! Callback authentication: forged callbacks are refused, and valid ones without a result change nothing.

use cutover_harness::check::Named;
use cutover_harness::contract::{CallbackKeys, Proof, StatusCodes, Statuses};
use cutover_harness::prelude::*;
use cutover_harness::secret::Secret;
use serde_json::json;

use cutover_suite_support::awaiting_callback::{AwaitingCallback, require_signed_callbacks};
use cutover_suite_support::responses::expect_error_body;

/// The checks of this file.
pub(crate) fn table() -> Vec<Check> {
    vec![
        check!(a_forged_callback_is_refused, FORGERIES)
            .requires([Http, Database, Storage, Standins])
            .calls([Endpoint::Callback])
            .effect(Effect::WriteTenant)
            .occupies(Resource::Worker)
            .severity(Critical),
        check!(a_callback_secret_is_valid_for_one_job)
            .requires([Http, Database, Storage, Standins])
            .calls([Endpoint::Callback])
            .effect(Effect::WriteTenant)
            .occupies(Resource::Worker)
            .severity(Critical),
        check!(a_signature_covers_the_exact_bytes)
            .requires([Http, Database, Storage, Standins])
            .calls([Endpoint::Callback])
            .effect(Effect::WriteTenant)
            .occupies(Resource::Worker)
            .severity(Critical),
        check!(a_callback_without_a_result_changes_nothing, NO_RESULT)
            .requires([Http, Database, Storage, Standins])
            .calls([Endpoint::Callback])
            .effect(Effect::WriteTenant)
            .occupies(Resource::Worker)
            .severity(Critical),
        check!(a_callback_for_an_unknown_job_is_refused, UNKNOWN_JOBS)
            .requires([Http])
            .calls([Endpoint::Callback])
            .effect(Effect::Read)
            .severity(High),
    ]
}

/// The body of a forged success.
const FORGED_TEXT: &str =
    r##"{"status":"completed","md":"# A forged policy\n\nfrom another sender"}"##;
/// The body of a forged failure.
const FORGED_FAILURE: &str = r#"{"status":"failed","error":"a forged failure"}"#;

/// A secret other than the agreed one.
const WRONG_SECRET: &str = "a secret that is not shared";

/// A callback that does not come from the parser.
pub(super) struct Forgery {
    name: &'static str,
    body: &'static str,
    /// Its authentication, derived from the valid one of its body.
    proof: fn(&Proof) -> Proof,
}

impl Named for Forgery {
    fn name(&self) -> &'static str {
        self.name
    }
}

const fn forgery(name: &'static str, body: &'static str, proof: fn(&Proof) -> Proof) -> Forgery {
    Forgery { name, body, proof }
}

/// Callbacks that do not come from the parser.
const FORGERIES: &[Forgery] = &[
    forgery("unsigned", FORGED_TEXT, |_| Proof::default()),
    forgery("unsigned_failure", FORGED_FAILURE, |_| Proof::default()),
    forgery("empty_signature", FORGED_TEXT, |valid| {
        valid.tampered(|_| String::new())
    }),
    forgery("another_secret", FORGED_TEXT, |valid| {
        authenticated_with(valid, WRONG_SECRET)
    }),
    forgery("no_secret", FORGED_TEXT, |valid| {
        authenticated_with(valid, "")
    }),
    forgery("half_a_signature", FORGED_TEXT, |valid| {
        valid.tampered(|part| part[..part.len() / 2].to_owned())
    }),
    forgery("not_a_signature", FORGED_TEXT, |valid| {
        valid.tampered(|_| "not hexadecimal, 'quoted' and too short".to_owned())
    }),
    forgery("a_signature_alone", FORGED_TEXT, |valid| Proof {
        token: None,
        ..valid.clone()
    }),
    forgery("a_static_secret_alone", FORGED_TEXT, |valid| Proof {
        signature: None,
        ..valid.clone()
    }),
];

/// The same authentication, made with this secret.
fn authenticated_with(valid: &Proof, secret: &str) -> Proof {
    let secret = Secret::new(secret);
    let keys = CallbackKeys {
        secret: valid.signature.as_ref().map(|_| secret.clone()),
        token: valid.token.as_ref().map(|_| secret.clone()),
    };
    keys.proof(FORGED_TEXT.as_bytes())
}

/// A callback without valid authentication is refused and has no effect.
async fn a_forged_callback_is_refused(cx: &Context, case: &Forgery) -> CheckResult {
    let awaiting = AwaitingCallback::new(cx).await?;
    let valid = awaiting.proof(case.body);
    let forged = (case.proof)(&valid);
    if forged == valid {
        return Err(Stop::not_applicable(
            "the callbacks of this target carry only one form of authentication",
        ));
    }
    let refused = awaiting
        .send(case.body, &forged)
        .await?
        .expect_status(&cx.contract().statuses.callback_unauthenticated)?;
    expect_error_body(&refused, cx.contract())?;
    // A signature covers one body; a static secret covers any.
    if cx.contract().callback.auth.signs() {
        let other = awaiting.proof("{}");
        awaiting
            .send(case.body, &other)
            .await?
            .expect_status(&cx.contract().statuses.callback_unauthenticated)?;
    }
    awaiting.complete(cx).await
}

/// The callback secret of one job does not authenticate callbacks for another.
async fn a_callback_secret_is_valid_for_one_job(cx: &Context) -> CheckResult {
    require_signed_callbacks(cx)?;
    let (own, other) = (
        AwaitingCallback::new(cx).await?,
        AwaitingCallback::new(cx).await?,
    );
    other
        .send(FORGED_TEXT, &own.proof(FORGED_TEXT))
        .await?
        .expect_status(&cx.contract().statuses.callback_unauthenticated)?;
    other.complete(cx).await?;
    own.complete(cx).await
}

/// The signature covers the exact bytes of the body, whatever its whitespace, field order and escapes.
async fn a_signature_covers_the_exact_bytes(cx: &Context) -> CheckResult {
    require_signed_callbacks(cx)?;
    let awaiting = AwaitingCallback::new(cx).await?;
    let text = json!(awaiting.document.expected_text()).to_string();
    let text = text.replace('e', "\\u0065").replace('/', "\\/");
    let body =
        format!("{{\n  \"status\" : \"completed\",\r\n\t\"md\" : {text},\n  \"pages\": 1.0e0 }}\n");
    awaiting
        .send(&body, &awaiting.proof(&body))
        .await?
        .expect_status(&cx.contract().statuses.callback_accepted)?;
    awaiting.expect_complete(cx).await
}

/// A valid callback without a result.
pub(super) struct NoResult {
    name: &'static str,
    body: &'static str,
    answers: &'static [u16],
}

impl Named for NoResult {
    fn name(&self) -> &'static str {
        self.name
    }
}

/// Acknowledged without an effect.
const ACKNOWLEDGED: &[u16] = &[200, 202, 204];
/// Refused, because the body is not JSON.
const REFUSED: &[u16] = &[400];
/// JSON without the expected fields may be acknowledged or refused.
const EITHER: &[u16] = &[200, 202, 204, 400, 422];

/// Valid callbacks without a result.
const NO_RESULT: &[NoResult] = &[
    NoResult {
        name: "unknown_status",
        body: r##"{"status":"reticulating","md":"# Half a policy"}"##,
        answers: ACKNOWLEDGED,
    },
    NoResult {
        name: "unknown_event",
        body: r##"{"event":"parse.halfway","md":"# Half a policy"}"##,
        answers: ACKNOWLEDGED,
    },
    NoResult {
        name: "still_pending",
        body: r#"{"status":"pending"}"#,
        answers: ACKNOWLEDGED,
    },
    NoResult {
        name: "malformed",
        body: r##"{"status":"completed","md":"# Half a pol"##,
        answers: REFUSED,
    },
    NoResult {
        name: "not_json",
        body: "status=completed&md=half",
        answers: REFUSED,
    },
    NoResult {
        name: "empty",
        body: "",
        answers: REFUSED,
    },
    NoResult {
        name: "a_list",
        body: r#"["completed"]"#,
        answers: EITHER,
    },
    NoResult {
        name: "null",
        body: "null",
        answers: EITHER,
    },
];

/// A callback without a result is answered as expected, and the document keeps waiting.
async fn a_callback_without_a_result_changes_nothing(cx: &Context, case: &NoResult) -> CheckResult {
    let awaiting = AwaitingCallback::new(cx).await?;
    let proof = awaiting.proof(case.body);
    let reply = awaiting.send(case.body, &proof).await?;
    ensure!(
        case.answers.contains(&reply.status)
            || (case.answers != ACKNOWLEDGED
                && cx
                    .contract()
                    .statuses
                    .callback_malformed
                    .include(reply.status)),
        "a callback without a result is answered with {}, not with one of {:?}",
        reply.summary(),
        case.answers
    );
    awaiting.complete(cx).await
}

/// A job id for which no job exists.
pub(super) struct UnknownJob {
    name: &'static str,
    job: &'static str,
    status: fn(&Statuses) -> &StatusCodes,
}

impl Named for UnknownJob {
    fn name(&self) -> &'static str {
        self.name
    }
}

/// Job ids for which no job exists.
const UNKNOWN_JOBS: &[UnknownJob] = &[
    UnknownJob {
        name: "unknown_job",
        job: "3f2b8a52-6c0e-4c62-9d0a-5d7c1f0e9b11",
        status: |statuses| &statuses.callback_unknown_job,
    },
    UnknownJob {
        name: "malformed_id",
        job: "not-a-job",
        status: |statuses| &statuses.malformed_id,
    },
    UnknownJob {
        name: "hostile_id",
        job: "' OR 1=1 --",
        status: |statuses| &statuses.malformed_id,
    },
];

/// A callback for a job that does not exist is refused without a server error.
async fn a_callback_for_an_unknown_job_is_refused(cx: &Context, case: &UnknownJob) -> CheckResult {
    let auth = cx.contract().callback.auth;
    let secret = auth.signs().then(|| Secret::new(WRONG_SECRET));
    // A static secret is checked before the job is looked up.
    let token = auth.has_token().then(|| cx.callback_token().cloned());
    let keys = CallbackKeys {
        secret,
        token: token.transpose()?,
    };
    let refused = cx
        .pipeline()?
        .callback(case.job, FORGED_TEXT, &keys.proof(FORGED_TEXT.as_bytes()))
        .await?
        .expect_status((case.status)(&cx.contract().statuses))?;
    expect_error_body(&refused, cx.contract())
}
