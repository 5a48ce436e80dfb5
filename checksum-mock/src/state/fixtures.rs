//! The project that the mock server has: its tests, collections, suites and bugs.

use serde_json::{Value, json};

use crate::script::TestScript;

pub(crate) const PROJECT_ID: &str = "project-abc-123";

/// The repository that the project keeps its tests in.
pub(crate) const TESTS_REPOSITORY: &str = "acme-co/my-tests";

/// The id and the name of each collection.
const COLLECTIONS: &[(&str, &str)] = &[
    ("collection-abc-123", "Checkout"),
    ("collection-def-456", "Account"),
];

/// The id of each suite, and the tag of its tests.
const SUITES: &[(&str, &str)] = &[("suite-abc-123", "smoke"), ("suite-def-456", "checkout")];

struct Test {
    id: &'static str,
    title: &'static str,
    file: &'static str,
    collection: &'static str,
    tags: &'static [&'static str],
    /// The error message, shown only if the test fails.
    message: &'static str,
}

/// Makes tests from tables, so that each takes two lines.
macro_rules! tests {
    ($($id:literal $title:literal $file:literal $collection:literal $tags:expr, $message:literal;)*) => {
        &[$(Test {
            id: $id,
            title: $title,
            file: $file,
            collection: $collection,
            tags: &$tags,
            message: $message,
        }),*]
    };
}

const TESTS: &[Test] = tests! {
    "test-abc-123" "User can add item to cart" "cart" "collection-abc-123"
        ["smoke", "cart"], "Expected 1 item in the cart, found 0";
    "test-def-456" "User can complete checkout" "checkout" "collection-abc-123"
        ["checkout"], "Timeout waiting for selector #pay-button";
    "test-ghi-789" "User can pay with a saved card in checkout" "checkout" "collection-abc-123"
        ["checkout", "payment"], "Expected text 'Thank you', found 'Card refused'";
    "test-jkl-012" "User can sign in" "account" "collection-def-456"
        ["smoke", "account"], "Timeout waiting for navigation to /home";
    "test-mno-345" "User can reset a forgotten password" "account" "collection-def-456"
        ["account"], "No mail within 60000ms";
    "test-pqr-678" "Visitor can search the catalogue" "search" ""
        ["smoke", "search"], "Expected at least 1 result, found 0";
};

/// Id, status, severity, title, and the tag that it shares with a test.
const BUGS: &str = "\
bug-1|confirmed|critical|The pay button never becomes active|checkout
bug-2|needs-triage|major|The cart forgets items after signing in|cart
bug-3|fixed|minor|A typing error in the password mail|account
bug-4|snoozed|minor|The search suggests discontinued items|search
bug-5|not-bug|major|A saved card is declined when it has expired|payment";

fn script(test: &Test) -> TestScript {
    TestScript::new(test.id)
        .title(test.title)
        .file(format!("checksum/tests/{}.spec.ts", test.file))
        .tags(test.tags.iter().copied())
        .message(test.message)
}

fn filtered(is_wanted: impl Fn(&Test) -> bool) -> Vec<TestScript> {
    let tests = TESTS.iter().filter(|test| is_wanted(test));
    tests.map(script).collect()
}

pub(crate) fn all() -> Vec<TestScript> {
    filtered(|_| true)
}

/// Returns the id and the name of each collection.
pub(crate) fn collections() -> &'static [(&'static str, &'static str)] {
    COLLECTIONS
}

/// Returns the tests of a collection, or `None` if there is no such collection.
pub(crate) fn of_collection(id: &str) -> Option<Vec<TestScript>> {
    COLLECTIONS.iter().find(|(known, _)| *known == id)?;
    Some(filtered(|test| test.collection == id))
}

/// Returns the tests of these suites. An unknown suite has none.
pub(crate) fn of_suites(ids: &[&str]) -> Vec<TestScript> {
    let suites = SUITES.iter().filter(|(id, _)| ids.contains(id));
    let tags: Vec<&str> = suites.map(|(_, tag)| *tag).collect();
    filtered(|test| test.tags.iter().any(|tag| tags.contains(tag)))
}

/// Returns the ids of the tests that changed files affect: those of `NAME.spec.ts`, if `NAME` is a
/// part of a changed file's path, up to its first dot.
pub(crate) fn affected_by(files: &[&str]) -> Vec<String> {
    let parts = files.iter().flat_map(|path| path.split('/'));
    let stems: Vec<_> = parts.filter_map(|part| part.split('.').next()).collect();
    let tests = filtered(|test| stems.contains(&test.file));
    tests.into_iter().map(|test| test.id).collect()
}

/// Returns the test of this id. An unknown id is a test too, so that scenarios can use their own.
pub(crate) fn test(id: &str) -> TestScript {
    let known = TESTS.iter().find(|test| test.id == id);
    known.map_or_else(|| TestScript::new(id), script)
}

/// Returns the tests, also those of further ids, whose title or id contains or matches the pattern.
pub(crate) fn by_pattern(pattern: &str, further: &[String]) -> Vec<TestScript> {
    let regex = regex_lite::Regex::new(pattern).ok();
    let is_match = |text: &str| {
        text.contains(pattern) || regex.as_ref().is_some_and(|regex| regex.is_match(text))
    };
    let mut tests = all();
    for id in further {
        if tests.iter().all(|test| test.id != *id) {
            tests.push(test(id));
        }
    }
    tests.retain(|test| is_match(&test.title) || is_match(&test.id));
    tests
}

/// Returns every bug of the health dashboard.
pub(crate) fn bugs() -> Vec<Value> {
    let bug = |line: &str| {
        let mut columns = line.split('|');
        let [id, status, severity, title, tag] = [(); 5].map(|()| columns.next());
        let test = TESTS
            .iter()
            .find(|test| test.tags.iter().any(|own| Some(*own) == tag));
        let collection = |test: &Test| COLLECTIONS.iter().find(|(id, _)| *id == test.collection);
        json!({
            "id": id,
            "title": title,
            "status": status,
            "severity": severity,
            "checksumTestId": test.map(|test| test.id),
            "collectionName": test.and_then(collection).map(|(_, name)| name),
            "project": PROJECT_ID,
            "tags": [tag],
        })
    };
    BUGS.lines().map(bug).collect()
}
