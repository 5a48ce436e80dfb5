//! The tables of `results`, `bugs` and `wait`. On a terminal they fit its width; elsewhere they are
//! as wide as their content.

use comfy_table::{ColumnConstraint, ContentArrangement, Row, Table, presets};
use console::Term;

use crate::output::colour::Coloured;
use crate::output::text::one_line;

/// The maximum number of characters in a cell.
const MAX_CHARS: usize = 400;

/// The maximum number of lines in a cell on a terminal.
const MAX_LINES: usize = 4;

/// A column is not made narrower than this, in characters: a terminal that is too narrow for that
/// shows no table.
const MIN_COLUMN: usize = 12;

/// Returns a table with these rows, whose first cell is a state. Each cell is one line that is safe
/// to print. The first `unbroken` columns are ids and words, which are never wrapped, so that they
/// can be copied.
pub(crate) fn build<const N: usize, Cell: AsRef<str>>(
    header: [&str; N],
    unbroken: usize,
    rows: impl IntoIterator<Item = [Cell; N]>,
) -> Coloured {
    let rows = rows
        .into_iter()
        .map(|row| row.map(|text| cell(text.as_ref())));
    let terminal = Term::stdout();
    let columns = terminal
        .is_term()
        .then(|| terminal.size_checked())
        .flatten();
    let columns = columns.map(|(_, columns)| usize::from(columns));
    let text = arrange(
        header,
        unbroken,
        rows.collect(),
        columns.filter(|columns| *columns > 0),
    );
    Coloured::rows(text.lines())
}

fn arrange<const N: usize>(
    header: [&str; N],
    unbroken: usize,
    rows: Vec<[String; N]>,
    columns: Option<usize>,
) -> String {
    let mut table = Table::new();
    table
        .load_style(presets::UTF8_FULL_CONDENSED)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_header(header);
    for row in &rows {
        let mut row = Row::from(row);
        if columns.is_some() {
            row.max_height(MAX_LINES);
        }
        table.add_row(row);
    }
    let Some(columns) = columns else {
        return table.to_string();
    };
    let widths = table.column_max_content_widths();
    let (unbroken_widths, wrapped) = widths.split_at(unbroken);
    let borders = 3 * N + 1;
    let fixed: usize = unbroken_widths
        .iter()
        .map(|width| usize::from(*width))
        .sum();
    let needed = wrapped
        .iter()
        .map(|width| MIN_COLUMN.min(usize::from(*width)));
    if borders + fixed + needed.sum::<usize>() > columns {
        return stacked(unbroken, &rows);
    }
    for column in table.column_iter_mut().take(unbroken) {
        column.set_constraint(ColumnConstraint::ContentWidth);
    }
    table.set_width(u16::try_from(columns).unwrap_or(u16::MAX));
    table.to_string()
}

/// Returns each row as a line of its ids, and below it a line for each other cell.
fn stacked<const N: usize>(unbroken: usize, rows: &[[String; N]]) -> String {
    let mut text = String::new();
    for row in rows {
        let (ids, others) = row.split_at(unbroken);
        let ids = ids.iter().map(String::as_str);
        let ids: Vec<&str> = ids.filter(|id| !id.is_empty()).collect();
        text += &format!("{}\n", ids.join(" "));
        for other in others.iter().filter(|other| !other.is_empty()) {
            text += &format!("  {other}\n");
        }
    }
    text
}

/// Redacts before it truncates: a truncated secret would not be recognised.
fn cell(text: &str) -> String {
    let line = one_line(text);
    match line.char_indices().nth(MAX_CHARS) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use console::measure_text_width;

    use super::*;

    const ID: &str = "00000000-0000-4000-8000-000000000001";

    fn rows(id: &str) -> Vec<[String; 4]> {
        let row = |status: &str, title: &str, error: String| {
            [status.to_owned(), id.to_owned(), title.to_owned(), error]
        };
        vec![
            row(
                "failed",
                "User can complete checkout",
                "Timeout ".repeat(50),
            ),
            row("passed", "テストのタイトルはとても長い", "x".repeat(400)),
            row("passed", "", String::new()),
        ]
    }

    #[test]
    fn a_table_fits_the_terminal_and_breaks_no_id() {
        for (id, widths) in [("test-def-456", 55..300), (ID, 79..300)] {
            for columns in widths {
                let header = ["status", "test", "title", "error"];
                let text = arrange(header, 2, rows(id), Some(columns));
                let fits = |line: &str| measure_text_width(line) <= columns;
                assert!(text.lines().all(fits), "{columns} columns:\n{text}");
                assert_eq!(text.matches(id).count(), 3, "{columns} columns:\n{text}");
                assert!(text.lines().count() <= 4 + 3 * MAX_LINES, "{text}");
            }
        }
    }

    #[test]
    fn a_narrow_terminal_shows_lines_and_a_pipe_the_whole_table() {
        let header = ["status", "test", "title", "error"];
        let text = arrange(header, 2, rows(ID), Some(40));
        let expected = format!("failed {ID}\n  User can complete checkout\n  Timeout Timeout");
        assert!(text.starts_with(&expected), "{text}");
        assert!(text.ends_with(&format!("passed {ID}\n")), "{text}");
        let text = arrange(header, 2, rows(ID), None);
        assert!(text.contains(&"x".repeat(400)), "{text}");
    }
}
