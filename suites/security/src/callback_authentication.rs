//! Callback authentication: forged callbacks are refused, and valid ones without a result change nothing.

use cutover_harness::check::Named;
use cutover_harness::contract::{CallbackKeys, Contract, Proof, StatusCodes, Statuses};
use cutover_harness::prelude::*;
use cutover_harness::probe::Response;
use cutover_harness::secret::Secret;
use serde_json::json;

use cutover_suite_support::awaiting_callback::AwaitingCallback;
use cutover_suite_support::outcomes;
use cutover_suite_support::responses::expect_error_body;

/// The checks of this file.
pub(crate) fn table() -> Vec<Check> {
    vec![
        check!(a_forged_callback_is_refused, FORGERIES)
            .only_where([Condition::AUTHENTICATED_CALLBACKS])
            .requires([Http, Database, Storage, Standins])
            .calls([Endpoint::Callback])
            .reads(outcomes::COMPLETE)
            .effect(Effect::WriteTenant)
            .occupies(Resource::Worker)
            .severity(Critical),
        check!(callbacks_prove_their_sender)
            .requires([Http, Database, Storage, Standins])
            .calls([Endpoint::Callback])
            .reads(outcomes::COMPLETE)
            .effect(Effect::WriteTenant)
            .occupies(Resource::Worker)
            .severity(Medium)
            .advisory(),
        check!(a_callback_secret_is_valid_for_one_job)
            .only_where([Condition::PROOF_PER_JOB])
            .requires([Http, Database, Storage, Standins])
            .calls([Endpoint::Callback])
            .reads(outcomes::COMPLETE)
            .effect(Effect::WriteTenant)
            .occupies(Resource::Worker)
            .severity(Critical),
        check!(a_signature_covers_the_exact_bytes)
            .only_where([Condition::SIGNED_CALLBACKS])
            .requires([Http, Database, Storage, Standins])
            .calls([Endpoint::Callback])
            .reads(outcomes::COMPLETE)
            .effect(Effect::WriteTenant)
            .occupies(Resource::Worker)
            .severity(Critical),
        check!(a_callback_without_a_result_changes_nothing, NO_RESULT)
            .requires([Http, Database, Storage, Standins])
            .calls([Endpoint::Callback])
            .reads(outcomes::COMPLETE)
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

    fn not_applicable(&self, contract: &Contract) -> Option<String> {
        let auth = contract.callback.auth;
        let secret = || Secret::new(WRONG_SECRET);
        let keys = CallbackKeys {
            secret: auth.signs().then(secret),
            token: auth.has_token().then(secret),
            url_token: auth.is_in_url().then(secret),
        };
        let valid = keys.proof(self.body.as_bytes());
        let is_alone = self.name.ends_with("_alone") && (self.proof)(&valid) == valid;
        is_alone.then(|| {
            "callbacks of this target carry one form of authentication only (contract.callback.auth)".to_owned()
        })
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
        url_token: valid.url_token.as_ref().map(|_| secret.clone()),
    };
    keys.proof(FORGED_TEXT.as_bytes())
}

/// A callback without valid authentication is refused and has no effect.
async fn a_forged_callback_is_refused(cx: &Context, case: &Forgery) -> CheckResult {
    let awaiting = AwaitingCallback::new(cx).await?;
    let valid = awaiting.proof(case.body);
    let forged = (case.proof)(&valid);
    let refused = awaiting.send(case.body, &forged).await?;
    expect_refusal(cx, &refused)?;
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

/// Nobody but the parser can report a result: a callback needs a proof of its sender.
async fn callbacks_prove_their_sender(cx: &Context) -> CheckResult {
    ensure!(
        cx.contract().callback.auth.is_given(),
        "callbacks are not authenticated: any sender that knows the id of a job can send its text \
         (contract.callback.auth is \"none\")"
    );
    let awaiting = AwaitingCallback::new(cx).await?;
    let refused = awaiting.send(FORGED_TEXT, &Proof::default()).await?;
    expect_refusal(cx, &refused)?;
    awaiting.complete(cx).await
}

/// The status of a callback without valid authentication. A URL without its token may be unknown.
fn expect_refusal(cx: &Context, reply: &Response) -> CheckResult {
    let codes = &cx.contract().statuses.callback_unauthenticated;
    let is_unknown = cx.contract().callback.auth.is_in_url() && matches!(reply.status, 403 | 404);
    ensure!(
        is_unknown || codes.include(reply.status),
        "a callback without valid authentication is answered with {}, not with {codes}",
        reply.summary()
    );
    Ok(())
}

/// The callback secret of one job does not authenticate callbacks for another.
async fn a_callback_secret_is_valid_for_one_job(cx: &Context) -> CheckResult {
    let (own, other) = (
        AwaitingCallback::new(cx).await?,
        AwaitingCallback::new(cx).await?,
    );
    let refused = other.send(FORGED_TEXT, &own.proof(FORGED_TEXT)).await?;
    expect_refusal(cx, &refused)?;
    other.complete(cx).await?;
    own.complete(cx).await
}

/// The signature covers the exact bytes of the body, whatever its whitespace, field order and escapes.
async fn a_signature_covers_the_exact_bytes(cx: &Context) -> CheckResult {
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
        url_token: auth.is_in_url().then(|| Secret::new(WRONG_SECRET)),
    };
    let refused = cx
        .pipeline()?
        .callback(case.job, FORGED_TEXT, &keys.proof(FORGED_TEXT.as_bytes()))
        .await?;
    // The token of a URL may be checked before the job is looked up.
    if !auth.is_in_url() || expect_refusal(cx, &refused).is_err() {
        let refused = refused.expect_status((case.status)(&cx.contract().statuses))?;
        return expect_error_body(&refused, cx.contract());
    }
    expect_error_body(&refused, cx.contract())
}
