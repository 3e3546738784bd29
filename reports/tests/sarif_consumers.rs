//! The golden run as code scanning reads it: by the schema of SARIF, and by the rules of GitHub's ingestion.

#![expect(clippy::unwrap_used, reason = "a failed test setup fails the test")]

mod golden;

use std::collections::BTreeSet;

use cutover_reports::record::{Evidence, PlannedRule, Run, Severity};
use cutover_reports::render::{Render, Sarif};
use cutover_reports::verdict::{CheckStatus, Verdict};
use serde_json::Value;

/// The schema that the standard publishes.
const SCHEMA: &str = include_str!("schemas/sarif-2.1.0.json");

fn sarif(run: &Run, verdict: &Verdict) -> Value {
    let file: Value = serde_json::from_str(&Sarif.render(run, verdict)).unwrap();
    // The published pattern of a language has a bracket too many, which ECMAScript alone reads as a letter.
    let schema = SCHEMA.replace("{2}]?$", "{2}$");
    let schema = serde_json::from_str(&schema).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let errors: Vec<_> = validator
        .iter_errors(&file)
        .map(|error| error.to_string())
        .collect();
    assert!(errors.is_empty(), "{errors:?}");
    expect_ingestible(&file);
    file
}

/// What GitHub requires of a file beyond the schema.
fn expect_ingestible(file: &Value) {
    let runs = file["runs"].as_array().unwrap();
    assert_eq!(runs.len(), 1);
    let rules = runs[0]["tool"]["driver"]["rules"].as_array().unwrap();
    let mut ids = BTreeSet::new();
    for rule in rules {
        let id = rule["id"].as_str().unwrap();
        assert!(!id.is_empty() && id.len() <= 255 && ids.insert(id));
        for text in ["shortDescription", "fullDescription", "help"] {
            let text = rule[text]["text"].as_str().unwrap();
            assert!(!text.is_empty() && text.chars().count() <= 4_096, "{id}");
        }
        assert!(rule["properties"]["tags"].as_array().unwrap().len() <= 20);
        let severity = &rule["properties"]["security-severity"];
        if let Some(severity) = severity.as_str() {
            let number: f64 = severity.parse().unwrap();
            assert!(number > 0.0 && number <= 10.0);
        }
    }
    for result in runs[0]["results"].as_array().unwrap() {
        let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(rules[index]["id"], result["ruleId"]);
        assert!(result["level"].is_string());
        let message = result["message"]["text"].as_str().unwrap();
        assert!(!message.is_empty() && message.chars().count() <= 1_024);
        let place = &result["locations"][0]["physicalLocation"];
        let uri = place["artifactLocation"]["uri"].as_str().unwrap();
        assert!(!uri.starts_with('/') && !uri.contains("://"), "{uri}");
        assert!(place["region"]["startLine"].as_u64().unwrap() >= 1);
        let fingerprint = &result["partialFingerprints"]["primaryLocationLineHash"];
        assert_eq!(fingerprint.as_str().unwrap().len(), 32);
    }
}

fn failed(verdict: &Verdict) -> Vec<String> {
    let checks = verdict.checks.iter();
    let failed = checks.filter(|check| check.status == CheckStatus::Failed);
    failed.map(|check| check.id.to_string()).collect()
}

#[test]
fn every_failed_check_is_a_result() {
    let (run, verdict) = golden::run();
    let file = sarif(&run, &verdict);
    let results = file["runs"][0]["results"].as_array().unwrap();
    let shown: BTreeSet<_> = results
        .iter()
        .map(|result| result["properties"]["check"].as_str().unwrap().to_owned())
        .collect();
    let failed = failed(&verdict);
    assert!(!failed.is_empty());
    assert_eq!(shown, failed.into_iter().collect());
    assert_eq!(
        file["runs"][0]["invocations"][0]["executionSuccessful"],
        false
    );
}

#[test]
fn a_check_that_proves_a_rule_violates_it() {
    let (mut run, verdict) = golden::run();
    let failed = failed(&verdict);
    let check = failed.first().unwrap().clone();
    run.plan.as_mut().unwrap().rules = vec![PlannedRule {
        id: "TEN-01".to_owned(),
        statement: "nobody reads the job of another user".to_owned(),
        severity: Severity::Critical,
        owasp: vec!["API1".to_owned()],
        cwe: vec![639],
        asvs: vec!["8.2.2".to_owned()],
        remedy: "Compare the owner of the job with the user of the token.".to_owned(),
        isolation: true,
        checks: vec![check.clone()],
        unproved: None,
    }];
    let file = sarif(&run, &verdict);
    let results = file["runs"][0]["results"].as_array().unwrap();
    let result = results
        .iter()
        .find(|result| result["properties"]["check"] == check.as_str());
    assert_eq!(result.unwrap()["ruleId"], "TEN-01");
    let rules = file["runs"][0]["tool"]["driver"]["rules"]
        .as_array()
        .unwrap();
    let rule = rules.iter().find(|rule| rule["id"] == "TEN-01").unwrap();
    assert_eq!(rule["properties"]["security-severity"], "9.5");
    let tags = rule["properties"]["tags"].as_array().unwrap();
    assert!(
        tags.contains(&"external/cwe/cwe-639".into()) && tags.contains(&"owasp/API1-2023".into())
    );
    assert!(tags.contains(&"asvs/v5.0.0-8.2.2".into()));
    for form in ["text", "markdown"] {
        let help = rule["help"][form].as_str().unwrap();
        assert!(
            help.starts_with("Compare the owner of the job with the user of the token. `cutover")
        );
    }
}

#[test]
fn a_fingerprint_contains_no_address_of_the_run() {
    let (run, verdict) = golden::run();
    let fingerprints = |run: &Run| {
        let file = sarif(run, &verdict);
        let results = file["runs"][0]["results"].as_array().unwrap().clone();
        results
            .iter()
            .map(|result| result["partialFingerprints"].to_string())
            .collect::<Vec<_>>()
    };
    let mut moved = run.clone();
    for trial in &mut moved.trials {
        for evidence in &mut trial.evidence {
            if let Evidence::Http(exchange) = evidence {
                exchange.url = exchange.url.replace("127.0.0.1", "10.9.8.7");
            }
        }
    }
    assert_eq!(fingerprints(&run), fingerprints(&moved));
}

#[test]
fn a_run_without_findings_has_a_valid_file_without_results() {
    let (run, verdict) = golden::passing_run();
    let file = sarif(&run, &verdict);
    assert_eq!(file["runs"][0]["results"], serde_json::json!([]));
    assert_eq!(
        file["runs"][0]["invocations"][0]["executionSuccessful"],
        true
    );
}
