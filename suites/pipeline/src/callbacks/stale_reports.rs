//! Stale reports: what the parser says about a submission that was given up changes nothing.

use cutover_fixtures::prelude::*;
use cutover_harness::check::Named;
use cutover_harness::prelude::*;
use cutover_harness::standin::{ParserBehaviour, ParserCall};
use serde_json::{Value, json};

use cutover_suite_support::awaiting_callback::callback_keys;
use cutover_suite_support::outcomes::{self, expect_complete, give_up_within};

/// The checks of this file.
pub(crate) fn table() -> Vec<Check> {
    vec![
        check!(
            a_report_about_a_given_up_submission_changes_nothing,
            REPORTS
        )
        .only_where([Condition::SUBMISSION_ID])
        .requires([Http, Database, Storage, Standins])
        .reads(outcomes::COMPLETE)
        .effect(Effect::WriteTenant)
        .expected_duration(secs(6))
        .occupies(Resource::Worker)
        .severity(Critical),
    ]
}

/// A late report about the first submission.
pub(super) struct Report {
    name: &'static str,
    body: fn() -> Value,
}

impl Named for Report {
    fn name(&self) -> &'static str {
        self.name
    }
}

const REPORTS: &[Report] = &[
    Report {
        name: "a_failure",
        body: || json!({"status": "failed", "error": "a late failure"}),
    },
    Report {
        name: "no_text",
        body: || json!({"status": "completed", "md": ""}),
    },
    Report {
        name: "a_page_with_an_error",
        body: || json!({"status": "completed", "result": [{"page": 1, "error": "a late failure"}]}),
    },
];

/// After a submission was given up and the document submitted again, a late report about the first one is
/// acknowledged, and the second one decides.
async fn a_report_about_a_given_up_submission_changes_nothing(
    cx: &Context,
    case: &Report,
) -> CheckResult {
    let (contract, standins) = (cx.contract(), cx.standins()?);
    let id = &contract.callback.submission_id;
    let document = cx.document().build();
    let silence = ParserBehaviour::silent();
    let script = standins.script_parser(document.sha256(), silence);
    let script = script.times(2).await?;
    let pipeline = cx.pipeline()?;
    let accepted = pipeline.upload(&document).await?;
    let within = give_up_within(contract);
    let calls = cx
        .eventually("the document is submitted again", within, async || {
            let calls = standins.parser_calls(document.sha256()).await?;
            let confirmed = calls.iter().filter(|call| call.id.is_some()).count();
            Ok((confirmed > 1).then_some(calls))
        })
        .await?;
    let report = async |call: &ParserCall, mut body: Value| {
        id.put(&mut body, call.id.clone());
        let body = body.to_string();
        let proof = callback_keys(cx, call)?.proof(body.as_bytes());
        pipeline.callback(accepted.job_id, body, &proof).await
    };
    let reply = report(&calls[0], (case.body)()).await?;
    ensure!(
        reply.status < 500,
        "a report about a submission that was given up is answered with {}",
        reply.summary()
    );
    let text = document.expected_text();
    let completed = json!({"status": "completed", "md": text});
    // If this is too late, the document is submitted a third time, and the parser answers normally.
    report(&calls[1], completed).await?;
    expect_complete(cx, &pipeline, &accepted, &document).await?;
    Ok(script.withdraw().await?)
}
