use std::fmt;
use std::sync::OnceLock;
use std::time::Duration;

use tokio::sync::watch;

use crate::exit_code::ExitCode;

/// A request from outside to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Signal {
    Interrupt,
    Terminate,
    HangUp,
}

impl Signal {
    pub(crate) fn exit_code(self) -> ExitCode {
        match self {
            Self::Interrupt => ExitCode::Interrupted,
            Self::Terminate => ExitCode::Terminated,
            Self::HangUp => ExitCode::HungUp,
        }
    }
}

impl fmt::Display for Signal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Interrupt => "interrupted",
            Self::Terminate => "terminated",
            Self::HangUp => "hung up",
        })
    }
}

/// Runs the work until it ends or a signal comes. Dropping work ends the looking, not the run.
pub(crate) async fn until_signal<T>(work: impl Future<Output = T>) -> Result<T, Signal> {
    let mut received = received();
    tokio::select! {
        biased;
        signal = first(&mut received) => Err(signal),
        ended = work => Ok(ended),
    }
}

async fn first(received: &mut watch::Receiver<Option<Signal>>) -> Signal {
    match received.wait_for(Option::is_some).await.as_deref() {
        Ok(Some(signal)) => *signal,
        // Where a handler cannot be set, the signal's own effect remains.
        _ => std::future::pending().await,
    }
}

/// How long an orderly end may take after a second signal. Some parents send each signal twice.
const LAST_MOMENT: Duration = Duration::from_millis(500);

/// The first signal, as soon as there is one. A second one ends the process, whatever it is doing.
///
/// They are received on a thread of their own, since the main one can be held by a write to a pipe
/// that nobody reads.
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
                std::thread::sleep(LAST_MOMENT);
                std::process::exit(second.exit_code() as i32);
            });
        };
        if std::thread::Builder::new().spawn(thread).is_ok() {
            // From here on no signal ends the process unheard.
            let _ = is_ready.recv();
        }
        receiver
    };
    RECEIVED.get_or_init(receive).clone()
}

/// The signals that ask a process to end, without those that it was started to ignore, as by
/// `nohup` or by `trap '' INT`.
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

/// The signals that this process ignores, a bit for each, the lowest for signal 1.
#[cfg(target_os = "linux")]
fn ignored() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mut lines = status.lines();
    let mask = lines.find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
        .unwrap_or(0)
}

/// Safe code cannot read it here. A hang-up counts as ignored where no terminal could hang up, as
/// under `nohup`, and then has its own effect.
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
