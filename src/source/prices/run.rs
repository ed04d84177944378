//! Carries out what the schedule plans: reads the cache, sends requests, waits, and passes on the news.

use super::error::AskError;
use super::query::{Answer, Query};
use super::refresher::Request;
use super::schedule::Schedule;
use crate::model::Clock;
use crate::pricing::{Demand, PriceNews};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until};

/// The clock and the intervals of [`run`].
pub(super) struct Pace {
    pub(super) clock: Clock,
    /// Demands that change within this time are taken together.
    pub(super) together: Duration,
    /// The longest time between two looks at the clock.
    pub(super) look: Duration,
}

/// Answers queries: from cache and network, or as a test has it. Dropping a future cancels it.
pub(super) trait Provider: Send + Sync + 'static {
    /// The cached answer; empty if there is none.
    fn cached(&self, query: Query) -> impl Future<Output = Answer> + Send;
    /// The answer of the source.
    fn ask(&self, request: Request) -> impl Future<Output = Result<Answer, AskError>> + Send;
}

/// A finished query.
enum Finished {
    Cached(Query, Answer),
    Asked(Query, Result<Answer, AskError>),
}

/// Runs until the receiver of the news is dropped.
pub(super) async fn run(
    provider: Arc<impl Provider>,
    mut schedule: Schedule,
    mut demand: watch::Receiver<Demand>,
    news: mpsc::Sender<Vec<PriceNews>>,
    pace: Pace,
) {
    let Pace { clock, together, look } = pace;
    let mut tasks = JoinSet::new();
    // When a changed demand is taken.
    let mut take_at = None;
    let mut has_sender = true;
    let first = demand.borrow_and_update().clone();
    let mut is_first = first.is_empty();
    if !is_first {
        schedule.set_demand(first);
    }
    loop {
        let now = clock.now();
        let plan = schedule.plan(now);
        for query in plan.read {
            let provider = Arc::clone(&provider);
            tasks.spawn(async move { Finished::Cached(query.clone(), provider.cached(query).await) });
        }
        for request in plan.ask {
            let provider = Arc::clone(&provider);
            tasks.spawn(async move { Finished::Asked(request.query.clone(), provider.ask(request).await) });
        }
        let latest = schedule.take_news();
        if !latest.is_empty() && news.send(latest).await.is_err() {
            return;
        }
        let until = plan.wake.and_then(|at| Duration::try_from(at.duration_since(now)).ok());
        tokio::select! {
            changed = demand.changed(), if has_sender && take_at.is_none() => match changed {
                // The first nodes are priced at once, later ones in batches.
                Ok(()) => take_at = Some(if is_first { Instant::now() } else { Instant::now() + together }),
                Err(_) => has_sender = false,
            },
            () = async { if let Some(at) = take_at { sleep_until(at).await } }, if take_at.is_some() => {
                take_at = None;
                let demand = demand.borrow_and_update().clone();
                is_first &= demand.is_empty();
                schedule.set_demand(demand);
            }
            Some(finished) = tasks.join_next() => match finished {
                Ok(Finished::Cached(query, answer)) => schedule.cached(&query, answer, clock.now()),
                Ok(Finished::Asked(query, answer)) => schedule.answered(&query, answer, clock.now()),
                // A panic is propagated to the caller.
                Err(error) => if let Ok(panic) = error.try_into_panic() { std::panic::resume_unwind(panic) },
            },
            () = sleep(until.unwrap_or(look).min(look)) => {}
            () = news.closed() => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::query::PublicFile;
    use super::*;
    use crate::model::{Name, Timestamp};
    use crate::pricing::{OnDemandKey, Os, PriceSource, SourceState, Tenancy};
    use pretty_assertions::assert_eq;
    use std::collections::{BTreeMap, BTreeSet};
    use std::sync::Mutex;

    /// Records the requests and their times. The cache is empty, and each request fails after a while.
    struct Recorder {
        started: Instant,
        requests: Mutex<Vec<(Duration, BTreeSet<Name>)>>,
        after: Duration,
    }

    impl Provider for Recorder {
        async fn cached(&self, _: Query) -> Answer {
            Answer::default()
        }

        async fn ask(&self, request: Request) -> Result<Answer, AskError> {
            assert_ne!(request.query, Query::File(PublicFile::EksList { region: "us-west-1".into() }), "as intended");
            self.requests.lock().unwrap().push((self.started.elapsed(), request.names));
            sleep(self.after).await;
            Err(AskError::Unavailable { what: "it".into(), why: "down".into() })
        }
    }

    struct Stage {
        recorder: Arc<Recorder>,
        demand: watch::Sender<Demand>,
        news: mpsc::Receiver<Vec<PriceNews>>,
        task: tokio::task::JoinHandle<()>,
    }

    fn stage(demand: Demand) -> Stage {
        let started = Instant::now();
        let recorder = Arc::new(Recorder { started, requests: Mutex::default(), after: Duration::from_secs(3) });
        let (sender, needed) = watch::channel(demand);
        let (sent, news) = mpsc::channel(64);
        let start = Timestamp::from_second(1_790_000_000).unwrap();
        let clock = Clock::new(move || start + started.elapsed());
        let pace = Pace { clock, together: Duration::from_secs(1), look: Duration::from_mins(1) };
        let schedule = Schedule::new(false, |_, _| false, None);
        let task = tokio::spawn(run(Arc::clone(&recorder), schedule, needed, sent, pace));
        Stage { recorder, demand: sender, news, task }
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
            self.recorder.requests.lock().unwrap().iter().map(|(at, names)| (at.as_secs(), names.len())).collect()
        }
    }

    #[tokio::test(start_paused = true)]
    async fn new_types_are_requested_at_once_or_together_and_retried_on_time() {
        let mut stage = stage(Demand::default());
        tokio::time::sleep(Duration::from_secs(10)).await;
        assert_eq!(stage.asked(), [], "no demand");
        stage.demand.send_replace(dedicated(&["a.large"]));
        stage.until_failed().await;
        assert_eq!(stage.asked(), [(10, 1)], "the first type at once");
        // Types that come in a burst are in one request, with the retry of the first.
        for types in [&["a.large", "b.large"][..], &["a.large", "b.large", "c.large"]] {
            stage.demand.send_replace(dedicated(types));
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
        tokio::time::sleep(Duration::from_mins(4)).await;
        assert_eq!(stage.asked(), [(10, 1), (73, 3), (196, 3)], "a minute after the failure, then two");
    }

    #[tokio::test(start_paused = true)]
    async fn a_burst_is_one_request() {
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
    async fn a_panic_reaches_the_caller() {
        let stage = stage(Demand { eks: BTreeSet::from(["us-west-1".into()]), ..Demand::default() });
        assert!(stage.task.await.unwrap_err().is_panic());
    }

    #[tokio::test(start_paused = true)]
    async fn requests_go_on_after_the_sender_of_the_demand_is_dropped() {
        let Stage { demand, mut news, task, .. } = stage(dedicated(&["a.large"]));
        drop(demand);
        while !news.recv().await.unwrap().contains(&PriceNews::Settled) {}
        drop(news);
        task.await.unwrap();
    }
}
