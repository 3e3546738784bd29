//! The forms of answers: what HTTP and JSON leave open between two answers that mean the same.

use std::sync::LazyLock;

use cutover_fixtures::prelude::*;
use cutover_harness::check::Named;
use cutover_harness::prelude::*;
use cutover_harness::standin::{
    EmbedderBehaviour, Framing, HeaderCase, JsonLayout, ParserAnswer, ParserBehaviour,
    ResponseForm, RetryAfter, ScriptGuard, StorageBehaviour,
};
use time::OffsetDateTime;

use cutover_suite_support::outcomes::{self, expect_complete};

/// The checks of this file.
pub(crate) fn table() -> Vec<Check> {
    vec![
        check!(a_document_arrives_whatever_form_the_answers_have, &CASES)
            .requires([Http, Database, Storage, Standins])
            .reads(outcomes::COMPLETE)
            .effect(Effect::WriteTenant)
            .expected_duration(secs(3))
            .severity(High),
        check!(a_retry_waits_as_long_as_the_answer_asks, PAUSES)
            .requires([Http, Database, Storage, Standins])
            .reads(outcomes::COMPLETE)
            .effect(Effect::WriteTenant)
            .expected_duration(secs(6))
            .severity(High),
    ]
}

/// A provider that the pipeline calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Provider {
    Parser,
    Embedder,
    Storage,
}

/// A form of the answers of one provider.
#[derive(Clone, Debug)]
pub(super) struct FormCase {
    name: &'static str,
    provider: Provider,
    form: ResponseForm,
}

impl Named for FormCase {
    fn name(&self) -> &'static str {
        self.name
    }
}

