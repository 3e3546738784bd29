//! A page of labelled lines: a narrow column that says what a line is, and a wide one that says it.

use textwrap::Options;

use crate::render::Palette;
use crate::render::palette::Tone;
use crate::render::text;
use crate::verdict::Decision;

/// How wide the column of labels is, with its margins.
const MARGIN: usize = 12;
/// What stands before each line that the system under test wrote. It also keeps
/// such a line from being read as a command by what collects the output.
const GUTTER: &str = "│ ";
/// How much of one hostile line is shown, in characters.
const LONGEST_LINE: usize = 400;
/// The narrowest page that can be read.
const NARROWEST: usize = 40;

/// A page in the making.
pub(super) struct Page {
    palette: Palette,
    width: usize,
    text: String,
}

impl Page {
    pub(super) fn new(palette: Palette, width: usize) -> Self {
        let width = width.max(NARROWEST);
        Self {
            palette,
            width,
            text: String::new(),
        }
    }

    pub(super) fn finish(self) -> String {
        self.text
    }

    pub(super) fn blank(&mut self) {
        self.text.push('\n');
    }

    /// A line across the page.
    pub(super) fn rule(&mut self) {
        let rule = "─".repeat(self.width);
        self.text += &self.palette.paint(Tone::Quiet, &rule);
        self.blank();
    }

    /// The decision, and what it rests on.
    pub(super) fn banner(&mut self, decision: Decision, text: &str) {
        let badge = format!(" {decision} ");
        let gap = (MARGIN - 1).saturating_sub(badge.len()).max(2);
        let badge = self.palette.paint(Tone::Decision(decision), &badge);
        self.text
            .extend([" ", &badge, &" ".repeat(gap), text, "\n"]);
    }

    /// A label and its text, folded to the width of the page.
    pub(super) fn row(&mut self, label: &str, tone: Tone, text: &str, text_tone: Option<Tone>) {
        let folded = textwrap::wrap(text, self.options("", ""));
        self.put(label, tone, folded.iter().map(AsRef::as_ref), text_tone);
    }

    /// A label and its text, never folded: a command or a path that someone will copy.
    pub(super) fn whole(&mut self, label: &str, text: &str) {
        self.put(label, Tone::Quiet, [text], None);
    }

    /// A label and what the system under test said, in at most so many of its lines.
    pub(super) fn quote(&mut self, label: &str, hostile: &str, most_lines: usize) {
        let shown = text::lines(hostile, most_lines, LONGEST_LINE);
        let folded: Vec<_> = shown
            .iter()
            .flat_map(|line| textwrap::wrap(line, self.options(GUTTER, GUTTER)))
            .collect();
        self.put(label, Tone::Quiet, folded.iter().map(AsRef::as_ref), None);
    }

    fn options<'a>(&self, first: &'a str, others: &'a str) -> Options<'a> {
        Options::new(self.width - MARGIN)
            .initial_indent(first)
            .subsequent_indent(others)
    }

    fn put<'a>(
        &mut self,
        label: &str,
        tone: Tone,
        lines: impl IntoIterator<Item = &'a str>,
        text_tone: Option<Tone>,
    ) {
        let label = format!("{label:<9}");
        let mut margin = format!("  {} ", self.palette.paint(tone, &label));
        for line in lines {
            let line = text_tone.map_or_else(|| line.to_owned(), |it| self.palette.paint(it, line));
            self.text += &margin;
            self.text += &line;
            self.blank();
            margin = " ".repeat(MARGIN);
        }
    }
}
