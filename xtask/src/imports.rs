//! A test: the files of a crate do not import one another in a circle.

use std::collections::BTreeSet;
use std::{fs, process::Command};

/// Returns each import that is part of a circle. What a module re-exports counts as imported from
/// where it is defined; but what `lib.rs` re-exports, as imported from there.
fn circles(files: &[(&str, String)]) -> Vec<(String, String)> {
    let (mut names, mut imports) = (BTreeSet::new(), Vec::new());
    for (file, text) in files {
        let module = file.replace("/mod.rs", "/").replace("/lib.rs", "/");
        let module = module.replace("/main.rs", "/").replace(".rs", "/");
        let root = module.split_inclusive("src/").next().unwrap_or(file);
        let parent = module.trim_end_matches('/').rsplit_once('/');
        let parent = format!("{}/", parent.unwrap_or_default().0);
        for (before, tree) in text.split(';').filter_map(|part| part.rsplit_once("use ")) {
            let visibility = before.rsplit('\n').next().unwrap_or(before);
            let is_import = visibility.is_empty() || module == root;
            if !(visibility.is_empty() || visibility.starts_with("pub")) {
                continue; // in a comment, a function or a module of tests
            }
            let tree = tree.replace("::", "/").replace(char::is_whitespace, "");
            let (base, items) = tree.split_once('{').unwrap_or((&tree, ""));
            for item in items.trim_end_matches([',', '}']).split(',') {
                let path = format!("{module}{base}{item}/").replace("/self/", "/");
                let path = path.replace(&format!("{module}crate/"), root);
                let path = path.replace(&format!("{module}super/"), &parent);
                let name = path.rsplit('/').nth(1).unwrap_or_default();
                let from = match is_import {
                    true => module.clone(),
                    false => format!("{module}{name}/"),
                };
                names.insert(from.clone());
                imports.push((from, path));
            }
        }
        names.insert(module);
    }
    for (from, to) in &mut imports {
        let name = names
            .range(..=to.clone())
            .rfind(|name| to.starts_with(*name));
        *to = name.unwrap_or(from).clone();
    }
    imports.retain(|(from, to)| from != to);
    for _ in 0..imports.len() {
        let (from, to): (BTreeSet<_>, BTreeSet<_>) = imports.iter().cloned().unzip();
        imports.retain(|import| to.contains(&import.0) && from.contains(&import.1));
    }
    imports
}

#[test]
fn files_do_not_import_one_another_in_a_circle() {
    let text = |file| fs::read_to_string(crate::root().join(file)).expect("a file");
    let mut git = Command::new("git");
    git.args(["ls-files", "*/src/*.rs"])
        .current_dir(crate::root());
    let listed = String::from_utf8(git.output().expect("git").stdout).expect("text");
    let mut files: Vec<_> = listed.lines().map(|file| (file, text(file))).collect();
    assert_eq!(circles(&files), []);

    files.push(("src/a/mod.rs", "pub use b::{A, B};".to_owned()));
    files.push(("src/a/b.rs", "use crate::{c::C};".to_owned()));
    assert_eq!(circles(&files), []);
    files.push(("src/c.rs", "use super::{a::A};".to_owned()));
    let circle = [
        ("src/a/A/", "src/a/b/"),
        ("src/a/b/", "src/c/"),
        ("src/c/", "src/a/A/"),
    ];
    assert_eq!(
        circles(&files),
        circle.map(|(from, to)| (from.to_owned(), to.to_owned()))
    );
}
