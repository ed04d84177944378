//! Plays a script in time: the only part that waits.

use crate::model::{Change, Timestamp};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// The most changes that go through the channel at once.
pub const BATCH: usize = 1024;

/// Something that happens by itself as time goes on.
pub trait Script: Send + 'static {
    /// When something happens next; `None` when nothing will any more.
    fn due(&self) -> Option<Timestamp>;

    /// What happens up to `now`, or the first part of it; the rest is due at once. Order matters.
    fn play(&mut self, now: Timestamp) -> Vec<Change>;
}

/// Starts a task that plays `script`, whose time began at `start`, through `sender`, until the script ends, `cancel` is
/// called or nobody receives. A full channel makes the script wait, not skip.
pub fn play(
    mut script: impl Script,
    start: Timestamp,
    sender: mpsc::Sender<Vec<Change>>,
    cancel: CancellationToken,
) -> JoinSet<()> {
    let mut tasks = JoinSet::new();
    tasks.spawn(async move {
        let begun = Instant::now();
        while let Some(due) = script.due() {
            let wait = due.duration_since(start).max(jiff::SignedDuration::ZERO).unsigned_abs();
            tokio::select! {
                biased;
                () = cancel.cancelled() => return,
                () = tokio::time::sleep_until(begun + wait) => {}
            }
            let passed = jiff::SignedDuration::try_from(begun.elapsed().max(wait)).unwrap_or(jiff::SignedDuration::MAX);
            let now = start.checked_add(passed).unwrap_or(due);
            let mut changes = script.play(now).into_iter();
            loop {
                let batch: Vec<Change> = changes.by_ref().take(BATCH).collect();
                if batch.is_empty() {
                    break;
                }
                tokio::select! {
                    biased;
                    () = cancel.cancelled() => return,
                    sent = sender.send(batch) => if sent.is_err() { return },
                }
            }
        }
        // The picture stays: a source that has said everything is not a source that is lost.
        let _keep_open = sender;
        cancel.cancelled().await;
    });
    tasks
}
