//! The loop: one task that owns the state, the view and the screen.

use super::clock::Clock;
use super::pacer::Pacer;
use super::prices::Teller;
use super::signals::{self, Wish};
use super::sources::{Ready, Running};
use super::terminal::{self, Screen, Session};
use super::{options, trouble};
use crate::cli::{EXIT_SUCCESS, EXIT_TROUBLE, Pricing, Settings};
use crate::cluster::{Cluster, Dirty};
use crate::insight::{Alert, CostHistory, Filter, PendingByCause, View, alerts, unmatched_terms};
use crate::model::{Stream, Timestamp};
use crate::pricing::PriceNews;
use crate::source::live::Interest;
use crate::ui::{self, Effect, Picture, Seen, UiState};
use color_eyre::eyre::{Result, WrapErr, eyre};
use futures::StreamExt;
use ratatui::crossterm::event::{Event, EventStream};
use std::io;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::Instant;

/// Batches taken in one turn, before input is looked at again: a few milliseconds of folding.
const BATCHES_A_TURN: usize = 4;

/// How long a frame waits for the rest when something changed: changes come in bursts (a pod is bound, its node's sums
/// move, the event tells it), and a burst is one frame. A key is answered at once.
const SETTLE: Duration = Duration::from_millis(8);

/// Shows the dashboard until somebody ends it.
pub(super) async fn run(settings: &Settings) -> Result<u8> {
    let view = super::view(settings)?;
    let ready = Ready::of(settings)?;
    let ui = UiState::new(options::screen(settings, &ready));
    let cluster = ready.cluster(settings, Timestamp::now())?;
    let mut notice = None;
    if let Some(connection) = ready.live() {
        // While the terminal is still the shell's: a credential plugin may have to ask something. Its failure is no
        // reason to stop: the streams say so, and run it again.
        notice = connection.sign_in().await.err().map(|error| format!("failed to sign in: {error}"));
    }
    let signals = signals::listen().wrap_err("failed to listen for signals")?;
    let session = Session::enter(settings.mouse).wrap_err("failed to take the terminal")?;
    let world = World {
        screen: session,
        inputs: EventStream::new(),
        signals,
        clock: Clock::System,
        start: move || ready.start(settings),
    };
    let dashboard = Dashboard::new(cluster, view, ui, notice);
    Dashboard { prices_expected: settings.pricing == Pricing::Online, ..dashboard }.run(world).await
}

/// Completes when a frame is due; never, when nobody wants one.
async fn until(due: Option<Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due).await,
        None => std::future::pending().await,
    }
}

/// Everything outside the loop, as values: the real ones, or a test's.
pub struct World<S, I, F> {
    /// Where frames go.
    pub screen: S,
    /// Keys, mouse, resize, paste.
    pub inputs: I,
    /// Wishes from signals.
    pub signals: mpsc::Receiver<Wish>,
    /// What time it is.
    pub clock: Clock,
    /// Starts the source; called after the first frame.
    pub start: F,
}

/// The state of the loop.
pub struct Dashboard {
    cluster: Cluster,
    view: View,
    ui: UiState,
    pending: PendingByCause,
    history: CostHistory,
    alerts: Vec<Alert>,
    alerts_at: i64,
    sampled_filter: Option<Filter>,
    seen: Seen,
    dirty: Dirty,
    pacer: Pacer,
    teller: Teller,
    frames: u64,
    interest: bool,
    settings_checked: bool,
    /// Somebody asked for live prices (`--pricing=online`): it is told, once, when nobody answers.
    prices_expected: bool,
    notice: Option<String>,
}

impl Dashboard {
    /// A dashboard of a cluster, empty as a rule; `notice` is told to the user with the first frame.
    pub fn new(cluster: Cluster, view: View, ui: UiState, notice: Option<String>) -> Self {
        Self {
            cluster,
            view,
            ui,
            pending: PendingByCause::default(),
            history: CostHistory::default(),
            alerts: Vec::new(),
            alerts_at: i64::MIN,
            sampled_filter: None,
            seen: Seen::default(),
            dirty: Dirty::NOTHING,
            pacer: Pacer::default(),
            teller: Teller::default(),
            frames: 0,
            interest: false,
            settings_checked: false,
            prices_expected: false,
            notice,
        }
    }

    /// How many frames were drawn.
    pub const fn frames(&self) -> u64 {
        self.frames
    }

    /// What the last frame showed.
    pub const fn seen(&self) -> &Seen {
        &self.seen
    }

