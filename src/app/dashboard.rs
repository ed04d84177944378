//! The main loop: one task that owns the state, the view and the screen.

use super::pacer::Pacer;
use super::prices::DemandSender;
use super::signals::{self, SignalAction};
use super::sources::{Ready, Running};
use super::terminal::{self, Screen, Session};
use super::{options, trouble};
use crate::cli::{EXIT_SUCCESS, EXIT_TROUBLE, Pricing, Settings};
use crate::cluster::{ChangedParts, Cluster};
use crate::insight::{Alert, CostHistory, Filter, PendingByCause, View, alerts, unmatched_terms};
use crate::model::{Clock, Stream, Timestamp};
use crate::pricing::PriceNews;
use crate::source::live::Interest;
use crate::ui::{self, Effect, Scene, Seen, UiState};
use color_eyre::eyre::{Result, WrapErr, eyre};
use futures::StreamExt;
use ratatui::crossterm::event::{Event, EventStream};
use std::io;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::Instant;

/// Batches folded per iteration before input is polled again: a few milliseconds of work.
const BATCHES_PER_ITERATION: usize = 4;

/// How long a frame waits for further changes after the first: changes come in bursts (a pod is bound, its node is
/// updated, an event reports it), and a burst is one frame. Keys are answered at once.
const SETTLE: Duration = Duration::from_millis(8);

/// Shows the dashboard until the user quits.
pub(super) async fn run(settings: &Settings) -> Result<u8> {
    let view = super::view(settings)?;
    let ready = Ready::from_settings(settings).await?;
    let ui = UiState::new(options::screen(settings, &ready));
    let cluster = ready.cluster(settings, Timestamp::now())?;
    let mut notice = None;
    if let Some(connection) = ready.live() {
        // Before the terminal is taken, because a credential plugin may ask a question. Its failure does not stop the
        // dashboard: the streams show it, and run the plugin again.
        notice = connection.sign_in().await.err().map(|error| format!("failed to sign in: {error}"));
    }
    let signals = signals::listen().wrap_err("failed to listen for signals")?;
    let session = Session::enter(settings.mouse).wrap_err("failed to set up the terminal")?;
    let world = World {
        screen: session,
        inputs: EventStream::new(),
        signals,
        clock: Clock::system(),
        start: move || ready.start(settings),
    };
    let dashboard = Dashboard::new(cluster, view, ui, notice);
    Dashboard { prices_expected: settings.pricing == Pricing::Online, ..dashboard }.run(world).await
}

/// Completes when a frame is due; never if none was requested.
async fn until(due: Option<Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due).await,
        None => std::future::pending().await,
    }
}

/// The environment of the main loop: the real one, or a test's.
pub struct World<S, I, F> {
    /// The screen that frames are drawn on.
    pub screen: S,
    /// Input events: keys, mouse, resize, paste.
    pub inputs: I,
    /// The actions that signals request.
    pub signals: mpsc::Receiver<SignalAction>,
    /// The clock.
    pub clock: Clock,
    /// Starts the source; called after the first frame.
    pub start: F,
}

/// The state of the main loop.
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
    changed: ChangedParts,
    pacer: Pacer,
    demand: DemandSender,
    frames: u64,
    interest: bool,
    settings_checked: bool,
    /// Live prices were requested (`--pricing=online`): a notice is shown, once, if no price source answers.
    prices_expected: bool,
    notice: Option<String>,
}

