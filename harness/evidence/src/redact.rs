//! Masks every known secret, in every form it may take, before a byte reaches the disk.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use aho_corasick::{AhoCorasick, AhoCorasickKind, BuildError};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::secret::{MASK, Secret};

/// Secrets shorter than this are not masked: they would mask ordinary words.
const SHORTEST: usize = 8;

/// Knows the run's secrets and masks them.
#[derive(Debug, Default)]
pub struct Redactor {
    known: Mutex<Vec<Tier>>,
    /// The secrets of the system under test, with their names.
    named: Mutex<Vec<(String, Secret)>>,
}

/// Some of the secrets in all their forms, and the automaton that finds them all in one pass.
///
/// Every trial learns the token of a tenant or two. One automaton over all secrets would be
/// built anew each time; tiers, of which each is at least twice as big as the next, are built
/// as often as the logarithm of their number.
#[derive(Clone, Debug)]
struct Tier {
    forms: Arc<BTreeSet<String>>,
    finder: Arc<Result<AhoCorasick, BuildError>>,
}

impl Tier {
    fn new(forms: BTreeSet<String>) -> Self {
        // It is built more often than it has much to search: no DFA.
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
    /// Learns a secret; from here on it is masked.
    pub fn learn(&self, secret: &Secret) {
        if secret.expose().len() < SHORTEST {
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

    /// Learns a secret of the system under test: what resolves one calls this at that moment.
    ///
    /// The checks look for the secrets that have a name where none may be.
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

    /// The text with every known secret masked.
    ///
    /// The text is JSON: masking never changes its structure, since neither a
    /// secret's escaped forms nor the mask contain a quote that is not escaped.
    pub fn redact(&self, text: String) -> String {
        match self.found_in(&text) {
            Ok(found) if found.is_empty() => text,
            Ok(found) => mask(&text, found),
            // More secrets than can be searched for: nothing is shown at all.
            Err(_) => serde_json::Value::from(MASK).to_string(),
        }
    }

    /// Whether a known secret is in the text; where that cannot be told, it may be.
    pub fn reveals(&self, text: &str) -> bool {
        self.found_in(text).map_or(true, |found| !found.is_empty())
    }

    fn found_in(&self, text: &str) -> Result<Vec<Range<usize>>, TooMany> {
        let known = self
            .known
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let mut found = Vec::new();
        for tier in known {
            let finder = tier.finder.as_ref().as_ref().map_err(|_| TooMany)?;
            // All of several, so that secrets within and across each other are masked whole.
            let secrets = finder.find_overlapping_iter(text);
            found.extend(secrets.map(|secret| secret.range()));
        }
        Ok(found)
    }
}

/// There are more secrets than can be searched for.
struct TooMany;

/// The text with a mask for each stretch of it that is covered by the ranges.
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

/// A secret as it may appear in a line of JSON: as a text, as a text within a
/// text that is JSON itself, percent-encoded, in hex, in base64.
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
    forms.retain(|form| form.len() >= SHORTEST);
    forms
}

/// A text as it stands between the quotes of a JSON string.
fn json_escaped(text: &str) -> String {
    let quoted = serde_json::Value::from(text).to_string();
    quoted[1..quoted.len() - 1].to_owned()
}

/// The characters of a base64 text that depend on the secret alone, when the
/// secret begins `offset` bytes into a group of three: it may stand anywhere in
/// the encoded text, as in `user:password` or in a JSON object.
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
    fn every_form_is_masked() {
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
    fn base64_is_masked_wherever_the_secret_stands() {
        for prefix in ["", "a", "ab", "abc", "user:"] {
            let text = format!("{prefix}p@ss \"word\"/with+signs and more");
            let masked = redactor().redact(STANDARD_NO_PAD.encode(&text));
            assert!(masked.contains(MASK), "after '{prefix}': {masked}");
        }
    }

    #[test]
    fn a_masked_line_is_still_json() {
        let line = serde_json::json!({"header": "Bearer p@ss \"word\"/with+signs"}).to_string();
        let masked: serde_json::Value = serde_json::from_str(&redactor().redact(line)).unwrap();
        assert_eq!(masked["header"], format!("Bearer {MASK}"));
    }

    #[test]
    fn secrets_that_overlap_are_masked_whole_however_they_were_learnt() {
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
    fn of_many_secrets_each_is_masked() {
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
