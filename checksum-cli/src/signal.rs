//! Signals that end the process: the command stops in order, and reports what goes on.

use std::fmt;
use std::sync::OnceLock;
use std::time::Duration;

use tokio::sync::watch;

/// A signal that ends the process, with its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Signal {
    HangUp = 1,
    Interrupt = 2,
    Terminate = 15,
}

impl fmt::Display for Signal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::HangUp => "hung up",
            Self::Interrupt => "interrupted",
            Self::Terminate => "terminated",
        })
    }
}

/// Runs `work` until it ends or a signal arrives, which drops it.
pub(crate) async fn until_signal<T>(work: impl Future<Output = T>) -> Result<T, Signal> {
    let mut received = received();
    tokio::select! {
        biased;
        signal = first(&mut received) => Err(signal),
        result = work => Ok(result),
    }
}

async fn first(received: &mut watch::Receiver<Option<Signal>>) -> Signal {
    match received.wait_for(Option::is_some).await.as_deref() {
        Ok(Some(signal)) => *signal,
        // If no handler could be set, the signal has its default effect.
        _ => std::future::pending().await,
    }
}

/// How long the command may take to stop after a second signal. Some parents send each signal twice.
const GRACE: Duration = Duration::from_millis(500);

/// Returns the first signal, as soon as there is one. A second signal ends the process whatever it
/// is doing.
///
/// Signals are received on their own thread, because a write to a full pipe can block the main one.
fn received() -> watch::Receiver<Option<Signal>> {
    static RECEIVED: OnceLock<watch::Receiver<Option<Signal>>> = OnceLock::new();
    let receive = || {
        let (sender, receiver) = watch::channel(None);
        let (ready, is_ready) = std::sync::mpsc::channel();
        let thread = move || {
            let mut runtime = tokio::runtime::Builder::new_current_thread();
            let Ok(runtime) = runtime.enable_all().build() else {
                return;
            };
            runtime.block_on(async {
                let mut signals = Signals::listen();
                let _ = ready.send(());
                sender.send_replace(Some(signals.next().await));
                let second = signals.next().await;
                std::thread::sleep(GRACE);
                std::process::exit(128 + second as i32);
            });
        };
        if std::thread::Builder::new().spawn(thread).is_ok() {
            // From here on every signal is received.
            let _ = is_ready.recv();
        }
        receiver
    };
    RECEIVED.get_or_init(receive).clone()
}

/// The signals that end a process, except those that it inherited as ignored, as under
/// `nohup` or `trap '' INT`.
#[cfg(unix)]
struct Signals {
    interrupt: Option<tokio::signal::unix::Signal>,
    terminate: Option<tokio::signal::unix::Signal>,
    hang_up: Option<tokio::signal::unix::Signal>,
}

#[cfg(unix)]
impl Signals {
    fn listen() -> Self {
        use tokio::signal::unix::{SignalKind, signal};

        let ignored = ignored();
        let unless_ignored = |kind: SignalKind| {
            let bit = u32::try_from(kind.as_raw_value() - 1).ok()?;
            let is_ignored = ignored.checked_shr(bit)? & 1 == 1;
            (!is_ignored).then(|| signal(kind).ok()).flatten()
        };
        Self {
            interrupt: unless_ignored(SignalKind::interrupt()),
            terminate: unless_ignored(SignalKind::terminate()),
            hang_up: unless_ignored(SignalKind::hangup()),
        }
    }

    async fn next(&mut self) -> Signal {
        async fn next(signal: &mut Option<tokio::signal::unix::Signal>) {
            if let Some(signal) = signal
                && signal.recv().await.is_some()
            {
                return;
            }
            std::future::pending().await
        }
        tokio::select! {
            () = next(&mut self.interrupt) => Signal::Interrupt,
            () = next(&mut self.terminate) => Signal::Terminate,
            () = next(&mut self.hang_up) => Signal::HangUp,
        }
    }
}

/// Returns the ignored signals, a bit for each; the lowest is signal 1.
#[cfg(target_os = "linux")]
fn ignored() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mut lines = status.lines();
    let mask = lines.find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
        .unwrap_or(0)
}

/// Safe code cannot read them on this system. SIGHUP counts as ignored if standard error is no
/// terminal, as under `nohup`; no handler is set then.
#[cfg(all(unix, not(target_os = "linux")))]
fn ignored() -> u64 {
    use std::io::IsTerminal;

    u64::from(!std::io::stderr().is_terminal())
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn listen() -> Self {
        Self
    }

    async fn next(&mut self) -> Signal {
        match tokio::signal::ctrl_c().await {
            Ok(()) => Signal::Interrupt,
            Err(_) => std::future::pending().await,
        }
    }
}
