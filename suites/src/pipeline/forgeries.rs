//! Callbacks that must not count: forged ones, and those that say nothing of use.

use cutover_fixtures::prelude::*;
use cutover_harness::check::Named;
use cutover_harness::contract::{Accepted, Contract};
use cutover_harness::prelude::*;
use cutover_harness::probe::Reply;
use cutover_harness::secret::Secret;
use cutover_harness::standin::{Callback, CallbackMoment, ParserBehaviour, ScriptGuard};
use serde_json::json;

use super::ending::arrives_whole;
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

/// A document that the parser has and keeps silent about, and the secret it signs with.
struct Awaiting {
    pipeline: Pipeline,
    document: Document,
    accepted: Accepted,
    secret: Secret,
    // Only the first submission stays unanswered: should it take too long until the
    // check answers it, the next one is served.
    script: ScriptGuard,
}

impl Awaiting {
    async fn new(cx: &Context) -> CheckResult<Self> {
        let rules = &cx.contract().callback;
        if !rules.auth.signs() {
            return Err(Stop::not_applicable(
                "the callbacks of this target are not signed",
            ));
        }
        let (pipeline, document) = (cx.pipeline()?, cx.document().build());
        let standins = cx.standins()?;
        let callback = Callback {
            moment: CallbackMoment::Never,
            ..Callback::default()
        };
        let silence = ParserBehaviour {
            callback,
            ..ParserBehaviour::default()
        };
        let script = standins.script_parser(document.sha256(), silence);
        let script = script.times(1).await?;
        let accepted = pipeline.upload(&document).await?;
        let within = cx.contract().timing.complete_within;
        let call = cx
            .eventually("the parser is given the document", within, async || {
                let calls = standins.parser_calls(document.sha256()).await?;
                Ok(calls.into_iter().next())
            })
            .await?;
        let secret = call.fields.get(&rules.secret_field).cloned();
        let secret = secret.unwrap_or_default();
        ensure!(
            !secret.is_empty(),
            "the parser was not given the secret to sign its callback with"
        );
        Ok(Self {
            pipeline,
            document,
            accepted,
            secret: Secret::new(secret),
            script,
        })
    }

    fn sign(&self, body: &str) -> String {
        Contract::signature(&self.secret, body.as_bytes())
    }

    async fn calls_back(&self, body: &str, signature: Option<&str>) -> CheckResult<Reply> {
        let job = self.accepted.job_id;
        self.pipeline.callback(job, body, signature).await
    }

    /// What the parser truly says still counts, and nothing that came before it does.
    async fn goes_on(self, cx: &Context) -> CheckResult {
        let truth = json!({"status": "completed", "md": self.document.expected_text()}).to_string();
        self.calls_back(&truth, Some(&self.sign(&truth)))
            .await?
            .expect_status(200)?;
        arrives_whole(cx, &self.pipeline, &self.accepted, &self.document).await?;
        Ok(self.script.withdraw().await?)
    }
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
