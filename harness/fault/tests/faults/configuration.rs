//! Faults as they are written in a file, and the ranges of their values.

use cutover_fault::{Fault, Injection, Trigger};
use serde_json::{Value, json};

/// Every fault with all its fields, in the middle of their ranges.
fn all() -> [Value; 13] {
    [
        json!({ "fault": "refuse" }),
        json!({ "fault": "blackhole", "direction": "both", "discard": true, "close_after_ms": 5 }),
        json!({ "fault": "reset", "after_ms": 5 }),
        json!({ "fault": "reset_after_bytes", "direction": "to_upstream", "bytes": 5 }),
        json!({ "fault": "close_after_bytes", "direction": "from_upstream", "bytes": 5 }),
        json!({ "fault": "latency", "direction": "both", "delay_ms": 5, "jitter_ms": 5 }),
        json!({ "fault": "bandwidth", "direction": "both", "bytes_per_second": 5 }),
        json!({ "fault": "slicer", "direction": "both", "average_bytes": 5, "variation_bytes": 4,
                "delay_us": 5 }),
        json!({ "fault": "slow_close", "direction": "both", "delay_ms": 5 }),
        json!({ "fault": "half_open" }),
        json!({ "fault": "flap", "down_ms": 5, "up_ms": 5 }),
        json!({ "fault": "lost_reply", "quiet_ms": 5 }),
        json!({ "fault": "first_requests", "requests": 5, "status": 503, "retry_after_s": 5 }),
    ]
}

fn read(value: &Value) -> Fault {
    serde_json::from_value(value.clone()).unwrap_or_else(|error| panic!("{value}: {error}"))
}

#[test]
fn every_fault_is_read_and_written_and_refuses_unknown_fields() {
    for value in all() {
        let fault = read(&value);
        assert_eq!(fault.name(), value["fault"]);
        assert_eq!(fault.check(), Ok(()), "{value}");
        assert_eq!(serde_json::to_value(&fault).unwrap(), value);
        let mut unknown = value.clone();
        unknown["no_such_field"] = json!(1);
        let refused = serde_json::from_value::<Fault>(unknown);
        assert!(refused.is_err(), "{value}");
    }
}

#[test]
fn a_value_out_of_its_range_is_refused_with_its_field() {
    const DAY: u64 = 86_400_000;
    let cases = [
        ("blackhole", "close_after_ms", 0),
        ("blackhole", "close_after_ms", DAY + 1),
        ("reset", "after_ms", DAY + 1),
        ("reset_after_bytes", "bytes", 2_000_000_000_000_000),
        ("close_after_bytes", "bytes", 2_000_000_000_000_000),
        ("latency", "delay_ms", DAY + 1),
        ("latency", "jitter_ms", DAY + 1),
        ("bandwidth", "bytes_per_second", 0),
        ("bandwidth", "bytes_per_second", 2_000_000_000_000),
        ("slicer", "average_bytes", 0),
        ("slicer", "average_bytes", 65_537),
        ("slicer", "variation_bytes", 5),
        ("slicer", "delay_us", 60_000_001),
        ("slow_close", "delay_ms", DAY + 1),
        ("flap", "down_ms", 0),
        ("flap", "up_ms", 0),
        ("lost_reply", "quiet_ms", 0),
        ("lost_reply", "quiet_ms", 60_001),
        ("first_requests", "requests", 0),
        ("first_requests", "status", 199),
        ("first_requests", "status", 600),
    ];
    for (name, field, value) in cases {
        let mut fault = all()
            .into_iter()
            .find(|each| each["fault"] == name)
            .unwrap();
        fault[field] = json!(value);
        let error = read(&fault).check().unwrap_err();
        assert_eq!((error.fault, error.field), (name, field));
        let text = error.to_string();
        let expected = format!("inject fault '{name}': {field} is {value}, must be from ");
        assert!(text.starts_with(&expected), "{text}");
    }
}

#[test]
fn an_injection_needs_a_fault_only() {
    let short = json!({ "fault": { "fault": "half_open" } });
    let injection: Injection = serde_json::from_value(short).unwrap();
    assert_eq!(
        injection,
        Injection::new(cutover_fault::faults::HalfOpen {})
    );
    let long = json!({
        "fault": { "fault": "reset" }, "probability": 0.5, "trigger": { "from_request": 3 },
        "time_to_live_ms": 1000, "seed": 7,
    });
    let injection: Injection = serde_json::from_value(long).unwrap();
    assert_eq!(injection.trigger, Trigger::FromRequest(3));
    assert_eq!(injection.time_to_live_ms, Some(1000));
}
