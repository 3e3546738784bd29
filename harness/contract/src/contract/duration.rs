//! The text format of durations in files: `"300s"`, `"50ms"`, `"2m 30s"`.

use std::borrow::Cow;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize as _, Deserializer, Serializer};

/// A duration as text, for `#[serde(with = "DurationText")]`.
#[derive(Clone, Copy, Debug)]
pub struct DurationText;

impl DurationText {
    /// Parses a duration.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        let text = String::deserialize(deserializer)?;
        humantime::parse_duration(&text).map_err(|error| {
            serde::de::Error::custom(format!(
                "'{text}' is not a duration such as \"300s\" or \"50ms\": {error}"
            ))
        })
    }

    /// Formats a duration.
    pub fn serialize<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&humantime::format_duration(*duration))
    }
}

impl JsonSchema for DurationText {
    fn schema_name() -> Cow<'static, str> {
        "Duration".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": "A duration such as \"300s\", \"50ms\" or \"2m 30s\".",
            "examples": ["300s", "50ms"],
        })
    }
}
