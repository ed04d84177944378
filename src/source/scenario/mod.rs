//! Scenario files: what happens in a cluster, moment by moment, as text that reads without a manual.
//!
//! ```text
//! # A comment. Words after the time say what happens; a line without a time happens with the line before.
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
//! | line | what happens |
//! |---|---|
//! | `cluster REGION auto\|karpenter VERSION` | which cluster this is; the first line |
//! | `pool NAME on-demand\|spot\|reserved [weight N] [limit cpu Q] [consolidate-after D] [expire-after D] [grace D] [taint K=V:E]` | a nodepool |
//! | `deployment\|statefulset\|daemonset [NS/]NAME [RESOURCE Q …] [limits RESOURCE Q …] [image I] [replicaset NAME] [pools P,P]` | a workload, as yet without pods |
//! | `scale NAME N` | its pods become N |
//! | `unschedulable PODS "…"`, `nominated PODS CLAIM`, `bound PODS NODE`, `running PODS` | a pod finds its place |
//! | `ending PODS [grace D]`, `evicted PODS REASON [grace D]`, `pods-gone PODS` | a pod ends |
//! | `claim NAME pool P asks RESOURCE Q … [types T,T]` | Karpenter makes a claim |
//! | `launched CLAIM INSTANCE TYPE zone Z [on-demand\|spot\|reserved] [allocatable RESOURCE Q …]` | EC2 starts it; what the claim takes to be allocatable |
//! | `joined`, `registered`, `ready`, `devices`, `initialized` `CLAIM` | the node comes; `joined` takes `allocatable` too |
//! | `failed CLAIM "EC2's error"` | there is no such machine to be had |
//! | `interrupted`, `disrupted … REASON`, `draining`, `drained`, `stopping`, `finalized` | the node goes |
//! | `condition NODE TYPE STATUS REASON ["…"]`, `taint`, `untaint NODE K=V:E`, `label NODE K=V`, `cordoned`, `uncordoned NODE` | the node changes |
//! | `usage NODE cpu Q memory Q` | what metrics say |
//! | `event\|warning KIND/[NS/]NAME REASON "…" [from COMPONENT]` | any other event |
//! | `stream NAME live\|absent\|denied "…"\|retrying "…"` | the health of a stream |
//! | `expect [node N\|claim N] FACT …` | what must be seen now |
//!
//! `PODS` is `inflate`, `inflate#3` or `inflate#3..9`: pods of a workload in the order in which they were created.
//!
//! Times count from the start of the file. Every word is checked when the file is read: what is unknown is an error
//! with file, line and the nearest right word. A file becomes [`Step`]s: changes as a live source would send them, and
//! what must be seen afterwards ([`Expect`]).

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

/// The scale-out that this program's first pictures were compared with: one node, then a hundred pods.
pub const SCALE_OUT: &str = include_str!("../../../assets/scenarios/scale-out.txt");

/// A scenario file that has been read and makes sense.
#[derive(Clone, Debug)]
pub struct Scenario {
    name: String,
    lines: Vec<Line>,
}

/// What happens at one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// Since the start of the scenario, at its speed.
    pub at: SignedDuration,
    /// What a source would send.
    pub changes: Vec<Change>,
    /// What must be seen once these changes are folded.
    pub expects: Vec<Expect>,
}

impl Scenario {
    /// Reads `text`; `name` is the file's, for errors and as the context's name.
    ///
    /// # Errors
    ///
    /// The first line that is not understood, or that names what is not there.
    pub fn parse(name: &str, text: &str) -> Result<Self, ScenarioError> {
        let lines = parse::lines(name, text)?;
        let scenario = Self { name: name.to_owned(), lines };
        // Played once, so that a name that does not exist is found now and not in the middle.
        run::steps(&scenario.name, &scenario.lines, Timestamp::UNIX_EPOCH, Speed::default())?;
        Ok(scenario)
    }

    /// The name of the file.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The steps of the scenario when it begins at `start`: the same arguments give the same steps.
    pub fn steps(&self, start: Timestamp, speed: Speed) -> Vec<Step> {
        run::steps(&self.name, &self.lines, start, speed).unwrap_or_default()
    }
}

/// Hands out a scenario's changes as their time comes.
#[derive(Debug)]
pub struct Player {
    start: Timestamp,
    steps: VecDeque<Step>,
}

impl Player {
    /// A player of `scenario` from `start` on.
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

/// Plays `scenario`, which begins at `now`, through `sender`.
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
