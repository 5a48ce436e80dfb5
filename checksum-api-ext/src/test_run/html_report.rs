use checksum_api::OperationId;
use std::fmt;
use std::path::Path;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use url::Url;

use crate::core::Core;
use crate::download::{Download, Place, Source};
use crate::error::Error;
use crate::lenient::{string, unwrap};
use crate::url::{redacted, resolve, serialize};

/// Members that could hold the address.
const ADDRESS: [&str; 7] = [
    "url",
    "reportUrl",
    "htmlReportUrl",
    "href",
    "link",
    "signedUrl",
    "location",
];

/// Where the HTML report of a run is; from [`TestRun::report`](crate::TestRun::report).
///
/// The API's description says that there is an address and not how it is told. Read are an object
/// with `url`, `reportUrl`, `href` or `link`, on its own or as `data` or `report`, and the bare
/// address; whatever came is kept as [`raw`](Self::raw).
///
/// As JSON it is an object with `url`.
#[derive(Clone, Serialize, JsonSchema)]
#[schemars(description = "Where the HTML report of a run is.")]
pub struct HtmlReport {
    #[serde(skip)]
    core: Core,
    #[serde(serialize_with = "serialize")]
    #[schemars(with = "String")]
    url: Url,
    #[serde(skip)]
    raw: Value,
}

impl HtmlReport {
    pub(crate) fn decode(core: &Core, raw: Value) -> Result<Self, Error> {
        let base = core.base_url();
        let found = unwrap(&raw, &["report", "htmlReport", "links"]).find_map(|value| {
            let named = match value {
                Value::String(address) => address,
                _ => string(value, &ADDRESS)?,
            };
            resolve(base, named)
        });
        let Some(url) = found else {
            return Err(Error::unexpected_response(
                OperationId::GetTestRunReport,
                "no address",
                raw,
            ));
        };
        Ok(Self {
            core: core.clone(),
            url,
            raw,
        })
    }

    /// The report's address. It may grant access to whoever has it, for a while.
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// The answer as it came.
    pub fn raw(&self) -> &Value {
        &self.raw
    }

    /// Writes the report to a file, in place of what the file held. Nothing is sent before it is
    /// awaited; the directories on the way are made.
    ///
    /// A link is followed to the file that it leads to. To a pipe or device, such as
    /// `/dev/stdout`, the report is written when it is complete; a pipe is waited for until
    /// somebody reads from it.
    ///
    /// This is the one page: what it links to stays where it is.
    pub fn download(&self, path: impl AsRef<Path>) -> Download {
        let path = path.as_ref();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let source = Source {
            url: self.url.clone(),
            name: name.into_owned(),
            may_be_empty: false,
        };
        Download::new(&self.core, source, Place::Named(path.to_owned()))
    }
}

impl fmt::Debug for HtmlReport {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("HtmlReport")
            .field("url", &redacted(&self.url))
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn reads_whatever_holds_an_address() {
        let address = "https://reports.example/run-id/index.html?signature=secret";
        for answer in [
            json!(address),
            json!({ "url": address }),
            json!({ "reportUrl": address, "url": null }),
            json!({ "href": address }),
            json!({ "link": address }),
            json!({ "data": { "url": address } }),
            json!({ "report": { "url": address } }),
            json!({ "data": address }),
            json!({ "url": "<html>", "data": { "url": address } }),
        ] {
            let report = HtmlReport::decode(&Core::for_tests(), answer.clone()).expect("a report");
            assert_eq!(report.url().as_str(), address, "{answer}");
            assert_eq!(report.raw(), &answer);
            assert!(!format!("{report:?}").contains("secret"));
        }
    }

    #[test]
    fn an_answer_without_an_address_is_kept_in_the_error() {
        for answer in [
            json!(null),
            json!([]),
            json!("<html>Sign in</html>"),
            json!({ "url": "javascript:alert(1)" }),
            json!({ "url": "x ".repeat(500_000) }),
        ] {
            let error =
                HtmlReport::decode(&Core::for_tests(), answer.clone()).expect_err("no address");
            assert_eq!(error.response_body(), Some(&answer));
            assert!(error.to_string().len() < 400, "{error}");
        }
    }
}
