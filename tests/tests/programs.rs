//! The programs in `programs/`, each built and run by itself: what our features do to the reqwest of
//! a program that has one of its own.
//!
//! Ignored, since each build compiles reqwest with other features: some minutes when cold.

use std::fs;
use std::path::Path;
use std::process::Command;

const PROGRAMS: [&str; 6] = [
    "all-native-tls",
    "default-reqwest",
    "no-tls",
    "own-native-tls",
    "own-provider",
    "without-tls",
];

#[test]
#[ignore = "compiles six programs"]
fn a_program_with_its_own_reqwest_is_unchanged_by_ours() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let programs = root.join("programs");
    // The versions that the workspace is tested with.
    fs::copy(root.join("../Cargo.lock"), programs.join("Cargo.lock")).expect("a lock file");
    for program in PROGRAMS {
        let ran = Command::new(env!("CARGO"))
            .args(["run", "--quiet", "--package", program])
            .current_dir(&programs)
            .env("CARGO_TARGET_DIR", root.join("../target/programs"))
            .status()
            .expect("cargo starts");
        assert!(ran.success(), "{program}: {ran}");
    }
}
