//! The URL of a run's HTML report, and its download.

use std::fmt;
use std::path::Path;

use checksum_api::OperationId;
use serde::Serialize;
use serde_json::Value;
use url::Url;

use crate::core::Core;
use crate::download::{Download, Place, Source};
use crate::error::Error;
use crate::lenient::{string, unwrap};
use crate::url::{redacted, resolve, serialize};

/// Fields that could hold the URL.
const ADDRESS: [&str; 7] = [
    "url",
    "reportUrl",
    "htmlReportUrl",
    "href",
    "link",
    "signedUrl",
    "location",
];

/// The URL of a run's HTML report. Returned by [`TestRun::report`](crate::TestRun::report).
///
/// The API's description says that there is a URL and does not show the response. This crate
/// decodes an object with `url`, `reportUrl`, `href` or `link`, on its own or as `data` or
/// `report`, and a bare URL. The JSON as it came is kept as [`raw`](Self::raw).
///
/// As JSON it is an object with `url`.
#[derive(Clone, Serialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[cfg_attr(
    feature = "schemars",
    schemars(description = "The URL of a run's HTML report.")
)]
pub struct HtmlReport {
    #[serde(skip)]
    core: Core,
    #[serde(serialize_with = "serialize")]
    #[cfg_attr(feature = "schemars", schemars(with = "String"))]
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
                "no URL",
                raw,
            ));
        };
        Ok(Self {
            core: core.clone(),
            url,
            raw,
        })
    }

    /// Returns the report's URL. It may contain an access token, so that whoever has it can read
    /// the report for a while.
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// Returns the response as it came.
    pub fn raw(&self) -> &Value {
        &self.raw
    }

    /// Downloads the report to a file, replacing its content. Nothing is sent before the download
    /// is awaited. Missing directories are created.
    ///
    /// A link is followed to the file that it leads to. To a pipe or device, such as
    /// `/dev/stdout`, the report is written when it is complete; a pipe is opened when
    /// somebody reads from it.
    ///
    /// Only the page itself is downloaded, not the files that it links to.
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
    fn decodes_every_likely_form_of_a_report_url() {
        let address = "https://reports.example/run-id/index.html?signature=secret";
        for response in [
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
            let report =
                HtmlReport::decode(&Core::for_tests(), response.clone()).expect("a report");
            assert_eq!(report.url().as_str(), address, "{response}");
            assert_eq!(report.raw(), &response);
            assert!(!format!("{report:?}").contains("secret"));
        }
    }

    #[test]
    fn a_response_without_a_url_is_kept_in_the_error() {
        for response in [
            json!(null),
            json!([]),
            json!("<html>Sign in</html>"),
            json!({ "url": "javascript:alert(1)" }),
            json!({ "url": "x ".repeat(500_000) }),
        ] {
            let error =
                HtmlReport::decode(&Core::for_tests(), response.clone()).expect_err("no URL");
            assert_eq!(error.response_body(), Some(&response));
            assert!(error.to_string().len() < 400, "{error}");
        }
    }
}