impl Dashboard {
    /// A dashboard of a cluster, which is usually empty; `notice` is shown with the first frame.
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
            changed: ChangedParts::NONE,
            pacer: Pacer::default(),
            demand: DemandSender::default(),
            frames: 0,
            interest: false,
            settings_checked: false,
            prices_expected: false,
            notice,
        }
    }

    /// The number of frames drawn.
    pub const fn frames(&self) -> u64 {
        self.frames
    }

    /// What the last frame showed.
    pub const fn seen(&self) -> &Seen {
        &self.seen
    }

    /// Runs the dashboard and returns the exit code. After the terminal is restored, prints the report of a task that
    /// panicked.
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
        // The screen has been dropped, which restored the terminal.
        if let Some(report) = trouble::take_report() {
            trouble::print(&report);
            return Ok(EXIT_TROUBLE);
        }
        ended.map(|()| EXIT_SUCCESS)
    }

    /// Runs until the user quits, the input ends, the terminal hangs up, or a task of the source panics. A terminal that
    /// hangs up also sends SIGHUP; the result is the same, whichever arrives first.
    ///
    /// # Errors
    ///
    /// If the terminal fails, or a task panics.
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
        // The first frame does not wait for the network.
        self.draw(&mut screen, &clock)?;
        let mut running = start();
        // Cancels the source on every way out.
        let _end = running.cancel.clone().drop_guard();
        let mut batches = Vec::with_capacity(BATCHES_PER_ITERATION);
        let mut news = Vec::with_capacity(BATCHES_PER_ITERATION);
        let (mut changes_open, mut prices_open) = (true, true);
        loop {
            // Compares the clock instead of polling a timer: a timer does not fire while another branch is always ready.
            if self.pacer.due().is_some_and(|due| due <= Instant::now()) {
                self.draw(&mut screen, &clock)?;
                if let Some(again) = self.demand.send(&self.cluster, &running.prices.demand, Instant::now()) {
                    self.pacer.request(again);
                }
            }
            let due = self.pacer.due();
            tokio::select! {
                biased;
                () = trouble::panicked() => break Err(eyre!("failed to continue: a task panicked")),
                action = signals.recv() => match action {
                Some(SignalAction::Quit) | None => break Ok(()),
                Some(SignalAction::Suspend) => self.suspend(&mut screen)?,
                Some(SignalAction::Repaint) => {
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
                () = std::future::ready(()), if self.cluster.has_rows_to_quote() => self.quote(Cluster::quote_rows),
                n = running.changes.recv_many(&mut batches, BATCHES_PER_ITERATION), if changes_open => {
                // When a source ends (a scenario), its last state stays on the screen.
                changes_open = n > 0;
                    self.fold(&mut batches, &clock);
                }
                n = running.prices.news.recv_many(&mut news, BATCHES_PER_ITERATION), if prices_open => {
                prices_open = n > 0;
                    self.learn(&mut news, clock.now());
                }
                Some(task) = running.tasks.join_next() => {
                    if let Err(error) = task && !error.is_cancelled() {
                        break Err(error).wrap_err("failed to continue: a task of the source panicked");
                    }
                }
            }
        }
    }

    fn fold(&mut self, batches: &mut Vec<Vec<crate::model::Change>>, clock: &Clock) {
        let now = clock.now();
        let mut changed = ChangedParts::NONE;
        for change in batches.drain(..).flatten() {
            changed |= self.cluster.apply(change, now);
        }
        if changed.any() {
            self.changed |= changed;
            self.pacer.request(Instant::now() + SETTLE);
        }
    }

    /// Applies the answers of price sources.
    fn learn(&mut self, news: &mut Vec<Vec<PriceNews>>, now: Timestamp) {
        self.quote(|cluster| cluster.learn(news.drain(..).flatten()));
        if let Some(why) = self.cluster.prices().total_failure().filter(|_| self.prices_expected) {
            self.prices_expected = false;
            self.ui.notify(format!("no price source answered: {why}"), now);
        }
    }

    /// Lets the cluster quote rows again. A more exact price is not a change in cost: earlier samples are adjusted to it.
    fn quote(&mut self, quote: impl FnOnce(&mut Cluster) -> ChangedParts) {
        self.view.refresh(&mut self.cluster);
        let before = self.view.totals().price.clone();
        let changed = quote(&mut self.cluster);
        if changed.has(ChangedParts::ROWS) {
            self.view.refresh(&mut self.cluster);
            self.history.rebase(&before, &self.view.totals().price);
        }
        if changed.any() {
            self.changed |= changed;
            self.pacer.request(Instant::now() + SETTLE);
        }
    }

    fn draw<S: Screen>(&mut self, screen: &mut S, clock: &Clock) -> Result<()> {
        let now = clock.now();
        self.changed |= self.cluster.tick(now);
        self.view.refresh(&mut self.cluster);
        // The causes also depend on claims, nodes and the age of nominations; for these, once a second is enough.
        let second = self.alerts_at != now.as_second();
        if second
            || [ChangedParts::PENDING, ChangedParts::EVENTS, ChangedParts::NODEPOOLS]
                .into_iter()
                .any(|part| self.changed.has(part))
        {
            self.pending.refresh(&self.cluster);
        }
        if second || self.changed.any() {
            self.alerts = alerts(&self.cluster, &self.pending, now);
            self.alerts_at = now.as_second();
        }
        self.sample(now);
        self.check_settings(now);
        self.changed = ChangedParts::NONE;
        let input = Scene {
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
            *seen = ui::draw(frame.buffer_mut(), area, &input);
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

    /// Samples the hourly cost, once the first list of nodes is complete. A new filter restarts the history.
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

    /// Shows one notice of the resources in the settings that no node has, and of the discount rules and price-file rows
    /// that match no node: a misspelt name would otherwise be an empty column or a missing discount.
    fn check_settings(&mut self, now: Timestamp) {
        let totals = self.view.totals();
        if self.settings_checked || !self.cluster.stream(Stream::Nodes).complete || totals.nodes == 0 {
            return;
        }
        self.settings_checked = true;
        let names = |resources: &mut dyn Iterator<Item = String>| resources.collect::<Vec<_>>().join(", ");
        let missing = names(&mut totals.unoffered(self.ui.resources()).into_iter().map(ToString::to_string));
        let mut problems = unmatched_terms(&self.cluster);
        if !missing.is_empty() {
            let offered = names(&mut totals.offered().iter().map(ToString::to_string));
            problems.insert(0, format!("no node has {missing}; they have {offered}"));
        }
        if !problems.is_empty() {
            self.ui.notify(problems.join("; "), now);
        }
    }

    /// Handles one event of the terminal; false if it quits the program.
    fn input<S: Screen>(&mut self, event: &Event, screen: &mut S, clock: &Clock, running: &Running) -> Result<bool> {
        let action = ui::action(&self.ui, event);
        // The terminal may report every movement of the mouse: only an event with an action needs a frame.
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
        screen.suspend().wrap_err("failed to resume on the terminal")?;
        self.pacer.request(Instant::now());
        Ok(())
    }
}
