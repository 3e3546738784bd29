//! Spellings of settings: as deployments write them, they are read as meant or refused with the name of the variable.

use cutover_fixtures::prelude::*;
use cutover_harness::check::Named;
use cutover_harness::prelude::*;
use cutover_harness::stack::{ExtraApi, OneShotOutcome, Overrides, StackError};
use futures::stream::{self, TryStreamExt as _};
use serde_json::Value;
use std::time::Duration;

/// The checks of this file.
pub(crate) fn table() -> Vec<Check> {
    vec![
        check!(a_number_is_read_as_meant_or_refused, NUMBERS)
            .requires([Http, Processes])
            .calls([Endpoint::Limits])
            .effect(Effect::Fault)
            .expected_duration(secs(5))
            .severity(High)
            .alone_with_workers(1),
        check!(a_word_or_an_address_is_read_as_meant_or_refused)
            .requires([Http, Processes])
            .calls([Endpoint::Jobs, Endpoint::Search, Endpoint::Limits])
            .effect(Effect::Fault)
            .expected_duration(secs(5))
            .severity(High)
            .alone_with_workers(1),
        check!(a_worker_refuses_what_it_cannot_use)
            .requires([Processes])
            .effect(Effect::Fault)
            .expected_duration(secs(3))
            .severity(High)
            .alone_with_workers(1),
    ]
}

/// Spellings of numbers, and what each may mean. An empty list: it must be refused.
pub(super) struct Numbers {
    name: &'static str,
    spellings: &'static [(&'static str, &'static [f64])],
}

impl Named for Numbers {
    fn name(&self) -> &'static str {
        self.name
    }
}

const NUMBERS: &[Numbers] = &[
    Numbers {
        name: "decorated",
        spellings: &[
            (" 7 ", &[7.0]),
            ("\t7", &[7.0]),
            ("7\n", &[7.0]),
            ("\"7\"", &[7.0]),
            ("'7'", &[7.0]),
            ("+7", &[7.0]),
            ("007", &[7.0]),
            ("7 # seven", &[7.0]),
            ("7;", &[7.0]),
            ("=7", &[7.0]),
        ],
    },
    Numbers {
        name: "in_another_notation",
        spellings: &[
            ("7.0", &[7.0]),
            ("7.", &[7.0]),
            ("1_000", &[1_000.0]),
            ("1,000", &[1_000.0]),
            ("1 000", &[1_000.0]),
            ("1e3", &[1_000.0]),
            ("1E3", &[1_000.0]),
            ("1k", &[1_000.0, 1_024.0]),
            ("0x10", &[16.0]),
            ("0b11", &[3.0]),
            ("٧", &[7.0]),
            ("７", &[7.0]),
        ],
    },
    Numbers {
        name: "impossible",
        spellings: &[
            ("-1", &[]),
            ("7.5", &[]),
            ("NaN", &[]),
            ("inf", &[]),
            ("seven", &[]),
            ("true", &[]),
            ("None", &[]),
            ("null", &[]),
            ("${LIMIT}", &[]),
            ("99999999999999999999999", &[]),
            ("7 8", &[78.0]),
            ("--7", &[]),
        ],
    },
];

/// Settings that the limits route shows: the variable, and the pointer to its value.
const SHOWN: [(&str, &str); 3] = [
    ("MAX_CONCURRENT_JOBS", "/max_concurrent_jobs"),
    ("MAX_DAILY_UPLOADS", "/max_daily_uploads"),
    ("MAX_UPLOAD_BYTES", "/max_upload_bytes"),
];

/// The processes that start at one moment.
const AT_ONCE: usize = 2;

/// The result of a start with a changed setting.
enum Start {
    Runs(Box<ExtraApi>),
    Refuses(String),
}

async fn start(cx: &Context, variable: &str, value: &str) -> CheckResult<Start> {
    let overrides = Overrides::from([(variable.to_owned(), Some(value.to_owned()))]);
    match cx.processes()?.start_extra_api(&overrides).await {
        Ok(api) => Ok(Start::Runs(Box::new(api))),
        Err(StackError::Service(error)) => Ok(Start::Refuses(error.to_string())),
        Err(error) => Err(error.into()),
    }
}

