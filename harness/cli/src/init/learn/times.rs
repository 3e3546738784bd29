//! The formats of the times in answers.

use cutover_contract::contract::TimestampFormat;
use time::OffsetDateTime;
use toml::Value as TomlValue;

use crate::init::draft::{Certainty, Draft};
use crate::init::leaves::Leaf;

/// A time within this many seconds of now counts as a time, and not as another number.
const NEAR_S: i64 = 400 * 24 * 3600;

/// The format of a value that is a time, by its name in the contract, and the time.
pub(super) fn time_format(leaf: &Leaf) -> Option<(&'static str, OffsetDateTime)> {
    if let Some(text) = leaf.text() {
        let zoned = TimestampFormat::Zoned
            .parse(text)
            .map(|time| ("zoned", time));
        let bare = || {
            TimestampFormat::UtcWithoutZone
                .parse(text)
                .map(|time| ("utc_without_zone", time))
        };
        return zoned.or_else(bare);
    }
    let number = leaf.value.as_ref()?.as_f64()?;
    let now = OffsetDateTime::now_utc().unix_timestamp();
    [("unix_seconds", 1.0), ("unix_millis", 1e3)]
        .into_iter()
        .find_map(|(name, scale)| {
            #[expect(clippy::cast_possible_truncation, reason = "a float saturates")]
            let seconds = (number / scale) as i64;
            let is_near = seconds.abs_diff(now) < NEAR_S.unsigned_abs();
            let time = OffsetDateTime::from_unix_timestamp(seconds)
                .ok()
                .filter(|_| is_near);
            Some((name, time?))
        })
}

/// Sets the formats of all times that were seen: one, or a list.
pub(super) fn set_times(leaves: &[Leaf], draft: &mut Draft) {
    let mut formats: Vec<_> = leaves
        .iter()
        .filter_map(time_format)
        .map(|(name, _)| name)
        .collect();
    formats.sort_unstable();
    formats.dedup();
    let value = match formats.as_slice() {
        [] => return,
        [format] => TomlValue::from(*format),
        formats => TomlValue::Array(
            formats
                .iter()
                .map(|format| TomlValue::from(*format))
                .collect(),
        ),
    };
    draft.set(
        "fields",
        "times",
        value,
        Certainty::Seen,
        "the formats of all times in the answers",
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::init::leaves::leaves_of;
    use serde_json::json;

    #[test]
    fn the_formats_of_times_are_recognised_among_other_numbers() {
        let now = OffsetDateTime::now_utc().unix_timestamp();
        let body = json!({"a": "2026-01-02T03:04:05Z", "b": now + 300, "c": 5_242_880, "d": "2026", "e": now * 1000});
        let mut draft = Draft::default();
        set_times(&leaves_of(&body), &mut draft);
        let times = draft.value("fields", "times").unwrap().to_string();
        assert_eq!(times, r#"["unix_millis", "unix_seconds", "zoned"]"#);
    }
}
