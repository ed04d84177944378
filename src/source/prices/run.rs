//! Carries out what the schedule decides: asks, waits, and sends on what is said.

use super::schedule::{Answer, Question, Schedule};
use crate::model::Clock;
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

#[cfg(test)]
mod tests {
    use super::super::ask::AskError;
    use super::super::schedule::{Of, Topic};
    use super::*;
    use crate::model::{Name, Timestamp};
    use crate::pricing::{OnDemandKey, Os, PriceSource, SourceState, Tenancy};
    use pretty_assertions::assert_eq;
    use std::collections::{BTreeMap, BTreeSet};
    use std::sync::Mutex;

    /// Remembers what it was asked, and when; the disk is empty, and each source answers after a while.
    struct Played {
        begun: Instant,
        asked: Mutex<Vec<(Duration, Topic, BTreeSet<Name>)>>,
        after: Duration,
    }

    impl Ask for Played {
        async fn ask(&self, question: Question) -> Answer {
            if question.of == Of::Source {
                let Question { topic, things, .. } = question;
                self.asked.lock().unwrap().push((self.begun.elapsed(), topic.clone(), things));
                assert_ne!(topic, panicking(), "as it was told to");
                sleep(self.after).await;
                return Err(AskError::Unavailable { what: "it".into(), why: "down".into() });
            }
            Ok(Vec::new().into())
        }
    }

    /// The topic at which the played sources panic.
    fn panicking() -> Topic {
        Topic::EksList { region: "us-west-1".into() }
    }

    struct Stage {
        played: Arc<Played>,
        demand: watch::Sender<Demand>,
        news: mpsc::Receiver<Vec<PriceNews>>,
        task: tokio::task::JoinHandle<()>,
    }

    fn stage(demand: Demand) -> Stage {
        let played = Arc::new(Played { begun: Instant::now(), asked: Mutex::default(), after: Duration::from_secs(3) });
        let (sender, needed) = watch::channel(demand);
        let (news, heard) = mpsc::channel(64);
        let start = Timestamp::from_second(1_790_000_000).unwrap();
        let begun = Instant::now();
        let clock = Clock::new(move || start + begun.elapsed());
        let pace = Pace { clock, together: Duration::from_secs(1), look: Duration::from_mins(1) };
        let schedule = Schedule::new(false, |_, _| false, None);
        let task = tokio::spawn(run(Arc::clone(&played), schedule, needed, news, pace));
        Stage { played, demand: sender, news: heard, task }
    }

    fn dedicated(types: &[&str]) -> Demand {
        let key = OnDemandKey { region: "eu-west-1".into(), os: Os::Linux, tenancy: Tenancy::Dedicated };
        let types = types.iter().map(|name| Name::from(*name)).collect();
        Demand { on_demand: BTreeMap::from([(key, types)]), ..Demand::default() }
    }

    impl Stage {
        async fn until_failed(&mut self) {
            let failed = |news: &PriceNews| {
                matches!(
                    news,
                    PriceNews::State { source: PriceSource::GetProducts, state: SourceState::Failed { .. }, .. }
                )
            };
            while !self.news.recv().await.unwrap().iter().any(failed) {}
        }

        fn asked(&self) -> Vec<(u64, usize)> {
            self.played.asked.lock().unwrap().iter().map(|(at, _, things)| (at.as_secs(), things.len())).collect()
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_appears_is_looked_up_at_once_or_together_and_retried_on_time() {
        let mut stage = stage(Demand::default());
        tokio::time::sleep(Duration::from_secs(10)).await;
        assert_eq!(stage.asked(), [], "nothing is needed");
        stage.demand.send_replace(dedicated(&["a.large"]));
        stage.until_failed().await;
        assert_eq!(stage.asked(), [(10, 1)], "the first at once");
        // Types that come in a burst come in one question, with the retry of the first.
        for types in [&["a.large", "b.large"][..], &["a.large", "b.large", "c.large"]] {
            stage.demand.send_replace(dedicated(types));
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
        tokio::time::sleep(Duration::from_mins(4)).await;
        assert_eq!(stage.asked(), [(10, 1), (73, 3), (196, 3)], "a minute after the failure, then two");
    }

    #[tokio::test(start_paused = true)]
    async fn a_burst_is_one_question() {
        let stage = stage(dedicated(&["a.large"]));
        let other = |region: &str| {
            let key = OnDemandKey { region: region.into(), os: Os::Linux, tenancy: Tenancy::Dedicated };
            (key, BTreeSet::from(["a.large".into(), "b.large".into()]))
        };
        tokio::time::sleep(Duration::from_secs(5)).await;
        stage.demand.send_modify(|demand| demand.on_demand.extend([other("eu-west-2")]));
        tokio::time::sleep(Duration::from_millis(900)).await;
        stage.demand.send_modify(|demand| demand.on_demand.extend([other("eu-west-3")]));
        assert_eq!(stage.asked(), [(0, 1)]);
        tokio::time::sleep(Duration::from_millis(200)).await;
        assert_eq!(stage.asked(), [(0, 1), (6, 2), (6, 2)]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_panic_is_seen_by_whoever_waits_for_the_task() {
        let stage = stage(Demand { eks: BTreeSet::from(["us-west-1".into()]), ..Demand::default() });
        assert!(stage.task.await.unwrap_err().is_panic());
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_stops_telling_what_is_needed_is_still_served() {
        let Stage { demand, mut news, task, .. } = stage(dedicated(&["a.large"]));
        drop(demand);
        while !news.recv().await.unwrap().contains(&PriceNews::Settled) {}
        drop(news);
        task.await.unwrap();
    }
}
