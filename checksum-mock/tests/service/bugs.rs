use serde_json::Value;

use crate::client::{Client, mock};

async fn ids(client: &Client, query: &str) -> Vec<String> {
    let path = format!("/v1/health-dashboard/bugs{query}");
    let page = client.get(&path).await.ok();
    let id = |bug: &Value| bug["id"].as_str().unwrap().to_owned();
    page["bugs"].as_array().unwrap().iter().map(id).collect()
}

#[tokio::test]
async fn each_parameter_filters() {
    let mock = mock();
    let client = Client::of(&mock);
    let cases: [(&str, &[&str]); 12] = [
        ("", &["bug-1", "bug-2", "bug-3", "bug-4", "bug-5"]),
        ("?status=confirmed", &["bug-1"]),
        ("?severity=minor", &["bug-3", "bug-4"]),
        ("?search=PAY%20button", &["bug-1"]),
        ("?tags=cart", &["bug-2"]),
        ("?tags=cart&tags=search", &["bug-2", "bug-4"]),
        (
            "?project=project-abc-123&severity=major",
            &["bug-2", "bug-5"],
        ),
        ("?project=other", &[]),
        ("?collectionName=Account", &["bug-3"]),
        ("?status=unheard-of", &[]),
        ("?limit=2&offset=1", &["bug-2", "bug-3"]),
        ("?offset=9", &[]),
    ];
    for (query, expected) in cases {
        assert_eq!(ids(&client, query).await, expected, "{query}");
    }
}

#[tokio::test]
async fn a_page_tells_how_many_there_are() {
    let mock = mock();
    let client = Client::of(&mock);
    let path = "/v1/health-dashboard/bugs?severity=minor&limit=1";
    let page = client.get(path).await.ok();
    let numbers = ["total", "limit", "offset"].map(|name| page[name].as_u64().unwrap());
    assert_eq!(numbers, [2, 1, 0]);
}

#[tokio::test]
async fn limits_are_numbers() {
    let mock = mock();
    let client = Client::of(&mock);
    for query in [
        "limit=many",
        "limit=-1",
        "limit=%2B1",
        "offset=",
        "offset=1.5",
        "offset=18446744073709551616",
    ] {
        let path = format!("/v1/health-dashboard/bugs?{query}");
        client.get(&path).await.rejection(422);
    }
}

#[tokio::test]
async fn only_tags_can_be_repeated() {
    let mock = mock();
    let client = Client::of(&mock);
    for name in [
        "limit",
        "offset",
        "status",
        "severity",
        "search",
        "project",
        "collectionName",
    ] {
        let path = format!("/v1/health-dashboard/bugs?{name}=1&{name}=1");
        let response = client.get(&path).await;
        response.rejection(422);
        assert_eq!(response.json()["path"], name);
    }
}
