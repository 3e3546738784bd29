//! The reports of several generators that sent one load together, joined into one.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::pacer::Shard;
use crate::report::{MergeError, Report};

/// The shortest difference between the starts of two shards that matters.
const LEAST_START_LIMIT: Duration = Duration::from_secs(1);

/// What one of several generators reported.
#[derive(Clone, Debug)]
pub struct ShardReport {
    /// Where the report is from, for messages.
    pub name: String,
    /// The part of the load.
    pub shard: Shard,
    /// What determines the load, by name: it is the same for all of them.
    pub settings: BTreeMap<String, String>,
    /// When the load started, from the Unix epoch.
    pub started: Duration,
    /// How long requests were due.
    pub duration: Duration,
    /// Why the part is no measurement, if it is none.
    pub invalid: Option<String>,
    /// What it measured.
    pub report: Report,
}

/// A whole load.
#[derive(Clone, Debug)]
pub struct Joined {
    /// What all generators measured.
    pub report: Report,
    /// Why it is no measurement, if it is none.
    pub invalid: Option<String>,
}

/// Reports that are not those of all shards of one load.
#[derive(Debug, thiserror::Error)]
pub enum JoinError {
    /// There is none.
    #[error("join no report; name the reports of all shards")]
    Nothing,
    /// A report is of another load.
    #[error("join {name}: its {key} is `{found}`, and that of {other} `{expected}`; leave it out")]
    Foreign {
        /// The report.
        name: String,
        /// What differs.
        key: String,
        /// Its value.
        found: String,
        /// The report that it is compared with.
        other: String,
        /// The value there.
        expected: String,
    },
    /// Two reports are of one shard.
    #[error("join {name}: {other} is of shard {index}/{of}, too; leave one of them out")]
    Duplicate {
        /// The number of the shard.
        index: u64,
        /// The number of shards.
        of: u64,
        /// The report.
        name: String,
        /// The first report of the shard.
        other: String,
    },
    /// A shard has no report.
    #[error("join {given} of {of} shards: the report of shard {index}/{of} is missing; add it")]
    Lost {
        /// The first shard without a report.
        index: u64,
        /// The number of shards.
        of: u64,
        /// The number of reports.
        given: usize,
    },
    /// Two reports cannot be added.
    #[error("join {name}")]
    Merge {
        /// The report.
        name: String,
        /// Why.
        source: MergeError,
    },
}

/// Joins the reports of all shards of one load. Every one of them must be there, once.
pub fn join(mut shards: Vec<ShardReport>) -> Result<Joined, JoinError> {
    shards.sort_by_key(|shard| shard.shard.index());
    let first = shards.first().ok_or(JoinError::Nothing)?;
    for shard in &shards {
        expect_same_load(first, shard)?;
    }
    expect_each_once(&shards, first.shard.of())?;
    let invalid = invalid(&shards);
    let mut shards = shards.into_iter();
    let mut report = shards.next().ok_or(JoinError::Nothing)?.report;
    for shard in shards {
        let name = shard.name;
        let merged = report.merge(&shard.report);
        merged.map_err(|source| JoinError::Merge { name, source })?;
    }
    Ok(Joined { report, invalid })
}

fn expect_same_load(first: &ShardReport, shard: &ShardReport) -> Result<(), JoinError> {
    let settings = |shard: &ShardReport| {
        let mut settings = shard.settings.clone();
        settings.insert("number of shards".to_owned(), shard.shard.of().to_string());
        settings
    };
    let (expected, found) = (settings(first), settings(shard));
    let value = |settings: &BTreeMap<String, String>, key: &String| {
        settings.get(key).cloned().unwrap_or_default()
    };
    let mut keys = expected.keys().chain(found.keys());
    match keys.find(|key| value(&expected, key) != value(&found, key)) {
        None => Ok(()),
        Some(key) => Err(JoinError::Foreign {
            name: shard.name.clone(),
            key: key.clone(),
            found: value(&found, key),
            other: first.name.clone(),
            expected: value(&expected, key),
        }),
    }
}

/// The reports are in the order of their shards.
fn expect_each_once(shards: &[ShardReport], of: u64) -> Result<(), JoinError> {
    let twice = shards
        .windows(2)
        .find(|pair| pair[0].shard.index() == pair[1].shard.index());
    if let Some([other, shard]) = twice {
        return Err(JoinError::Duplicate {
            index: shard.shard.index(),
            of,
            name: shard.name.clone(),
            other: other.name.clone(),
        });
    }
    // Without duplicates and in order, the first number that is not its place is after a gap.
    let indices = shards.iter().map(|shard| shard.shard.index());
    let present = (0..)
        .zip(indices)
        .take_while(|(place, index)| place == index);
    let index = present.last().map_or(0, |(place, _)| place + 1);
    if index == of {
        return Ok(());
    }
    let given = shards.len();
    Err(JoinError::Lost { index, of, given })
}

