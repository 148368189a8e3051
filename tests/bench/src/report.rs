//! How a measurement is told: machine, tables, goals and whether they held.

use std::fmt::Write as _;

use crate::machine::machine;

/// The report of one measurement; printed as it grows, so that a long run shows where it is.
#[derive(Debug)]
pub struct Report {
    judged: bool,
    missed: Vec<String>,
}

impl Report {
    /// Opens a report with its title and the machine.
    ///
    /// A `smoke` run is too small to say anything about speed: goals of speed are shown, not judged.
    #[must_use]
    pub fn open(title: &str, smoke: bool) -> Self {
        println!("# {title}\n\nmachine: {}", machine());
        if smoke {
            println!("smoke run: tiny sizes, nothing is judged by speed");
        }
        Self {
            judged: !smoke,
            missed: Vec::new(),
        }
    }

    /// A line of text.
    pub fn say(&self, line: impl AsRef<str>) {
        println!("{}", line.as_ref());
    }

    /// A heading.
    pub fn heading(&self, text: &str) {
        println!("\n## {text}\n");
    }

    /// A table; the first row is its head. Columns but the first are aligned to the right.
    pub fn table(&self, rows: &[Vec<String>]) {
        print!("{}", table(rows));
    }

    /// A figure that must not lie below its goal.
    pub fn at_least(&mut self, what: &str, figure: f64, goal: f64) {
        self.goal(what, figure, goal, ">=", figure >= goal);
    }

    /// A figure that must not lie above its goal.
    pub fn at_most(&mut self, what: &str, figure: f64, goal: f64) {
        self.goal(what, figure, goal, "<=", figure <= goal);
    }

    fn goal(&mut self, what: &str, figure: f64, goal: f64, relation: &str, held: bool) {
        let verdict = match (self.judged, held) {
            (false, _) => "not judged",
            (true, true) => "held",
            (true, false) => "MISSED",
        };
        println!(
            "goal {verdict}: {what}: {} (goal {relation} {})",
            short(figure),
            short(goal)
        );
        if self.judged && !held {
            self.missed.push(what.to_owned());
        }
    }

    /// Closes the report.
    ///
    /// # Errors
    /// When a goal was missed; the text names every one.
    pub fn close(self) -> anyhow::Result<()> {
        if self.missed.is_empty() {
            println!(
                "\n{}",
                if self.judged {
                    "every goal held"
                } else {
                    "done"
                }
            );
            return Ok(());
        }
        anyhow::bail!("missed: {}", self.missed.join("; "))
    }
}

/// A number with as many digits as it deserves.
#[must_use]
pub fn short(value: f64) -> String {
    match value.abs() {
        size if size >= 100.0 => with_thousands(value),
        size if size >= 10.0 => format!("{value:.1}"),
        size if size >= 0.1 => format!("{value:.2}"),
        0.0 => "0".to_owned(),
        size if size >= 0.001 => format!("{value:.4}"),
        _ => format!("{value:.1e}"),
    }
}

fn with_thousands(value: f64) -> String {
    let digits = format!("{:.0}", value.abs());
    let mut text = String::from(if value < 0.0 { "-" } else { "" });
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

fn table(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        rows.iter()
            .filter_map(|row| row.get(column))
            .map(|cell| cell.chars().count())
            .max()
    };
    let widths: Vec<usize> = (0..columns)
        .map(|column| width(column).unwrap_or(0))
        .collect();
    let mut text = String::new();
    for (at, row) in rows.iter().enumerate() {
        for (column, width) in widths.iter().enumerate() {
            let cell = row.get(column).map_or("", String::as_str);
            let written = if column == 0 {
                write!(text, "| {cell:<width$} ")
            } else {
                write!(text, "| {cell:>width$} ")
            };
            written.expect("writing to a String cannot fail");
        }
        text.push_str("|\n");
        if at == 0 {
            for (column, width) in widths.iter().enumerate() {
                let (dashes, colon) = (
                    width + usize::from(column == 0) + 1,
                    if column == 0 { "" } else { ":" },
                );
                write!(text, "|{}{colon}", "-".repeat(dashes))
                    .expect("writing to a String cannot fail");
            }
            text.push_str("|\n");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_as_short_as_they_can_be() {
        for (value, text) in [
            (0.0, "0"),
            (0.004_56, "0.0046"),
            (0.000_001_12, "1.1e-6"),
            (0.85, "0.85"),
            (12.34, "12.3"),
            (66_100.4, "66,100"),
            (-1234.0, "-1,234"),
        ] {
            assert_eq!(short(value), text);
        }
    }

    #[test]
    fn tables_are_aligned() {
        let rows = [["a", "figure"], ["long name", "1"]].map(|row| row.map(str::to_owned).to_vec());
        assert_eq!(
            table(&rows),
            "| a         | figure |\n|-----------|-------:|\n| long name |      1 |\n"
        );
    }

    #[test]
    fn missed_goals_fail_the_report_unless_it_is_a_smoke_run() {
        for (smoke, fails) in [(false, true), (true, false)] {
            let mut report = Report::open("test", smoke);
            report.at_least("speed", 0.5, 0.8);
            report.at_most("size", 0.2, 0.3);
            let outcome = report.close().map_err(|error| error.to_string());
            assert_eq!(outcome.is_err(), fails, "{outcome:?}");
            if let Err(text) = outcome {
                assert_eq!(text, "missed: speed");
            }
        }
    }
}
