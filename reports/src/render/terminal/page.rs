//! The layout of terminal text: a narrow column of labels and a wide column of text.

use textwrap::Options;

use crate::render::Palette;
use crate::render::palette::TextRole;
use crate::render::text::sanitize_lines;
use crate::verdict::Decision;

/// The width of the label column with its margins.
const MARGIN: usize = 12;
/// The prefix of each line of text from outside. It also prevents that a CI
/// system interprets such a line as a command.
const GUTTER: &str = "│ ";
/// The maximum length of one line of text from outside, in characters.
const MAX_LINE: usize = 400;
/// The minimum width of a page.
const MIN_WIDTH: usize = 40;

/// A page of terminal text, written from top to bottom.
pub(super) struct TerminalPage {
    palette: Palette,
    width: usize,
    text: String,
}

impl TerminalPage {
    pub(super) fn new(palette: Palette, width: usize) -> Self {
        let width = width.max(MIN_WIDTH);
        Self {
            palette,
            width,
            text: String::new(),
        }
    }

    pub(super) fn finish(self) -> String {
        self.text
    }

    pub(super) fn blank_line(&mut self) {
        self.text.push('\n');
    }

    /// A horizontal line.
    pub(super) fn rule(&mut self) {
        let rule = "─".repeat(self.width);
        self.text += &self.palette.paint(TextRole::Muted, &rule);
        self.blank_line();
    }

    /// The decision and a text beside it.
    pub(super) fn banner(&mut self, decision: Decision, text: &str) {
        let badge = format!(" {decision} ");
        let gap = (MARGIN - 1).saturating_sub(badge.len()).max(2);
        let badge = self.palette.paint(TextRole::Decision(decision), &badge);
        self.text
            .extend([" ", &badge, &" ".repeat(gap), text, "\n"]);
    }

    /// A label and its text, wrapped to the width of the page.
    pub(super) fn row(
        &mut self,
        label: &str,
        role: TextRole,
        text: &str,
        text_role: Option<TextRole>,
    ) {
        let wrapped = textwrap::wrap(text, self.options("", ""));
        self.write(label, role, wrapped.iter().map(AsRef::as_ref), text_role);
    }

    /// A label and its text on one line: a command or a path for copying.
    pub(super) fn unwrapped(&mut self, label: &str, text: &str) {
        self.write(label, TextRole::Muted, [text], None);
    }

    /// A label and a text from outside, at most `max_lines` of its lines.
    pub(super) fn quote(&mut self, label: &str, hostile: &str, max_lines: usize) {
        let shown = sanitize_lines(hostile, max_lines, MAX_LINE);
        let wrapped: Vec<_> = shown
            .iter()
            .flat_map(|line| textwrap::wrap(line, self.options(GUTTER, GUTTER)))
            .collect();
        let lines = wrapped.iter().map(AsRef::as_ref);
        self.write(label, TextRole::Muted, lines, None);
    }

    fn options<'a>(&self, first: &'a str, others: &'a str) -> Options<'a> {
        Options::new(self.width - MARGIN)
            .initial_indent(first)
            .subsequent_indent(others)
    }

    fn write<'a>(
        &mut self,
        label: &str,
        role: TextRole,
        lines: impl IntoIterator<Item = &'a str>,
        text_role: Option<TextRole>,
    ) {
        let label = format!("{label:<9}");
        let mut margin = format!("  {} ", self.palette.paint(role, &label));
        for line in lines {
            let line = text_role.map_or_else(|| line.to_owned(), |it| self.palette.paint(it, line));
            self.text += &margin;
            self.text += &line;
            self.blank_line();
            margin = " ".repeat(MARGIN);
        }
    }
}
