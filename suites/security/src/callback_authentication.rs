//! Callbacks that must not count: forged ones, and those that say nothing of use.

use cutover_harness::check::Named;
use cutover_harness::contract::{CallbackKeys, Proof};
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
            .effect(WriteTenant)
            .severity(Critical),
        check!(a_callback_secret_is_valid_for_one_job)
            .requires([Http, Database, Storage, Standins])
            .effect(WriteTenant)
            .severity(Critical),
        check!(a_signature_covers_the_exact_bytes)
            .requires([Http, Database, Storage, Standins])
            .effect(WriteTenant)
            .severity(Critical),
        check!(a_callback_without_a_result_changes_nothing, NO_NEWS)
            .requires([Http, Database, Storage, Standins])
            .effect(WriteTenant)
            .severity(Critical),
        check!(a_callback_for_an_unknown_job_is_refused, NOBODIES)
            .requires([Http])
            .effect(Read)
            .severity(High),
    ]
}

/// What a forger would have the pipeline believe.
const LIE: &str = r##"{"status":"completed","md":"# A policy\n\nthat nobody wrote"}"##;
/// What a forger would destroy with.
const DENIAL: &str = r#"{"status":"failed","error":"a failure that nobody had"}"#;

/// A secret that is not the one that was agreed.
const ANOTHER: &str = "a secret that nobody shares";

/// A callback that does not come from the parser.
pub(super) struct Forgery {
    name: &'static str,
    body: &'static str,
    /// What it carries in the place of the right proof of its body.
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
    forgery("unsigned", LIE, |_| Proof::default()),
    forgery("unsigned_failure", DENIAL, |_| Proof::default()),
    forgery("empty_signature", LIE, |right| {
        right.spoilt(|_| String::new())
    }),
    forgery("another_secret", LIE, |right| proven_with(right, ANOTHER)),
    forgery("no_secret", LIE, |right| proven_with(right, "")),
    forgery("half_a_signature", LIE, |right| {
        right.spoilt(|part| part[..part.len() / 2].to_owned())
    }),
    forgery("not_a_signature", LIE, |right| {
        right.spoilt(|_| "not hexadecimal, 'quoted' and too short".to_owned())
    }),
    forgery("a_signature_alone", LIE, |right| Proof {
        token: None,
        ..right.clone()
    }),
    forgery("a_static_secret_alone", LIE, |right| Proof {
        signature: None,
        ..right.clone()
    }),
];

/// The same parts, made with this secret.
fn proven_with(right: &Proof, secret: &str) -> Proof {
    let secret = Secret::new(secret);
    let keys = CallbackKeys {
        secret: right.signature.as_ref().map(|_| secret.clone()),
        token: right.token.as_ref().map(|_| secret.clone()),
    };
    keys.proof(LIE.as_bytes())
}

/// A callback that is not the parser's is refused and without effect.
async fn a_forged_callback_is_refused(cx: &Context, case: &Forgery) -> CheckResult {
    let awaiting = AwaitingCallback::new(cx).await?;
    let right = awaiting.proof(case.body);
    let forged = (case.proof)(&right);
    if forged == right {
        return Err(Stop::not_applicable(
            "the callbacks of this target carry one proof alone",
        ));
    }
    let refused = awaiting
        .send(case.body, &forged)
        .await?
        .expect_status(401)?;
    expect_error_body(&refused, cx.contract())?;
    // A signature is good for one body; a static secret is good for any.
    if cx.contract().callback.auth.signs() {
        let other = awaiting.proof("{}");
        awaiting.send(case.body, &other).await?.expect_status(401)?;
    }
    awaiting.complete(cx).await
}

/// Whoever is told the secret of one job cannot speak about another.
async fn a_callback_secret_is_valid_for_one_job(cx: &Context) -> CheckResult {
    require_signed_callbacks(cx)?;
    let (known, attacked) = (
        AwaitingCallback::new(cx).await?,
        AwaitingCallback::new(cx).await?,
    );
    attacked
        .send(LIE, &known.proof(LIE))
        .await?
        .expect_status(401)?;
    attacked.complete(cx).await?;
    known.complete(cx).await
}

