//! `report.html`: text from outside is shown and never interpreted, nothing is loaded, and the verdict comes first.

#![expect(clippy::unwrap_used, reason = "a failed test setup fails the test")]

mod golden;

use std::collections::BTreeSet;
use std::fs;
use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cutover_reports::record::{Outcome, Run};
use cutover_reports::render::{Html, OUTPUTS, Render, write_all};
use proptest::prelude::*;
use sha2::{Digest as _, Sha256};

fn page(run: Run) -> String {
    let (run, verdict) = golden::judged(run);
    Html.render(&run, &verdict)
}

/// The golden run, in which every text that a target controls is this one.
fn run_saying(hostile: &str) -> Run {
    let (mut run, _) = golden::run();
    for trial in &mut run.trials {
        for finding in &mut trial.findings {
            hostile.clone_into(&mut finding.summary);
            finding.expected = Some(hostile.to_owned());
            finding.actual = Some(hostile.to_owned());
        }
        if let Some((Outcome::Errored { cause: text } | Outcome::Skipped { reason: text, .. }, _)) =
            &mut trial.finished
        {
            hostile.clone_into(text);
        }
    }
    let plan = run.plan.as_mut().unwrap();
    hostile.clone_into(&mut plan.target.name);
    for check in &mut plan.checks {
        hostile.clone_into(&mut check.statement);
    }
    run
}

/// The names of the tags of a page, and the names of their attributes.
fn tags_and_attributes(page: &str) -> BTreeSet<String> {
    let (style, script) = (inner(page, "style"), inner(page, "script"));
    let markup = page.replace(style, "").replace(script, "");
    let mut names = BTreeSet::new();
    for tag in markup.split('<').skip(1) {
        let (tag, _) = tag.split_once('>').unwrap();
        let mut is_value = false;
        for (at, part) in tag.split('"').enumerate() {
            if !is_value {
                let words = part.split([' ', '=']).filter(|word| !word.is_empty());
                names.extend(words.map(|word| format!("{}{word}", if at == 0 { "" } else { "@" })));
            }
            is_value = !is_value;
        }
    }
    names
}

/// The content of the only element with this name.
fn inner<'a>(page: &'a str, element: &str) -> &'a str {
    let (_, rest) = page.split_once(&format!("<{element}>")).unwrap();
    rest.split_once(&format!("</{element}>")).unwrap().0
}

/// What the page consists of when every text is harmless.
static HARMLESS: LazyLock<BTreeSet<String>> =
    LazyLock::new(|| tags_and_attributes(&page(run_saying("harmless"))));

#[test]
fn hostile_text_is_shown_and_adds_no_markup() {
    for hostile in [
        "<script>alert(1)</script>",
        "</code></article><img src=x onerror=alert(1)>",
        "\" onmouseover=\"alert(1)",
        "&lt;b&gt; &#x3c;b&#x3e;",
        "</style><style>* { display: none }</style>",
        "<!-- ]]> -->",
    ] {
        let page = page(run_saying(hostile));
        assert_eq!(tags_and_attributes(&page), *HARMLESS, "{hostile}");
        let escaped = hostile
            .replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('>', "&gt;")
            .replace('"', "&quot;");
        assert!(page.contains(&escaped), "{hostile}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn no_text_adds_markup_or_an_invisible_character(text in "\\PC*|[<>&\"'/=a-z\u{0}-\u{1f}\u{202e}\u{200b} -]{0,80}") {
        let page = page(run_saying(&text));
        prop_assert_eq!(&tags_and_attributes(&page), &*HARMLESS);
        let hidden = |c: char| (c.is_control() && c != '\n') || matches!(c, '\u{202e}' | '\u{200b}');
        prop_assert!(!page.chars().any(hidden));
    }
}

#[test]
fn the_policy_of_the_page_allows_its_own_style_and_script_only() {
    let (run, verdict) = golden::passing_run();
    let page = Html.render(&run, &verdict);
    for (element, directive) in [("style", "style-src"), ("script", "script-src")] {
        let digest = STANDARD.encode(Sha256::digest(inner(&page, element)));
        let allowed = format!("{directive} 'sha256-{digest}'");
        assert!(page.contains(&allowed), "{allowed}");
        assert_eq!(page.matches(&format!("<{element}>")).count(), 1);
    }
    assert!(page.contains("default-src 'none'"));
    for loads in [" src=", "@import", "url(", "<link"] {
        assert!(!page.contains(loads), "{loads}");
    }
}

#[test]
fn every_link_leads_to_a_file_of_the_run() {
    let (run, verdict) = golden::run();
    let dir = tempfile::tempdir().unwrap();
    write_all(dir.path(), &run, &verdict).unwrap();
    let page = fs::read_to_string(dir.path().join("report.html")).unwrap();
    let links: Vec<_> = page
        .split(" href=\"")
        .skip(1)
        .map(|rest| rest.split_once('"').unwrap().0)
        .collect();
    let is_report = |link: &str| OUTPUTS.iter().any(|output| output.file_name() == link);
    assert!(links.iter().any(|link| link.starts_with("trials/")));
    for link in links {
        assert!(
            is_report(link) || link == "plan.json" || link.starts_with("trials/"),
            "{link}"
        );
    }
}

#[test]
fn the_verdict_comes_first_then_what_was_not_tested_then_the_failures() {
    let (run, verdict) = golden::run();
    let page = Html.render(&run, &verdict);
    let places = [
        format!("<h1>{}</h1>", verdict.decision),
        "id=\"not-tested\"".to_owned(),
        "id=\"waivers\"".to_owned(),
        "id=\"failed\"".to_owned(),
        "id=\"checks\"".to_owned(),
    ];
    let places: Vec<_> = places.iter().map(|text| page.find(text).unwrap()).collect();
    assert!(places.is_sorted(), "{places:?}");
    let (_, table) = page.split_once("<table class=\"checks\">").unwrap();
    let rows = table
        .split("</table>")
        .next()
        .unwrap()
        .matches("<tr data-state")
        .count();
    assert_eq!(rows, verdict.checks.len());
}
