//! metrics.k8s.io, which can only be polled.

use super::backoff::Backoff;
use super::discovery;
use super::fault::Fault;
use super::outbox::Outbox;
use super::server::SharedServer;
use super::wire::metrics::MetricsList;
use crate::model::{Change, LinkState, Stream};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval, sleep};

/// What somebody looks at, as far as it decides what is polled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Interest {
    /// The usage of single pods is on screen.
    pub pod_metrics: bool,
}

/// One polled list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Polled {
    Nodes,
    Pods,
}

impl Polled {
    pub(super) const fn stream(self) -> Stream {
        match self {
            Self::Nodes => Stream::NodeMetrics,
            Self::Pods => Stream::PodMetrics,
        }
    }

    pub(super) const fn path(self) -> &'static str {
        match self {
            Self::Nodes => "/apis/metrics.k8s.io/v1beta1/nodes",
            Self::Pods => "/apis/metrics.k8s.io/v1beta1/pods",
        }
    }

    const fn is_wanted(self, interest: Interest) -> bool {
        match self {
            Self::Nodes => true,
            Self::Pods => interest.pod_metrics,
        }
    }
}

/// Polls one list, once it is its turn, for as long as somebody listens, while it is wanted. `told` is what was said of
/// it already.
pub(super) async fn poll(
    polled: Polled,
    server: SharedServer,
    mut outbox: Outbox,
    mut interest: watch::Receiver<Interest>,
    mut told: LinkState,
    turn: impl Future<Output = ()>,
) {
    let stream = polled.stream();
    turn.await;
    loop {
        // Not asked for: off, until it is. A sender that is gone asks for nothing new.
        let wanted = polled.is_wanted(*interest.borrow_and_update());
        if !wanted {
            if tell(&mut outbox, stream, &mut told, LinkState::Off).await.is_err() {
                return;
            }
            if interest.wait_for(|interest| polled.is_wanted(*interest)).await.is_err() {
                std::future::pending::<()>().await;
            }
        }
        if told == LinkState::Off && tell(&mut outbox, stream, &mut told, LinkState::Connecting).await.is_err() {
            return;
        }
        if while_wanted(polled, &server, &mut outbox, &mut interest, &mut told).await.is_err() {
            return;
        }
    }
}

/// Polls until it is no longer wanted (`Ok`) or nobody listens (`Err`).
async fn while_wanted(
    polled: Polled,
    server: &SharedServer,
    outbox: &mut Outbox,
    interest: &mut watch::Receiver<Interest>,
    told: &mut LinkState,
) -> Result<(), Fault> {
    let timing = &server.timing;
    let mut random = fastrand::Rng::new();
    // Short waits first: an API server that comes back serves metrics a moment later.
    let mut backoff = Backoff::new(timing.backoff_base, timing.metrics_again, timing.good_spell);
    let mut ticks = interval(timing.metrics_every.max(Duration::from_millis(1)));
    // A server that takes longer than a tick is not asked twice for it.
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            Ok(_) = interest.wait_for(|interest| !polled.is_wanted(*interest)) => return Ok(()),
        }
        let reading = match server.get_whole(polled.path()).await {
            Ok(body) => serde_json::from_slice::<MetricsList>(&body)
                .map_err(|error| Fault::Malformed(format!("line {}, column {}", error.line(), error.column()))),
            Err(fault) => Err(fault),
        };
        let wait = if reading.is_ok() {
            backoff.went_well_for(timing.good_spell);
            None
        } else {
            Some(backoff.next(random.f64()))
        };
        let link = match reading {
            Ok(list) => {
                outbox.set_clock();
                outbox.pending().push(match polled {
                    Polled::Nodes => Change::NodeUsage(list.nodes()),
                    Polled::Pods => Change::PodUsage(list.pods()),
                });
                LinkState::Live
            }
            Err(Fault::Absent) => LinkState::Absent,
            Err(Fault::Denied(_)) if discovery::serves(server, polled.path()).await == Some(false) => LinkState::Absent,
            Err(Fault::Denied(message)) => LinkState::Denied { message },
            Err(fault) => {
                LinkState::Retrying { at: server.clock.now() + wait.unwrap_or_default(), why: fault.to_string() }
            }
        };
        tell(outbox, polled.stream(), told, link).await?;
        if let Some(wait) = wait {
            tokio::select! {
                () = sleep(wait) => {}
                Ok(_) = interest.wait_for(|interest| !polled.is_wanted(*interest)) => return Ok(()),
            }
            ticks.reset_immediately();
        }
    }
}

async fn tell(outbox: &mut Outbox, stream: Stream, told: &mut LinkState, link: LinkState) -> Result<(), Fault> {
    if *told != link {
        outbox.pending().push(Change::Link(stream, link.clone()));
        *told = link;
    }
    outbox.flush().await
}