/// The names of one form for the parser, the embedder and the storage, and the form.
type FormRow = ([&'static str; 3], fn() -> ResponseForm);

macro_rules! names {
    ($form:literal) => {
        [
            concat!("parser_", $form),
            concat!("embedder_", $form),
            concat!("storage_", $form),
        ]
    };
}

/// The forms. Each is what a real service, or a gateway in front of it, may send.
const FORMS: &[FormRow] = &[
    (names!("http_1_0"), || ResponseForm {
        http_1_0: true,
        framing: Framing::UntilClose,
        ..ResponseForm::default()
    }),
    (names!("upper_case_headers"), || ResponseForm {
        header_case: HeaderCase::Upper,
        ..ResponseForm::default()
    }),
    (names!("chunks"), || ResponseForm {
        framing: Framing::Chunked,
        header_case: HeaderCase::Title,
        pieces: 7,
        ..ResponseForm::default()
    }),
    (names!("slow_pieces"), || ResponseForm {
        framing: Framing::Chunked,
        pieces: 3,
        pause_ms: 250,
        ..ResponseForm::default()
    }),
    (names!("head_before_body"), || ResponseForm {
        pieces: 2,
        pause_ms: 250,
        ..ResponseForm::default()
    }),
    (names!("closed_connection"), || ResponseForm {
        close: true,
        ..ResponseForm::default()
    }),
    (names!("end_told_by_the_connection"), || ResponseForm {
        framing: Framing::UntilClose,
        ..ResponseForm::default()
    }),
    (names!("other_fields_and_headers"), || ResponseForm {
        extra_fields: true,
        extra_headers: true,
        ..ResponseForm::default()
    }),
    (names!("fields_in_another_order"), || ResponseForm {
        json: JsonLayout::Reversed,
        ..ResponseForm::default()
    }),
    (names!("json_with_blanks"), || ResponseForm {
        json: JsonLayout::Spaced,
        ..ResponseForm::default()
    }),
    (names!("json_with_escapes"), || ResponseForm {
        json: JsonLayout::Escaped,
        ..ResponseForm::default()
    }),
    (names!("content_type_with_charset"), || ResponseForm {
        content_type: Some("application/json; charset=utf-8".to_owned()),
        ..ResponseForm::default()
    }),
];

/// Every provider with every form.
static CASES: LazyLock<Vec<FormCase>> = LazyLock::new(|| {
    let providers = [Provider::Parser, Provider::Embedder, Provider::Storage];
    let rows = FORMS.iter().flat_map(|(names, form)| {
        let named = providers.into_iter().zip(names);
        named.map(move |(provider, name)| FormCase {
            name,
            provider,
            form: form(),
        })
    });
    rows.collect()
});

/// A document completes, and its text and vectors are right, while every answer of a provider has the form.
async fn a_document_arrives_whatever_form_the_answers_have(
    cx: &Context,
    case: &FormCase,
) -> CheckResult {
    let document = cx.document().paragraphs(4).build();
    let tenant = cx.tenant()?;
    let standins = cx.standins()?;
    let form = case.form.clone();
    let script = match case.provider {
        Provider::Parser => {
            let script = standins.script_parser(document.sha256(), ParserBehaviour::default());
            script.form(form).await?
        }
        Provider::Embedder => {
            let script = standins.script_embedder(document.nonce(), EmbedderBehaviour::Serve);
            script.form(form).await?
        }
        Provider::Storage => {
            // The paths of all objects of a user hold the user's id.
            let user = tenant.user_id.to_string();
            let script = standins.script_storage(user, StorageBehaviour::Serve);
            script.form(form).await?
        }
    };
    let pipeline = cx.pipeline_as(tenant)?;
    let accepted = pipeline.upload(&document).await?;
    let job = expect_complete(cx, &pipeline, &accepted, &document).await?;
    script.withdraw().await?;
    if let Some(count) = job.retry_count {
        ensure_eq!(count, 0, "an answer of this form causes a retry");
    }
    Ok(())
}

/// A refusal that asks for a pause.
#[derive(Clone, Copy, Debug)]
pub(super) struct PauseCase {
    name: &'static str,
    provider: Provider,
    pause: RetryAfter,
}

impl Named for PauseCase {
    fn name(&self) -> &'static str {
        self.name
    }
}

const fn pause(name: &'static str, provider: Provider, pause: RetryAfter) -> PauseCase {
    PauseCase {
        name,
        provider,
        pause,
    }
}

/// The pause that the answers ask for, in seconds.
const PAUSE_S: u32 = 4;

/// The forms of the pause.
const PAUSES: &[PauseCase] = &[
    pause("parser_date", Provider::Parser, RetryAfter::Date(PAUSE_S)),
    pause(
        "embedder_date",
        Provider::Embedder,
        RetryAfter::Date(PAUSE_S),
    ),
    pause(
        "embedder_seconds_and_milliseconds",
        Provider::Embedder,
        RetryAfter::Milliseconds(PAUSE_S * 1000),
    ),
    pause(
        "parser_seconds",
        Provider::Parser,
        RetryAfter::Seconds(PAUSE_S),
    ),
];

/// After a 429 with a `Retry-After` the provider is called again, and not before the pause is over.
async fn a_retry_waits_as_long_as_the_answer_asks(cx: &Context, case: &PauseCase) -> CheckResult {
    let document = cx.document().paragraphs(4).build();
    let pipeline = cx.pipeline()?;
    let script = overload(cx, case, &document).await?;
    let accepted = pipeline.upload(&document).await?;
    expect_complete(cx, &pipeline, &accepted, &document).await?;
    script.withdraw().await?;
    let calls = calls(cx, case.provider, &document).await?;
    ensure!(calls.len() > 1, "the provider was not called again");
    let waited = calls[1] - calls[0];
    // A little less is tolerated, because clocks differ.
    let least = f64::from(PAUSE_S) * 0.9;
    ensure!(
        waited.as_seconds_f64() >= least,
        "the provider was called again after {waited:.1}, and asked for {PAUSE_S} s"
    );
    Ok(())
}

/// One refusal for the document.
async fn overload(cx: &Context, case: &PauseCase, document: &Document) -> CheckResult<ScriptGuard> {
    let form = ResponseForm {
        retry_after: Some(case.pause),
        ..ResponseForm::default()
    };
    let marker = "rate limit reached".to_owned();
    let standins = cx.standins()?;
    let script = if case.provider == Provider::Parser {
        let answer = ParserAnswer::Refuse {
            status: 429,
            marker,
            retry_after_s: None,
        };
        let behaviour = ParserBehaviour {
            answer,
            ..ParserBehaviour::default()
        };
        let script = standins.script_parser(document.sha256(), behaviour);
        script.form(form).times(1).await?
    } else {
        let behaviour = EmbedderBehaviour::Refuse {
            status: 429,
            marker,
            retry_after_s: None,
        };
        let script = standins.script_embedder(document.nonce(), behaviour);
        script.form(form).times(1).await?
    };
    Ok(script)
}

/// When the provider was called for the document.
async fn calls(
    cx: &Context,
    provider: Provider,
    document: &Document,
) -> CheckResult<Vec<OffsetDateTime>> {
    let standins = cx.standins()?;
    if provider == Provider::Parser {
        let calls = standins.parser_calls(document.sha256()).await?;
        Ok(calls.iter().map(|call| call.at).collect())
    } else {
        let calls = standins.embedder_calls(document.nonce()).await?;
        Ok(calls.iter().map(|call| call.at).collect())
    }
}
