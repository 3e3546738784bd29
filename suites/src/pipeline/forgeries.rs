//! Callbacks that must not count: forged ones, and those that say nothing of use.

use cutover_harness::check::Named;
use cutover_harness::contract::Contract;
use cutover_harness::prelude::*;
use cutover_harness::secret::Secret;
use serde_json::json;

use super::awaiting::Awaiting;
use crate::reading::is_a_described_error;

/// The checks of this file.
pub(super) fn table() -> Vec<Check> {
    vec![
        check!(a_forged_callback_is_refused, FORGERIES)
            .requires([Http, Database, Storage, Standins])
            .effect(WriteTenant)
            .severity(Critical),
        check!(a_secret_is_good_for_one_job)
            .requires([Http, Database, Storage, Standins])
            .effect(WriteTenant)
            .severity(Critical),
        check!(a_signature_is_of_the_very_bytes)
            .requires([Http, Database, Storage, Standins])
            .effect(WriteTenant)
            .severity(Critical),
        check!(a_callback_without_news_changes_nothing, NO_NEWS)
            .requires([Http, Database, Storage, Standins])
            .effect(WriteTenant)
            .severity(Critical),
        check!(a_callback_for_nobody_is_refused, NOBODIES)
            .requires([Http])
            .effect(Read)
            .severity(High),
    ]
}

/// What a forger would have the pipeline believe.
const LIE: &str = r##"{"status":"completed","md":"# A policy\n\nthat nobody wrote"}"##;
/// What a forger would destroy with.
const DENIAL: &str = r#"{"status":"failed","error":"a failure that nobody had"}"#;

/// A callback that does not come from the parser.
pub(super) struct Forgery {
    name: &'static str,
    body: &'static str,
    /// What it is signed with, given the right signature of its body.
    signature: fn(&str) -> Option<String>,
}

impl Named for Forgery {
    fn name(&self) -> &'static str {
        self.name
    }
}

/// Callbacks that do not come from the parser.
const FORGERIES: &[Forgery] = &[
    Forgery {
        name: "unsigned",
        body: LIE,
        signature: |_| None,
    },
    Forgery {
        name: "unsigned_failure",
        body: DENIAL,
        signature: |_| None,
    },
    Forgery {
        name: "empty_signature",
        body: LIE,
        signature: |_| Some(String::new()),
    },
    Forgery {
        name: "another_secret",
        body: LIE,
        signature: |_| {
            let secret = Secret::new("a secret that nobody shares");
            Some(Contract::signature(&secret, LIE.as_bytes()))
        },
    },
    Forgery {
        name: "no_secret",
        body: LIE,
        signature: |_| Some(Contract::signature(&Secret::new(""), LIE.as_bytes())),
    },
    Forgery {
        name: "half_a_signature",
        body: LIE,
        signature: |right| Some(right[..right.len() / 2].to_owned()),
    },
    Forgery {
        name: "not_a_signature",
        body: LIE,
        signature: |_| Some("not hexadecimal, 'quoted' and too short".to_owned()),
    },
];

/// A callback that is not the parser's is refused and without effect.
async fn a_forged_callback_is_refused(cx: &Context, case: &Forgery) -> CheckResult {
    let awaiting = Awaiting::new(cx).await?;
    let signature = (case.signature)(&awaiting.sign(case.body));
    let refused = awaiting
        .calls_back(case.body, signature.as_deref())
        .await?
        .expect_status(401)?;
    is_a_described_error(&refused, cx.contract())?;
    // A signature is good for one body.
    let other = awaiting.sign("{}");
    awaiting
        .calls_back(case.body, Some(&other))
        .await?
        .expect_status(401)?;
    awaiting.goes_on(cx).await
}

/// Whoever is told the secret of one job cannot speak about another.
async fn a_secret_is_good_for_one_job(cx: &Context) -> CheckResult {
    let (known, attacked) = (Awaiting::new(cx).await?, Awaiting::new(cx).await?);
    attacked
        .calls_back(LIE, Some(&known.sign(LIE)))
        .await?
        .expect_status(401)?;
    attacked.goes_on(cx).await?;
    known.goes_on(cx).await
}

/// A callback is signed as it is sent, with its blanks, its order and its escapes, and is as good in any of them.
async fn a_signature_is_of_the_very_bytes(cx: &Context) -> CheckResult {
    let awaiting = Awaiting::new(cx).await?;
    let text = json!(awaiting.document.expected_text()).to_string();
    let text = text.replace('e', "\\u0065").replace('/', "\\/");
    let body =
        format!("{{\n  \"status\" : \"completed\",\r\n\t\"md\" : {text},\n  \"pages\": 1.0e0 }}\n");
    awaiting
        .calls_back(&body, Some(&awaiting.sign(&body)))
        .await?
        .expect_status(200)?;
    awaiting.arrives(cx).await
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

/// Callbacks that are rightly signed and tell nothing new.
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
async fn a_callback_without_news_changes_nothing(cx: &Context, case: &NoNews) -> CheckResult {
    let awaiting = Awaiting::new(cx).await?;
    let signature = awaiting.sign(case.body);
    let reply = awaiting.calls_back(case.body, Some(&signature)).await?;
    ensure!(
        case.answers.contains(&reply.status),
        "a callback without news is answered {}, not one of {:?}",
        reply.summary(),
        case.answers
    );
    awaiting.goes_on(cx).await
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
async fn a_callback_for_nobody_is_refused(cx: &Context, case: &Nobody) -> CheckResult {
    let secret = Secret::new("a secret that nobody shares");
    let signature = Contract::signature(&secret, LIE.as_bytes());
    let refused = cx
        .pipeline()?
        .callback(case.job, LIE, Some(&signature))
        .await?
        .expect_status(case.status)?;
    is_a_described_error(&refused, cx.contract())
}
