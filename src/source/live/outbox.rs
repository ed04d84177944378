//! Changes on their way to the owner of the state, in batches.

use super::fault::Fault;
use crate::model::Change;
use std::time::Duration;
use tokio::sync::mpsc::Sender;
use tokio::time::Instant;

/// Most changes in one batch: what the owner folds before it looks at the keyboard again.
pub(super) const BATCH: usize = 1024;

/// Gathers changes and sends them: when a batch is full, or a moment after its first change. The channel has a bound,
/// so a reader that is slow makes the watch wait.
#[derive(Debug)]
pub(super) struct Outbox {
    sender: Sender<Vec<Change>>,
    pending: Vec<Change>,
    delay: Duration,
    due: Option<Instant>,
}

impl Outbox {
    pub(super) const fn new(sender: Sender<Vec<Change>>, delay: Duration) -> Self {
        Self { sender, pending: Vec::new(), delay, due: None }
    }

    /// Where changes are appended; [`Self::touched`] comes after.
    pub(super) const fn pending(&mut self) -> &mut Vec<Change> {
        &mut self.pending
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
            let batch = std::mem::replace(&mut self.pending, rest);
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
