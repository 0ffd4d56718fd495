//! Columns for people.

use std::time::Duration;

use anstyle::Style;

use crate::text::{LONGEST, clean};

/// A text of anybody, clean, and a style of ours around it.
#[derive(Clone, Debug)]
pub(super) struct Cell {
    style: Style,
    text: String,
}

impl Cell {
    /// A cell in a style.
    pub(super) fn styled(style: Style, text: &str) -> Self {
        Cell { style, text: clean(text, LONGEST) }
    }

    /// How wide it is; its style takes no place.
    fn letters(&self) -> usize {
        self.text.chars().count()
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Cell::styled(Style::new(), text)
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        text.as_str().into()
    }
}

/// Rows under a heading, columns as wide as their longest cell, no blanks at the end of a line.
pub(super) fn table<const N: usize>(heading: [&str; N], rows: &[[impl Clone + Into<Cell>; N]]) -> String {
    let rows = rows.iter().map(|row| row.clone().map(Into::into));
    let rows: Vec<[Cell; N]> = std::iter::once(heading.map(Cell::from)).chain(rows).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].letters()).max().unwrap_or(0);
    let widths: [usize; N] = std::array::from_fn(width);
    let line = |row: &[Cell; N]| {
        let padded = row.iter().zip(widths).map(|(cell, width)| {
            let Cell { style, text } = cell;
            format!("{style}{text}{style:#}{:1$}", "", width - cell.letters())
        });
        format!("{}\n", padded.collect::<Vec<_>>().join("  ").trim_end())
    };
    rows.iter().map(line).collect()
}

/// A value, or a dash where there is none.
pub(super) fn or_dash(value: Option<impl ToString>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| value.to_string())
}

/// `1 finding`, `2 findings`.
pub(super) fn counted(number: usize, word: &str) -> String {
    format!("{number} {word}{}", if number == 1 { "" } else { "s" })
}

/// `3 s`, `2 m 05 s`, `4 h 00 m`, `2 d 03 h`.
pub(super) fn age(time: Duration) -> String {
    let seconds = time.as_secs();
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, _) => format!("{minutes} m {:02} s", seconds % 60),
        (0, ..) => format!("{hours} h {:02} m", minutes % 60),
        _ => format!("{days} d {:02} h", hours % 24),
    }
}

/// A moment in seconds since 1970 as `2025-06-30T12:00:00Z`.
pub(super) fn moment(seconds: i64) -> String {
    jiff::Timestamp::from_second(seconds).map_or_else(|_| seconds.to_string(), |time| time.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_whatever_the_letters() {
        let rows = [["очередь".to_owned(), "1".to_owned()], ["q".to_owned(), "22".to_owned()]];
        assert_eq!(table(["KEY", "N"], &rows), "KEY      N\nочередь  1\nq        22\n");
    }

    #[test]
    fn styles_take_no_place() {
        let cells = |style, word, end: &str| [Cell::styled(style, word), end.into()];
        let rows = [cells(Style::new().bold(), "ok", "a"), cells(Style::new(), "warning", "b")];
        assert_eq!(table(["", ""], &rows).lines().nth(1), Some("\x1b[1mok\x1b[0m       a"));
    }

    #[test]
    fn a_foreign_text_stays_in_its_cell() {
        let rows = [["a\x1b[1m\nb".to_owned(), "c".to_owned()]];
        assert_eq!(table(["", ""], &rows), "\na\u{fffd}[1m b  c\n");
    }

    #[test]
    fn ages() {
        let ages = [(3, "3 s"), (125, "2 m 05 s"), (14_400, "4 h 00 m"), (183_600, "2 d 03 h")];
        for (seconds, text) in ages {
            assert_eq!(age(Duration::from_secs(seconds)), text);
        }
    }
}
