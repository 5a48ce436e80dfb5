//! The tables of `results` and `bugs`.

use comfy_table::{ContentArrangement, Table, presets};

use crate::output::text::one_line;

/// The maximum number of characters in a cell.
const MAX_CHARS: usize = 400;

/// Returns a table with these rows. Each cell is one line that is safe to print.
pub(crate) fn build<'a, const N: usize>(
    header: [&str; N],
    rows: impl IntoIterator<Item = [&'a str; N]>,
) -> Table {
    let mut table = Table::new();
    table
        .load_style(presets::UTF8_FULL_CONDENSED)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_header(header);
    for row in rows {
        table.add_row(row.map(cell));
    }
    table
}

/// Redacts before it truncates: a truncated secret would not be recognised.
fn cell(text: &str) -> String {
    let line = one_line(text);
    match line.char_indices().nth(MAX_CHARS) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}
