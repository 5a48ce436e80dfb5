//! A test: each claim of `SECURITY.md` names files and tests that exist.

use std::fs;

/// Returns what is named in vain: a file, or a test that the file named before it does not have.
fn missing(text: &str) -> Vec<&str> {
    let mut missing = Vec::new();
    let claims = text.lines().filter(|line| line.starts_with("| "));
    for claim in claims {
        let mut file = String::new();
        for name in claim.split('`').skip(1).step_by(2) {
            let is_file = name.ends_with(".rs");
            if is_file {
                file = fs::read_to_string(crate::root().join(name)).unwrap_or_default();
            }
            let exists = match is_file {
                // Of whichever test attribute.
                true => file.contains("test]") || file.contains("test("),
                false => file.contains(&format!("fn {name}()")),
            };
            if !exists {
                missing.push(name);
            }
        }
    }
    missing
}

#[test]
fn the_tests_of_each_claim_exist() {
    let path = crate::root().join("SECURITY.md");
    let text = fs::read_to_string(path).expect("a file");
    let (_, claims) = text.split_once("## What is defended").expect("a section");
    assert_eq!(missing(claims), Vec::<&str>::new());
    let count = claims.matches(".rs`").count();
    assert!(count > 20, "{count} files");
    let stale = "| Claim. | `xtask/src/security.rs`: `no_such_test`; `tests/none.rs` |";
    assert_eq!(missing(stale), ["no_such_test", "tests/none.rs"]);
}