fn expect_named(variable: &str, value: &str, output: &str) -> CheckResult {
    ensure!(
        output.contains("exited") && output.contains(variable),
        "the API does not start with {variable}={value:?}, and does not name the variable: {output}"
    );
    ensure!(
        !output.contains("panicked"),
        "the API panics with {variable}={value:?}"
    );
    Ok(())
}

/// Each spelling of a number has its meaning, or the process ends at once and names the variable.
async fn a_number_is_read_as_meant_or_refused(cx: &Context, case: &Numbers) -> CheckResult {
    let pipeline = cx.pipeline()?;
    let spellings = case.spellings.iter().enumerate();
    stream::iter(spellings.map(Ok::<_, Stop>))
        .try_for_each_concurrent(AT_ONCE, |(n, (value, meanings))| {
            let (variable, pointer) = SHOWN[n % SHOWN.len()];
            let pipeline = pipeline.clone();
            async move {
                match start(cx, variable, value).await? {
                    Start::Refuses(output) => expect_named(variable, value, &output),
                    Start::Runs(api) => {
                        let limits = pipeline.at(api.url()).limits().await?;
                        let limits = limits.expect_status(200)?.json()?;
                        let shown = limits.pointer(pointer).and_then(Value::as_f64);
                        let is_meant = shown.is_some_and(|shown| {
                            meanings
                                .iter()
                                .any(|meant| (meant - shown).abs() < f64::EPSILON)
                        });
                        ensure!(
                            is_meant,
                            "{variable}={value:?} is accepted and read as {shown:?}"
                        );
                        Ok(api.end().await?)
                    }
                }
            }
        })
        .await
}

/// Words and addresses: the variable, a suffix or a value, and whether it has a meaning.
const WORDS: &[(&str, &str, bool)] = &[
    ("ENVIRONMENT", "LOCAL", true),
    ("ENVIRONMENT", " local ", true),
    ("ENVIRONMENT", "prod", false),
    ("ENVIRONMENT", "test", false),
    ("AUTH_MODE", "JWT", true),
    ("AUTH_MODE", "", true),
    ("AUTH_MODE", "none", false),
    ("AUTH_MODE", "off", false),
    ("CALLBACK_AUTH", "HMAC", true),
    ("CALLBACK_AUTH", "", true),
    ("CALLBACK_AUTH", "none", false),
    ("CALLBACK_AUTH", "false", false),
    ("MAX_UPLOAD_BYTES", "", true),
    ("MAX_UPLOAD_BYTES", "   ", true),
    ("DATABASE_POOL", "0", false),
    ("DATABASE_POOL", "-4", false),
    ("API_PREFIX", "/api/v2/", true),
    ("API_PREFIX", "api/v2", false),
    ("SUPABASE_URL", "/", true),
    ("SUPABASE_URL", "//", true),
    ("SUPABASE_URL", " ", true),
    ("OPENAI_API_URL", "/", true),
    ("OPENAI_API_URL", "/v1", true),
    ("OPENAI_API_URL", "/v1/", true),
    ("LLAMAPARSE_BASE_URL", "/", true),
    ("WEBHOOK_BASE_URL", "/", true),
];

/// Whether the value is added to the one of the stack.
fn is_suffix(variable: &str) -> bool {
    variable.ends_with("_URL")
}

/// Words in other letters, empty variables and slashes at the end keep their meaning, or are refused by name.
async fn a_word_or_an_address_is_read_as_meant_or_refused(cx: &Context) -> CheckResult {
    let endpoints = &cx.processes()?.info().endpoints;
    let base = |variable: &str| {
        let name = match variable {
            "SUPABASE_URL" => "supabase",
            "OPENAI_API_URL" => "embedder",
            "LLAMAPARSE_BASE_URL" => "parser",
            _ => return Some(cx.processes().ok()?.info().api_url.to_string()),
        };
        endpoints.get(name).map(ToString::to_string)
    };
    stream::iter(WORDS.iter().map(Ok::<_, Stop>))
        .try_for_each_concurrent(AT_ONCE, |(variable, value, has_meaning)| {
            let value = if is_suffix(variable) {
                let base = base(variable).unwrap_or_default();
                format!("{}{value}", base.trim_end_matches('/'))
            } else {
                (*value).to_owned()
            };
            async move {
                match start(cx, variable, &value).await? {
                    Start::Refuses(output) => expect_named(variable, &value, &output),
                    Start::Runs(api) => {
                        ensure!(
                            *has_meaning,
                            "the API starts with {variable}={value:?}, which means nothing"
                        );
                        expect_works(cx, &api, variable, &value).await?;
                        Ok(api.end().await?)
                    }
                }
            }
        })
        .await
}

