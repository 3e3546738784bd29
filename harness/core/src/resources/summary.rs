//! The summary of a timeline: costs, shares, and the series that the response times follow.

use std::time::Duration;

use cutover_load::Report;
use serde_json::{Value, json};

use super::followed::followed;
use super::timeline::{ProcessSeries, Timeline};

/// The name of the process that runs the stand-ins.
const STANDINS: &str = "standins";

/// Above this share of the processor time of the stack, and of a processor, the stand-ins limit what is measured.
const BOTTLENECK: f64 = 0.5;
const BUSY: f64 = 0.25;

/// What a load did.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Work<'a> {
    /// The requests, if it was a load of requests.
    pub(crate) report: Option<&'a Report>,
    /// The documents that became complete, if it was a load of documents.
    pub(crate) documents: u64,
    /// How long it took.
    pub(crate) elapsed: Duration,
    /// Whether no other load ran at the same time. Otherwise no request and no document has a cost of its own.
    pub(crate) is_alone: bool,
}

/// What the processes used during a load, in short.
pub(crate) fn summary(timeline: &Timeline, work: Work<'_>) -> Value {
    let used = |is_counted: &dyn Fn(&str) -> bool| -> f64 {
        let counted = timeline.processes.iter().filter(|it| is_counted(&it.name));
        counted.map(ProcessSeries::processor).sum()
    };
    let (all, standins) = (used(&|_| true), used(&|name| name == STANDINS));
    // Without one of the processes, neither a sum nor a share is known.
    let is_complete = !timeline.lacks_processes && all > 0.0;
    let share = is_complete.then(|| standins / all);
    let each = |count: u64| {
        (count > 0 && work.is_alone && is_complete).then(|| (all - standins) / exact(count))
    };
    let per_request = each(work.report.map_or(0, answered)).map(|seconds| seconds * 1e3);
    let documents = if work.is_alone { work.documents } else { 0 };
    let is_busy = standins / work.elapsed.as_secs_f64() > BUSY;
    let is_bottleneck = is_busy && share.is_some_and(|share| share > BOTTLENECK);
    json!({
        "processes": timeline.processes.iter().map(|it| of_process(it, documents)).collect::<Vec<_>>(),
        "peaks": timeline.series.iter().map(|series| json!({ "name": series.name, "peak": series.peak() })).collect::<Vec<_>>(),
        "most_frequent_wait": timeline.waits.first(),
        "not_sampled": timeline.not_sampled,
        "processor_ms_per_request": per_request,
        "processor_s_per_document": each(work.documents),
        "standins_share": share,
        "bottleneck": is_bottleneck.then_some("the stand-ins are the bottleneck"),
        "p95_follows": work.report.and_then(|report| followed(timeline, report)),
    })
}

/// The requests that were answered, whatever the answer was.
fn answered(report: &Report) -> u64 {
    let account = report.account();
    account.ok + account.client_errors + account.server_errors
}

/// What a process used and held; for each document, if there are any.
fn of_process(series: &ProcessSeries, documents: u64) -> Value {
    let samples = || series.samples.iter();
    let (first, last) = (samples().next(), samples().next_back());
    let time = first
        .zip(last)
        .map_or(0.0, |(first, last)| last.at - first.at);
    json!({
        "name": series.name,
        "processor_share": series.processor() / time,
        "processor_s_per_document": (documents > 0).then(|| series.processor() / exact(documents)),
        "memory_peak": samples().map(|it| it.memory).max(),
        "open_files_peak": samples().filter_map(|it| it.open_files).max(),
        "threads_peak": samples().map(|it| it.threads).max(),
    })
}

#[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
pub(super) fn exact(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::super::timeline::Sample;
    use super::*;

    fn process(name: &str, processor: f64) -> ProcessSeries {
        let sample = |at, processor| Sample {
            at,
            processor,
            memory: 1,
            open_files: None,
            threads: 1,
        };
        ProcessSeries {
            name: name.to_owned(),
            samples: vec![sample(0.0, 1.0), sample(10.0, 1.0 + processor)],
        }
    }

    #[test]
    fn a_document_costs_the_processor_time_of_each_process() {
        let mut timeline = Timeline {
            processes: vec![
                process("api", 1.0),
                process("worker", 4.0),
                process(STANDINS, 5.0),
            ],
            ..Timeline::default()
        };
        let work = Work {
            report: None,
            documents: 10,
            elapsed: Duration::from_secs(10),
            is_alone: true,
        };
        let whole = summary(&timeline, work);
        assert_eq!(whole["processor_s_per_document"], 0.5);
        assert_eq!(whole["processes"][1]["processor_s_per_document"], 0.4);
        assert_eq!(whole["processor_ms_per_request"], Value::Null);
        timeline.lacks_processes = true;
        let part = summary(&timeline, work);
        assert_eq!(part["processor_s_per_document"], Value::Null);
        assert_eq!(part["processes"][1]["processor_s_per_document"], 0.4);
        let beside = summary(
            &timeline,
            Work {
                is_alone: false,
                ..work
            },
        );
        assert_eq!(
            beside["processes"][1]["processor_s_per_document"],
            Value::Null
        );
    }
}
