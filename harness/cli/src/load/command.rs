//! The options of `cutover load`.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use cutover_evidence::interrupt::Interrupt;
use cutover_load::{Load, MachineUseStart, Phases, Report, Request, Shard, Sharded, Stop};
use time::OffsetDateTime;
use url::Url;

use super::allowed;
use super::outcome::{Outcome, Validities};
use super::phase::{PHASES, Phase, Plan};
use super::shard_file::Part;
use super::text;
use super::threshold::{self, Threshold};
use crate::output::{print, print_line};
use crate::{CommandError, UsageError, runtime};

/// How often signals and the kill switch are looked for.
const POLL: Duration = Duration::from_millis(20);

/// Send requests to a URL at a rate, and tell how long they took
///
/// Exit code 0: the thresholds are met; 1: one is missed; 2: bad input; 3: not a valid measurement
#[derive(Args, Debug)]
pub(crate) struct LoadCommand {
    /// Where to: this machine, unless `--target` allows another host
    url: Url,
    /// Requests per second
    #[arg(long, required_unless_present_any = ["closed", "phases"])]
    rate: Option<f64>,
    /// How long requests are due, such as 30s or 2m
    #[arg(long, value_parser = duration, required_unless_present = "phases")]
    duration: Option<Duration>,
    /// A phase such as warm-up:10s@50 or ramp:30s@50..500; may be repeated, and has a row of its own
    #[arg(
        long = "phase",
        value_name = "NAME:TIME@RATE",
        conflicts_with_all = ["rate", "duration", "ramp_to", "closed"]
    )]
    phases: Vec<Phase>,
    /// Connections, each with at most one request at a time
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u16).range(1..))]
    connections: u16,
    /// Change the rate linearly to this one
    #[arg(long, value_name = "RATE", conflicts_with_all = ["poisson", "closed"])]
    ramp_to: Option<f64>,
    /// Send at random times with this mean rate, as independent users do
    #[arg(long, conflicts_with = "closed")]
    poisson: bool,
    /// Send back to back on each connection, for comparison: a stall hardly shows then
    #[arg(long, conflicts_with = "rate")]
    closed: bool,
    /// The longest time from sending a request to its response, such as 500ms
    #[arg(long, default_value = "10s", value_parser = duration)]
    timeout: Duration,
    /// The method
    #[arg(long, default_value = "GET")]
    method: String,
    /// A header; may be repeated
    #[arg(long = "header", value_name = "NAME: VALUE")]
    headers: Vec<String>,
    /// The body of each request
    #[arg(long, default_value = "")]
    body: String,
    /// Determines the times of `--poisson`
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The part of the load that this process sends, such as 0/2 and 1/2
    #[arg(long, value_name = "I/N", value_parser = shard, conflicts_with = "closed")]
    shard: Option<Shard>,
    /// A limit such as p99<200ms, service.p50<5ms, errors<1% or ramp:p99<1s; may be repeated
    #[arg(long = "threshold", value_name = "LIMIT")]
    thresholds: Vec<Threshold>,
    /// A target file that allows load on the host
    #[arg(long, value_name = "FILE")]
    target: Option<PathBuf>,
    /// Print JSON, with histograms that can be merged
    #[arg(long)]
    json: bool,
}

fn duration(text: &str) -> Result<Duration, String> {
    threshold::duration(text).ok_or_else(|| "write a time such as 500ms, 30s or 2m".to_owned())
}

fn shard(text: &str) -> Result<Shard, String> {
    let parts = text.split_once('/');
    let parts = parts.and_then(|(index, of)| Some((index.parse().ok()?, of.parse().ok()?)));
    let (index, of) = parts.ok_or_else(|| "write a shard such as 0/2".to_owned())?;
    Shard::new(index, of).map_err(|error| error.to_string())
}

