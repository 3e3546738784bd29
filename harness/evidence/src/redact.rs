//! Masks every known secret, in all of its encodings, before anything is written to disk.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use aho_corasick::{AhoCorasick, AhoCorasickKind, BuildError};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::secret::{MASK, Secret};

/// The minimum length of a secret; shorter secrets would mask ordinary words.
const MIN_LENGTH: usize = 8;

/// Masks the secrets of a run.
#[derive(Debug, Default)]
pub struct Redactor {
    known: Mutex<Vec<Tier>>,
    /// The secrets of the system under test, with their names.
    named: Mutex<Vec<(String, Secret)>>,
}

/// Some secrets in all encodings, and the automaton that finds them in one pass.
///
/// Every trial adds one or two tokens, and a single automaton would be rebuilt each time.
/// Each tier is therefore at least twice as large as the next one, so that a secret is part of
/// only a logarithmic number of rebuilds.
#[derive(Clone, Debug)]
struct Tier {
    forms: Arc<BTreeSet<String>>,
    finder: Arc<Result<AhoCorasick, BuildError>>,
}

impl Tier {
    fn new(forms: BTreeSet<String>) -> Self {
        // It is rebuilt often and searches little text, so a DFA would not pay off.
        let finder = AhoCorasick::builder()
            .kind(Some(AhoCorasickKind::ContiguousNFA))
            .build(&forms);
        Self {
            finder: Arc::new(finder),
            forms: Arc::new(forms),
        }
    }
}

impl Redactor {
    /// Adds a secret; it is masked from then on.
    pub fn learn(&self, secret: &Secret) {
        if secret.expose().len() < MIN_LENGTH {
            return;
        }
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let mut new: BTreeSet<String> = forms(secret.expose())
            .into_iter()
            .filter(|form| !known.iter().any(|tier| tier.forms.contains(form)))
            .collect();
        if new.is_empty() {
            return;
        }
        while let Some(last) = known.pop_if(|last| last.forms.len() < 2 * new.len()) {
            new.extend(last.forms.iter().cloned());
        }
        known.push(Tier::new(new));
    }

    /// Adds a named secret of the system under test, as soon as it is resolved.
    ///
    /// The checks search logs and responses for the named secrets.
    pub fn learn_named(&self, name: &str, secret: &Secret) {
        self.learn(secret);
        let mut named = self.named.lock().unwrap_or_else(PoisonError::into_inner);
        let new = (name.to_owned(), secret.clone());
        if !named.contains(&new) {
            named.push(new);
        }
    }

    /// The secrets of the system under test, with their names.
    pub fn named_secrets(&self) -> Vec<(String, Secret)> {
        let named = self.named.lock().unwrap_or_else(PoisonError::into_inner);
        named.clone()
    }

    /// Masks every known secret in a JSON text.
    ///
    /// The text remains valid JSON, because neither the encodings of a secret nor the
    /// mask contain an unescaped quote.
    pub fn redact(&self, text: String) -> String {
        match self.found_in(&text) {
            Ok(found) if found.is_empty() => text,
            Ok(found) => mask(&text, found),
            // The automaton could not be built, so the whole text is masked.
            Err(_) => serde_json::Value::from(MASK).to_string(),
        }
    }

    /// Whether the text contains a known secret, or may contain one.
    pub fn reveals(&self, text: &str) -> bool {
        self.found_in(text).map_or(true, |found| !found.is_empty())
    }

    fn found_in(&self, text: &str) -> Result<Vec<Range<usize>>, SearchUnavailable> {
        let known = self
            .known
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let mut found = Vec::new();
        for tier in known {
            let finder = tier
                .finder
                .as_ref()
                .as_ref()
                .map_err(|_| SearchUnavailable)?;
            // Overlapping matches, so that nested and overlapping secrets are masked completely.
            let secrets = finder.find_overlapping_iter(text);
            found.extend(secrets.map(|secret| secret.range()));
        }
        Ok(found)
    }
}

/// The automaton for the secrets could not be built.
struct SearchUnavailable;

/// Replaces each group of overlapping ranges of the text with one mask.
fn mask(text: &str, mut covered: Vec<Range<usize>>) -> String {
    covered.sort_unstable_by_key(|range| range.start);
    let mut masked = String::with_capacity(text.len());
    let mut shown = 0;
    for range in covered {
        if range.start >= shown {
            masked.push_str(&text[shown..range.start]);
            masked.push_str(MASK);
        }
        shown = shown.max(range.end);
    }
    masked.push_str(&text[shown..]);
    masked
}

