//! Calls of this crate from programs without an async runtime.

use std::sync::LazyLock;

use tokio::runtime::{Builder, Runtime};

/// Runs every future that is blocked on. Its one thread keeps connections and timers alive between
/// calls. It is never shut down: it sleeps while nothing happens, and ends with the process.
static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    Builder::new_multi_thread()
        .worker_threads(1)
        .thread_name("checksum")
        .enable_all()
        .build()
        .expect("checksum_api_ext::blocking: the system provides a thread")
});

/// Blocks the current thread until a call of this crate is done. It is for programs without an async
/// runtime, and covers everything that is awaited elsewhere: `.block()` stands where `.await` would.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let mock = checksum_mock::Mock::start().block()?;
/// # let checksum = checksum_api_ext::Checksum::builder()
/// #     .api_key("my-key".parse()?)
/// #     .base_url(mock.url().parse()?)
/// #     .poll_policy(checksum_api_ext::PollPolicy::immediate())
/// #     .build()?;
/// use checksum_api_ext::Event;
/// use checksum_api_ext::blocking::Block;
///
/// let report = checksum.run_suite().start().block()?.block()?;
/// assert!(report.is_success());
///
/// let mut events = checksum.run_grep("checkout").start().block()?.events();
/// while let Some(event) = events.next().block() {
///     if let Event::Changed { current, .. } = event? {
///         println!("{}", current.state());
///     }
/// }
/// # Ok(())
/// # }
/// ```
///
/// All calls share one runtime, on a thread that is started with the first call. To limit how long a
/// call takes, use [`PollPolicy::deadline`](crate::PollPolicy::deadline) and
/// [`request_timeout`](crate::ChecksumBuilder::request_timeout). After `fork`, the child process does
/// not have the thread, so that calls there never return.
pub trait Block: IntoFuture + Sized {
    /// Waits for the result.
    ///
    /// # Panics
    ///
    /// The current thread runs async tasks, which blocking would stop: use `.await` there. A thread
    /// of `tokio::task::spawn_blocking` may block. It also panics if the system provides no thread
    /// for the runtime.
    #[track_caller]
    fn block(self) -> Self::Output {
        RUNTIME.block_on(self.into_future())
    }
}

impl<F: IntoFuture> Block for F {}
