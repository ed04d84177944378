#![doc = include_str!("../../../assets/manual/scenarios.md")]
//!
//! A scenario is a sequence of [`Step`]s: changes as a live source sends them.

mod file;
mod run;

use crate::model::{Change, Timestamp};
use crate::source::sim::Speed;
use crate::source::sim::play::{Script, play};
use crate::units::text::clean;
use file::File;
use jiff::SignedDuration;
use std::collections::VecDeque;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// A scale-out from one node to a hundred pods.
pub const SCALE_OUT: &str = include_str!("../../../assets/scenarios/scale-out.toml");

/// Why a scenario is invalid. Completes "failed to …".
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("read scenario {file}, line {line}: {message}")]
pub struct ScenarioError {
    /// The file.
    pub file: String,
    /// The line, counted from 1.
    pub line: usize,
    /// The error, and how to fix it.
    pub message: String,
}

impl ScenarioError {
    /// An error at this byte offset of the file's text.
    fn new(file: &str, text: &str, offset: usize, message: &str) -> Self {
        let line = 1 + text.bytes().take(offset).filter(|byte| *byte == b'\n').count();
        Self { file: file.to_owned(), line, message: clean(message).into_owned() }
    }
}

/// A valid scenario.
#[derive(Clone, Debug)]
pub struct Scenario {
    name: String,
    text: String,
    file: File,
}

/// The changes of a point in time.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// Time since the start of the scenario, at its speed.
    pub at: SignedDuration,
    /// The changes.
    pub changes: Vec<Change>,
}

impl Scenario {
    /// Parses a scenario; `name` is the file's name, for errors and as the name of the context.
    ///
    /// # Errors
    ///
    /// The first line that is invalid or refers to an unknown object.
    pub fn parse(name: &str, text: &str) -> Result<Self, ScenarioError> {
        let file = file::parse(name, text)?;
        let scenario = Self { name: name.to_owned(), text: text.to_owned(), file };
        // Played once, to find references to unknown objects.
        run::steps(&scenario, Timestamp::UNIX_EPOCH, Speed::default())?;
        Ok(scenario)
    }

    /// The steps of the scenario for a start time; the same arguments give the same steps.
    pub fn steps(&self, start: Timestamp, speed: Speed) -> Vec<Step> {
        run::steps(self, start, speed).unwrap_or_default()
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
