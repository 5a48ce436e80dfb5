use std::io;
use std::path::Path;
use std::time::Duration;

use checksum_api::FileResponse;
use http::header::{ACCEPT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HeaderValue, IF_RANGE, RANGE};
use http::{HeaderMap, StatusCode};
use tokio::fs::{self, File};
use tokio::io::{AsyncSeekExt, AsyncWriteExt};

use super::range::{Range, validator};
use super::{Options, Progress, SavedFile, Target};
use crate::{Checksum, Error, TARGET};

/// Brings a file to its place.
pub(super) async fn save(
    client: Checksum,
    target: Target,
    options: Options,
) -> Result<SavedFile, Error> {
    let path = target.path.as_path();
    let failed = |reason| Error::File {
        path: path.to_owned(),
        reason,
    };
    let (file, temporary) = temporary_beside(path).await.map_err(failed)?;
    let mut transfer = Transfer {
        client: &client,
        target: &target,
        options: &options,
        file: File::from_std(file),
        written: 0,
        validator: None,
        total: None,
        content_type: None,
    };
    transfer.run().await?;
    let Transfer {
        mut file,
        written,
        content_type,
        ..
    } = transfer;
    file.flush().await.map_err(failed)?;
    // Closed first: Windows does not rename a file that is open.
    drop(file.into_std().await);
    temporary
        .persist(path)
        .map_err(|error| failed(error.error))?;
    Ok(SavedFile {
        path: target.path,
        bytes: written,
        content_type,
    })
}

/// A file in the directory of the one to be, so that it can be renamed to it in one step.
async fn temporary_beside(path: &Path) -> io::Result<(std::fs::File, tempfile::TempPath)> {
    if path.file_name().is_none() {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "the path names no file",
        ));
    }
    let directory = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    fs::create_dir_all(directory).await?;
    let mut builder = tempfile::Builder::new();
    builder.prefix(".checksum-").suffix(".part");
    // Temporary files are their owner's alone; this one is to be a file like any other.
    #[cfg(unix)]
    let builder = {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(std::fs::Permissions::from_mode(0o666))
    };
    Ok(builder.tempfile_in(directory)?.into_parts())
}

struct Transfer<'a> {
    client: &'a Checksum,
    target: &'a Target,
    options: &'a Options,
    file: File,
    written: u64,
    /// What names the version of the file that the written bytes are of.
    validator: Option<HeaderValue>,
    total: Option<u64>,
    content_type: Option<String>,
}

impl Transfer<'_> {
    /// Requests, and requests again where that may help.
    async fn run(&mut self) -> Result<(), Error> {
        let retry = self.client.caller.retry;
        let (mut attempts, mut paused, mut furthest) = (0, Duration::ZERO, 0);
        loop {
            let error = match self.attempt().await {
                Ok(()) => return Ok(()),
                Err(error) => error,
            };
            let may_pass = match &error {
                Error::Request(error) => error.is_transient(),
                Error::FileCutShort { .. } => true,
                _ => false,
            };
            // A large file over a poor line comes in many parts. Pauses are bounded all the same.
            if self.written > furthest {
                furthest = self.written;
                attempts = 0;
            }
            attempts += 1;
            let retry_after = error.request().and_then(checksum_api::Error::retry_after);
            match retry.next(attempts, paused, retry_after) {
                Some(pause) if may_pass => {
                    tracing::debug!(target: TARGET, %error, attempts, ?pause, "downloading again");
                    tokio::time::sleep(pause).await;
                    paused += pause;
                }
                _ => return Err(error),
            }
        }
    }

    /// One look at the server, from where the last one stopped.
    async fn attempt(&mut self) -> Result<(), Error> {
        let response = match self.request().await {
            Err(Error::Request(error))
                if error.status() == Some(StatusCode::RANGE_NOT_SATISFIABLE)
                    && self.asks_for_a_part() =>
            {
                self.restart().await?;
                self.request().await?
            }
            response => response?,
        };
        let response = if self.goes_on(&response) {
            response
        } else if self.asks_for_a_part() && response.status() == StatusCode::PARTIAL_CONTENT {
            // A part, and not the one that is missing.
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
        // Ranges of a compressed form would be ranges of something else.
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        if self.asks_for_a_part()
            && let Some(validator) = &self.validator
            && let Ok(range) = HeaderValue::try_from(format!("bytes={}-", self.written))
        {
            headers.insert(RANGE, range);
            headers.insert(IF_RANGE, validator.clone());
        }
        let api = self.client.api();
        Ok(api.get_file(&self.target.source.url, headers).await?)
    }

    /// Whether there is a beginning, and a name for the version that it is of.
    fn asks_for_a_part(&self) -> bool {
        self.written > 0 && self.validator.is_some()
    }

    /// Whether a response holds what is missing, and of the same version.
    fn goes_on(&self, response: &FileResponse) -> bool {
        let headers = response.headers();
        self.asks_for_a_part()
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
            reset.await.map_err(|source| self.failed(source))?;
        }
        self.validator = None;
        self.total = None;
        Ok(())
    }

    /// Notes what the head of a whole file's response says.
    fn begin(&mut self, response: &FileResponse) -> Result<(), Error> {
        let headers = response.headers();
        let text = |name| headers.get(name)?.to_str().ok();
        self.validator = validator(headers);
        self.content_type = text(CONTENT_TYPE).map(str::to_owned);
        self.total = if response.status() == StatusCode::PARTIAL_CONTENT {
            // Not asked for. What is missing shows by the total.
            match Range::of(headers) {
                Some(range) if range.start == 0 => range.total,
                _ => return Err(self.cut_short()),
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
        while let Some(chunk) = response.chunk().await? {
            let after = self.written.saturating_add(chunk.len() as u64);
            if after > self.options.max_bytes {
                return Err(self.too_large());
            }
            let written = self.file.write_all(&chunk).await;
            written.map_err(|source| self.failed(source))?;
            self.written = after;
            if let Some(call) = &self.options.on_progress {
                call(Progress {
                    name: &self.target.source.name,
                    bytes: self.written,
                    total: self.total,
                });
            }
        }
        match self.total {
            Some(total) if total != self.written => Err(self.cut_short()),
            _ => Ok(()),
        }
    }

    fn failed(&self, reason: io::Error) -> Error {
        Error::File {
            path: self.target.path.clone(),
            reason,
        }
    }

    fn too_large(&self) -> Error {
        Error::FileTooLarge {
            name: self.target.source.name.clone(),
            limit: self.options.max_bytes,
        }
    }

    fn cut_short(&self) -> Error {
        Error::FileCutShort {
            name: self.target.source.name.clone(),
            bytes: self.written,
        }
    }
}
