//! `report.html`: one page that a person opens to decide, without network and without a program of its own.
//!
//! The verdict comes first, then what was not tested, then the failures by cause. All text from outside is sanitized and
//! escaped. The content security policy of the page lets nothing run or load but its own style and its own filter.

mod checks;
mod failures;
mod head;
mod not_tested;
mod tables;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest as _, Sha256};

use super::report_model::ReportModel;
use super::text::sanitize_line;
use super::{Render, ReportFile};
use crate::record::Run;
use crate::verdict::Verdict;

/// The style of the page, and the filter of its table of checks.
const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("filter.js");

/// The maximum length of text from outside, in characters.
const MAX_TEXT: usize = 600;

/// The run as a page for browsers.
#[derive(Clone, Copy, Debug)]
pub struct Html;

impl ReportFile for Html {
    fn file_name(&self) -> &'static str {
        "report.html"
    }
}

impl Render for Html {
    fn render(&self, run: &Run, verdict: &Verdict) -> String {
        let model = ReportModel::new(run, verdict);
        let title = format!("{} · cutover", verdict.decision);
        let page = html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta http-equiv="Content-Security-Policy" content=(content_security_policy());
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="color-scheme" content="light dark";
                    title { (title) }
                    style { (PreEscaped(STYLE)) }
                }
                body {
                    (head::banner(run, verdict))
                    main {
                        (not_tested::section(&model))
                        (not_tested::waivers(&model))
                        (failures::section(&model))
                        (failures::problems(&model))
                        (tables::suites(verdict))
                        (tables::objectives(verdict))
                        (tables::rules(run, &model))
                        (tables::measured(run))
                        (checks::section(&model))
                        (tables::files(run))
                    }
                    script { (PreEscaped(SCRIPT)) }
                }
            }
        };
        page.into_string() + "\n"
    }
}

/// A policy by which the page loads nothing and runs its own script only, which is named by its digest.
fn content_security_policy() -> String {
    let digest = |text: &str| STANDARD.encode(Sha256::digest(text.as_bytes()));
    format!(
        "default-src 'none'; style-src 'sha256-{}'; script-src 'sha256-{}'; base-uri 'none'; form-action 'none'",
        digest(STYLE),
        digest(SCRIPT)
    )
}

/// Text from outside on one line. The macro of the page escapes it.
fn text(text: &str) -> String {
    match text {
        "" => "(empty)".to_owned(),
        text => sanitize_line(text, MAX_TEXT),
    }
}

/// A section with a heading and the number of its items; nothing without items.
fn counted(id: &str, title: &str, items: usize, content: impl FnOnce() -> Markup) -> Markup {
    html! {
        @if items > 0 {
            section aria-labelledby=(id) {
                h2 id=(id) { (title) " " span.count { (items) } }
                (content())
            }
        }
    }
}
