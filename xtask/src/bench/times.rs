//! Programs that run in turn, so that what else the machine does meets all of them: the medians of
//! their times and of what they print, and ratios to the first.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use wait4::Wait4;

use super::{Bench, number};

/// A program to run, and what a table calls it.
pub(super) struct Program {
    pub(super) name: String,
    pub(super) command: Box<dyn Fn() -> Command>,
}

/// What one run took. It includes what the program's own children took.
pub(super) struct Spent {
    /// In seconds.
    pub(super) wall: f64,
    /// User and system time, in seconds.
    pub(super) cpu: f64,
    /// What the program printed.
    pub(super) figures: BTreeMap<String, f64>,
}

/// The runs of one program, a run for each round.
pub(super) struct Measured {
    name: String,
    pub(super) runs: Vec<Spent>,
}

/// A column of a table: its heading with the unit, and its value.
pub(super) struct Column(pub(super) &'static str, pub(super) fn(&Spent) -> f64);

pub(super) const WALL: Column = Column("wall, ms", |spent| spent.wall * 1e3);
pub(super) const CPU: Column = Column("CPU, ms", |spent| spent.cpu * 1e3);

impl Program {
    pub(super) fn new(name: &str, command: impl Fn() -> Command + 'static) -> Self {
        let (name, command) = (name.to_owned(), Box::new(command));
        Self { name, command }
    }

    /// A line of the shell.
    pub(super) fn shell(name: &str, line: &str) -> Self {
        let line = line.to_owned();
        Self::new(name, move || {
            let mut shell = Command::new("sh");
            shell.args(["-c", &line]);
            shell
        })
    }
}

impl Bench {
    /// Runs a case of `bench/`.
    pub(super) fn case(&self, name: &str, case: &str) -> Program {
        let (program, case) = (self.program(), case.to_owned());
        Program::new(name, move || {
            let mut command = Command::new(&program);
            command.args(case.split(' '));
            command
        })
    }

    /// Runs each program this many times, in turn; once with `--check`. It fails if one of them does.
    pub(super) fn interleaved(&self, rounds: usize, programs: &[Program]) -> Result<Vec<Measured>> {
        let mut measured: Vec<Measured> = programs
            .iter()
            .map(|program| Measured {
                name: program.name.clone(),
                runs: Vec::new(),
            })
            .collect();
        for _ in 0..self.size(rounds, 1) {
            for (program, measured) in programs.iter().zip(&mut measured) {
                let spent = self.spent((program.command)());
                measured
                    .runs
                    .push(spent.with_context(|| program.name.clone())?);
            }
        }
        Ok(measured)
    }

    fn spent(&self, mut command: Command) -> Result<Spent> {
        let (output, errors) = (self.folder.join("stdout"), self.folder.join("stderr"));
        command.stdin(Stdio::null());
        command
            .stdout(File::create(&output)?)
            .stderr(File::create(&errors)?);
        let started = Instant::now();
        let used = command.spawn()?.wait4()?;
        let wall = started.elapsed().as_secs_f64();
        let errors = fs::read_to_string(errors).unwrap_or_default();
        ensure!(used.status.success(), "{}: {errors}", used.status);
        Ok(Spent {
            wall,
            cpu: (used.rusage.utime + used.rusage.stime).as_secs_f64(),
            figures: figures(&fs::read_to_string(output).unwrap_or_default()),
        })
    }
}

impl Measured {
    pub(super) fn median(&self, column: &Column) -> f64 {
        median(self.runs.iter().map(column.1).collect())
    }

    /// Returns the median of the ratios, each of two runs that followed one another.
    pub(super) fn ratio(&self, peer: &Self, column: &Column) -> f64 {
        let pairs = self.runs.iter().zip(&peer.runs);
        median(
            pairs
                .map(|(ours, peer)| column.1(ours) / column.1(peer))
                .collect(),
        )
    }
}

/// Returns a table of medians, with the ratios to the first program.
pub(super) fn table(title: &str, measured: &[Measured], columns: &[Column]) -> Result<String> {
    let mut table = format!("| {title} |");
    let mut rule = "| --- |".to_owned();
    for Column(heading, _) in columns {
        write!(table, " {heading} | ratio |")?;
        rule += " ---: | ---: |";
    }
    writeln!(table, "\n{rule}")?;
    for program in measured {
        write!(table, "| {} |", program.name)?;
        for column in columns {
            let ratio = match std::ptr::eq(program, &measured[0]) {
                true => String::new(),
                false => format!("{:.2} ", program.ratio(&measured[0], column)),
            };
            write!(table, " {} | {ratio}|", number(program.median(column)))?;
        }
        table.push('\n');
    }
    Ok(table + "\n")
}

/// Returns what a program printed as lines of a name and a number.
pub(super) fn figures(output: &str) -> BTreeMap<String, f64> {
    let lines = output.lines().filter_map(|line| line.split_once(' '));
    lines
        .filter_map(|(name, value)| Some((name.to_owned(), value.trim().parse().ok()?)))
        .collect()
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() % 2 {
        0 => f64::midpoint(values[middle - 1], values[middle]),
        _ => values[middle],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measured(name: &str, seconds: &[f64]) -> Measured {
        let spent = |wall: &f64| Spent {
            wall: *wall,
            cpu: 0.0,
            figures: BTreeMap::new(),
        };
        Measured {
            name: name.to_owned(),
            runs: seconds.iter().map(spent).collect(),
        }
    }

    #[test]
    fn a_ratio_is_the_median_of_pairs() {
        let both = [
            measured("peer", &[1.0, 2.0, 9.0]),
            measured("ours", &[2.0, 2.0, 18.0]),
        ];
        let table = table("What", &both, &[WALL]).expect("a table");
        let expected = "| What | wall, ms | ratio |\n| --- | ---: | ---: |\n\
                        | peer | 2,000 | |\n| ours | 2,000 | 2.00 |\n\n";
        assert_eq!(table, expected);
        assert_eq!(median(vec![4.0, 1.0, 3.0, 2.0]), 2.5);
    }

    #[test]
    fn figures_are_lines_of_a_name_and_a_number() {
        let printed = figures("units 7\nother text here\nseconds 0.5\n");
        assert_eq!(
            printed,
            BTreeMap::from([("units".into(), 7.0), ("seconds".into(), 0.5)])
        );
    }
}
