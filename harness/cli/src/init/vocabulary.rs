//! The words of statuses: which of them are steps, which is the last, and which are failures.

use toml::Value;

use super::draft::{Certainty, Draft};

const FAILED: [&str; 6] = ["fail", "error", "dead", "reject", "cancel", "abort"];
const COMPLETE: [&str; 7] = [
    "complete",
    "completed",
    "done",
    "ready",
    "finished",
    "success",
    "succeeded",
];
const WAITING: [&str; 4] = ["pars", "extract", "convert", "processing"];

/// Whether a status names a failure.
pub(super) fn is_failure(word: &str) -> bool {
    let word = word.to_lowercase();
    FAILED.iter().any(|part| word.contains(part))
}

/// Whether a status names the end of the work.
pub(super) fn is_complete(word: &str) -> bool {
    COMPLETE.contains(&word.to_lowercase().as_str())
}

/// Sets the vocabulary from all words of a status.
pub(super) fn set_words(words: &[String], certainty: Certainty, source: &str, draft: &mut Draft) {
    let (failures, mut steps): (Vec<_>, Vec<_>) =
        words.iter().cloned().partition(|word| is_failure(word));
    // The last step is the complete one, wherever a schema lists it.
    if let Some(at) = steps.iter().position(|word| is_complete(word)) {
        let complete = steps.remove(at);
        steps.push(complete);
    }
    let (Some(first), Some(last)) = (steps.first(), steps.last()) else {
        return;
    };
    let table = "vocabulary";
    let waiting = steps.iter().find(|word| is_waiting(word)).unwrap_or(first);
    let after = steps
        .iter()
        .skip_while(|word| *word != waiting)
        .nth(1)
        .unwrap_or(last);
    let sequence = Value::Array(steps.iter().cloned().map(Value::from).collect());
    draft.set(table, "statuses", sequence, certainty, source);
    draft.set(
        table,
        "complete",
        last.clone(),
        certainty,
        "the last status",
    );
    for (key, word, source) in [
        ("registered", first, "the first status"),
        ("awaiting_callback", waiting, "by its name, or the first"),
        ("parsed", after, "the status after it"),
    ] {
        draft.set(table, key, word.clone(), Certainty::Guess, source);
    }
    set_failures(&failures, draft);
}

/// Sets the status after each stage fails, by the names of the statuses.
fn set_failures(failures: &[String], draft: &mut Draft) {
    let Some(failure) = failures.first() else {
        return;
    };
    let stages = [
        ("parse", "pars"),
        ("chunking", "chunk"),
        ("embedding", "embed"),
    ];
    let stages = stages.map(|(stage, part)| {
        let mut words = failures.iter();
        let named = words.find(|word| word.to_lowercase().contains(part));
        (
            stage.to_owned(),
            Value::from(named.unwrap_or(failure).clone()),
        )
    });
    let stages = Value::Table(stages.into_iter().collect());
    draft.set(
        "vocabulary",
        "failures",
        stages,
        Certainty::Guess,
        "by their names",
    );
}

fn is_waiting(word: &str) -> bool {
    let word = word.to_lowercase();
    let is_over = word.ends_with("ed") && !word.contains("queued");
    !is_over && WAITING.iter().any(|part| word.contains(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drafted(words: &[&str]) -> Draft {
        let words: Vec<_> = words.iter().map(|word| (*word).to_owned()).collect();
        let mut draft = Draft::default();
        set_words(&words, Certainty::Guess, "a test", &mut draft);
        draft
    }

    #[test]
    fn failures_are_no_steps_and_the_complete_status_is_the_last() {
        let draft = drafted(&[
            "failed",
            "uploaded",
            "parse_queued",
            "done",
            "parsed",
            "embedding_failed",
        ]);
        let text = |key| draft.text("vocabulary", key);
        assert_eq!(text("complete"), Some("done"));
        assert_eq!(text("registered"), Some("uploaded"));
        assert_eq!(text("awaiting_callback"), Some("parse_queued"));
        assert_eq!(text("parsed"), Some("parsed"));
        let failures = draft.value("vocabulary", "failures").unwrap().to_string();
        assert!(
            failures.contains("embedding = \"embedding_failed\""),
            "{failures}"
        );
        assert!(failures.contains("parse = \"failed\""), "{failures}");
    }
}
