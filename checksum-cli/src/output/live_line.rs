//! The line at the bottom of a terminal that shows what the command is doing. What the process
//! writes to standard error meanwhile goes above it.

use std::sync::{Mutex, MutexGuard, PoisonError};

use console::{Term, measure_text_width, truncate_str};

static SHOWN: Mutex<Option<Shown>> = Mutex::new(None);

struct Shown {
    text: String,
    suffix: String,
    /// The number of columns that it took when it was written.
    columns: usize,
}

/// Shows this in place of the current line. `text` is clipped to what `suffix` leaves of the width.
/// Both must be safe to print.
pub(crate) fn show(text: &str, suffix: &str) {
    let mut shown = lock();
    let terminal = Term::buffered_stderr();
    erase(&terminal, shown.take());
    *shown = Some(write(&terminal, text.to_owned(), suffix.to_owned()));
}

/// Removes the line.
pub(crate) fn clear() {
    let terminal = Term::buffered_stderr();
    erase(&terminal, lock().take());
    let _ = terminal.flush();
}

/// Lets `print` write to standard error above the line.
pub(crate) fn above<T>(print: impl FnOnce() -> T) -> T {
    let mut shown = lock();
    let Some(line) = shown.take() else {
        return print();
    };
    let terminal = Term::buffered_stderr();
    let (text, suffix) = (line.text.clone(), line.suffix.clone());
    erase(&terminal, Some(line));
    let _ = terminal.flush();
    let printed = print();
    *shown = Some(write(&terminal, text, suffix));
    printed
}

fn lock() -> MutexGuard<'static, Option<Shown>> {
    SHOWN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Ignores write errors, which cannot be reported anywhere.
fn write(terminal: &Term, text: String, suffix: String) -> Shown {
    let line = clip(&text, &suffix, columns(terminal));
    let _ = terminal.write_str(&line);
    let _ = terminal.flush();
    Shown {
        text,
        suffix,
        columns: measure_text_width(&line),
    }
}

fn erase(terminal: &Term, shown: Option<Shown>) {
    let Some(shown) = shown else { return };
    let rows = rows_above(shown.columns, columns(terminal));
    if rows > 0 {
        let _ = terminal.move_cursor_up(rows);
    }
    let _ = terminal.clear_line();
    if rows > 0 {
        let _ = terminal.clear_to_end_of_screen();
    }
}

/// Returns the width of the terminal; 80 if it does not say.
fn columns(terminal: &Term) -> usize {
    match terminal.size_checked() {
        Some((_, columns)) if columns > 0 => columns.into(),
        _ => 80,
    }
}

/// Leaves the last column free: after a character in it, terminals differ in where the cursor is.
fn clip(text: &str, suffix: &str, columns: usize) -> String {
    let columns = columns.saturating_sub(1);
    let left = columns.saturating_sub(measure_text_width(suffix));
    let line = truncate_str(text, left, "…") + suffix;
    truncate_str(&line, columns, "").into_owned()
}

/// Returns how many rows the line took above its last one, since a terminal that became narrower
/// wraps it.
fn rows_above(written: usize, columns: usize) -> usize {
    written.saturating_sub(1) / columns.max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_is_clipped_to_the_width_whatever_its_characters() {
        for (text, columns, line) in [
            ("running", 40, "running (5s)"),
            ("running", 13, "running (5s)"),
            ("running", 12, "runni… (5s)"),
            ("テスト実行中", 13, "テスト… (5s)"),
            ("テスト実行中", 12, "テス… (5s)"),
            ("running", 5, "… (5"),
        ] {
            assert_eq!(clip(text, " (5s)", columns), line, "{columns} columns");
        }
        for columns in 0..100 {
            for text in ["x", "語", "\u{1f600}x", "e\u{301}"] {
                let line = clip(&text.repeat(200), " (5s; total 2m)", columns);
                let width = measure_text_width(&line);
                assert!(width <= columns.saturating_sub(1), "{columns}: {line}");
            }
        }
    }

    #[test]
    fn a_line_in_a_narrower_terminal_takes_several_rows() {
        for (written, columns, rows) in [
            (0, 80, 0),
            (79, 80, 0),
            (79, 40, 1),
            (80, 40, 1),
            (81, 40, 2),
            (5, 0, 4),
        ] {
            assert_eq!(rows_above(written, columns), rows, "{written} in {columns}");
        }
    }
}
