//! Plays a script in real time.

use crate::model::{Change, Timestamp};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// The maximum number of changes per batch.
pub const BATCH: usize = 1024;

/// A source of changes over time.
pub trait Script: Send + 'static {
    /// When the next changes happen; `None` at the end.
    fn due(&self) -> Option<Timestamp>;

    /// The changes up to `now` in order, or the first part of them; the rest is then due at once.
    fn play(&mut self, now: Timestamp) -> Vec<Change>;
}

/// Starts a task that sends the changes of `script`, which starts at `start`, to `sender`, until the script ends, `cancel`
/// is cancelled or the receiver is dropped. A full channel delays the script.
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
        // Keeps the channel open, so that the state of the ended script stays on the screen.
        let _keep_open = sender;
        cancel.cancelled().await;
    });
    tasks
}
