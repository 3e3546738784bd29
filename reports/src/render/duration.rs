//! Durations in words.

use std::time::Duration;

/// A duration from milliseconds; `None` for a value that no clock can measure.
pub(super) fn from_ms(ms: f64) -> Option<Duration> {
    Duration::try_from_secs_f64(ms / 1_000.0).ok()
}

/// A duration in words: `340 ms`, `1.2 s`, `2 min 05 s`.
pub(super) fn human(duration: Duration) -> String {
    let tenths = (duration.as_millis() + 50) / 100;
    match duration.as_millis() {
        ms @ 0..1_000 => format!("{ms} ms"),
        _ if tenths < 600 => format!("{}.{} s", tenths / 10, tenths % 10),
        ms => {
            let seconds = (ms + 500) / 1_000;
            format!("{} min {:02} s", seconds / 60, seconds % 60)
        }
    }
}

/// A duration from milliseconds in words.
pub(super) fn human_ms(ms: f64) -> String {
    from_ms(ms).map_or_else(|| "an unknown time".to_owned(), human)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_unit_and_the_precision_depend_on_the_length() {
        for (ms, expected) in [
            (0.4, "0 ms"),
            (999.9, "999 ms"),
            (1_000.0, "1.0 s"),
            (1_249.0, "1.2 s"),
            (59_949.0, "59.9 s"),
            (59_951.0, "1 min 00 s"),
            (125_000.0, "2 min 05 s"),
            (-1.0, "an unknown time"),
            (1e300, "an unknown time"),
        ] {
            assert_eq!(human_ms(ms), expected, "{ms}");
        }
    }
}
