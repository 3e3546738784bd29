//! Broken links: whatever happens to a connection, no document is lost, done twice or stuck.

use std::sync::LazyLock;
use std::time::Duration;

use cutover_harness::check::Named;
use cutover_harness::contract::{Contract, Timing};
use cutover_harness::fault::faults::{
    Bandwidth, Blackhole, CloseAfterBytes, Fault, FirstRequests, Flap, Latency, LostReply, Reset,
    ResetAfterBytes, Slicer,
};
use cutover_harness::fault::{Direction, Injection, LinkName};
use cutover_harness::prelude::*;

use cutover_suite_support::scenario::{self, Dose};

/// The checks of this file.
pub(crate) fn table() -> Vec<Check> {
    vec![
        check!(a_broken_link_loses_nothing, &CELLS)
            .requires([Http, Database, Storage, Standins, Links])
            .reads(scenario::READS)
            .effect(Effect::Fault)
            .expected_duration(secs(4))
            .severity(Critical)
            .alone_with_workers(1),
    ]
}

/// A cell of the matrix: a fault of a link.
pub(super) struct Cell {
    name: &'static str,
    link: LinkName,
    fault: &'static FaultRow,
    is_sample: bool,
}

impl Named for Cell {
    fn name(&self) -> &'static str {
        self.name
    }

    fn link(&self) -> Option<LinkName> {
        Some(self.link)
    }

    fn is_sample(&self) -> bool {
        self.is_sample
    }

    fn not_applicable(&self, contract: &Contract) -> Option<String> {
        let searches = self.link == LinkName::ApiToEmbedder;
        (searches && !contract.has(Endpoint::Search))
            .then(|| "this target has no search, so that its API calls no embedder".to_owned())
    }
}

/// A fault of a row of the matrix.
struct FaultRow {
    name: &'static str,
    fault: fn() -> Fault,
    lasts: Lasts,
    /// What a link must carry for it.
    needs: Carried,
}

/// What a link carries, as far as a fault needs it.
#[derive(Clone, Copy)]
enum Carried {
    /// Any bytes.
    Bytes,
    /// HTTP.
    Http,
    /// HTTP whose responses are longer than [`IN_BODY`].
    LongResponses,
    /// What is tried again: the calls of a worker to a provider, and statements.
    Retried,
}

impl Carried {
    fn is_on(self, link: LinkName) -> bool {
        match self {
            Self::Bytes => true,
            Self::Http => LinkName::HTTP.contains(&link),
            // A file, vectors, or what the API answers to its users.
            Self::LongResponses => matches!(
                link,
                LinkName::ClientToApi
                    | LinkName::ApiToEmbedder
                    | LinkName::WorkerToStorage
                    | LinkName::WorkerToEmbedder
            ),
            Self::Retried => {
                LinkName::DATABASE.contains(&link)
                    || matches!(
                        link,
                        LinkName::WorkerToStorage
                            | LinkName::WorkerToParser
                            | LinkName::WorkerToEmbedder
                    )
            }
        }
    }
}

/// How long a fault acts.
#[derive(Clone, Copy)]
enum Lasts {
    /// As long as a first retry is waited for: a worker that repeats only once meets it again.
    SomeRetries,
    /// Longer than all retries: the document fails, and its user retries it.
    AllRetries,
    /// This long.
    Ms(u64),
}

impl Lasts {
    fn of(self, timing: &Timing) -> Duration {
        match self {
            Self::SomeRetries => {
                let [least, most] = [Duration::from_millis(400), secs(15)];
                (timing.retry_base * 4).clamp(least, most)
            }
            Self::AllRetries => {
                let retries = i32::try_from(timing.max_retries).unwrap_or(i32::MAX);
                let delay = |retry| timing.retry_base.mul_f64(timing.retry_factor.powi(retry));
                let delays = (0..retries).map(|retry| delay(retry).min(timing.retry_cap));
                (delays.sum::<Duration>() * 3 / 2 + secs(1)).min(LONGEST)
            }
            Self::Ms(ms) => Duration::from_millis(ms),
        }
    }
}

const fn row(name: &'static str, lasts: Lasts, fault: fn() -> Fault) -> FaultRow {
    FaultRow {
        name,
        fault,
        lasts,
        needs: Carried::Bytes,
    }
}

const fn http_row(name: &'static str, lasts: Lasts, fault: fn() -> Fault) -> FaultRow {
    FaultRow {
        needs: Carried::Http,
        ..row(name, lasts, fault)
    }
}

/// The bytes of a reply before it is cut: within the head of an HTTP response, and after it.
const IN_HEAD: u64 = 30;
const IN_BODY: u64 = 1_000;

/// A fault does not last longer than this.
const LONGEST: Duration = secs(90);

