//! A comparison as lines of at most 80 columns.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use cutover_regression::{Compared, Comparison, Decision, Figures, Judgement};

use super::sides::Side;

/// The columns of a terminal.
const COLUMNS: usize = 80;

/// The whole text.
pub(super) fn table(baseline: &Side, candidate: &Side, comparison: &Comparison) -> String {
    let mut text = String::new();
    // Writing to a text does not fail.
    let _ = write(&mut text, baseline, candidate, comparison);
    text
}

fn write(
    text: &mut String,
    baseline: &Side,
    candidate: &Side,
    comparison: &Comparison,
) -> std::fmt::Result {
    for (name, side) in [("A", baseline), ("B", candidate)] {
        let count = side.runs.len();
        let first = side.runs.first();
        let target = first.map_or_else(String::new, |run| format!(", target {}", run.target));
        wrap(
            text,
            &format!("{name}: {}{target}, runs: {count}", side.argument),
            0,
        )?;
    }
    writeln!(
        text,
        "\n{:<26}{:>10}{:>10}{:>10}{:>16}{:>8}",
        "measurement", "A", "B", "worse by", "90 % interval", "p"
    )?;
    for compared in &comparison.measurements {
        row(text, compared)?;
    }
    let (style, word) = match comparison.decision {
        Decision::Passed => (AnsiColor::Green.on_default(), "GO"),
        Decision::Failed => (AnsiColor::Red.on_default(), "NO-GO"),
        Decision::Inconclusive => (AnsiColor::Yellow.on_default(), "INCONCLUSIVE"),
    };
    let style: Style = style.bold();
    writeln!(text, "\n{style}{word}{style:#}")?;
    comparison
        .problem
        .as_ref()
        .map_or(Ok(()), |problem| wrap(text, problem, 2))
}

fn row(text: &mut String, compared: &Compared) -> std::fmt::Result {
    let label = plain(&format!("{}, {}", compared.name, compared.unit));
    // A long name has a line of its own.
    let is_long = label.chars().count() > 25;
    if is_long || compared.figures.is_none() {
        wrap(text, &label, 0)?;
    }
    if let Some(figures) = &compared.figures {
        write!(text, "{:<26}", if is_long { "" } else { &label })?;
        let interval = format!(
            "{}..{}",
            change(figures.ratio_low),
            change(figures.ratio_high)
        );
        write!(
            text,
            "{:>10}{:>10}",
            value(figures.baseline),
            value(figures.candidate)
        )?;
        write!(text, "{:>8} %{interval:>14} %", change(figures.ratio))?;
        writeln!(text, "{:>8.4}", figures.corrected_p)?;
    }
    wrap(text, &judgement(compared), 2)
}

/// What is said about a measurement.
fn judgement(compared: &Compared) -> String {
    let advisory = if compared.gated { "" } else { "advisory, " };
    let word = match &compared.judgement {
        Judgement::Passed => "passed".to_owned(),
        Judgement::Failed => "FAILED".to_owned(),
        Judgement::Inconclusive { reason, further } => {
            let further = further.map(|further| {
                let (a, b) = (further.baseline, further.candidate);
                format!("; about {a} more runs of A and {b} of B are needed")
            });
            format!("INCONCLUSIVE: {reason}{}", further.unwrap_or_default())
        }
    };
    let limits = compared.figures.as_ref().map(limits);
    format!("{advisory}{word}{}", limits.unwrap_or_default())
}

fn limits(figures: &Figures) -> String {
    let limit = figures.floor * 100.0;
    let detectable = figures.detectable.map(|effect| {
        let effect = effect * 100.0;
        format!("; cannot detect less than {effect:.0} % here")
    });
    format!("; limit +{limit:.0} %{}", detectable.unwrap_or_default())
}

/// A ratio as a change in percent.
fn change(ratio: f64) -> String {
    let change = (ratio - 1.0) * 100.0;
    if change.is_finite() && change < 10_000.0 {
        format!("{change:+.0}")
    } else {
        "much".to_owned()
    }
}

/// A value with about four digits.
pub(super) fn value(value: f64) -> String {
    let size = value.abs();
    if size >= 1e7 || (size > 0.0 && size < 1e-3) {
        return format!("{value:.2e}");
    }
    let decimals = match size {
        1_000.0.. => 0,
        100.0.. => 1,
        10.0.. => 2,
        1.0.. => 3,
        _ => 4,
    };
    format!("{value:.decimals$}")
}

/// A text without anything that a terminal would obey.
pub(super) fn plain(text: &str) -> String {
    let plain = |c: char| if c.is_control() { '?' } else { c };
    text.chars().map(plain).collect()
}

/// Writes a text in lines that fit, each after this many spaces.
fn wrap(text: &mut String, long: &str, indent: usize) -> std::fmt::Result {
    let mut line = String::new();
    for word in plain(long).split_whitespace() {
        let length = line.chars().count() + 1 + word.chars().count();
        if !line.is_empty() && indent + length > COLUMNS {
            writeln!(text, "{:indent$}{line}", "")?;
            line.clear();
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    writeln!(text, "{:indent$}{line}", "")
}

#[cfg(test)]
mod tests {
    use cutover_regression::{Better, FORMAT, Machine, Measurement, Measurements};

    use super::*;

    fn side(argument: &str, factor: f64) -> Side {
        let runs = (0..8_i32).map(|index| {
            let measurement = |name: &str, gated| Measurement {
                name: name.to_owned(),
                unit: "ms".to_owned(),
                better: Better::Lower,
                gated,
                value: Some((100.0 + f64::from(index)) * factor),
                invalid: None,
                series: Vec::new(),
            };
            Measurements {
                format: FORMAT,
                run: format!("run-{index}"),
                target: "reference".to_owned(),
                profile: "gate".to_owned(),
                machine: Machine {
                    cpus: 2,
                    model: "a processor".to_owned(),
                    os: "Linux 6".to_owned(),
                },
                values: vec![
                    measurement("p50 response", true),
                    measurement("a name that is\u{1b}[31m longer than its column", false),
                ],
            }
        });
        Side {
            argument: argument.to_owned(),
            runs: runs.collect(),
        }
    }

    fn text(factor: f64) -> String {
        let (baseline, candidate) = (side("main", 1.0), side(&"long/".repeat(9), factor));
        let comparison = Comparison::new(&baseline.runs, &candidate.runs, 1);
        table(&baseline, &candidate, &comparison)
    }

    #[test]
    fn a_comparison_fits_in_80_columns_and_escapes_what_a_terminal_obeys() {
        for factor in [1.0, 1.08, 1.5, 1e-9, 1e9] {
            let text = anstream::adapter::strip_str(&text(factor)).to_string();
            let widest = text.lines().map(|line| line.chars().count()).max();
            assert!(widest <= Some(COLUMNS), "{text}");
            assert!(text.contains("a name that is?[31m"), "{text}");
        }
    }

    #[test]
    fn the_table_says_what_decides() {
        let failed = text(1.5);
        for expected in [
            "NO-GO",
            "FAILED; limit +10 %",
            "cannot detect less than",
            "advisory",
            "+50 %",
        ] {
            assert!(failed.contains(expected), "{failed}");
        }
        assert!(text(1.0).contains("passed; limit +10 %"));
    }

    #[test]
    fn values_have_about_four_digits() {
        for (number, expected) in [
            (0.0, "0.0000"),
            (1.2345, "1.234"),
            (12.345, "12.35"),
            (1234.5, "1234"),
            (0.00001, "1.00e-5"),
            (123_456_789.0, "1.23e8"),
        ] {
            assert_eq!(value(number), expected);
        }
    }
}