impl LoadCommand {
    pub(crate) fn run(self) -> Result<u8, CommandError> {
        allowed::expect_host(&self.url, self.target.as_deref())?;
        let request = self.request()?;
        let plan = self.plan();
        plan.expect_phases(&self.thresholds)?;
        let pacer = plan.pacer(self.poisson.then_some(self.seed))?;
        let amount = plan.amount();
        let target = allowed::check(&self.url, &request, self.target.as_deref(), amount)?;
        let load = Load {
            connections: usize::from(self.connections),
            timeout: self.timeout,
            drain: self.timeout,
            phase_ends: pacer
                .as_ref()
                .map_or_else(Vec::new, |pacer| pacer.ends().to_vec()),
            ..Load::new(request)
        };
        let kill_switch = target.and_then(|target| target.safety.kill_switch);
        let part = self.part(&plan);
        let machine = MachineUseStart::now();
        let report = self.send(&load, pacer, plan.duration(), kill_switch)?;
        let machine = machine.finish();
        let validities = Validities::new(&report, &plan.steady_seconds(), Some(machine));
        let outcome = Outcome {
            validities: validities.context("judge the load")?,
            total: report.total().context("add the phases of the load")?,
            report: &report,
            duration: plan.duration(),
            phases: plan.names(),
            thresholds: &self.thresholds,
            problem: None,
            part: Some(part),
        };
        if self.json {
            print_line(outcome.json())?;
        } else {
            print(&text::text(&outcome))?;
        }
        Ok(outcome.code())
    }

    fn request(&self) -> Result<Request, UsageError> {
        let build = || {
            let mut request = Request::get(self.url.as_str())?.method(&self.method)?;
            for header in &self.headers {
                request = request.header(header)?;
            }
            Ok(request.body(self.body.clone()))
        };
        build().map_err(|cause: cutover_load::RequestError| {
            UsageError::new(
                "send load",
                cause,
                "correct the arguments; see `cutover load --help`",
            )
        })
    }

    /// What distinguishes this load from others; nothing of it is secret.
    fn part(&self, plan: &Plan) -> Part {
        let shard = self.shard.unwrap_or(Shard::ALL);
        let number = |number: Option<f64>| number.map_or_else(String::new, |it| it.to_string());
        let started = OffsetDateTime::now_utc() - OffsetDateTime::UNIX_EPOCH;
        let settings = [
            ("host", self.url.host_str().unwrap_or_default().to_owned()),
            ("path", self.url.path().to_owned()),
            ("method", self.method.clone()),
            ("rate", number(self.rate)),
            ("rate at the end", number(self.ramp_to)),
            ("random times", self.poisson.to_string()),
            ("seed", self.seed.to_string()),
            ("duration", format!("{:?}", plan.duration())),
            (PHASES, plan.to_string()),
            ("timeout", format!("{:?}", self.timeout)),
        ];
        let settings = settings.map(|(key, value)| (key.to_owned(), value));
        Part {
            index: shard.index(),
            of: shard.of(),
            started_s: started.as_seconds_f64(),
            settings: settings.into(),
        }
    }

    fn plan(&self) -> Plan {
        match (self.duration, self.rate) {
            (Some(duration), Some(rate)) => Plan::one(duration, rate, self.ramp_to),
            (Some(duration), None) => Plan::closed(duration),
            (None, _) => Plan::new(self.phases.clone()),
        }
    }

    /// Sends the load until its end, a signal, or the kill switch.
    fn send(
        &self,
        load: &Load,
        pacer: Option<Phases>,
        duration: Duration,
        kill_switch: Option<PathBuf>,
    ) -> Result<Report, CommandError> {
        let runtime = runtime::multi_thread()?;
        let interrupt = Interrupt::new();
        interrupt
            .listen(runtime.handle())
            .context("install the signal handlers")?;
        let stop = Stop::default();
        let asking = stop.clone();
        runtime.spawn(async move {
            while interrupt.by().is_none()
                && !kill_switch.as_ref().is_some_and(|file| file.exists())
            {
                // The file system is asked again and again; nothing tells about a new file.
                tokio::time::sleep(POLL).await;
            }
            asking.ask();
        });
        let Some(pacer) = pacer else {
            return Ok(load.closed(duration, &stop)?);
        };
        let shard = self.shard.unwrap_or(Shard::ALL);
        Ok(load.open(&Sharded { pacer, shard }, &stop)?)
    }
}
