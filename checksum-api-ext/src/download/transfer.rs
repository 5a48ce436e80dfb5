//! One download: its requests, its retries and the written bytes.

use std::future::IntoFuture;
use std::io;
use std::pin::Pin;
use std::time::Duration;

use checksum_api::FileResponse;
use futures_util::future::join_all;
use http::header::{
    ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HeaderValue, IF_RANGE, RANGE,
};
use http::{HeaderMap, StatusCode};
use tokio::fs::File;
use tokio::io::{AsyncSeekExt, AsyncWriteExt};

use super::range::{Range, validator};
use super::throughput::{Failure, Meter, MinThroughput};
use super::{Download, DownloadAll, DownloadProgress, DownloadedFile, Options, Source, Target};
use crate::core::Core;
use crate::error::{Error, ErrorKind};
use crate::telemetry::TARGET;
use crate::url::redacted;

impl IntoFuture for Download {
    type Output = Result<DownloadedFile, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(save(self.core, self.target, self.options))
    }
}

impl IntoFuture for DownloadAll {
    type Output = Vec<Result<DownloadedFile, Error>>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        let Self {
            core,
            targets,
            limit,
            options,
        } = self;
        let downloads = targets.into_iter().map(move |target| {
            let (core, options, limit) = (core.clone(), options.clone(), limit.clone());
            async move {
                // The semaphore is never closed.
                let _permit = limit.acquire().await;
                // Boxed, so that a file that waits for its turn does not take the memory of a transfer.
                Box::pin(save(core, target, options)).await
            }
        });
        Box::pin(join_all(downloads))
    }
}

/// Downloads a file to its place.
async fn save(core: Core, target: Target, options: Options) -> Result<DownloadedFile, Error> {
    let failed = |error: io::Error| Error::io(target.place.path(), &error);
    let (destination, file) = target.place.open().await.map_err(failed)?;
    let mut transfer = Transfer {
        core: &core,
        target: &target,
        options: &options,
        file,
        written: 0,
        validator: None,
        total: None,
        content_type: None,
    };
    transfer.run().await?;
    let Transfer {
        file,
        written,
        content_type,
        ..
    } = transfer;
    destination.fill(file).await.map_err(failed)?;
    Ok(DownloadedFile {
        path: target.place.path().to_owned(),
        bytes: written,
        content_type,
    })
}

/// Returns why a response, although its status code is a success, does not hold the file.
fn unfit(response: &FileResponse) -> Option<String> {
    let status = response.status();
    match status {
        StatusCode::OK
        | StatusCode::NON_AUTHORITATIVE_INFORMATION
        | StatusCode::PARTIAL_CONTENT => {}
        StatusCode::ACCEPTED => {
            return Some(format!("{status}: it is not ready yet; try again later"));
        }
        _ => return Some(format!("{status}: there is no file in such a response")),
    }
    let encodings = response.headers().get_all(CONTENT_ENCODING).iter();
    let encodings: Vec<_> = encodings
        .map(|encoding| String::from_utf8_lossy(encoding.as_bytes()))
        .collect();
    let is_plain =
        |one: &str| matches!(one.trim(), "") || one.trim().eq_ignore_ascii_case("identity");
    let encodings = encodings.join(",");
    if encodings.split(',').all(is_plain) {
        return None;
    }
    Some(format!(
        "the body is compressed ({encodings:.60}), although an uncompressed one was requested"
    ))
}

struct Transfer<'a> {
    core: &'a Core,
    target: &'a Target,
    options: &'a Options,
    file: File,
    written: u64,
    /// The `ETag` of the file, as of the written bytes.
    validator: Option<HeaderValue>,
    total: Option<u64>,
    content_type: Option<String>,
}