/// A callback is signed as it is sent, with its blanks, its order and its escapes, and is as good in any of them.
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
        .expect_status(200)?;
    awaiting.expect_complete(cx).await
}

/// A callback that tells nothing new.
pub(super) struct NoNews {
    name: &'static str,
    body: &'static str,
    answers: &'static [u16],
}

impl Named for NoNews {
    fn name(&self) -> &'static str {
        self.name
    }
}

/// Acknowledged, though nothing comes of it.
const ACKNOWLEDGED: &[u16] = &[200, 202, 204];
/// Refused as what it is: no message at all.
const REFUSED: &[u16] = &[400];
/// JSON that is no message may be taken either way, but not break anything.
const EITHER: &[u16] = &[200, 202, 204, 400, 422];

/// Callbacks that are rightly proven and tell nothing new.
const NO_NEWS: &[NoNews] = &[
    NoNews {
        name: "unknown_status",
        body: r##"{"status":"reticulating","md":"# Half a policy"}"##,
        answers: ACKNOWLEDGED,
    },
    NoNews {
        name: "unknown_event",
        body: r##"{"event":"parse.halfway","md":"# Half a policy"}"##,
        answers: ACKNOWLEDGED,
    },
    NoNews {
        name: "still_pending",
        body: r#"{"status":"pending"}"#,
        answers: ACKNOWLEDGED,
    },
    NoNews {
        name: "malformed",
        body: r##"{"status":"completed","md":"# Half a pol"##,
        answers: REFUSED,
    },
    NoNews {
        name: "not_json",
        body: "status=completed&md=half",
        answers: REFUSED,
    },
    NoNews {
        name: "empty",
        body: "",
        answers: REFUSED,
    },
    NoNews {
        name: "a_list",
        body: r#"["completed"]"#,
        answers: EITHER,
    },
    NoNews {
        name: "null",
        body: "null",
        answers: EITHER,
    },
];

/// What tells nothing new is answered for what it is, and the document waits on.
async fn a_callback_without_a_result_changes_nothing(cx: &Context, case: &NoNews) -> CheckResult {
    let awaiting = AwaitingCallback::new(cx).await?;
    let proof = awaiting.proof(case.body);
    let reply = awaiting.send(case.body, &proof).await?;
    ensure!(
        case.answers.contains(&reply.status),
        "a callback without news is answered {}, not one of {:?}",
        reply.summary(),
        case.answers
    );
    awaiting.complete(cx).await
}

/// An address that no document waits at.
pub(super) struct Nobody {
    name: &'static str,
    job: &'static str,
    status: u16,
}

impl Named for Nobody {
    fn name(&self) -> &'static str {
        self.name
    }
}

/// Addresses that no document waits at.
const NOBODIES: &[Nobody] = &[
    Nobody {
        name: "unknown_job",
        job: "3f2b8a52-6c0e-4c62-9d0a-5d7c1f0e9b11",
        status: 404,
    },
    Nobody {
        name: "malformed_id",
        job: "not-a-job",
        status: 422,
    },
    Nobody {
        name: "hostile_id",
        job: "' OR 1=1 --",
        status: 422,
    },
];

/// A callback for a job that is not there says so, and never breaks anything.
async fn a_callback_for_an_unknown_job_is_refused(cx: &Context, case: &Nobody) -> CheckResult {
    let auth = cx.contract().callback.auth;
    let secret = auth.signs().then(|| Secret::new(ANOTHER));
    // A static secret is asked for before anybody looks for the job.
    let token = auth.has_token().then(|| cx.callback_token().cloned());
    let keys = CallbackKeys {
        secret,
        token: token.transpose()?,
    };
    let refused = cx
        .pipeline()?
        .callback(case.job, LIE, &keys.proof(LIE.as_bytes()))
        .await?
        .expect_status(case.status)?;
    expect_error_body(&refused, cx.contract())
}
