//! Safe and unique names for files that the service names.

use std::collections::HashMap;

use sanitise_file_name::{Options, sanitise_with_options};

/// The maximum length of a name, in bytes. It leaves room for a number if the name is taken.
const MAX_LENGTH: usize = 160;

/// Creates unique file names.
#[derive(Default)]
pub(crate) struct FileNames {
    /// The names in use, in lower case, each with the number to try next, so that many files of one
    /// name do not take quadratic time.
    taken: HashMap<String, u64>,
}

impl FileNames {
    /// Returns a name that is close to `wanted` and safe in any directory: it cannot leave the
    /// directory, is not reserved on any system, and differs from all earlier names by more than
    /// case.
    pub(crate) fn next(&mut self, wanted: &str) -> String {
        let name = safe(wanted);
        let mut number = match self.taken.get(&name.to_lowercase()) {
            None => return self.take(name),
            Some(number) => *number,
        };
        let numbered = loop {
            let candidate = match name.rsplit_once('.') {
                Some((stem, extension)) => format!("{stem}-{number}.{extension}"),
                None => format!("{name}-{number}"),
            };
            number += 1;
            if !self.taken.contains_key(&candidate.to_lowercase()) {
                break candidate;
            }
        };
        self.taken.insert(name.to_lowercase(), number);
        self.take(numbered)
    }

    fn take(&mut self, name: String) -> String {
        self.taken.insert(name.to_lowercase(), 2);
        name
    }
}

fn safe(wanted: &str) -> String {
    let options = Options {
        length_limit: MAX_LENGTH,
        ..Options::DEFAULT
    };
    // A leading dot would hide the file. It is removed first, because otherwise `.con` would become
    // the reserved `con`.
    let wanted = wanted.trim_start_matches(|c: char| c == '.' || c.is_whitespace());
    let name = sanitise_with_options(wanted, &options);
    let name = name.trim_matches(|c: char| c == '.' || c.is_whitespace());
    if name.is_empty() || name.chars().all(|c| c == '_') {
        "file".to_owned()
    } else {
        name.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::path::{Component, Path};

    use super::*;

    #[test]
    fn names_cannot_leave_the_directory() {
        let long = "x".repeat(1_000_000);
        let long_name = format!("{long}.zip");
        for wanted in [
            "",
            ".",
            "..",
            "...",
            "/",
            "\\",
            "../../etc/passwd",
            "..\\..\\x",
            "/etc/passwd",
            "C:\\x",
            "C:x",
            "a/../b",
            "a\0b",
            "a\nb",
            "CON",
            "con.txt",
            ".con",
            ". con.zip",
            "con ",
            "LPT1.zip",
            "x:stream",
            "trailing. ",
            " ",
            ".bashrc",
            "\u{202e}gpj.exe",
            "~",
            "-rf",
            &long,
            &long_name,
        ] {
            let name = FileNames::default().next(wanted);
            let components: Vec<_> = Path::new(&name).components().collect();
            assert!(
                matches!(components[..], [Component::Normal(part)] if part == &*name),
                "{wanted:.40?} became {name:?}"
            );
            assert!(name.len() <= MAX_LENGTH, "{}", name.len());
            let is_odd = |c: char| c.is_control() || "/\\:*?\"<>|\u{202e}".contains(c);
            assert!(!name.contains(is_odd), "{wanted:.40?} became {name:?}");
            let is_trimmed = !name.starts_with('.') && !name.ends_with(['.', ' ']);
            assert!(is_trimmed, "{wanted:.40?} became {name:?}");
            let stem = name.split('.').next().expect("a stem").to_lowercase();
            assert!(!["con", "lpt1"].contains(&&*stem), "{name}");
        }
        assert!(FileNames::default().next(&long_name).ends_with(".zip"));
    }

    #[test]
    fn safe_names_are_kept() {
        for name in ["trace.zip", "Screenshot 1 (failed).png", "späth.webm"] {
            assert_eq!(FileNames::default().next(name), name);
        }
    }

    #[test]
    fn names_are_unique() {
        let mut names = FileNames::default();
        let given: Vec<String> = ["a.png", "A.png", "a.png", "a-2.png", "..", "", "x", "x"]
            .iter()
            .map(|wanted| names.next(wanted))
            .collect();
        let unique: HashSet<String> = given.iter().map(|name| name.to_lowercase()).collect();
        assert_eq!(unique.len(), given.len(), "{given:?}");
        assert_eq!(given[..3], ["a.png", "A-2.png", "a-3.png"]);
        let last = (0..100_000).map(|_| names.next("same.zip")).last();
        assert_eq!(last.as_deref(), Some("same-100000.zip"));
    }
}
