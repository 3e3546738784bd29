//! Hostile files: each is refused or ends in bounded time, whatever it claims to be, and harms nobody.

use cutover_fixtures::prelude::*;
use cutover_harness::check::Named;
use cutover_harness::prelude::*;
use cutover_harness::stack::{ProcessIdentity, ProcessUsage, Service};
use futures::future::{join, join_all};

use cutover_suite_support::findings::about;
use cutover_suite_support::hostile_uploads::expect_end;
use cutover_suite_support::texts;

use super::watched_address::Watched;

/// The checks of this file.
pub(crate) fn table() -> Vec<Check> {
    vec![
        check!(a_hostile_file_ends_and_harms_nobody, FAMILIES)
            .requires([Http, Database, Storage, Standins])
            .reads(texts::WHOLE_TEXT)
            .effect(Effect::WriteTenant)
            .expected_duration(secs(5))
            .severity(High),
        check!(hostile_files_need_bounded_memory)
            .requires([Http, Database, Storage, Standins, Processes])
            .reads(texts::WHOLE_TEXT)
            .effect(Effect::Fault)
            .expected_duration(secs(10))
            .severity(High)
            .alone_with_workers(1)
            .fresh_stack(),
        check!(nothing_that_a_file_names_is_fetched)
            .requires([Http, Database, Storage, Standins])
            .reads(texts::WHOLE_TEXT)
            .effect(Effect::WriteTenant)
            .expected_duration(secs(5))
            .severity(Critical),
    ]
}

/// A family of hostile files.
pub(super) struct Family {
    name: &'static str,
    family: HostileFamily,
}

impl Named for Family {
    fn name(&self) -> &'static str {
        self.name
    }
}

const fn family(name: &'static str, family: HostileFamily) -> Family {
    Family { name, family }
}

const FAMILIES: &[Family] = &[
    family("of_other_types", HostileFamily::OtherTypes),
    family("registered_as_other_types", HostileFamily::OtherMimes),
    family("of_two_formats", HostileFamily::TwoFormats),
    family("cut_anywhere", HostileFamily::Truncated),
    family("that_unpack_to_more", HostileFamily::Unpacking),
    family("with_many_parts", HostileFamily::Large),
    family("with_false_numbers", HostileFamily::FalseNumbers),
];

/// Files at a time, each of another user. Parsers take long for some of them.
const AT_ONCE: usize = 3;

/// Every file of the family is refused or ends, documents of other users become complete meanwhile, and the service
/// is alive.
async fn a_hostile_file_ends_and_harms_nobody(cx: &Context, case: &Family) -> CheckResult {
    let files = generated(cx, case.family).await?;
    expect_ends(cx, &files).await?;
    if cx.contract().has(Endpoint::Health) {
        cx.pipeline()?.health().await?.expect_status(200)?;
    }
    complete_another(cx).await
}

/// The files of a family. To compress takes a while; other checks go on meanwhile.
async fn generated(cx: &Context, family: HostileFamily) -> CheckResult<Vec<HostileFile>> {
    let builder = cx.document();
    let files = tokio::task::spawn_blocking(move || builder.hostile(family));
    Ok(files.await?)
}

/// Every file is refused or ends; meanwhile, documents of other users become complete.
async fn expect_ends(cx: &Context, files: &[HostileFile]) -> CheckResult {
    for batch in files.chunks(AT_ONCE) {
        let ends = join_all(batch.iter().map(|file| expect_end(cx, file)));
        let (ends, other) = join(ends, complete_another(cx)).await;
        let mut wrong = false;
        for (file, end) in batch.iter().zip(ends) {
            let named = |stop| about(&format!("file '{}'", file.name), stop);
            wrong |= end.is_err();
            cx.report_if_wrong(end.map_err(named))?;
        }
        other?;
        // A file that does not end takes long, and more of its kind say nothing new.
        if wrong {
            break;
        }
    }
    Ok(())
}

/// A document of another user becomes complete.
async fn complete_another(cx: &Context) -> CheckResult {
    let completed = cx.pipeline()?.complete(&cx.document().build()).await;
    let among = "a document of another user, beside hostile files";
    completed.map(drop).map_err(|stop| about(among, stop))
}

/// The families that ask for memory.
const HEAVY: [HostileFamily; 3] = [
    HostileFamily::Unpacking,
    HostileFamily::Large,
    HostileFamily::FalseNumbers,
];

/// How many times the bytes of the files that are processed at once a process may need, and how much more.
const COPIES: u64 = 6;
const MORE: u64 = 24_000_000;

/// Hostile files end no process, and none needs much more memory than the bytes of the files.
async fn hostile_files_need_bounded_memory(cx: &Context) -> CheckResult {
    complete_another(cx).await?;
    let before = processes(cx)?;
    let mut largest = 0;
    for family in HEAVY {
        let files = generated(cx, family).await?;
        expect_ends(cx, &files).await?;
        largest = files.chunks(AT_ONCE).map(bytes_of).fold(largest, u64::max);
    }
    let allowed = largest * COPIES + MORE;
    for (process, now) in before.iter().zip(processes(cx)?) {
        ensure!(
            process.identity == now.identity,
            "process '{}' ended while it had hostile files",
            process.name
        );
        let more = now.peak.saturating_sub(process.peak);
        let what = format!("bytes of memory that '{}' needs more", process.name);
        cx.observe("memory", what, more.into());
        ensure!(
            more <= allowed,
            "process '{}' needs {} MB of memory for hostile files of {} MB; at most {} MB is expected",
            process.name,
            more / 1_000_000,
            largest / 1_000_000,
            allowed / 1_000_000
        );
    }
    Ok(())
}

fn bytes_of(files: &[HostileFile]) -> u64 {
    files.iter().map(|file| file.bytes.len() as u64).sum()
}

/// A process, and the most memory that it has had.
struct Process {
    name: String,
    identity: ProcessIdentity,
    peak: u64,
}

/// The API and the workers of the check's own stack.
fn processes(cx: &Context) -> CheckResult<Vec<Process>> {
    let stack = cx.processes()?;
    let workers = stack.workers();
    let services = workers.iter().map(|worker| &***worker).chain([stack.api()]);
    services.map(process).collect()
}

fn process(service: &Service) -> CheckResult<Process> {
    let name = service.name().to_owned();
    ensure!(service.is_running(), "process '{name}' has ended");
    let usage = service
        .identity()
        .and_then(|identity| Some((identity, ProcessUsage::of(identity)?)));
    let Some((identity, usage)) = usage else {
        let reason = format!("the memory of process '{name}' cannot be read on this system");
        return Err(Stop::not_applicable(reason));
    };
    Ok(Process {
        name,
        identity,
        peak: usage.peak_resident_bytes,
    })
}

/// Scripts, actions, links and attachments of a file have no effect: nobody asks for the addresses in it.
async fn nothing_that_a_file_names_is_fetched(cx: &Context) -> CheckResult {
    Watched::expect_noticed(cx).await?;
    let watched = Watched::new(cx)?;
    let files = cx.document().with_active_content(&watched.url);
    expect_ends(cx, &files).await?;
    watched.expect_unasked(cx).await
}
