//! The minimum throughput of a download: a limit on waiting for nothing, not on the whole time.

use std::time::Duration;

use bytes::Bytes;
use checksum_api::FileResponse;
use tokio::time::{Instant, timeout};

/// How many bytes have to arrive while the client waits for so long.
#[derive(Clone, Copy)]
pub(crate) struct MinThroughput {
    pub(crate) bytes: u64,
    pub(crate) window: Duration,
}

impl Default for MinThroughput {
    /// Fifty files over a line of 56 kbit/s pass, and a server that sends a byte now and then does not.
    fn default() -> Self {
        Self {
            bytes: 4 * 1024,
            window: Duration::from_secs(30),
        }
    }
}

/// Measures what arrives. Only waiting for the server counts as time, so that neither a slow disk
/// nor the caller's own code breaks a transfer.
pub(super) struct Meter {
    minimum: MinThroughput,
    waited: Duration,
    received: u64,
}

/// Why there is no next part of the file.
pub(super) enum Failure {
    Stalled,
    Request(checksum_api::Error),
}

impl Meter {
    pub(super) fn new(minimum: MinThroughput) -> Self {
        Self {
            minimum,
            waited: Duration::ZERO,
            received: 0,
        }
    }

    /// Returns the next bytes of a response; `None` at its end.
    pub(super) async fn chunk(
        &mut self,
        response: &mut FileResponse,
    ) -> Result<Option<Bytes>, Failure> {
        let MinThroughput { bytes, window } = self.minimum;
        if bytes == 0 {
            return response.chunk().await.map_err(Failure::Request);
        }
        loop {
            let began = Instant::now();
            let next = timeout(window.saturating_sub(self.waited), response.chunk()).await;
            self.waited = self.waited.saturating_add(began.elapsed());
            match next {
                Ok(chunk) => {
                    let chunk = chunk.map_err(Failure::Request)?;
                    let length = chunk.as_ref().map_or(0, Bytes::len);
                    self.received = self.received.saturating_add(length as u64);
                    return Ok(chunk);
                }
                Err(_) if self.received < bytes => return Err(Failure::Stalled),
                Err(_) => *self = Self::new(self.minimum),
            }
        }
    }
}
