//! Changes on their way to the owner of the state, in batches.

use super::fault::Fault;
use crate::model::Change;
use std::time::Duration;
use tokio::sync::mpsc::Sender;
use tokio::sync::watch;
use tokio::time::Instant;

/// Most changes in one batch: what the owner folds before it looks at the keyboard again.
pub(super) const BATCH: usize = 1024;

/// Gathers changes and sends them: when a batch is full, or a moment after its first change. The channel has a bound,
/// so a reader that is slow makes the watch wait.
///
/// What the server dated is moved to this machine's clock on the way, by the difference that was in use when the list
/// began ([`Self::set_clock`]): all objects of a stream are moved by the same.
#[derive(Debug)]
pub(super) struct Outbox {
    sender: Sender<Vec<Change>>,
    pending: Vec<Change>,
    delay: Duration,
    due: Option<Instant>,
    clock: watch::Receiver<i64>,
    /// Seconds that this machine's clock is ahead of the server's, for what is sent.
    ahead: i64,
}

impl Outbox {
    pub(super) const fn new(sender: Sender<Vec<Change>>, delay: Duration, clock: watch::Receiver<i64>) -> Self {
        Self { sender, pending: Vec::new(), delay, due: None, clock, ahead: 0 }
    }

    /// Where changes are appended; [`Self::touched`] comes after.
    pub(super) const fn pending(&mut self) -> &mut Vec<Change> {
        &mut self.pending
    }

    /// Takes over the difference between the clocks as it is known now. Nothing may be pending that a list before this
    /// one brought.
    pub(super) fn set_clock(&mut self) {
        let ahead = *self.clock.borrow();
        if ahead != self.ahead {
            self.ahead = ahead;
            self.pending.push(Change::ClockSkew { ahead_seconds: ahead });
        }
    }

    /// Whether the difference between the clocks is another than the one in use.
    pub(super) fn is_clock_outdated(&self) -> bool {
        *self.clock.borrow() != self.ahead
    }

    /// Waits until it is.
    pub(super) async fn clock_outdated(&mut self) {
        let ahead = self.ahead;
        if self.clock.wait_for(|known| *known != ahead).await.is_err() {
            // Without a server there is no other time to come.
            std::future::pending::<()>().await;
        }
    }

    /// Notes that changes may have been appended; `true` if a batch is full.
    pub(super) fn touched(&mut self) -> bool {
        if self.due.is_none() && !self.pending.is_empty() {
            self.due = Some(Instant::now() + self.delay);
        }
        self.pending.len() >= BATCH
    }

    /// When the pending changes are to be sent.
    pub(super) const fn due(&self) -> Option<Instant> {
        self.due
    }

    /// Sends everything that is pending.
    pub(super) async fn flush(&mut self) -> Result<(), Fault> {
        self.due = None;
        while !self.pending.is_empty() {
            let rest = self.pending.split_off(self.pending.len().min(BATCH));
            let mut batch = std::mem::replace(&mut self.pending, rest);
            if self.ahead != 0 {
                for change in &mut batch {
                    change.move_times(self.ahead);
                }
            }
            self.sender.send(batch).await.map_err(|_closed| Fault::Closed)?;
        }
        Ok(())
    }

    /// Sends one change now, after those before it.
    pub(super) async fn send(&mut self, change: Change) -> Result<(), Fault> {
        self.pending.push(change);
        self.flush().await
    }
}
