//! What was measured: one table on the terminal, `target/bench.json` for programs, and the verdict.

use std::fs;

use serde_json::{Value, json};

use crate::measure::target;

/// One measured value.
pub(crate) struct Row {
    what: String,
    value: f64,
    unit: String,
    budget: Option<f64>,
    note: String,
}

impl Row {
    /// A value without a budget.
    pub(crate) fn new(what: impl Into<String>, value: f64, unit: &str) -> Self {
        Row { what: what.into(), value, unit: unit.to_owned(), budget: None, note: String::new() }
    }

    /// It must not be more.
    #[must_use]
    pub(crate) fn at_most(mut self, budget: f64) -> Self {
        self.budget = Some(budget);
        self
    }

    /// What else there is to say.
    #[must_use]
    pub(crate) fn note(mut self, note: impl Into<String>) -> Self {
        self.note = note.into();
        self
    }

    fn is_broken(&self) -> bool {
        self.budget.is_some_and(|budget| self.value > budget)
    }

    /// `{"what", "value", "unit", "budget", "note"}`; `budget` may be null.
    fn json(&self) -> Value {
        let Row { what, value, unit, budget, note } = self;
        json!({ "what": what, "value": value, "unit": unit, "budget": budget, "note": note })
    }

    /// A line of a Markdown table, for the README.
    fn markdown(&self) -> String {
        let Row { what, value, unit, budget, note } = self;
        let budget = budget.map(|budget| format!("≤ {budget}")).unwrap_or_default();
        let mark = if self.is_broken() { " **over**" } else { "" };
        format!("| {what} | {} {unit} | {budget}{mark} | {note} |", short(*value))
    }
}

/// Three digits that count.
fn short(value: f64) -> String {
    match value {
        value if value.fract() == 0.0 || value >= 100.0 => format!("{value:.0}"),
        value if value >= 10.0 => format!("{value:.1}"),
        value => format!("{value:.2}"),
    }
}

/// All rows so far.
#[derive(Default)]
pub(crate) struct Sheet(Vec<Row>);

impl Sheet {
    /// Takes a row and shows it.
    pub(crate) fn add(&mut self, row: Row) {
        eprintln!("{}", row.markdown());
        self.0.push(row);
    }

    /// Prints the table and writes the document; whether every budget is kept.
    pub(crate) fn finish(self) -> bool {
        println!("\n| measured | value | budget | |\n|---|---|---|---|");
        for row in &self.0 {
            println!("{}", row.markdown());
        }
        let rows: Vec<Value> = self.0.iter().map(Row::json).collect();
        fs::write(target("bench.json"), format!("{:#}\n", Value::from(rows))).expect("target/bench.json is written");
        let broken: Vec<&str> = self.0.iter().filter(|row| row.is_broken()).map(|row| row.what.as_str()).collect();
        if !broken.is_empty() {
            println!("\nover budget: {}", broken.join(", "));
        }
        broken.is_empty()
    }
}
