//! The forms of callbacks: what HTTP and JSON leave open between two requests that mean the same.

use cutover_fixtures::prelude::*;
use cutover_harness::check::Named;
use cutover_harness::prelude::*;
use cutover_harness::standin::{Callback, CallbackForm, JsonLayout, ParserBehaviour};

use cutover_suite_support::outcomes::{self, acknowledges, expect_complete, first_callback};

/// The checks of this file.
pub(crate) fn table() -> Vec<Check> {
    vec![
        check!(a_callback_of_any_form_is_accepted, FORMS)
            .requires([Http, Database, Storage, Standins])
            .reads(outcomes::COMPLETE)
            .effect(Effect::WriteTenant)
            .severity(High),
    ]
}

/// A form of a callback.
pub(super) struct FormCase {
    name: &'static str,
    form: fn() -> CallbackForm,
}

impl Named for FormCase {
    fn name(&self) -> &'static str {
        self.name
    }
}

/// The forms. Each is what a sender, or a gateway on its way, may send.
const FORMS: &[FormCase] = &[
    FormCase {
        name: "http_1_0",
        form: || CallbackForm {
            http_1_0: true,
            ..CallbackForm::default()
        },
    },
    FormCase {
        name: "title_case_headers",
        form: || CallbackForm {
            title_case_headers: true,
            ..CallbackForm::default()
        },
    },
    FormCase {
        name: "chunks",
        form: || CallbackForm {
            chunks: 7,
            ..CallbackForm::default()
        },
    },
    FormCase {
        name: "slow_chunks",
        form: || CallbackForm {
            chunks: 3,
            pause_ms: 250,
            title_case_headers: true,
            ..CallbackForm::default()
        },
    },
    FormCase {
        name: "other_fields_and_headers",
        form: || CallbackForm {
            extras: true,
            ..CallbackForm::default()
        },
    },
    FormCase {
        name: "fields_in_another_order",
        form: || CallbackForm {
            json: JsonLayout::Reversed,
            ..CallbackForm::default()
        },
    },
    FormCase {
        name: "json_with_blanks",
        form: || CallbackForm {
            json: JsonLayout::Spaced,
            ..CallbackForm::default()
        },
    },
    FormCase {
        name: "json_with_escapes",
        form: || CallbackForm {
            json: JsonLayout::Escaped,
            ..CallbackForm::default()
        },
    },
    FormCase {
        name: "content_type_with_charset",
        form: || CallbackForm {
            content_type: Some("application/json; charset=utf-8".to_owned()),
            ..CallbackForm::default()
        },
    },
    FormCase {
        name: "content_type_in_other_letters",
        form: || CallbackForm {
            content_type: Some("Application/JSON;charset=UTF-8".to_owned()),
            json: JsonLayout::Escaped,
            ..CallbackForm::default()
        },
    },
];

/// The first callback of this form is accepted, and the document completes with its text and vectors.
async fn a_callback_of_any_form_is_accepted(cx: &Context, case: &FormCase) -> CheckResult {
    let document = cx.document().paragraphs(4).build();
    let behaviour = ParserBehaviour::calling_back(Callback {
        form: (case.form)(),
        ..Callback::default()
    });
    let standins = cx.standins()?;
    let script = standins.script_parser(document.sha256(), behaviour);
    let script = script.await?;
    let pipeline = cx.pipeline()?;
    let accepted = pipeline.upload(&document).await?;
    let sent = first_callback(cx, &document).await?;
    ensure!(
        acknowledges(cx, &sent),
        "a callback of this form is not accepted: {:?} {}",
        sent.answered,
        sent.answer
    );
    expect_complete(cx, &pipeline, &accepted, &document).await?;
    script.withdraw().await?;
    Ok(())
}