/// The service works as with the usual spelling: users are known, storage signs, and the embedder answers.
async fn expect_works(cx: &Context, api: &ExtraApi, variable: &str, value: &str) -> CheckResult {
    let (pipeline, document) = (cx.pipeline()?.at(api.url()), cx.document().build());
    let forged = cx.pipeline()?.at(api.url()).anonymous().jobs(&[]).await?;
    ensure_eq!(
        forged.status,
        401,
        "with {variable}={value:?}, no token is needed"
    );
    let search = pipeline.search("premium", 3).await?;
    let upload = pipeline.register(document.upload()).await?;
    for reply in [&search, &upload] {
        ensure!(
            reply.is_success(),
            "the API starts with {variable}={value:?}, but {} is answered with {}",
            reply.request,
            reply.summary()
        );
    }
    let limits = pipeline.limits().await?.expect_status(200)?.json()?;
    let shown = limits.pointer("/max_upload_bytes").and_then(Value::as_u64);
    ensure_eq!(
        shown,
        Some(cx.contract().limits.max_bytes),
        "with {variable}={value:?}, the size limit is another one"
    );
    Ok(())
}

/// Settings of a worker that have no meaning.
const UNUSABLE: &[(&str, &str)] = &[
    ("WORKER_CONCURRENCY", "0"),
    ("WORKER_CONCURRENCY", "four"),
    ("POLL_INTERVAL_MS", "0"),
    ("POLL_INTERVAL_MS", "-50"),
    ("POLL_INTERVAL_MS", "0.5s"),
    ("LEASE_MS", "0"),
    ("LEASE_MS", "1"),
    ("RETRY_BASE_MS", "soon"),
    ("MAX_RETRIES", "-1"),
    ("MAX_RETRIES", "infinite"),
    ("PARSE_DEADLINE_MS", "NaN"),
    ("EMBED_BATCH", "0"),
    ("EMBED_DIMENSIONS", "0"),
    ("EMBED_DIMENSIONS", "1536.5"),
    ("OPENAI_API_URL", "api.openai.com"),
    ("LLAMAPARSE_BASE_URL", "\"https://api.example\""),
    ("DATABASE_URL", "localhost"),
];

/// How long a process may take to refuse a setting. Enough for a busy machine.
const EXIT_WITHIN: Duration = Duration::from_secs(8);

/// A worker with a setting that has no meaning exits at once, without success, and names the variable.
async fn a_worker_refuses_what_it_cannot_use(cx: &Context) -> CheckResult {
    let stack = cx.processes()?;
    stream::iter(UNUSABLE.iter().map(Ok::<_, Stop>))
        .try_for_each_concurrent(AT_ONCE, |(variable, value)| async move {
            let overrides = Overrides::from([((*variable).to_owned(), Some((*value).to_owned()))]);
            let outcome = stack
                .run_one_shot(&["worker"], &overrides, EXIT_WITHIN)
                .await?;
            let OneShotOutcome::Exited(output) = outcome else {
                let summary = format!("a worker starts with {variable}={value:?}");
                return Err(Stop::violated(Finding::new(summary)));
            };
            let text = [output.stdout, output.stderr].concat();
            let text = String::from_utf8_lossy(&text);
            ensure!(
                !output.status.success() && text.contains(*variable) && !text.contains("panicked"),
                "a worker with {variable}={value:?} exits with {}, and says: {text}",
                output.status
            );
            Ok(())
        })
        .await
}
