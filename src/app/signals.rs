//! Signals as values on a channel.

use std::io;
use tokio::sync::mpsc;

/// What somebody outside wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    /// SIGINT, SIGTERM, SIGHUP: end cleanly.
    End,
    /// SIGTSTP: give the terminal back and stop.
    Suspend,
    /// SIGCONT after a stop that was not asked for: the terminal may show anything.
    Repaint,
}

/// Listens for signals. A second request to end, while the first is being carried out, ends the process at once.
///
/// # Errors
/// When the system refuses a handler.
#[cfg(unix)]
pub fn listen() -> io::Result<mpsc::Receiver<Wish>> {
    use tokio::signal::unix::{SignalKind, signal};
    // SIGTSTP and SIGCONT have no name in tokio; the numbers are those of Linux, and of macOS and the BSDs.
    let (stop, go) = if cfg!(target_os = "linux") { (20, 18) } else { (18, 19) };
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hangup = signal(SignalKind::hangup())?;
    let mut suspend = signal(SignalKind::from_raw(stop))?;
    let mut resume = signal(SignalKind::from_raw(go))?;
    let (sender, receiver) = mpsc::channel(4);
    tokio::spawn(async move {
        let mut ending = false;
        loop {
            let wish = tokio::select! {
                _ = interrupt.recv() => Wish::End,
                _ = terminate.recv() => Wish::End,
                _ = hangup.recv() => Wish::End,
                _ = suspend.recv() => Wish::Suspend,
                _ = resume.recv() => Wish::Repaint,
            };
            if wish == Wish::End && ending {
                super::terminal::restore();
                std::process::exit(1);
            }
            ending |= wish == Wish::End;
            if sender.send(wish).await.is_err() {
                // The loop has ended; the next request to end ends what is left.
                if wish == Wish::End {
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
pub fn listen() -> io::Result<mpsc::Receiver<Wish>> {
    let (sender, receiver) = mpsc::channel(4);
    tokio::spawn(async move { while tokio::signal::ctrl_c().await.is_ok() && sender.send(Wish::End).await.is_ok() {} });
    Ok(receiver)
}
