//! The tables of `results` and `bugs`.

use crate::output::text::one_line;

/// A cell of a readable size. A secret goes before the text is cut, which would leave a part of it.
pub(crate) fn printable(text: &str) -> String {
    let line = one_line(text);
    match line.char_indices().nth(400) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}
