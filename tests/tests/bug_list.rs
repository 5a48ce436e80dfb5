//! The list of bugs: every page of it, in each form that a service may give it, and when it ends.

use std::sync::atomic::{AtomicUsize, Ordering};

use checksum_api_ext::BugStatus;
use checksum_api_ext::{Bug, Error, ListBugs, Truncation};
use checksum_mock::Mock;
use checksum_tests::{FakeResponse, FakeTransport, Script, client_of};
use futures_util::TryStreamExt;
use serde_json::{Value, json};

#[tokio::test]
async fn reads_all_pages_of_the_mock_server() {
    let mock = Mock::builder().without_socket();
    let stream = client_of(&mock).bugs().page_size(2).into_stream();
    let bugs: Vec<Bug> = stream.try_collect().await.expect("bugs");
    assert_eq!(bugs.len(), 5);
    assert_eq!(bugs[0].status, Some(BugStatus::Confirmed));
    assert!(bugs[0].test_id.is_some());
    assert_eq!(mock.request_count(), 3);
}

/// Walks over `count` bugs of a service that gives pages of `size` at most, in the form that
/// `page` makes of a page and its end. Returns the ids and the number of requests.
async fn walk(
    count: usize,
    size: usize,
    page: fn(&[Value], usize, usize) -> Value,
    filter: impl FnOnce(ListBugs) -> ListBugs,
) -> Result<(Vec<String>, usize), Error> {
    let transport = FakeTransport::new(move |request| {
        let number = |name: &str| {
            let mut pairs = request.url.query_pairs();
            pairs.find_map(|(n, value)| (n == name).then(|| value.parse().ok()).flatten())
        };
        let start = number("offset").unwrap_or(0).min(count);
        let end = (start + number("limit").unwrap_or(size).min(size)).min(count);
        let bugs: Vec<Value> = (start..end)
            .map(|id| json!({ "id": id.to_string() }))
            .collect();
        page(&bugs, end, count).into()
    });
    let bugs: Vec<Bug> = filter(transport.client().bugs())
        .into_stream()
        .try_collect()
        .await?;
    let ids = bugs.into_iter().filter_map(|bug| bug.id).collect();
    Ok((ids, transport.log().len()))
}

fn ids(range: std::ops::Range<usize>) -> Vec<String> {
    range.map(|id| id.to_string()).collect()
}

#[tokio::test]
async fn each_form_of_a_page_is_read_to_its_end() {
    type Page = fn(&[Value], usize, usize) -> Value;
    let with_total: Page = |bugs, _, total| json!({ "bugs": bugs, "total": total });
    let with_more: Page = |bugs, end, total| json!({ "items": bugs, "hasMore": end < total });
    let with_next: Page = |bugs, end, total| json!({ "results": bugs, "next": (end < total).then(|| format!("/x?offset={end}")) });
    let with_length: Page = |bugs, _, _| json!({ "bugs": bugs, "total": bugs.len() });
    let bare: Page = |bugs, _, _| json!(bugs);
    let with_limit: Page = |bugs, _, _| json!({ "data": bugs, "limit": 4 });
    for (name, page, count, requests) in [
        ("total", with_total, 10, 3),
        ("total, full", with_total, 8, 2),
        ("hasMore", with_more, 10, 3),
        ("next", with_next, 8, 2),
        ("bare, short page", bare, 10, 4),
        ("bare, empty page", bare, 8, 3),
        ("confirmed limit", with_limit, 3, 1),
        ("nothing", bare, 0, 1),
        ("nothing of a total", with_total, 0, 1),
        ("total of one page", with_total, 4, 2),
        ("total of the page", with_length, 10, 4),
    ] {
        let walked = walk(count, 4, page, |bugs| bugs).await.expect("bugs");
        assert_eq!(walked, (ids(0..count), requests), "{name}");
    }
}

#[tokio::test]
async fn a_smaller_page_size_of_the_service_loses_nothing() {
    let bare = |bugs: &[Value], _, _| json!(bugs);
    let (found, _) = walk(10, 3, bare, |bugs| bugs.page_size(500))
        .await
        .expect("bugs");
    assert_eq!(found, ids(0..10));
    let total = |bugs: &[Value], _, total| json!({ "bugs": bugs, "total": total });
    let (found, _) = walk(10, 3, total, |bugs| bugs.offset(4))
        .await
        .expect("bugs");
    assert_eq!(found, ids(4..10));
}

/// Reads all bugs of a service that gives these pages in order, and then the last of them to every
/// request. Returns the ids, why there may be more, and the number of requests.
async fn read(
    pages: Vec<Value>,
    filter: impl FnOnce(ListBugs) -> ListBugs,
) -> (Vec<String>, Option<Truncation>, usize) {
    let last = pages.last().cloned().expect("a page");
    let transport = FakeTransport::from(Script::in_order(pages).then_always(last));
    let mut stream = filter(transport.client().bugs()).into_stream();
    let mut ids = Vec::new();
    while let Some(bug) = stream.try_next().await.expect("a bug") {
        ids.push(bug.id.or(bug.title).expect("an id"));
    }
    (ids, stream.truncation(), transport.log().len())
}

