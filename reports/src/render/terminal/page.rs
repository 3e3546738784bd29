//! The layout of terminal text: a narrow column of labels and a wide column of text.

use textwrap::core::display_width;

use super::wrap::{wrap, wrap_items};
use crate::render::Palette;
use crate::render::palette::TextRole;
use crate::render::text::sanitize_lines;
use crate::verdict::Decision;

/// The width of the label column with its margins.
const MARGIN: usize = 12;
/// The prefix of each line of text from outside. It also prevents that a CI
/// system interprets such a line as a command.
const GUTTER: &str = "│ ";
/// The end of a line that a shell joins with the next one.
const CONTINUATION: &str = " \\";
/// The maximum length of one line of text from outside, in characters.
const MAX_LINE: usize = 400;
/// The width of a terminal that states no other.
pub(super) const DEFAULT_WIDTH: usize = 80;
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
        let indent = 1 + badge.len() + gap;
        let badge = self.palette.paint(TextRole::Decision(decision), &badge);
        let mut margin = format!(" {badge}{}", " ".repeat(gap));
        for line in wrap_items(text, self.width.saturating_sub(indent)) {
            self.text.extend([&margin, &line, "\n"]);
            margin = " ".repeat(indent);
        }
    }

    /// A label and its text, wrapped to the width of the page.
    pub(super) fn row(
        &mut self,
        label: &str,
        role: TextRole,
        text: &str,
        text_role: Option<TextRole>,
    ) {
        let wrapped = wrap(text, self.width - MARGIN);
        self.write(label, role, wrapped.iter().map(AsRef::as_ref), text_role);
    }

    /// A label and a list of items separated by `·`, wrapped between items.
    pub(super) fn items(&mut self, label: &str, items: &str, role: Option<TextRole>) {
        let wrapped = wrap_items(items, self.width - MARGIN);
        let lines = wrapped.iter().map(AsRef::as_ref);
        self.write(label, TextRole::Muted, lines, role);
    }

    /// A label and a command for copying. A command that is too long for one line continues on
    /// further lines, as a shell accepts it; it breaks only between its parts.
    pub(super) fn command(&mut self, label: &str, parts: &[String]) {
        let width = self.width - MARGIN - CONTINUATION.len();
        let mut lines: Vec<String> = Vec::new();
        for part in parts {
            match lines.last_mut() {
                Some(line) if display_width(line) + 1 + display_width(part) <= width => {
                    line.extend([" ", part]);
                }
                Some(line) => {
                    line.push_str(CONTINUATION);
                    lines.push(format!("  {part}"));
                }
                None => lines.push(part.clone()),
            }
        }
        let lines = lines.iter().map(AsRef::as_ref);
        self.write(label, TextRole::Muted, lines, None);
    }

    /// A label and its text on one line: a command or a path for copying.
    pub(super) fn unwrapped(&mut self, label: &str, text: &str) {
        self.write(label, TextRole::Muted, [text], None);
    }

    /// A label and a text from outside, at most `max_lines` of its lines.
    pub(super) fn quote(&mut self, label: &str, hostile: &str, max_lines: usize) {
        let shown = sanitize_lines(hostile, max_lines, MAX_LINE);
        let width = self.width - MARGIN - display_width(GUTTER);
        let wrapped: Vec<_> = shown
            .iter()
            .flat_map(|line| wrap(line, width))
            .map(|line| format!("{GUTTER}{line}"))
            .collect();
        let lines = wrapped.iter().map(AsRef::as_ref);
        self.write(label, TextRole::Muted, lines, None);
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
