//! The table that comes out.

use std::fmt;

/// Figures beside their floors.
#[derive(Debug)]
pub(crate) struct Table {
    machine: String,
    rows: Vec<[String; 5]>,
    notes: Vec<String>,
}

/// What a figure is to be.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Aim {
    /// None is set.
    None,
    /// At most so many times the floor.
    Ratio(f64),
    /// At least so many times what stands beside it.
    Least(f64),
    /// At most so much, in the unit of the figure.
    Most(f64),
}

impl Table {
    pub(crate) fn new(machine: String) -> Self {
        Self {
            machine,
            rows: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// Adds a figure, its floor where it has one, and what it is to be.
    pub(crate) fn row(
        &mut self,
        what: &str,
        unit: &str,
        figure: f64,
        floor: Option<f64>,
        aim: Aim,
    ) {
        let ratio = floor.map(|floor| figure / floor);
        let aim = match aim {
            Aim::None => String::new(),
            Aim::Ratio(most) => verdict(&format!("≤ {most}×"), ratio.is_some_and(|r| r <= most)),
            Aim::Least(least) => verdict(&format!("≥ {least}×"), ratio.is_some_and(|r| r >= least)),
            Aim::Most(most) => verdict(&format!("< {most} {unit}"), figure < most),
        };
        let row = [
            what.to_owned(),
            format!("{} {unit}", number(figure)),
            floor.map_or_else(String::new, |floor| format!("{} {unit}", number(floor))),
            ratio.map_or_else(String::new, |ratio| format!("{ratio:.2}")),
            aim,
        ];
        println!("  {}: {} {}", row[0], row[1], row[4]);
        self.rows.push(row);
    }

    /// Adds a line below the table.
    pub(crate) fn note(&mut self, text: impl Into<String>) {
        self.notes.push(text.into());
    }
}

fn verdict(aim: &str, met: bool) -> String {
    format!("{aim} {}", if met { "✓" } else { "✗" })
}

/// Three digits that count, and thousands apart.
fn number(value: f64) -> String {
    if value < 10.0 {
        return format!("{value:.2}");
    }
    if value < 100.0 {
        return format!("{value:.1}");
    }
    let digits = format!("{value:.0}");
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

impl fmt::Display for Table {
    /// As Markdown, so that it can be put into a document.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}\n", self.machine)?;
        let head = ["figure", "Enlist", "floor", "ratio", "aim"].map(str::to_owned);
        let width = |column: usize| {
            self.rows
                .iter()
                .chain([&head])
                .map(|row| row[column].chars().count())
                .max()
                .unwrap_or(0)
        };
        let widths: [usize; 5] = std::array::from_fn(width);
        let rule = widths.map(|width| "-".repeat(width));
        for row in [&head, &rule].into_iter().chain(&self.rows) {
            for (cell, width) in row.iter().zip(widths) {
                write!(f, "| {cell:<width$} ")?;
            }
            writeln!(f, "|")?;
        }
        if !self.notes.is_empty() {
            writeln!(f)?;
        }
        for note in &self.notes {
            writeln!(f, "- {note}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_three_digits_that_count() {
        assert_eq!(number(1.234), "1.23");
        assert_eq!(number(45.67), "45.7");
        assert_eq!(number(999.6), "1,000");
        assert_eq!(number(1_234_567.0), "1,234,567");
    }

    #[test]
    fn an_aim_that_is_missed_is_marked() {
        let mut table = Table::new("a machine".to_owned());
        table.row("this", "µs", 300.0, Some(100.0), Aim::Ratio(2.0));
        table.row("that", "MiB", 3.0, None, Aim::Most(4.0));
        let text = table.to_string();
        assert!(text.contains("≤ 2× ✗"), "{text}");
        assert!(text.contains("< 4 MiB ✓"), "{text}");
    }
}
