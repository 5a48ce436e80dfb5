use std::fmt;

use crate::exit_code::ExitCode;

/// A request from outside to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Signal {
    Interrupt,
    Terminate,
}

impl Signal {
    pub(crate) fn exit_code(self) -> ExitCode {
        match self {
            Self::Interrupt => ExitCode::Interrupted,
            Self::Terminate => ExitCode::Terminated,
        }
    }
}

impl fmt::Display for Signal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Interrupt => "interrupted",
            Self::Terminate => "terminated",
        })
    }
}

/// Runs the work until it ends or a signal comes. Dropping work ends the looking, not the run.
pub(crate) async fn unless_interrupted<T>(work: impl Future<Output = T>) -> Result<T, Signal> {
    tokio::select! {
        biased;
        signal = signal() => Err(signal),
        ended = work => Ok(ended),
    }
}

#[cfg(unix)]
async fn signal() -> Signal {
    use tokio::signal::unix::{SignalKind, signal};

    // Where a handler cannot be set, the signal's own effect remains.
    let arrival = async |kind| match signal(kind) {
        Ok(mut stream) => {
            stream.recv().await;
        }
        Err(_) => std::future::pending().await,
    };
    tokio::select! {
        () = arrival(SignalKind::interrupt()) => Signal::Interrupt,
        () = arrival(SignalKind::terminate()) => Signal::Terminate,
    }
}

#[cfg(not(unix))]
async fn signal() -> Signal {
    match tokio::signal::ctrl_c().await {
        Ok(()) => Signal::Interrupt,
        Err(_) => std::future::pending().await,
    }
}
