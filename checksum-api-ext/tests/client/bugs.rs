use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use checksum_api_ext::types::{BugSeverity, BugStatus};
use checksum_api_ext::{Bug, Error, ListBugs, TryStreamExt};
use checksum_mock::Mock;
use serde_json::{Value, json};

use crate::{client_of, scripted};

#[tokio::test]
async fn every_filter_arrives() {
    let mock = Mock::start().await.expect("a mock");
    let page = client_of(&mock)
        .bugs()
        .status(BugStatus::NeedsTriage)
        .severity(BugSeverity::Major)
        .search("cart & more")
        .tag("smoke")
        .tag("cart")
        .project("p")
        .collection_name("Checkout")
        .limit(7)
        .offset(3)
        .first_page()
        .await
        .expect("a page");
    assert!(page.bugs.is_empty());
    let query = mock.requests()[0].query.clone().expect("a query");
    let url = checksum_api_ext::Url::parse(&format!("http://x/?{query}")).expect("a URL");
    let mut pairs: Vec<_> = url.query_pairs().map(|(n, v)| format!("{n}={v}")).collect();
    pairs.sort();
    assert_eq!(
        pairs,
        [
            "collectionName=Checkout",
            "limit=7",
            "offset=3",
            "project=p",
            "search=cart & more",
            "severity=major",
            "status=needs-triage",
            "tags=cart",
            "tags=smoke",
        ]
    );
}

#[tokio::test]
async fn all_pages_of_the_stand_in() {
    let mock = Mock::start().await.expect("a mock");
    let stream = client_of(&mock).bugs().limit(2).stream();
    let bugs: Vec<Bug> = stream.try_collect().await.expect("bugs");
    assert_eq!(bugs.len(), 5);
    assert_eq!(bugs[0].status, Some(BugStatus::Confirmed));
    assert!(bugs[0].test_id.is_some());
    assert_eq!(mock.request_count(), 3);
}

/// Walks over `count` bugs of a service that gives pages of `size` at most, in the form that
/// `page` makes of them: given are the page and its end. Tells the ids and the number of requests.
async fn walk(
    count: usize,
    size: usize,
    page: fn(&[Value], usize, usize) -> Value,
    filter: impl FnOnce(ListBugs) -> ListBugs,
) -> Result<(Vec<String>, usize), Error> {
    let requests = Arc::new(AtomicUsize::new(0));
    let counter = requests.clone();
    let checksum = scripted::client(move |request| {
        counter.fetch_add(1, Ordering::Relaxed);
        let number = |name: &str| {
            let mut pairs = request.url().query_pairs();
            pairs.find_map(|(n, value)| (n == name).then(|| value.parse().ok()).flatten())
        };
        let start = number("offset").unwrap_or(0).min(count);
        let end = (start + number("limit").unwrap_or(size).min(size)).min(count);
        let bugs: Vec<Value> = (start..end)
            .map(|id| json!({ "id": id.to_string() }))
            .collect();
        scripted::json(200, &page(&bugs, end, count))
    });
    let bugs: Vec<Bug> = filter(checksum.bugs()).stream().try_collect().await?;
    let ids = bugs.into_iter().filter_map(|bug| bug.id).collect();
    Ok((ids, requests.load(Ordering::Relaxed)))
}

fn ids(range: std::ops::Range<usize>) -> Vec<String> {
    range.map(|id| id.to_string()).collect()
}

#[tokio::test]
async fn each_shape_ends_where_it_should() {
    type Page = fn(&[Value], usize, usize) -> Value;
    let with_total: Page = |bugs, _, total| json!({ "bugs": bugs, "total": total });
    let with_more: Page = |bugs, end, total| json!({ "items": bugs, "hasMore": end < total });
    let with_next: Page = |bugs, end, total| json!({ "results": bugs, "next": (end < total).then(|| format!("/x?offset={end}")) });
    let bare: Page = |bugs, _, _| json!(bugs);
    let with_limit: Page = |bugs, _, _| json!({ "data": bugs, "limit": 4 });
    for (name, page, count, requests) in [
        ("total", with_total, 10, 3),
        ("total, full", with_total, 8, 2),
        ("hasMore", with_more, 10, 3),
        ("next", with_next, 8, 2),
        ("bare, short page", bare, 10, 3),
        ("bare, empty page", bare, 8, 3),
        ("confirmed limit", with_limit, 3, 1),
        ("nothing", bare, 0, 1),
        ("nothing of a total", with_total, 0, 1),
    ] {
        let walked = walk(count, 4, page, |bugs| bugs).await.expect("bugs");
        assert_eq!(walked, (ids(0..count), requests), "{name}");
    }
}

#[tokio::test]
async fn a_lower_limit_of_the_service_loses_nothing() {
    let bare = |bugs: &[Value], _, _| json!(bugs);
    let (found, _) = walk(10, 3, bare, |bugs| bugs.limit(500))
        .await
        .expect("bugs");
    assert_eq!(found, ids(0..10));
    let total = |bugs: &[Value], _, total| json!({ "bugs": bugs, "total": total });
    let (found, _) = walk(10, 3, total, |bugs| bugs.offset(4))
        .await
        .expect("bugs");
    assert_eq!(found, ids(4..10));
}

#[tokio::test]
async fn a_service_that_ignores_the_offset_does_not_hold_the_walk() {
    for page in [
        json!([{ "id": "a" }, { "id": "b" }]),
        json!({ "bugs": [{ "id": "a" }, { "id": "b" }], "hasMore": true }),
        json!({ "bugs": [{ "title": "a" }, { "title": "b" }], "total": 1_000_000 }),
    ] {
        let checksum = scripted::client(move |_| scripted::json(200, &page));
        let bugs: Vec<Bug> = checksum.bugs().stream().try_collect().await.expect("bugs");
        assert_eq!(bugs.len(), 2);
    }
}

#[tokio::test]
async fn an_error_is_the_last_item() {
    let checksum = scripted::client(|request| {
        let is_first = request.url().query().is_none();
        let page = json!({ "bugs": [{ "id": "a" }], "hasMore": true });
        scripted::json(if is_first { 200 } else { 503 }, &page)
    });
    let mut bugs = checksum.bugs().stream();
    assert!(bugs.try_next().await.expect("a bug").is_some());
    assert!(bugs.try_next().await.is_err());
    assert!(bugs.try_next().await.expect("the end").is_none());
}
