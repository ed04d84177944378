//! Receives signals as values of a channel.

use std::io;
use tokio::sync::mpsc;

/// What a signal requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignalAction {
    /// SIGINT, SIGTERM, SIGHUP: quit cleanly.
    Quit,
    /// SIGTSTP: restore the terminal and stop.
    Suspend,
    /// SIGCONT: the process was stopped by another program, and the terminal's content is unknown.
    Repaint,
}

/// Listens for signals. A second request to quit, before the first has completed, exits at once with code 1.
///
/// # Errors
/// If a handler cannot be installed.
#[cfg(unix)]
pub fn listen() -> io::Result<mpsc::Receiver<SignalAction>> {
    use tokio::signal::unix::{SignalKind, signal};
    // tokio has no constants for SIGTSTP and SIGCONT; the numbers are those of Linux, and of macOS and the BSDs.
    let (stop, go) = if cfg!(target_os = "linux") { (20, 18) } else { (18, 19) };
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hangup = signal(SignalKind::hangup())?;
    let mut suspend = signal(SignalKind::from_raw(stop))?;
    let mut resume = signal(SignalKind::from_raw(go))?;
    let (sender, receiver) = mpsc::channel(4);
    tokio::spawn(async move {
        let mut quitting = false;
        loop {
            let action = tokio::select! {
                _ = interrupt.recv() => SignalAction::Quit,
                _ = terminate.recv() => SignalAction::Quit,
                _ = hangup.recv() => SignalAction::Quit,
                _ = suspend.recv() => SignalAction::Suspend,
                _ = resume.recv() => SignalAction::Repaint,
            };
            if action == SignalAction::Quit && quitting {
                super::terminal::restore();
                std::process::exit(1);
            }
            quitting |= action == SignalAction::Quit;
            if sender.send(action).await.is_err() {
                // The main loop has ended; a further request to quit exits at once.
                if action == SignalAction::Quit {
                    std::process::exit(1);
                }
            }
        }
    });
    Ok(receiver)
}

/// Listens for ctrl-c.
///
/// # Errors
/// Never.
#[cfg(not(unix))]
pub fn listen() -> io::Result<mpsc::Receiver<SignalAction>> {
    let (sender, receiver) = mpsc::channel(4);
    tokio::spawn(async move {
        while tokio::signal::ctrl_c().await.is_ok() && sender.send(SignalAction::Quit).await.is_ok() {}
    });
    Ok(receiver)
}
