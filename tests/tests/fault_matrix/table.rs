//! The table of what the clients made of each fault: `checksum-mock/FAULTS.md`.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::Path;

use checksum_api::OperationId;
use checksum_api_ext::Error;

const HEAD: &str = "\
# What the clients make of each fault

Each fault of the mock server was injected into each operation of `checksum-api` and of
`checksum-api-ext`, and into each request of a wait for a run, for a batch, and for a set of both. The
test `fault_matrix` asserts by rules that every outcome is right: the kind of the error, its status
code and `Retry-After`, the time that the call took, and the number of requests. It writes this table
(`SNAPSHOTS=overwrite`).

A read may be repeated, and has four attempts unless `Retry-After` is longer than a minute. A start is
repeated only if the service has certainly not acted on it. A wait has one faulty request: it reaches
the right verdict, or ends with the error. The other work of a set reaches its own verdict.

| fault | raw client, reads | raw client, starts | reads | starts | a wait |
| --- | --- | --- | --- | --- | --- |
";

#[derive(Default)]
pub(crate) struct Table {
    rows: Vec<(String, [BTreeSet<String>; 5])>,
    cells: usize,
    /// What the rules do not allow.
    pub(crate) wrong: Vec<String>,
}

pub(crate) enum Column {
    Call {
        operation: OperationId,
        is_raw: bool,
    },
    Wait,
}

impl Table {
    pub(crate) fn add(&mut self, group: &str, column: Column, result: String) {
        self.cells += 1;
        if self.rows.iter().all(|(name, _)| name != group) {
            self.rows.push((group.to_owned(), Default::default()));
        }
        let index = match column {
            Column::Wait => 4,
            Column::Call { operation, is_raw } => {
                usize::from(!operation.operation().is_read()) + if is_raw { 0 } else { 2 }
            }
        };
        let row = self.rows.iter_mut().find(|(name, _)| name == group);
        row.expect("a row").1[index].insert(result);
    }

    /// Returns whether a wait was added to a row.
    pub(crate) fn has_wait(&self, group: &str) -> bool {
        let mut rows = self.rows.iter();
        rows.any(|(name, cells)| name == group && !cells[4].is_empty())
    }

    /// Compares the table with the file, or writes it.
    pub(crate) fn check(&self) {
        let wrong = self.wrong.join("\n");
        assert!(
            wrong.is_empty(),
            "{} of {}:\n{wrong}",
            self.wrong.len(),
            self.cells
        );
        let mut merged: Vec<(Vec<&str>, _)> = Vec::new();
        for (name, cells) in &self.rows {
            match merged.iter_mut().find(|(_, others)| *others == cells) {
                Some((names, _)) => names.push(name),
                None => merged.push((vec![name], cells)),
            }
        }
        let mut text = HEAD.to_owned();
        for (mut names, cells) in merged {
            let all = names.clone();
            let is_said = |name: &str| name.split_once(", ").is_some_and(|it| all.contains(&it.0));
            names.retain(|name| !is_said(name));
            let cells = cells.each_ref().map(|cell| match cell.is_empty() {
                true => "–".to_owned(),
                false => cell
                    .iter()
                    .map(String::as_str)
                    .collect::<Vec<_>>()
                    .join("; "),
            });
            let _ = writeln!(text, "| {} | {} |", names.join("; "), cells.join(" | "));
        }
        let _ = writeln!(text, "\nThe table has {} cases.", self.cells);
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../checksum-mock/FAULTS.md");
        if std::env::var("SNAPSHOTS").as_deref() == Ok("overwrite") {
            std::fs::write(path, text).expect("the table is written");
        } else {
            let committed = std::fs::read_to_string(path).expect("the table");
            assert!(
                committed == text,
                "FAULTS.md differs; SNAPSHOTS=overwrite writes it"
            );
        }
    }
}

pub(crate) fn raw(result: &Result<(), checksum_api::Error>) -> String {
    match result {
        Ok(()) => "success".to_owned(),
        Err(error) => format!("{:?}", error.kind()),
    }
}

pub(crate) fn ext(result: &Result<(), Error>, requests: u64) -> String {
    let requests = match requests {
        0 | 1 => String::new(),
        more => format!(" after {more} requests"),
    };
    match result {
        Ok(()) => format!("success{requests}"),
        Err(error) => format!("{:?}{requests}", error.kind()),
    }
}

pub(crate) fn wait(result: &Result<(), Error>) -> String {
    match result {
        Ok(()) => "the verdict".to_owned(),
        Err(error) => format!("{:?}", error.kind()),
    }
}