/// Why the shards together are no measurement.
fn invalid(shards: &[ShardReport]) -> Option<String> {
    let own = shards.iter().find_map(|shard| {
        let reason = shard.invalid.as_ref()?;
        Some(format!("{}: {reason}", shard.name))
    });
    own.or_else(|| stopped(shards)).or_else(|| apart(shards))
}

/// A shard that has fewer requests than its part of the schedule: it was stopped before the others.
fn stopped(shards: &[ShardReport]) -> Option<String> {
    let scheduled = |shard: &ShardReport| shard.report.account().scheduled;
    let most = shards.iter().map(scheduled).max()?;
    // Requests go to the shards in turn, so their numbers differ by one at most.
    let fewer = shards.iter().find(|shard| scheduled(shard) + 1 < most)?;
    let count = scheduled(fewer);
    Some(format!(
        "{}: {count} requests were due, and {most} in another shard; it was stopped",
        fewer.name
    ))
}

/// Shards that did not act at the same time.
fn apart(shards: &[ShardReport]) -> Option<String> {
    let first = shards.iter().min_by_key(|shard| shard.started)?;
    let last = shards.iter().max_by_key(|shard| shard.started)?;
    let apart = last.started.saturating_sub(first.started);
    let limit = LEAST_START_LIMIT.max(first.duration / 10);
    (apart > limit).then(|| {
        let seconds = apart.as_secs_f64();
        format!(
            "{}: it started {seconds:.1} s after {}",
            last.name, first.name
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Hit, HitOutcome};

    /// A report of a shard with this many requests.
    fn shard(index: u64, of: u64, requests: u64) -> ShardReport {
        let mut report = Report::new(&[]).unwrap();
        for number in 0..requests {
            let intended = Duration::from_millis(number * of + index);
            report.schedule(intended).unwrap();
            let hit = Hit {
                intended,
                sent: intended,
                done: intended + Duration::from_millis(5),
                generator_lag: Duration::ZERO,
                outcome: HitOutcome::Ok,
            };
            report.record(&hit).unwrap();
        }
        ShardReport {
            name: format!("shard-{index}.json"),
            shard: Shard::new(index, of).unwrap(),
            settings: BTreeMap::from([("rate".to_owned(), "1000".to_owned())]),
            started: Duration::from_secs(100),
            duration: Duration::from_secs(2),
            invalid: None,
            report,
        }
    }

    fn four() -> Vec<ShardReport> {
        let requests = [51, 51, 50, 50].into_iter();
        (0..)
            .zip(requests)
            .map(|(index, requests)| shard(index, 4, requests))
            .collect()
    }

    fn refusal(shards: Vec<ShardReport>) -> String {
        join(shards).unwrap_err().to_string()
    }

    fn invalid(change: impl FnOnce(&mut Vec<ShardReport>)) -> String {
        let mut shards = four();
        change(&mut shards);
        join(shards).unwrap().invalid.unwrap_or_default()
    }

    #[test]
    fn all_shards_in_any_order_are_the_load() {
        let mut shards = four();
        shards.reverse();
        let joined = join(shards).unwrap();
        assert_eq!(joined.invalid, None);
        assert_eq!(joined.report.account().ok, 202);
        assert_eq!(joined.report.total().unwrap().response.count(), 202);
    }

    #[test]
    fn a_lost_a_duplicate_and_a_foreign_shard_are_errors_that_name_it() {
        for missing in 0..4 {
            let mut shards = four();
            shards.remove(missing);
            let expected = format!("shard {missing}/4 is missing");
            assert!(refusal(shards).contains(&expected), "{expected}");
        }
        let mut shards = four();
        shards.push(shard(2, 4, 50));
        assert!(refusal(shards).contains("shard 2/4, too"));
        let mut shards = four();
        shards[3] = shard(3, 5, 50);
        assert!(refusal(shards).contains("its number of shards is `5`"));
        let mut shards = four();
        let rate = "900".to_owned();
        shards[1].settings.insert("rate".to_owned(), rate);
        let foreign = refusal(shards);
        assert!(
            foreign.contains("shard-1.json: its rate is `900`"),
            "{foreign}"
        );
        assert!(refusal(Vec::new()).contains("no report"));
    }

    #[test]
    fn what_is_no_measurement_in_one_shard_is_none_in_all() {
        let late = |shards: &mut Vec<ShardReport>| shards[2].invalid = Some("late".to_owned());
        assert_eq!(invalid(late), "shard-2.json: late");
        let stopped = invalid(|shards| shards[1] = shard(1, 4, 20));
        assert!(stopped.contains("shard-1.json: 20 requests"), "{stopped}");
        let apart = invalid(|shards| shards[3].started += Duration::from_mins(1));
        assert!(
            apart.contains("shard-3.json: it started 60.0 s after"),
            "{apart}"
        );
        assert_eq!(invalid(|_| {}), "");
    }
}