/// The encodings of a secret in a line of JSON: as a string, as a string within nested
/// JSON, percent-encoded, in hex, and in base64.
fn forms(secret: &str) -> Vec<String> {
    let escaped = json_escaped(secret);
    let mut forms = vec![
        json_escaped(&escaped),
        escaped,
        utf8_percent_encode(secret, NON_ALPHANUMERIC).to_string(),
        url::form_urlencoded::byte_serialize(secret.as_bytes()).collect(),
        hex::encode(secret),
    ];
    forms.extend((0..3).flat_map(|offset| base64_at(secret.as_bytes(), offset)));
    forms.retain(|form| form.len() >= MIN_LENGTH);
    forms
}

/// The content of a JSON string, without the quotes.
fn json_escaped(text: &str) -> String {
    let quoted = serde_json::Value::from(text).to_string();
    quoted[1..quoted.len() - 1].to_owned()
}

/// The base64 characters that depend only on the secret, if the secret starts `offset`
/// bytes into a group of three. The secret may be anywhere in the encoded text, as in
/// `user:password` or in a JSON object.
fn base64_at(secret: &[u8], offset: usize) -> [String; 2] {
    let mut padded = vec![0; offset];
    padded.extend_from_slice(secret);
    let whole = padded.len() / 3 * 4;
    let from = [0, 2, 3][offset];
    let cut = |text: String| text.get(from..whole).unwrap_or_default().to_owned();
    [
        cut(STANDARD_NO_PAD.encode(&padded)),
        cut(URL_SAFE_NO_PAD.encode(&padded)),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn redactor() -> Redactor {
        let redactor = Redactor::default();
        redactor.learn(&Secret::new("p@ss \"word\"/with+signs"));
        redactor
    }

    #[test]
    fn every_encoding_is_masked() {
        let secret = "p@ss \"word\"/with+signs";
        let forms = [
            serde_json::Value::from(secret).to_string(),
            utf8_percent_encode(secret, NON_ALPHANUMERIC).to_string(),
            hex::encode(secret),
        ];
        for form in forms {
            let masked = redactor().redact(format!("before {form} after"));
            assert!(masked.contains(MASK), "{form} is not masked: {masked}");
        }
    }

    #[test]
    fn base64_is_masked_at_every_offset() {
        for prefix in ["", "a", "ab", "abc", "user:"] {
            let text = format!("{prefix}p@ss \"word\"/with+signs and more");
            let masked = redactor().redact(STANDARD_NO_PAD.encode(&text));
            assert!(masked.contains(MASK), "after '{prefix}': {masked}");
        }
    }

    #[test]
    fn a_masked_line_is_valid_json() {
        let line = serde_json::json!({"header": "Bearer p@ss \"word\"/with+signs"}).to_string();
        let masked: serde_json::Value = serde_json::from_str(&redactor().redact(line)).unwrap();
        assert_eq!(masked["header"], format!("Bearer {MASK}"));
    }

    #[test]
    fn overlapping_secrets_are_masked_completely_in_any_order() {
        let secrets = ["inner-secret", "an inner-secret within", "within reach"];
        for first in 0..secrets.len() {
            let redactor = Redactor::default();
            for offset in 0..secrets.len() {
                redactor.learn(&Secret::new(secrets[(first + offset) % secrets.len()]));
            }
            let masked = redactor.redact("<an inner-secret within reach>".to_owned());
            assert_eq!(masked, format!("<{MASK}>"));
        }
    }

    #[test]
    fn every_one_of_many_secrets_is_masked() {
        let redactor = Redactor::default();
        let secrets: Vec<_> = (0..300)
            .map(|number| format!("secret-{number:04}"))
            .collect();
        for secret in &secrets {
            redactor.learn(&Secret::new(secret.as_str()));
        }
        let masked = redactor.redact(secrets.join(" "));
        assert_eq!(masked, vec![MASK; secrets.len()].join(" "));
        let tiers = redactor.known.lock().unwrap().len();
        assert!(tiers <= 12, "{tiers} tiers");
    }

    #[test]
    fn a_short_secret_does_not_mask_ordinary_words() {
        let redactor = Redactor::default();
        redactor.learn(&Secret::new("key"));
        assert_eq!(redactor.redact("monkey".to_owned()), "monkey");
    }
}
