//! The text format of durations in files: `"300s"`, `"50ms"`, `"2m 30s"`.

use std::borrow::Cow;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::IntoDeserializer as _;
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

/// A duration as text, or `"none"` for zero, for `#[serde(with = "DurationOrNone")]`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DurationOrNone;

impl DurationOrNone {
    /// Parses a duration.
    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Duration, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text == "none" {
            return Ok(Duration::ZERO);
        }
        DurationText::deserialize(text.into_deserializer())
    }

    /// Formats a duration.
    pub(crate) fn serialize<S: Serializer>(
        duration: &Duration,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        if duration.is_zero() {
            return serializer.serialize_str("none");
        }
        DurationText::serialize(duration, serializer)
    }
}

impl JsonSchema for DurationOrNone {
    fn schema_name() -> Cow<'static, str> {
        "DurationOrNone".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": "A duration such as \"300s\" or \"2m 30s\", or \"none\".",
            "examples": ["300s", "none"],
        })
    }
}
