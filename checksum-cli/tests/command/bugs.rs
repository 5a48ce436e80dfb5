//! `checksum bugs`.

use checksum_mock::Fault;

use crate::invocation::{exec, start_mock};
use crate::transcript::{FORMATS, transcript};

#[tokio::test(flavor = "multi_thread")]
async fn an_incomplete_list_of_bugs_exits_with_10() {
    let mock = start_mock().await;
    let page = r#"{"bugs":[{"id":"a","title":"A"},{"id":"b"}],"hasMore":true}"#;
    let page = Fault::respond_with(page).header("content-type", "application/json");
    mock.fault(page.on_operation("list_bugs").always());
    let mut all = String::new();
    for (arguments, code) in [
        ("bugs", 10),
        ("bugs --max 2", 10),
        ("bugs --max 1", 10),
        ("bugs --limit 2", 0),
    ] {
        for format in FORMATS {
            let arguments = format!("{arguments} --quiet --output {format}");
            let printed = transcript(&mock, &arguments, code);
            let says_so = printed.contains(r#""mayHaveMore":true"#);
            assert!(says_so || format == "text", "{printed}");
            all += &printed;
        }
    }
    insta::assert_snapshot!("incomplete_bugs", all);
}

#[tokio::test(flavor = "multi_thread")]
async fn bugs_are_printed_page_by_page() {
    let mock = start_mock().await;
    let page = |ids: [&str; 2], has_more: bool| {
        let bugs = ids.map(|id| format!(r#"{{"id":"{id}"}}"#)).join(",");
        let page = format!(r#"{{"bugs":[{bugs}],"hasMore":{has_more}}}"#);
        let page = Fault::respond_with(page).header("content-type", "application/json");
        page.on_operation("list_bugs")
    };
    mock.fault(page(["a", "b"], true));
    mock.fault(page(["c", "d"], false));
    let ended = exec(&mock, "bugs");
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""), "{ended:?}");
    assert_eq!(ended.stdout.matches("severity").count(), 2, "{ended:?}");

    // The bugs before a failure are printed.
    mock.fault(page(["a", "b"], true));
    mock.fault(Fault::status(403).on_operation("list_bugs"));
    let ended = exec(&mock, "bugs").exits(4);
    assert_eq!(ended.stdout.matches("severity").count(), 1, "{ended:?}");
}
