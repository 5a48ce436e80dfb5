//! The project that the stand-in serves: its tests, collections and bugs.

use serde_json::{Value, json};

use crate::TestScript;

/// The project itself.
pub(crate) const PROJECT_ID: &str = "project-abc-123";

/// The repository that the project keeps its tests in.
pub(crate) const TESTS_REPOSITORY: &str = "acme-co/my-tests";

/// The collections, by id, with the name that people know them by.
pub(crate) const COLLECTIONS: &[(&str, &str)] = &[
    ("collection-abc-123", "Checkout"),
    ("collection-def-456", "Account"),
];

/// The suites, by id, with the tag that their tests have.
const SUITES: &[(&str, &str)] = &[("suite-abc-123", "smoke"), ("suite-def-456", "checkout")];

/// One test of the project.
struct Entry {
    id: &'static str,
    title: &'static str,
    file: &'static str,
    collection: &'static str,
    tags: &'static [&'static str],
    /// What it says when it fails.
    message: &'static str,
}

const TESTS: &[Entry] = &[
    Entry {
        id: "test-abc-123",
        title: "User can add item to cart",
        file: "checksum/tests/cart.spec.ts",
        collection: "collection-abc-123",
        tags: &["smoke", "cart"],
        message: "Expected 1 item in the cart, found 0",
    },
    Entry {
        id: "test-def-456",
        title: "User can complete checkout",
        file: "checksum/tests/checkout.spec.ts",
        collection: "collection-abc-123",
        tags: &["checkout"],
        message: "Timeout waiting for selector #pay-button",
    },
    Entry {
        id: "test-ghi-789",
        title: "User can pay with a saved card in checkout",
        file: "checksum/tests/checkout.spec.ts",
        collection: "collection-abc-123",
        tags: &["checkout", "payment"],
        message: "Expected text 'Thank you', found 'Card refused'",
    },
    Entry {
        id: "test-jkl-012",
        title: "User can sign in",
        file: "checksum/tests/account.spec.ts",
        collection: "collection-def-456",
        tags: &["smoke", "account"],
        message: "Timeout waiting for navigation to /home",
    },
    Entry {
        id: "test-mno-345",
        title: "User can reset a forgotten password",
        file: "checksum/tests/account.spec.ts",
        collection: "collection-def-456",
        tags: &["account"],
        message: "No mail within 60000ms",
    },
    Entry {
        id: "test-pqr-678",
        title: "Visitor can search the catalogue",
        file: "checksum/tests/search.spec.ts",
        collection: "",
        tags: &["smoke", "search"],
        message: "Expected at least 1 result, found 0",
    },
];

fn script(entry: &Entry) -> TestScript {
    TestScript::new(entry.id)
        .title(entry.title)
        .file(entry.file)
        .tags(entry.tags.iter().copied())
        .message(entry.message)
}

/// Every test.
pub(crate) fn all() -> Vec<TestScript> {
    TESTS.iter().map(script).collect()
}

/// The tests of a collection; `None` where there is no such collection.
pub(crate) fn of_collection(id: &str) -> Option<Vec<TestScript>> {
    COLLECTIONS.iter().find(|(known, _)| *known == id)?;
    let tests = TESTS.iter().filter(|entry| entry.collection == id);
    Some(tests.map(script).collect())
}

/// The tests of some suites. A suite that the project does not know has none.
pub(crate) fn of_suites(ids: &[&str]) -> Vec<TestScript> {
    let suites = SUITES.iter().filter(|(id, _)| ids.contains(id));
    let tags: Vec<&str> = suites.map(|(_, tag)| *tag).collect();
    let has_one = |entry: &&Entry| entry.tags.iter().any(|tag| tags.contains(tag));
    TESTS.iter().filter(has_one).map(script).collect()
}

/// The ids of the tests that changed files affect: those of a test file whose name, as far as its
/// first dot, is one of the parts of a changed file's path.
pub(crate) fn affected_by(files: &[&str]) -> Vec<&'static str> {
    let stem = |name: &str| name.split('.').next().map(str::to_owned);
    let changed: Vec<_> = files
        .iter()
        .flat_map(|path| path.split('/'))
        .filter_map(stem)
        .collect();
    let is_affected = |entry: &&Entry| {
        let name = entry.file.rsplit('/').next().and_then(stem);
        name.is_some_and(|name| changed.contains(&name))
    };
    let affected = TESTS.iter().filter(is_affected);
    affected.map(|entry| entry.id).collect()
}

/// The test of that id. An id that the project does not know is a test all the same, so that
/// scenarios can name their own.
pub(crate) fn test(id: &str) -> TestScript {
    let known = TESTS.iter().find(|entry| entry.id == id);
    known.map_or_else(|| TestScript::new(id), script)
}

/// The tests of which the title or the id contains the pattern or matches it: those of the project,
/// and those of further ids.
pub(crate) fn by_pattern(pattern: &str, further: &[String]) -> Vec<TestScript> {
    let regex = regex::Regex::new(pattern).ok();
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

/// Every bug that the health dashboard shows.
pub(crate) fn bugs() -> Vec<Value> {
    let rows = [
        (
            "bug-1",
            "confirmed",
            "critical",
            "The pay button never becomes active",
            "checkout",
        ),
        (
            "bug-2",
            "needs-triage",
            "major",
            "The cart forgets items after signing in",
            "cart",
        ),
        (
            "bug-3",
            "fixed",
            "minor",
            "A typing error in the password mail",
            "account",
        ),
        (
            "bug-4",
            "snoozed",
            "minor",
            "The search suggests discontinued items",
            "search",
        ),
        (
            "bug-5",
            "not-bug",
            "major",
            "A saved card is refused when it has expired",
            "payment",
        ),
    ];
    rows.iter()
        .map(|(id, status, severity, title, tag)| {
            let entry = TESTS.iter().find(|entry| entry.tags.contains(tag));
            let collection =
                entry.and_then(|entry| COLLECTIONS.iter().find(|(id, _)| *id == entry.collection));
            json!({
                "id": id,
                "title": title,
                "status": status,
                "severity": severity,
                "checksumTestId": entry.map(|entry| entry.id),
                "collectionName": collection.map(|(_, name)| name),
                "project": PROJECT_ID,
                "tags": [tag],
            })
        })
        .collect()
}
