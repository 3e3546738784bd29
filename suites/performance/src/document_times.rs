//! Document times: documents of every size become searchable in time, one alone and several at once.

use std::time::{Duration, Instant};

use cutover_fixtures::prelude::*;
use cutover_harness::check::Named;
use cutover_harness::contract::Contract;
use cutover_harness::prelude::*;
use cutover_harness::standin::EmbedderBehaviour;
use futures::future::try_join_all;

use crate::looks::two_looks;
use crate::measured::{Better, gated, measured};

/// The checks of this file.
pub(crate) fn table() -> Vec<Check> {
    vec![
        check!(a_document_completes_in_time, SIZES)
            .requires([Http])
            .effect(Effect::WriteTenant)
            .expected_duration(secs(1))
            .severity(High)
            .measures(),
        check!(documents_at_once_scale, COUNTS)
            .requires([Http, Minting])
            .effect(Effect::Load)
            .expected_duration(secs(2))
            .severity(Medium)
            .occupies(Resource::Worker)
            .measures(),
    ]
}

/// The size of a document.
pub(super) struct Size {
    name: &'static str,
    bytes: usize,
}

impl Named for Size {
    fn name(&self) -> &'static str {
        self.name
    }

    fn not_applicable(&self, contract: &Contract) -> Option<String> {
        let largest = contract.limits.max_bytes;
        let is_too_large = self.bytes as u64 > largest;
        is_too_large.then(|| format!("the target accepts documents of at most {largest} bytes"))
    }

    fn is_sample(&self) -> bool {
        self.bytes == 10_000
    }
}

const SIZES: &[Size] = &[
    Size {
        name: "of_10_kb",
        bytes: 10_000,
    },
    Size {
        name: "of_50_kb",
        bytes: 50_000,
    },
    Size {
        name: "of_150_kb",
        bytes: 150_000,
    },
    Size {
        name: "of_5_mb",
        bytes: 5_000_000,
    },
];

/// What a document may take from its registration until it is complete.
const DOCUMENT: Duration = secs(10);

/// A document alone is complete in time.
async fn a_document_completes_in_time(cx: &Context, size: &Size) -> CheckResult {
    two_looks(async || {
        let (pipeline, document) = (cx.pipeline()?, cx.document().size_at_least(size.bytes).build());
        let began = Instant::now();
        pipeline.complete(&document).await?;
        let took = began.elapsed();
        gated(cx, &format!("time of a document {}", size.name), "s", Better::Lower, took.as_secs_f64());
        Ok((took > DOCUMENT).then(|| {
            format!(
                "a document of {} bytes takes {took:.1?} from its registration until it is complete; at most {} s is expected",
                document.bytes().len(),
                DOCUMENT.as_secs()
            )
        }))
    })
    .await
}

/// How many documents are processed at once.
pub(super) struct Count {
    name: &'static str,
    documents: u32,
    /// How many times as many documents are complete in a time as one by one.
    factor: f64,
}

impl Named for Count {
    fn name(&self) -> &'static str {
        self.name
    }
}

const COUNTS: &[Count] = &[
    Count {
        name: "five",
        documents: 5,
        factor: 1.5,
    },
    Count {
        name: "ten",
        documents: 10,
        factor: 2.0,
    },
    Count {
        name: "twenty_five",
        documents: 25,
        factor: 2.0,
    },
];

/// How late the embedder answers.
const LATE_MS: u64 = 400;

/// How many documents are measured one by one.
const ONE_BY_ONE: u32 = 2;

/// Documents at once are complete sooner than one by one.
async fn documents_at_once_scale(cx: &Context, count: &Count) -> CheckResult {
    complete(cx).await?;
    two_looks(async || {
        let began = Instant::now();
        for _ in 0..ONE_BY_ONE {
            complete(cx).await?;
        }
        let one = began.elapsed() / ONE_BY_ONE;
        let began = Instant::now();
        let all = async {
            try_join_all((0..count.documents).map(|_| complete(cx))).await?;
            Ok(began.elapsed())
        };
        let what = format!("{} documents at once", count.documents);
        let together = cx.document_load(&what, count.documents, all).await?;
        let factor = one.as_secs_f64() * f64::from(count.documents) / together.as_secs_f64();
        let throughput = f64::from(count.documents) / together.as_secs_f64();
        measured(cx, &format!("throughput of {}", count.name), "documents/s", Better::Higher, throughput);
        measured(cx, &format!("scaling factor of {}", count.name), "times", Better::Higher, factor);
        Ok((factor < count.factor).then(|| {
            format!(
                "{} documents at once take {together:.1?} and one alone {one:.1?}: {factor:.1} times the documents per time, and \
                 {} are expected",
                count.documents, count.factor
            )
        }))
    })
    .await
}

/// Completes a document of a new user. Its provider is slow where it can be told to be: what is measured is then
/// how long documents wait, not how fast the machine is.
async fn complete(cx: &Context) -> CheckResult {
    let document = cx.document().build();
    let script = match cx.standins_if_granted() {
        Some(standins) => {
            let late = EmbedderBehaviour::Late { delay_ms: LATE_MS };
            Some(standins.script_embedder(document.nonce(), late).await?)
        }
        None => None,
    };
    cx.pipeline()?.complete(&document).await?;
    if let Some(script) = script {
        script.withdraw().await?;
    }
    Ok(())
}
