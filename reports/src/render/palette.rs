//! Colour as a value: whoever prints decides once, and the text is understood without it.

use anstyle::{AnsiColor, Color, Style};

use crate::verdict::Decision;

/// Whether text is coloured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Palette {
    /// Nothing but text.
    #[default]
    Plain,
    /// With the escape sequences that terminals understand.
    Ansi,
}

/// What a piece of text is, from which its colour follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tone {
    /// It is as it should be.
    Good,
    /// It is wrong.
    Bad,
    /// It is not known.
    Unsure,
    /// It is only there for whoever looks for it.
    Quiet,
    /// It is what a section is about.
    Strong,
    /// It is the decision.
    Decision(Decision),
}

impl Palette {
    /// The text in its tone.
    pub(super) fn paint(self, tone: Tone, text: &str) -> String {
        match self {
            Self::Plain => text.to_owned(),
            Self::Ansi => {
                let style = style(tone);
                format!("{style}{text}{style:#}")
            }
        }
    }
}

/// The sixteen colours that every theme defines, so that dark and light both stay readable.
fn style(tone: Tone) -> Style {
    match tone {
        Tone::Good => ink(AnsiColor::Green),
        Tone::Bad => ink(AnsiColor::Red).bold(),
        Tone::Unsure => ink(AnsiColor::Magenta).bold(),
        Tone::Quiet => Style::new().dimmed(),
        Tone::Strong => Style::new().bold(),
        Tone::Decision(Decision::Go) => badge(AnsiColor::Green),
        Tone::Decision(Decision::Conditional) => badge(AnsiColor::Yellow),
        Tone::Decision(Decision::Inconclusive) => badge(AnsiColor::Magenta),
        Tone::Decision(Decision::NoGo) => badge(AnsiColor::Red),
    }
}

fn ink(color: AnsiColor) -> Style {
    Style::new().fg_color(Some(Color::Ansi(color)))
}

/// Letters in the terminal's own ground, which a bold black is not in every theme.
fn badge(ground: AnsiColor) -> Style {
    ink(ground).bold().invert()
}