    /// Shows itself and gives the exit code; prints the report of a task that panicked once the terminal is given back.
    ///
    /// # Errors
    ///
    /// As [`Self::show`].
    pub async fn run<S, I, F>(mut self, world: World<S, I, F>) -> Result<u8>
    where
        S: Screen,
        I: futures::Stream<Item = io::Result<Event>> + Unpin,
        F: FnOnce() -> Running,
    {
        let ended = self.show(world).await;
        // The screen has been dropped by now: the terminal is the shell's again.
        if let Some(report) = trouble::take_report() {
            trouble::print(&report);
            return Ok(EXIT_TROUBLE);
        }
        ended.map(|()| EXIT_SUCCESS)
    }

    /// Runs until a user ends it, the input ends, the terminal hangs up, or a task of the source panics. A terminal that
    /// hangs up also sends SIGHUP: the outcome is the same, whichever is noticed first.
    ///
    /// # Errors
    ///
    /// When the terminal fails, or a task ended badly.
    pub async fn show<S, I, F>(&mut self, world: World<S, I, F>) -> Result<()>
    where
        S: Screen,
        I: futures::Stream<Item = io::Result<Event>> + Unpin,
        F: FnOnce() -> Running,
    {
        match self.follow(world).await {
            Err(error) if error.chain().any(|cause| cause.downcast_ref().is_some_and(terminal::has_hung_up)) => Ok(()),
            ended => ended,
        }
    }

    async fn follow<S, I, F>(&mut self, world: World<S, I, F>) -> Result<()>
    where
        S: Screen,
        I: futures::Stream<Item = io::Result<Event>> + Unpin,
        F: FnOnce() -> Running,
    {
        let World { mut screen, mut inputs, mut signals, clock, start } = world;
        if let Some(notice) = self.notice.take() {
            self.ui.notify(notice, clock.now());
        }
        // The first frame needs nothing from the network.
        self.draw(&mut screen, &clock)?;
        let mut running = start();
        // However this ends, the source is told.
        let _end = running.cancel.clone().drop_guard();
        let mut batches = Vec::with_capacity(BATCHES_A_TURN);
        let mut news = Vec::with_capacity(BATCHES_A_TURN);
        let (mut speaking, mut pricing) = (true, true);
        loop {
            // Asked of the clock and not of a timer: timers do not fire while something else is always ready.
            if self.pacer.due().is_some_and(|due| due <= Instant::now()) {
                self.draw(&mut screen, &clock)?;
                if let Some(again) = self.teller.tell(&self.cluster, &running.prices.demand, Instant::now()) {
                    self.pacer.request(again);
                }
            }
            let due = self.pacer.due();
            tokio::select! {
                biased;
                () = trouble::panicked() => break Err(eyre!("failed to go on: a task panicked")),
                wish = signals.recv() => match wish {
                    Some(Wish::End) | None => break Ok(()),
                    Some(Wish::Suspend) => self.suspend(&mut screen)?,
                    Some(Wish::Repaint) => {
                        screen.repaint()?;
                        self.pacer.request(Instant::now());
                    }
                },
                () = until(due) => {}
                input = inputs.next() => match input {
                    None => break Ok(()),
                    Some(Err(error)) => break Err(error).wrap_err("failed to read from the terminal"),
                    Some(Ok(event)) => {
                        if !self.input(&event, &mut screen, &clock, &running)? {
                            break Ok(());
                        }
                    }
                },
                n = running.changes.recv_many(&mut batches, BATCHES_A_TURN), if speaking => {
                    // A source that has said all it has to say leaves its picture.
                    speaking = n > 0;
                    self.fold(&mut batches, &clock);
                }
                n = running.prices.news.recv_many(&mut news, BATCHES_A_TURN), if pricing => {
                    pricing = n > 0;
                    self.learn(&mut news, clock.now());
                }
                Some(task) = running.tasks.join_next() => {
                    if let Err(error) = task && !error.is_cancelled() {
                        break Err(error).wrap_err("failed to go on: a task of the source ended badly");
                    }
                }
            }
        }
    }

    fn fold(&mut self, batches: &mut Vec<Vec<crate::model::Change>>, clock: &Clock) {
        let now = clock.now();
        let mut dirty = Dirty::NOTHING;
        for change in batches.drain(..).flatten() {
            dirty |= self.cluster.apply(change, now);
        }
        if dirty.any() {
            self.dirty |= dirty;
            self.pacer.request(Instant::now() + SETTLE);
        }
    }

    /// Takes in what price sources say. A better price is no change in cost: what was noted before moves with it.
    fn learn(&mut self, news: &mut Vec<Vec<PriceNews>>, now: Timestamp) {
        self.view.refresh(&mut self.cluster);
        let before = self.view.totals().price.clone();
        let dirty = self.cluster.learn(news.drain(..).flatten());
        if dirty.has(Dirty::ROWS) {
            self.view.refresh(&mut self.cluster);
            self.history.rebase(&before, &self.view.totals().price);
        }
        if let Some(why) = self.cluster.prices().silence().filter(|_| self.prices_expected) {
            self.prices_expected = false;
            self.ui.notify(format!("no price source answered: {why}"), now);
        }
        if dirty.any() {
            self.dirty |= dirty;
            self.pacer.request(Instant::now() + SETTLE);
        }
    }