impl Transfer<'_> {
    /// Sends requests until the file is complete or a retry cannot help.
    async fn run(&mut self) -> Result<(), Error> {
        let retry = self.core.retry;
        let (mut attempts, mut delayed, mut max_written) = (0, Duration::ZERO, 0);
        loop {
            let error = match self.attempt().await {
                Ok(()) => return Ok(()),
                Err(error) => error,
            };
            // A large file over a poor connection takes many attempts. The delays are bounded in
            // any case. Fewer bytes than the minimum are no progress: a server that sends a byte
            // now and then would otherwise hold the download for ever.
            let progress = self.written.saturating_sub(max_written);
            max_written = self.written.max(max_written);
            if progress >= self.options.min_throughput.bytes.max(1) {
                attempts = 0;
            }
            attempts += 1;
            match retry.next(attempts, delayed, error.retry_after()) {
                Some(delay) if error.is_transient() => {
                    tracing::debug!(target: TARGET, %error, attempts, ?delay, "resuming download");
                    tokio::time::sleep(delay).await;
                    self.core.acquire().await;
                    delayed += delay;
                }
                _ => return Err(error),
            }
        }
    }

    /// Sends one request, with `Range` if a previous attempt can be continued.
    async fn attempt(&mut self) -> Result<(), Error> {
        let response = match self.request().await {
            Err(error)
                if error.status_code() == Some(StatusCode::RANGE_NOT_SATISFIABLE.as_u16())
                    && self.can_resume() =>
            {
                self.restart().await?;
                self.request().await?
            }
            response => response?,
        };
        let response = if self.continues(&response) {
            response
        } else if self.can_resume() && response.status() == StatusCode::PARTIAL_CONTENT {
            // The server sent another part than the missing one.
            self.restart().await?;
            self.request().await?
        } else {
            self.restart().await?;
            response
        };
        if self.written == 0 {
            self.begin(&response)?;
        }
        self.receive(response).await
    }

    async fn request(&self) -> Result<FileResponse, Error> {
        let mut headers = HeaderMap::new();
        // A range of a compressed body would not be a range of the file.
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        if self.can_resume()
            && let Some(validator) = &self.validator
            && let Ok(range) = HeaderValue::try_from(format!("bytes={}-", self.written))
        {
            headers.insert(RANGE, range);
            headers.insert(IF_RANGE, validator.clone());
        }
        let api = self.core.api();
        let response = api.download(&self.target.source.url, headers).await?;
        match unfit(&response) {
            None => Ok(response),
            Some(reason) => Err(self.unfit(&reason)),
        }
    }

    /// Returns whether bytes are written, and it is known to which version of the file they belong.
    fn can_resume(&self) -> bool {
        self.written > 0 && self.validator.is_some()
    }

    /// Returns whether a response has the missing bytes of the same version.
    fn continues(&self, response: &FileResponse) -> bool {
        let headers = response.headers();
        self.can_resume()
            && response.status() == StatusCode::PARTIAL_CONTENT
            && validator(headers).is_none_or(|own| Some(own) == self.validator)
            && Range::of(headers).is_some_and(|range| range.continues(self.written, self.total))
    }

    async fn restart(&mut self) -> Result<(), Error> {
        if self.written > 0 {
            self.written = 0;
            let reset = async {
                self.file.flush().await?;
                self.file.set_len(0).await?;
                self.file.rewind().await
            };
            reset.await.map_err(|source| self.failed(&source))?;
        }
        self.validator = None;
        self.total = None;
        Ok(())
    }

    /// Reads the headers of a response that begins with the first byte.
    fn begin(&mut self, response: &FileResponse) -> Result<(), Error> {
        let headers = response.headers();
        let text = |name| headers.get(name)?.to_str().ok();
        self.validator = validator(headers);
        self.content_type = text(CONTENT_TYPE).map(str::to_owned);
        self.total = if response.status() == StatusCode::PARTIAL_CONTENT {
            // The server sent a part, although the whole file was requested. Its total shows how
            // much is missing.
            match Range::of(headers) {
                Some(range) if range.start == 0 => range.total,
                _ => return Err(self.truncated()),
            }
        } else {
            text(CONTENT_LENGTH).and_then(|length| length.parse().ok())
        };
        if self
            .total
            .is_some_and(|total| total > self.options.max_bytes)
        {
            return Err(self.too_large());
        }
        Ok(())
    }

    async fn receive(&mut self, mut response: FileResponse) -> Result<(), Error> {
        let mut meter = Meter::new(self.options.min_throughput);
        loop {
            let chunk = match meter.chunk(&mut response).await {
                Ok(Some(chunk)) => chunk,
                Ok(None) => break,
                Err(Failure::Request(error)) => return Err(error.into()),
                Err(Failure::Stalled) => return Err(self.stalled()),
            };
            let after = self.written.saturating_add(chunk.len() as u64);
            if after > self.options.max_bytes {
                return Err(self.too_large());
            }
            let written = self.file.write_all(&chunk).await;
            written.map_err(|source| self.failed(&source))?;
            self.written = after;
            if let Some(call) = &self.options.on_progress {
                call(DownloadProgress {
                    name: &self.target.source.name,
                    bytes: self.written,
                    total: self.total,
                });
            }
        }
        match self.total {
            Some(total) if total != self.written => Err(self.truncated()),
            _ if self.written == 0 && !self.target.source.may_be_empty => {
                Err(self.unfit("the body is empty"))
            }
            _ => Ok(()),
        }
    }

    fn unfit(&self, reason: &str) -> Error {
        let Source { name, url, .. } = &self.target.source;
        Error::new(
            ErrorKind::UnexpectedResponse,
            format!("{name} was not saved: GET {}: {reason}", redacted(url)),
        )
    }

    fn failed(&self, error: &io::Error) -> Error {
        Error::io(self.target.place.path(), error)
    }

    fn too_large(&self) -> Error {
        let (name, limit) = (&self.target.source.name, self.options.max_bytes);
        Error::new(
            ErrorKind::FileTooLarge,
            format!("{name} is larger than {limit} bytes"),
        )
    }

    fn stalled(&self) -> Error {
        let name = &self.target.source.name;
        let MinThroughput { bytes, window } = self.options.min_throughput;
        let window = humantime::format_duration(window);
        Error::new(
            ErrorKind::StalledDownload,
            format!("{name} arrives too slowly: fewer than {bytes} bytes in {window}"),
        )
    }

    fn truncated(&self) -> Error {
        let (name, bytes) = (&self.target.source.name, self.written);
        Error::new(
            ErrorKind::TruncatedFile,
            format!("{name} ended after {bytes} bytes, before it was complete"),
        )
    }
}
