//! The list of bugs: filters and pages.

use serde_json::Value;

use crate::server::{Server, server};

async fn list(server: &Server, query: &str) -> Value {
    let path = format!("/v1/health-dashboard/bugs?{query}");
    server.get(&path).await.ok()
}

#[tokio::test]
async fn each_parameter_filters() {
    let server = server();
    for (query, expected) in [
        ("", "bug-1 bug-2 bug-3 bug-4 bug-5"),
        ("status=confirmed", "bug-1"),
        ("severity=minor", "bug-3 bug-4"),
        ("search=PAY%20button", "bug-1"),
        ("tags=cart", "bug-2"),
        ("tags=cart&tags=search", "bug-2 bug-4"),
        ("project=project-abc-123&severity=major", "bug-2 bug-5"),
        ("project=other", ""),
        ("collectionName=Account", "bug-3"),
        ("status=unheard-of", ""),
        ("limit=2&offset=1", "bug-2 bug-3"),
        ("offset=9", ""),
    ] {
        let page = list(&server, query).await;
        let bugs = page["bugs"].as_array().unwrap().iter();
        let ids: Vec<_> = bugs.map(|bug| bug["id"].as_str().unwrap()).collect();
        assert_eq!(ids.join(" "), expected, "{query}");
    }
}

#[tokio::test]
async fn a_page_has_the_total_count() {
    let page = list(&server(), "severity=minor&limit=1").await;
    let numbers = ["total", "limit", "offset"].map(|name| page[name].as_u64().unwrap());
    assert_eq!(numbers, [2, 1, 0]);
}

#[tokio::test]
async fn limit_and_offset_must_be_numbers() {
    let server = server();
    for (name, value) in [
        ("limit", "many"),
        ("limit", "-1"),
        ("limit", "%2B1"),
        ("offset", ""),
        ("offset", "1.5"),
        ("offset", "18446744073709551616"),
    ] {
        let path = format!("/v1/health-dashboard/bugs?{name}={value}");
        server.get(&path).await.assert_invalid(name);
    }
}

#[tokio::test]
async fn only_tags_may_be_repeated() {
    let server = server();
    let names = "limit offset status severity search project collectionName";
    for name in names.split(' ') {
        let path = format!("/v1/health-dashboard/bugs?{name}=1&{name}=1");
        server.get(&path).await.assert_invalid(name);
    }
}