#[tokio::test]
async fn a_list_that_may_be_incomplete_is_marked_as_truncated() {
    let page = |ids: [&str; 2], about: Value| {
        let mut page = json!({ "bugs": ids.map(|id| json!({ "id": id })) });
        page.as_object_mut()
            .unwrap()
            .extend(about.as_object().unwrap().clone());
        page
    };
    let ab = |about: Value| page(["a", "b"], about);
    let cd = |about: Value| page(["c", "d"], about);
    let none = |about: Value| {
        let mut none = ab(about);
        none["bugs"] = json!([]);
        none
    };
    let nothing = || json!({});
    let repeated = Some(Truncation::RepeatedPage);
    let fewer = Some(Truncation::FewerThanCounted);
    for (name, pages, ids, truncation) in [
        (
            "bare, again",
            vec![json!([{ "id": "a" }, { "id": "b" }])],
            "ab",
            repeated,
        ),
        (
            "hasMore, again",
            vec![ab(json!({ "hasMore": true }))],
            "ab",
            repeated,
        ),
        (
            "a cursor that is ignored",
            vec![ab(json!({ "nextCursor": "x" }))],
            "ab",
            repeated,
        ),
        (
            "total, again",
            vec![ab(json!({ "total": 1_000_000 }))],
            "ab",
            repeated,
        ),
        (
            "the page's length as total, again",
            vec![ab(json!({ "total": 2 }))],
            "ab",
            repeated,
        ),
        (
            "without ids, again",
            vec![json!([{ "title": "a" }, { "title": "b" }])],
            "ab",
            repeated,
        ),
        (
            "the second page again",
            vec![
                ab(nothing()),
                cd(nothing()),
                cd(nothing()),
                page(["e", "f"], nothing()),
            ],
            "abcd",
            repeated,
        ),
        (
            "more, and nothing",
            vec![ab(nothing()), none(json!({ "hasMore": true }))],
            "ab",
            fewer,
        ),
        (
            "fewer than counted",
            vec![ab(json!({ "total": 5 })), none(json!({ "total": 5 }))],
            "ab",
            fewer,
        ),
        (
            "no more, and fewer than counted",
            vec![ab(json!({ "total": 5, "hasMore": false }))],
            "ab",
            fewer,
        ),
        (
            "one missed, since one moved",
            vec![
                ab(json!({ "total": 4 })),
                page(["b", "c"], json!({ "total": 4 })),
            ],
            "abc",
            fewer,
        ),
        (
            "the last page holds what moved",
            vec![ab(nothing()), ab(json!({ "hasMore": false }))],
            "ab",
            None,
        ),
        (
            "total",
            vec![ab(json!({ "total": 4 })), cd(json!({ "total": 4 }))],
            "abcd",
            None,
        ),
        (
            "elements that are no bugs",
            vec![json!({ "bugs": [{ "id": "a" }, null, 1], "total": 3 , "limit": 9 })],
            "a",
            None,
        ),
        (
            "bare",
            vec![ab(nothing()), cd(nothing()), none(nothing())],
            "abcd",
            None,
        ),
        ("nothing", vec![none(nothing())], "", None),
    ] {
        let (found, why, _) = read(pages, |bugs| bugs).await;
        assert_eq!((found.concat().as_str(), why), (ids, truncation), "{name}");
    }
    let rest = vec![cd(json!({ "total": 4 }))];
    let (found, why, requests) = read(rest, |bugs| bugs.offset(2)).await;
    assert_eq!((found.concat().as_str(), why, requests), ("cd", None, 1));
}

#[tokio::test]
async fn an_endless_list_is_bounded_in_number_and_bytes() {
    let endless = |text: &'static str| {
        let next = AtomicUsize::new(0);
        let transport = FakeTransport::new(move |_| {
            let start = next.fetch_add(100, Ordering::Relaxed);
            assert!(start < 1_000_000, "it reads without end");
            let bugs: Vec<Value> = (start..start + 100)
                .map(|id| json!({ "id": id.to_string(), "title": text }))
                .collect();
            json!({ "bugs": bugs, "hasMore": true }).into()
        });
        transport.client()
    };
    for (max, expected) in [
        (None, 10_000),
        (Some(250), 250),
        (Some(300), 300),
        (Some(0), 0),
    ] {
        let client = endless("x");
        let list = client.bugs();
        let mut bugs = match max {
            None => list.into_stream(),
            Some(max) => list.max_bugs(max).into_stream(),
        };
        let given: Vec<Bug> = (&mut bugs).try_collect().await.expect("bugs");
        assert_eq!(
            (given.len(), bugs.truncation()),
            (expected, Some(Truncation::MaxBugs))
        );
    }
    let client = endless("a title of some length");
    let mut bugs = client.bugs().max_bytes(10_000).into_stream();
    let given: Vec<Bug> = (&mut bugs).try_collect().await.expect("bugs");
    assert!((100..300).contains(&given.len()), "{}", given.len());
    assert_eq!(bugs.truncation(), Some(Truncation::MaxBytes));

    let nulls = FakeTransport::always(json!([null, null])).client();
    let mut bugs = nulls.bugs().max_bugs(99).into_stream();
    assert!(bugs.try_next().await.expect("the end").is_none());
    assert_eq!(bugs.truncation(), Some(Truncation::MaxBugs));
}

#[tokio::test]
async fn a_limit_that_equals_the_length_truncates_nothing() {
    let page = json!({ "bugs": [{ "id": "a" }, { "id": "b" }], "hasMore": false });
    let (found, why, _) = read(vec![page], |bugs| bugs.max_bugs(2)).await;
    assert_eq!((found.concat().as_str(), why), ("ab", None));
}

#[tokio::test]
async fn an_error_is_the_last_item() {
    let page = json!({ "bugs": [{ "id": "a" }], "hasMore": true });
    let transport = FakeTransport::in_order([page.into(), FakeResponse::status(503)]);
    let mut bugs = transport.client().bugs().into_stream();
    assert!(bugs.try_next().await.expect("a bug").is_some());
    assert!(bugs.try_next().await.is_err());
    assert!(bugs.try_next().await.expect("the end").is_none());
}
