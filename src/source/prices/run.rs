//! Carries out what the schedule decides: asks, waits, and sends on what is said.

use super::Clock;
use super::schedule::{Answer, Question, Schedule};
use crate::pricing::{Demand, PriceNews};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until};

/// How fast things go.
pub(super) struct Pace {
    pub(super) clock: Clock,
    /// What comes to be needed within this time is asked for together.
    pub(super) together: Duration,
    /// The clock is looked at this often at least.
    pub(super) look: Duration,
}

/// Who answers questions: the disk and AWS, or a test.
pub(super) trait Ask: Send + Sync + 'static {
    /// The answer, whenever it comes. Dropping the future gives the question up.
    fn ask(&self, question: Question) -> impl Future<Output = Answer> + Send;
}

/// Runs until nobody listens to the news any more.
pub(super) async fn run(
    asked: Arc<impl Ask>,
    mut schedule: Schedule,
    mut demand: watch::Receiver<Demand>,
    news: mpsc::Sender<Vec<PriceNews>>,
    pace: Pace,
) {
    let Pace { clock, together, look } = pace;
    let mut answers = JoinSet::new();
    // When the demand of the moment is taken up.
    let mut take = None;
    let mut more = true;
    let known_at_start = demand.borrow_and_update().clone();
    let mut waiting_for_first = known_at_start.is_empty();
    if !waiting_for_first {
        schedule.demand(known_at_start);
    }
    loop {
        let now = clock.now();
        let plan = schedule.plan(now);
        for question in plan.ask {
            let asked = Arc::clone(&asked);
            answers.spawn(async move {
                let answer = asked.ask(question.clone()).await;
                (question, answer)
            });
        }
        let said = schedule.take_news();
        if !said.is_empty() && news.send(said).await.is_err() {
            return;
        }
        let until = plan.wake.and_then(|at| Duration::try_from(at.duration_since(now)).ok());
        tokio::select! {
            changed = demand.changed(), if more && take.is_none() => match changed {
                // The first nodes are priced at once; later ones in batches.
                Ok(()) if waiting_for_first => take = Some(Instant::now()),
                Ok(()) => take = Some(Instant::now() + together),
                Err(_) => more = false,
            },
            () = async { if let Some(at) = take { sleep_until(at).await } }, if take.is_some() => {
                take = None;
                let needed = demand.borrow_and_update().clone();
                waiting_for_first &= needed.is_empty();
                schedule.demand(needed);
            }
            Some(answered) = answers.join_next() => match answered {
                Ok((question, answer)) => schedule.answer(&question, answer, clock.now()),
                // A panic is ours to report, where the caller sees it.
                Err(error) => if let Ok(panic) = error.try_into_panic() { std::panic::resume_unwind(panic) },
            },
            () = sleep(until.unwrap_or(look).min(look)) => {}
            () = news.closed() => return,
        }
    }
}