    fn draw<S: Screen>(&mut self, screen: &mut S, clock: &Clock) -> Result<()> {
        let now = clock.now();
        self.dirty |= self.cluster.tick(now);
        self.view.refresh(&mut self.cluster);
        // Claims and nodes decide as well, and a nomination ends with time alone: for those once a second is enough.
        let second = self.alerts_at != now.as_second();
        if second || [Dirty::PENDING, Dirty::EVENTS, Dirty::POOLS].into_iter().any(|part| self.dirty.has(part)) {
            self.pending.refresh(&self.cluster);
        }
        if second || self.dirty.any() {
            self.alerts = alerts(&self.cluster, &self.pending, now);
            self.alerts_at = now.as_second();
        }
        self.sample(now);
        self.check_settings(now);
        self.dirty = Dirty::NOTHING;
        let picture = Picture {
            cluster: &self.cluster,
            view: &self.view,
            ui: &self.ui,
            alerts: &self.alerts,
            pending: &self.pending,
            history: &self.history,
            now,
            offset_seconds: clock.utc_offset_seconds(now),
        };
        let seen = &mut self.seen;
        screen.draw(&mut |frame| {
            let area = frame.area();
            *seen = ui::draw(frame.buffer_mut(), area, &picture);
            if let Some(caret) = seen.caret {
                frame.set_cursor_position(caret);
            }
        })?;
        self.ui.saw(&self.seen);
        self.frames += 1;
        let drawn = Instant::now();
        self.pacer.drew(drawn);
        if let Some(next) = ui::next_deadline(&self.seen) {
            let wait = u64::try_from(next.as_millisecond() - now.as_millisecond()).unwrap_or(0);
            self.pacer.request(drawn + Duration::from_millis(wait));
        }
        Ok(())
    }

    /// Notes what is paid. The first list of nodes is no rise in cost, and neither is another filter.
    fn sample(&mut self, now: Timestamp) {
        let price = &self.view.totals().price;
        if !self.cluster.stream(Stream::Nodes).complete {
            return;
        }
        if self.sampled_filter.as_ref() != Some(self.view.filter()) {
            self.history = CostHistory::default();
            self.sampled_filter = Some(self.view.filter().clone());
        }
        self.history.sample(now, price);
    }

    /// Says once which of the resources asked for no node has, and which of the user's price terms hold for no node: what
    /// is misspelt would be an empty column, or a discount that is missed, for ever.
    fn check_settings(&mut self, now: Timestamp) {
        let totals = self.view.totals();
        if self.settings_checked || !self.cluster.stream(Stream::Nodes).complete || totals.nodes == 0 {
            return;
        }
        self.settings_checked = true;
        let names = |resources: &mut dyn Iterator<Item = String>| resources.collect::<Vec<_>>().join(", ");
        let missing = names(&mut totals.unoffered(self.ui.resources()).into_iter().map(ToString::to_string));
        let mut odd = unmatched_terms(&self.cluster);
        if !missing.is_empty() {
            let known = names(&mut totals.offered().iter().map(ToString::to_string));
            odd.insert(0, format!("no node offers {missing}; they offer {known}"));
        }
        if !odd.is_empty() {
            self.ui.notify(odd.join("; "), now);
        }
    }

    /// Answers one event of the terminal; false when it ends the program.
    fn input<S: Screen>(&mut self, event: &Event, screen: &mut S, clock: &Clock, running: &Running) -> Result<bool> {
        let action = ui::action(&self.ui, event);
        // The mouse may tell its every move: only what means something is worth a frame.
        if action.is_some() || matches!(event, Event::Resize(..)) {
            self.pacer.request(Instant::now());
        }
        let Some(action) = action else { return Ok(true) };
        let now = clock.now();
        match ui::update(&mut self.ui, &mut self.view, &self.cluster, action, &self.seen, now) {
            Effect::Nothing => {}
            Effect::Quit => return Ok(false),
            Effect::Suspend => self.suspend(screen)?,
            Effect::Copy(text) => screen.copy(&text)?,
        }
        let interest = self.ui.open_node().is_some();
        if interest != self.interest {
            self.interest = interest;
            running.interest.send_replace(Interest { pod_metrics: interest });
        }
        Ok(true)
    }

    fn suspend<S: Screen>(&mut self, screen: &mut S) -> Result<()> {
        screen.suspend().wrap_err("failed to come back to the terminal")?;
        self.pacer.request(Instant::now());
        Ok(())
    }
}
