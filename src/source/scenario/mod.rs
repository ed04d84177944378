//! Scenario files: a scripted sequence of changes of a cluster, as text.
//!
//! ```text
//! # A comment. A line is a time and an action; a line without a time has that of the line before.
//! cluster ap-northeast-2 auto 1.36
//! pool general-purpose on-demand
//! deployment inflate cpu 1
//! +0s   scale inflate 1
//!       unschedulable inflate "no nodes available to schedule pods"
//!       expect nodes 0 pods 1 unscheduled 1
//! +2s   claim general-purpose-8wmvz pool general-purpose asks cpu 1480m
//! +4s   launched general-purpose-8wmvz i-0088a4e1b9e73a3c1 c5a.large zone ap-northeast-2b
//! +20s  joined general-purpose-8wmvz
//! ```
//!
//! | line | action |
//! |---|---|
//! | `cluster REGION auto\|karpenter VERSION` | the cluster; the first line |
//! | `pool NAME on-demand\|spot\|reserved [weight N] [limit cpu Q] [consolidate-after D] [expire-after D] [grace D] [taint K=V:E]` | a nodepool |
//! | `deployment\|statefulset\|daemonset [NS/]NAME [RESOURCE Q …] [limits RESOURCE Q …] [image I] [replicaset NAME] [pools P,P]` | a workload without pods |
//! | `scale NAME N` | sets its replicas |
//! | `unschedulable PODS "…"`, `nominated PODS CLAIM`, `bound PODS NODE`, `running PODS` | scheduling of pods |
//! | `ending PODS [grace D]`, `evicted PODS REASON [grace D]`, `pods-gone PODS` | termination of pods |
//! | `claim NAME pool P asks RESOURCE Q … [types T,T]` | Karpenter creates a NodeClaim |
//! | `launched CLAIM INSTANCE TYPE zone Z [on-demand\|spot\|reserved] [allocatable RESOURCE Q …]` | EC2 launches the instance; `allocatable` of the claim's status |
//! | `joined`, `registered`, `ready`, `devices`, `initialized` `CLAIM` | the node joins; `joined` also accepts `allocatable` |
//! | `failed CLAIM "EC2's error"` | there is no such instance to be had |
//! | `interrupted`, `disrupted … REASON`, `draining`, `drained`, `stopping`, `finalized` | disruption and removal of the node |
//! | `condition NODE TYPE STATUS REASON ["…"]`, `taint`, `untaint NODE K=V:E`, `label NODE K=V`, `cordoned`, `uncordoned NODE` | the node changes |
//! | `usage NODE cpu Q memory Q` | metrics of the node |
//! | `event\|warning KIND/[NS/]NAME REASON "…" [from COMPONENT]` | any other event |
//! | `stream NAME live\|absent\|denied "…"\|retrying "…"` | the state of a stream |
//! | `expect [node N\|claim N] FACT …` | the expected state |
//!
//! `PODS` is `inflate`, `inflate#3` or `inflate#3..9`: pods of a workload in the order in which they were created.
//!
//! Times are relative to the start of the file. The whole file is checked when it is parsed; an unknown word is an error
//! with file, line and the most similar valid word. A scenario is a sequence of [`Step`]s: changes as a live source sends
//! them, and the state expected after them ([`Expect`]).

mod expect;
mod parse;
mod run;

pub use expect::{Expect, Fact, PodCount, Subject};
pub use parse::{Problem, ScenarioError};

use crate::model::{Change, Timestamp};
use crate::source::sim::Speed;
use crate::source::sim::play::{Script, play};
use jiff::SignedDuration;
use parse::Line;
use std::collections::VecDeque;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// A scale-out from one node to a hundred pods.
pub const SCALE_OUT: &str = include_str!("../../../assets/scenarios/scale-out.txt");

/// A valid scenario.
#[derive(Clone, Debug)]
pub struct Scenario {
    name: String,
    lines: Vec<Line>,
}

/// The changes of a point in time.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// Time since the start of the scenario, at its speed.
    pub at: SignedDuration,
    /// The changes.
    pub changes: Vec<Change>,
    /// The state expected after these changes.
    pub expects: Vec<Expect>,
}

impl Scenario {
    /// Parses a scenario; `name` is the file's name, for errors and as the name of the context.
    ///
    /// # Errors
    ///
    /// The first line that is invalid or refers to an unknown object.
    pub fn parse(name: &str, text: &str) -> Result<Self, ScenarioError> {
        let lines = parse::lines(name, text)?;
        let scenario = Self { name: name.to_owned(), lines };
        // Played once, to find references to unknown objects.
        run::steps(&scenario.name, &scenario.lines, Timestamp::UNIX_EPOCH, Speed::default())?;
        Ok(scenario)
    }

    /// The name of the file.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The steps of the scenario for a start time; the same arguments give the same steps.
    pub fn steps(&self, start: Timestamp, speed: Speed) -> Vec<Step> {
        run::steps(&self.name, &self.lines, start, speed).unwrap_or_default()
    }
}

/// A [`Script`] of a scenario.
#[derive(Debug)]
pub struct Player {
    start: Timestamp,
    steps: VecDeque<Step>,
}

impl Player {
    /// A player of `scenario`, starting at `start`.
    pub fn new(scenario: &Scenario, start: Timestamp, speed: Speed) -> Self {
        Self { start, steps: scenario.steps(start, speed).into() }
    }
}

impl Script for Player {
    fn due(&self) -> Option<Timestamp> {
        self.steps.front().map(|step| self.start.checked_add(step.at).unwrap_or(self.start))
    }

    fn play(&mut self, now: Timestamp) -> Vec<Change> {
        let mut changes = Vec::new();
        while self.due().is_some_and(|due| due <= now) {
            changes.extend(self.steps.pop_front().into_iter().flat_map(|step| step.changes));
        }
        changes
    }
}

/// Starts `scenario` at `now` and sends its changes to `sender`.
pub fn start(
    scenario: &Scenario,
    now: Timestamp,
    speed: Speed,
    sender: mpsc::Sender<Vec<Change>>,
    cancel: CancellationToken,
) -> JoinSet<()> {
    play(Player::new(scenario, now, speed), now, sender, cancel)
}

#[cfg(test)]
mod tests;
