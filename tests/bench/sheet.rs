//! What was measured: one table on the terminal, `target/bench.json` for programs, and the verdict.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::measure::target;

/// One measured value.
pub struct Row {
    what: String,
    value: f64,
    unit: String,
    budget: Option<f64>,
    note: String,
}

impl Row {
    /// A value without a budget.
    pub fn new(what: impl Into<String>, value: f64, unit: &str) -> Self {
        Row { what: what.into(), value, unit: unit.to_owned(), budget: None, note: String::new() }
    }

    /// It must not be more.
    #[must_use]
    pub fn at_most(mut self, budget: f64) -> Self {
        self.budget = Some(budget);
        self
    }

    /// What else there is to say.
    #[must_use]
    pub fn note(mut self, note: impl Into<String>) -> Self {
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

    fn from_json(row: &Value) -> Option<Self> {
        Some(Row {
            what: row.get("what")?.as_str()?.to_owned(),
            value: row.get("value")?.as_f64()?,
            unit: row.get("unit")?.as_str()?.to_owned(),
            budget: row.get("budget").and_then(Value::as_f64),
            note: row.get("note").and_then(Value::as_str).unwrap_or_default().to_owned(),
        })
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
pub struct Sheet(Vec<Row>);

impl Sheet {
    /// Takes a row and shows it.
    pub fn add(&mut self, row: Row) {
        eprintln!("{}", row.markdown());
        self.0.push(row);
    }

    /// Takes the rows that other measurements left as `target/bench/<name>.json`, lists of rows.
    pub fn collect(&mut self) {
        let directory = target("bench");
        let mut files: Vec<_> = fs::read_dir(&directory).into_iter().flatten().flatten().map(|it| it.path()).collect();
        files.sort();
        for file in files.iter().filter(|file| file.extension().is_some_and(|extension| extension == "json")) {
            for row in rows(file) {
                self.add(row);
            }
        }
    }

    /// Prints the table and writes the document; whether every budget is kept.
    pub fn finish(self) -> bool {
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

fn rows(file: &Path) -> Vec<Row> {
    let text = fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let list: Vec<Value> = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let row = |row| Row::from_json(row).unwrap_or_else(|| panic!("{}: not a row: {row}", file.display()));
    list.iter().map(row).collect()
}
