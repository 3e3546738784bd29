//! A toxic: its JSON, and the fault that it is here.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::refusal::Refusal;
use crate::faults::{
    Bandwidth, Blackhole, CloseAfterBytes, Direction, Fault, Latency, Reset, Slicer, SlowClose,
};
use crate::injection::Injection;

/// The types of toxics and their attributes, which are 0 unless they are given.
const TYPES: [(&str, &[&str]); 7] = [
    ("latency", &["latency", "jitter"]),
    ("bandwidth", &["rate"]),
    ("slow_close", &["delay"]),
    ("timeout", &["timeout"]),
    ("reset_peer", &["timeout"]),
    ("slicer", &["average_size", "size_variation", "delay"]),
    ("limit_data", &["bytes"]),
];

/// A toxic as a client sends it; what is absent has a default, or stays as it is.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ToxicRequest {
    pub(super) name: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
    stream: Option<String>,
    toxicity: Option<f64>,
    attributes: Map<String, Value>,
}

/// A toxic as the API shows it.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Toxic {
    pub(super) name: String,
    #[serde(rename = "type")]
    kind: String,
    stream: String,
    toxicity: f64,
    attributes: BTreeMap<String, u64>,
}

impl Toxic {
    pub(super) fn new(request: ToxicRequest) -> Result<Self, Refusal> {
        let kind = request.kind.clone().unwrap_or_default();
        let stream = request.stream.clone().filter(|stream| !stream.is_empty());
        let stream = stream.unwrap_or_else(|| "downstream".to_owned());
        let stream = stream.to_ascii_lowercase();
        let name = request.name.clone().filter(|name| !name.is_empty());
        let attributes = TYPES.iter().find(|(each, _)| *each == kind);
        let (_, attributes) = attributes.ok_or(Refusal::InvalidToxicType)?;
        if !["upstream", "downstream"].contains(&stream.as_str()) {
            return Err(Refusal::InvalidStream);
        }
        let toxic = Self {
            name: name.unwrap_or_else(|| format!("{kind}_{stream}")),
            kind,
            stream,
            toxicity: 1.0,
            attributes: attributes
                .iter()
                .map(|each| ((*each).to_owned(), 0))
                .collect(),
        };
        toxic.updated(request)
    }

    /// The toxic with another toxicity and other attributes; those of other types are ignored.
    pub(super) fn updated(&self, request: ToxicRequest) -> Result<Self, Refusal> {
        let mut toxic = self.clone();
        toxic.toxicity = request.toxicity.unwrap_or(self.toxicity);
        for (name, value) in request.attributes {
            if let Some(attribute) = toxic.attributes.get_mut(&name) {
                let whole = value.as_u64();
                *attribute = whole.ok_or(Refusal::InvalidAttribute(name))?;
            }
        }
        toxic.injection().check()?;
        Ok(toxic)
    }

    fn attribute(&self, name: &str) -> u64 {
        self.attributes.get(name).copied().unwrap_or_default()
    }

    pub(super) fn injection(&self) -> Injection {
        Injection::new(self.fault()).probability(self.toxicity)
    }

    fn fault(&self) -> Fault {
        let direction = match self.stream.as_str() {
            "upstream" => Direction::ToUpstream,
            _ => Direction::FromUpstream,
        };
        let value = |name| self.attribute(name);
        let size = |name| u32::try_from(value(name)).unwrap_or(u32::MAX);
        match self.kind.as_str() {
            "latency" => Fault::from(Latency {
                direction,
                delay_ms: value("latency"),
                jitter_ms: value("jitter"),
            }),
            "bandwidth" => Fault::from(Bandwidth {
                direction,
                bytes_per_second: rate(value("rate")),
            }),
            "slow_close" => Fault::from(SlowClose {
                direction,
                delay_ms: value("delay"),
            }),
            "timeout" => Fault::from(Blackhole {
                direction,
                discard: true,
                close_after_ms: Some(value("timeout")).filter(|timeout| *timeout > 0),
            }),
            "slicer" => Fault::from(Slicer {
                direction,
                average_bytes: size("average_size").max(1),
                variation_bytes: size("size_variation"),
                delay_us: value("delay"),
            }),
            "limit_data" => Fault::from(CloseAfterBytes {
                direction,
                bytes: value("bytes"),
            }),
            _ => Fault::from(Reset {
                after_ms: value("timeout"),
            }),
        }
    }
}

/// Bytes per second of a rate in KB per second, of which 0 is no limit.
fn rate(kilobytes: u64) -> u64 {
    const UNLIMITED: u64 = 1_000_000_000_000;
    match kilobytes {
        0 => UNLIMITED,
        limit => limit.saturating_mul(1000),
    }
}
