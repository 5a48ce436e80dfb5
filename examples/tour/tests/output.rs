//! Runs each example without any setting, and compares what it prints.

use std::io::Read;
use std::process::{Command, Stdio};
use std::time::Duration;

use wait_timeout::ChildExt;

/// Longer than any example takes on a slow machine. It ends one that would never end.
const LIMIT: Duration = Duration::from_secs(60);

/// Returns what a program printed, and its exit code.
fn output_of(program: &str) -> String {
    let mut child = Command::new(program)
        .env_clear()
        .stdout(Stdio::piped())
        .spawn()
        .expect("the example starts");
    let Some(status) = child.wait_timeout(LIMIT).expect("its end") else {
        child.kill().expect("it is killed");
        panic!("{program} has not ended after {LIMIT:?}");
    };
    let mut output = String::new();
    let mut stdout = child.stdout.take().expect("its output");
    stdout.read_to_string(&mut output).expect("text");
    format!("{output}exit code {}\n", status.code().expect("a code"))
}

macro_rules! programs {
    ($($name:ident),* $(,)?) => {
        $(
            #[test]
            fn $name() {
                let program = env!(concat!("CARGO_BIN_EXE_", stringify!($name)));
                insta::assert_snapshot!(stringify!($name), output_of(program));
            }
        )*

        /// A new example needs a test.
        #[test]
        fn every_example_is_run() {
            let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/bin");
            let files = std::fs::read_dir(folder).expect("the examples");
            let mut names: Vec<String> = files
                .map(|file| file.expect("a file").file_name().to_string_lossy().replace(".rs", ""))
                .collect();
            names.sort();
            assert_eq!(names, [$(stringify!($name)),*]);
        }
    };
}

programs![
    gate,
    heal,
    observe,
    quick_start,
    tower_layers,
    watch_many,
    without_async,
];
