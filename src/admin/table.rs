//! Columns for people.

use std::time::Duration;

/// Rows under a heading, columns as wide as their longest cell, no blanks at the end of a line.
pub fn table<const N: usize>(heading: [&str; N], rows: &[[String; N]]) -> String {
    let width = |column: usize| {
        let cells = rows.iter().map(|row| letters(&row[column]));
        cells.chain([letters(heading[column])]).max().unwrap_or(0)
    };
    let widths: [usize; N] = std::array::from_fn(width);
    let line = |cells: [&str; N]| {
        let padded = cells.iter().zip(widths).map(|(cell, width)| format!("{cell}{:1$}", "", width - letters(cell)));
        format!("{}\n", padded.collect::<Vec<_>>().join("  ").trim_end())
    };
    let rows = rows.iter().map(|row| line(row.each_ref().map(String::as_str)));
    std::iter::once(line(heading)).chain(rows).collect()
}

/// How wide a cell is; its style takes no place.
fn letters(cell: &str) -> usize {
    anstream::adapter::strip_str(cell).to_string().chars().count()
}

/// A value, or a dash where there is none.
pub fn or_dash(value: Option<impl ToString>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| value.to_string())
}

/// `1 finding`, `2 findings`.
pub fn counted(number: usize, word: &str) -> String {
    format!("{number} {word}{}", if number == 1 { "" } else { "s" })
}

/// `3 s`, `2 m 05 s`, `4 h 00 m`, `2 d 03 h`.
pub fn age(time: Duration) -> String {
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
pub fn moment(seconds: i64) -> String {
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
        let rows = [["\x1b[1mok\x1b[0m".to_owned(), "a".to_owned()], ["warning".to_owned(), "b".to_owned()]];
        assert_eq!(table(["", ""], &rows).lines().nth(1), Some("\x1b[1mok\x1b[0m       a"));
    }

    #[test]
    fn ages() {
        let ages = [(3, "3 s"), (125, "2 m 05 s"), (14_400, "4 h 00 m"), (183_600, "2 d 03 h")];
        for (seconds, text) in ages {
            assert_eq!(age(Duration::from_secs(seconds)), text);
        }
    }
}
