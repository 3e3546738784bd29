//! Colours of terminal text. Without colours, the text has the same content.

use anstyle::{AnsiColor, Color, Style};

use crate::verdict::Decision;

/// Whether text is coloured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Palette {
    /// Without colours.
    #[default]
    Plain,
    /// With ANSI escape sequences.
    Ansi,
}

/// The role of a piece of text, which determines its colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TextRole {
    /// A check that passed.
    Success,
    /// A check that failed.
    Failure,
    /// A check without a result.
    NoResult,
    /// Secondary text: labels and durations.
    Muted,
    /// The title of a section.
    Title,
    /// The decision.
    Decision(Decision),
}

impl Palette {
    /// The text in the colour of its role.
    pub(super) fn paint(self, role: TextRole, text: &str) -> String {
        match self {
            Self::Plain => text.to_owned(),
            Self::Ansi => {
                let style = style(role);
                format!("{style}{text}{style:#}")
            }
        }
    }
}

/// Only the sixteen colours that every theme defines: they are readable on dark and on light.
fn style(role: TextRole) -> Style {
    match role {
        TextRole::Success => fg(AnsiColor::Green),
        TextRole::Failure => fg(AnsiColor::Red).bold(),
        TextRole::NoResult => fg(AnsiColor::Magenta).bold(),
        TextRole::Muted => Style::new().dimmed(),
        TextRole::Title => Style::new().bold(),
        TextRole::Decision(Decision::Go) => inverse(AnsiColor::Green),
        TextRole::Decision(Decision::Conditional) => inverse(AnsiColor::Yellow),
        TextRole::Decision(Decision::Inconclusive) => inverse(AnsiColor::Magenta),
        TextRole::Decision(Decision::NoGo) => inverse(AnsiColor::Red),
    }
}

fn fg(color: AnsiColor) -> Style {
    Style::new().fg_color(Some(Color::Ansi(color)))
}

/// Letters in the background colour of the terminal, because bold black is unreadable in some themes.
fn inverse(background: AnsiColor) -> Style {
    fg(background).bold().invert()
}
