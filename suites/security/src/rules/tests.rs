//! Each rule has a remedy, and names requirements that ASVS 5.0.0 has.

use std::collections::BTreeMap;

use cutover_harness::rule::Rule;

use super::RULES;

/// The sections of ASVS 5.0.0 with the number of their requirements.
#[rustfmt::skip]
const ASVS: [(&str, u32); 80] = [
    ("1.1", 2), ("1.2", 10), ("1.3", 12), ("1.4", 3), ("1.5", 3),
    ("2.1", 3), ("2.2", 3), ("2.3", 5), ("2.4", 2),
    ("3.1", 1), ("3.2", 3), ("3.3", 5), ("3.4", 8), ("3.5", 8), ("3.6", 1), ("3.7", 5),
    ("4.1", 5), ("4.2", 5), ("4.3", 2), ("4.4", 4),
    ("5.1", 1), ("5.2", 6), ("5.3", 3), ("5.4", 3),
    ("6.1", 3), ("6.2", 12), ("6.3", 8), ("6.4", 6), ("6.5", 8), ("6.6", 4), ("6.7", 2), ("6.8", 4),
    ("7.1", 3), ("7.2", 4), ("7.3", 2), ("7.4", 5), ("7.5", 3), ("7.6", 2),
    ("8.1", 4), ("8.2", 4), ("8.3", 3), ("8.4", 2),
    ("9.1", 3), ("9.2", 4),
    ("10.1", 2), ("10.2", 3), ("10.3", 5), ("10.4", 16), ("10.5", 5), ("10.6", 2), ("10.7", 3),
    ("11.1", 4), ("11.2", 5), ("11.3", 5), ("11.4", 4), ("11.5", 2), ("11.6", 2), ("11.7", 2),
    ("12.1", 5), ("12.2", 2), ("12.3", 5),
    ("13.1", 4), ("13.2", 6), ("13.3", 4), ("13.4", 7),
    ("14.1", 2), ("14.2", 8), ("14.3", 3),
    ("15.1", 5), ("15.2", 5), ("15.3", 7), ("15.4", 4),
    ("16.1", 1), ("16.2", 5), ("16.3", 4), ("16.4", 3), ("16.5", 4),
    ("17.1", 2), ("17.2", 8), ("17.3", 2),
];

/// The number of requirements of the standard.
const ASVS_REQUIREMENTS: u32 = 345;

/// The most sentences of a remedy.
const MAX_SENTENCES: usize = 2;
/// The most characters of a remedy: it is one line of a report.
const MAX_REMEDY: usize = 160;

fn rules() -> impl Iterator<Item = &'static Rule> {
    RULES.iter().copied().flatten()
}

/// The ends of sentences: a full stop at the end or before a space.
fn sentences(text: &str) -> usize {
    let ends = text.match_indices(['.', '!', '?']);
    let is_end = |(at, end): &(usize, &str)| {
        let rest = &text[at + end.len()..];
        rest.is_empty() || rest.starts_with(' ')
    };
    ends.filter(is_end).count()
}

#[test]
fn every_rule_has_a_remedy_of_at_most_two_sentences() {
    for rule in rules() {
        let remedy = rule.remedy;
        assert!(
            remedy.ends_with('.') && remedy.trim() == remedy,
            "{}: {remedy}",
            rule.id
        );
        assert!(
            (1..=MAX_SENTENCES).contains(&sentences(remedy)),
            "{}: {remedy}",
            rule.id
        );
        assert!(
            remedy.chars().count() <= MAX_REMEDY,
            "{}: {remedy}",
            rule.id
        );
    }
}

#[test]
fn no_two_rules_have_the_same_remedy_or_statement() {
    for text in [|rule: &Rule| rule.remedy, |rule: &Rule| rule.statement] {
        let mut known = BTreeMap::new();
        for rule in rules() {
            let other = known.insert(text(rule), rule.id);
            assert_eq!(other, None, "{} says the same: {}", rule.id, text(rule));
        }
    }
}

#[test]
fn the_rules_of_tenants_and_of_row_security_are_those_of_isolation() {
    for rule in rules() {
        let is_isolation = rule.id.starts_with("TEN-") || rule.id.starts_with("RLS-");
        assert_eq!(rule.isolation, is_isolation, "{}", rule.id);
    }
}

#[test]
fn every_requirement_of_a_rule_is_one_of_the_standard() {
    assert_eq!(
        ASVS.iter().map(|(_, number)| number).sum::<u32>(),
        ASVS_REQUIREMENTS
    );
    let sections = BTreeMap::from(ASVS);
    for rule in rules() {
        for id in rule.asvs {
            let (section, number) = id.rsplit_once('.').expect("a section and a number");
            let number: u32 = number.parse().expect("a number");
            let last = sections.get(section).copied().unwrap_or_default();
            assert!((1..=last).contains(&number), "{}: {id}", rule.id);
        }
        assert!(
            rule.asvs.is_sorted_by_key(|id| key(id)),
            "{}: {:?}",
            rule.id,
            rule.asvs
        );
    }
}

/// An id by its numbers.
fn key(id: &str) -> Vec<u32> {
    id.split('.').filter_map(|part| part.parse().ok()).collect()
}

#[test]
fn the_end_of_a_sentence_is_a_mark_before_a_space() {
    for (text, expected) in [
        ("A.", 1),
        ("A 2.1 b.", 1),
        ("Set .env. Go!", 2),
        ("no end", 0),
    ] {
        assert_eq!(sentences(text), expected, "{text}");
    }
}