/// A call with this time limit survives a slow link, whatever it needs to be established.
const PATIENT: Duration = secs(2);

/// The faults. Each is short enough for the retries of a pipeline, or makes its retries visible.
const FAULTS: &[FaultRow] = &[
    // Open connections are reset and new ones refused.
    row("down", Lasts::SomeRetries, || Flap::DOWN.into()),
    FaultRow {
        needs: Carried::Retried,
        ..row("down_for_long", Lasts::AllRetries, || Flap::DOWN.into())
    },
    row("reset", Lasts::SomeRetries, || Reset::default().into()),
    row("held", Lasts::Ms(1_200), || Blackhole::default().into()),
    http_row("swallowed", Lasts::Ms(600), || {
        Fault::from(Blackhole {
            direction: Direction::ToUpstream,
            discard: true,
            close_after_ms: None,
        })
    }),
    row("reply_cut_at_once", Lasts::Ms(500), || {
        Fault::from(ResetAfterBytes {
            direction: Direction::FromUpstream,
            bytes: IN_HEAD,
        })
    }),
    FaultRow {
        needs: Carried::LongResponses,
        ..row("reply_ends_early", Lasts::Ms(500), || {
            Fault::from(CloseAfterBytes {
                direction: Direction::FromUpstream,
                bytes: IN_BODY,
            })
        })
    },
    row("reply_lost", Lasts::Ms(500), || LostReply::default().into()),
    row("flapping", Lasts::Ms(1_200), || {
        Fault::from(Flap {
            down_ms: 150,
            up_ms: 250,
        })
    }),
    row("slow", Lasts::Ms(1_500), || {
        Fault::from(Latency {
            direction: Direction::Both,
            delay_ms: 60,
            jitter_ms: 40,
        })
    }),
    row("narrow", Lasts::Ms(1_000), || {
        Fault::from(Bandwidth {
            direction: Direction::Both,
            bytes_per_second: 100_000,
        })
    }),
    row("sliced", Lasts::Ms(800), || {
        Fault::from(Slicer {
            direction: Direction::Both,
            average_bytes: 60,
            variation_bytes: 50,
            delay_us: 100,
        })
    }),
    http_row("unavailable", Lasts::Ms(500), || {
        Fault::from(FirstRequests {
            requests: 3,
            status: 503,
            retry_after_s: None,
        })
    }),
    http_row("overloaded", Lasts::Ms(500), || {
        Fault::from(FirstRequests {
            requests: 2,
            status: 429,
            retry_after_s: Some(1),
        })
    }),
];

/// The columns of the matrix.
fn links() -> impl Iterator<Item = LinkName> {
    LinkName::HTTP.into_iter().chain(LinkName::DATABASE)
}

/// Every link with every fault that fits it.
static CELLS: LazyLock<Vec<Cell>> = LazyLock::new(|| {
    let mut samples: Vec<LinkName> = Vec::new();
    let cells = FAULTS.iter().flat_map(|fault| {
        let fits: Vec<LinkName> = links().filter(|link| fault.needs.is_on(*link)).collect();
        // Each fault once, on the link that has been chosen least.
        let times = |link: &LinkName| samples.iter().filter(|sample| *sample == link).count();
        let sample = fits.iter().copied().min_by_key(times);
        samples.extend(sample);
        fits.into_iter().map(move |link| Cell {
            // The table lives as long as the program.
            name: format!("{link}_{}", fault.name).leak(),
            link,
            fault,
            is_sample: Some(link) == sample && !matches!(fault.lasts, Lasts::AllRetries),
        })
    });
    cells.collect()
});

/// While a fault acts on a link, answers are true or say that the service cannot answer. After it, every
/// document is there, once, and the service is as it was before.
async fn a_broken_link_loses_nothing(cx: &Context, cell: &Cell) -> CheckResult {
    let fault = (cell.fault.fault)();
    let timing = &cx.contract().timing;
    let is_slow = matches!(
        fault,
        Fault::Latency(_) | Fault::Bandwidth(_) | Fault::Slicer(_)
    );
    let dose = Dose {
        lasts: cell.fault.lasts.of(timing),
        only_slows: is_slow && timing.provider_timeout >= PATIENT,
        injection: Injection::new(fault),
    };
    scenario::run(cx, cell.link, &dose).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_samples_cover_every_link_and_every_short_fault() {
        let samples = || CELLS.iter().filter(|cell| cell.is_sample);
        for link in links() {
            assert!(samples().any(|cell| cell.link == link), "{link}");
        }
        for fault in FAULTS {
            let is_short = !matches!(fault.lasts, Lasts::AllRetries);
            let is_covered = samples().any(|cell| cell.fault.name == fault.name);
            assert_eq!(is_covered, is_short, "{}", fault.name);
        }
    }
}
