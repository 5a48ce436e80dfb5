//! A test: the files of a crate do not import one another in a circle. `pub use` is no import here.

use std::process::Command;

/// Returns each import that is part of a circle, as a line: the file, and the module that it imports.
fn circles(files: &[(&str, String)]) -> Vec<String> {
    let module = |file: &str| {
        let file = file.strip_suffix(".rs").unwrap_or(file);
        let folder = file.strip_suffix("/mod").or(file.strip_suffix("/lib"));
        folder.unwrap_or(file).to_owned() + "/"
    };
    let modules: Vec<String> = files.iter().map(|(file, _)| module(file)).collect();
    let mut imports: Vec<(String, String)> = Vec::new();
    for (own, (file, text)) in modules.iter().zip(files) {
        let root = file.split_inclusive("src/").next().unwrap_or(file);
        let parent = own.trim_end_matches('/').rsplit_once('/');
        let parent = format!("{}/", parent.unwrap_or_default().0);
        for path in text.lines().filter_map(|line| line.strip_prefix("use ")) {
            let path = format!("{own}{}/", path.replace("::", "/").replace([';', '{'], "/"));
            let path = path.replace(&format!("{own}crate/"), root);
            let path = path.replace(&format!("{own}super/"), &parent);
            let imported = modules.iter().filter(|module| path.starts_with(*module));
            if let Some(imported) = imported.max_by_key(|module| module.len()) {
                imports.push((own.clone(), imported.clone()));
            }
        }
    }
    imports.retain(|(own, imported)| own != imported);
    for _ in 0..imports.len() {
        let all = imports.clone();
        imports.retain(|(own, imported)| {
            all.iter().any(|(one, _)| one == imported) && all.iter().any(|(_, one)| one == own)
        });
    }
    let line = |(own, imported)| format!("{own} imports {imported}");
    imports.into_iter().map(line).collect()
}

#[test]
fn files_do_not_import_one_another_in_a_circle() {
    let text = |file| std::fs::read_to_string(crate::root().join(file)).expect("a file");
    let arguments = ["ls-files", "--full-name", ":/*/src/*.rs"];
    let git = Command::new("git").args(arguments).output().expect("git");
    let listed = String::from_utf8(git.stdout).expect("text");
    assert!(listed.contains("checksum-api/src/client/mod.rs"));
    let mut files: Vec<_> = listed.lines().map(|file| (file, text(file))).collect();
    assert_eq!(circles(&files), Vec::<String>::new());
    files.push(("src/a/mod.rs", "pub use b::B;\nuse b::B;".to_owned()));
    files.push(("src/a/b.rs", "use crate::c::{C};".to_owned()));
    files.push(("src/c.rs", "use super::a::A;".to_owned()));
    let circle = [
        "src/a/ imports src/a/b/",
        "src/a/b/ imports src/c/",
        "src/c/ imports src/a/",
    ];
    assert_eq!(circles(&files), circle);
}
