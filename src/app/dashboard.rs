//! The main loop: one task that owns the state, the view and the screen.

use super::pacer::Pacer;
use super::prices::DemandSender;
use super::signals::{self, SignalAction};
use super::sources::{Ready, Running};
use super::state::DashboardState;
use super::terminal::{self, Screen, Session};
use super::{options, trouble};
use crate::cli::{EXIT_SUCCESS, EXIT_TROUBLE, Pricing, Settings};
use crate::model::{Clock, Timestamp};
use crate::source::live::Interest;
use crate::ui::{self, Effect, Seen, UiState};
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
    let state = DashboardState::new(cluster, view, ui).expecting_prices(settings.pricing == Pricing::Online);
    Dashboard::new(state, notice).run(world).await
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

/// The main loop: the state that it draws, and when it draws it.
pub struct Dashboard {
    state: DashboardState,
    pacer: Pacer,
    demand: DemandSender,
    frames: u64,
    interest: bool,
    notice: Option<String>,
}

impl Dashboard {
    /// A dashboard; `notice` is shown with the first frame.
    pub fn new(state: DashboardState, notice: Option<String>) -> Self {
        Self { state, pacer: Pacer::default(), demand: DemandSender::default(), frames: 0, interest: false, notice }
    }

    /// The number of frames drawn.
    pub const fn frames(&self) -> u64 {
        self.frames
    }

    /// What the last frame showed.
    pub const fn seen(&self) -> &Seen {
        &self.state.seen
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
            self.state.ui.notify(notice, clock.now());
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
                if let Some(again) = self.demand.send(&self.state.cluster, &running.prices.demand, Instant::now()) {
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
                () = std::future::ready(()), if self.state.cluster.has_rows_to_quote() => {
                    let changed = self.state.quote_rows();
                    self.settle(changed);
                }
                n = running.changes.recv_many(&mut batches, BATCHES_PER_ITERATION), if changes_open => {
                // When a source ends (a scenario), its last state stays on the screen.
                changes_open = n > 0;
                    let changed = self.state.fold(batches.drain(..).flatten(), clock.now());
                    self.settle(changed);
                }
                n = running.prices.news.recv_many(&mut news, BATCHES_PER_ITERATION), if prices_open => {
                prices_open = n > 0;
                    let changed = self.state.learn(news.drain(..).flatten(), clock.now());
                    self.settle(changed);
                }
                Some(task) = running.tasks.join_next() => {
                    if let Err(error) = task && !error.is_cancelled() {
                        break Err(error).wrap_err("failed to continue: a task of the source panicked");
                    }
                }
            }
        }
    }

    fn draw<S: Screen>(&mut self, screen: &mut S, clock: &Clock) -> Result<()> {
        let now = clock.now();
        let state = &mut self.state;
        screen.draw(&mut |frame| {
            let area = frame.area();
            state.draw(frame.buffer_mut(), area, now, clock.utc_offset_seconds(now));
            if let Some(caret) = state.seen.caret {
                frame.set_cursor_position(caret);
            }
        })?;
        self.frames += 1;
        let drawn = Instant::now();
        self.pacer.drew(drawn);
        if let Some(next) = ui::next_deadline(&self.state.seen) {
            let wait = u64::try_from(next.as_millisecond() - now.as_millisecond()).unwrap_or(0);
            self.pacer.request(drawn + Duration::from_millis(wait));
        }
        Ok(())
    }

    /// Requests a frame after a change.
    fn settle(&mut self, changed: bool) {
        if changed {
            self.pacer.request(Instant::now() + SETTLE);
        }
    }

    /// Handles one event of the terminal; false if it quits the program.
    fn input<S: Screen>(&mut self, event: &Event, screen: &mut S, clock: &Clock, running: &Running) -> Result<bool> {
        let action = ui::action(&self.state.ui, event);
        // The terminal may report every movement of the mouse: only an event with an action needs a frame.
        if action.is_some() || matches!(event, Event::Resize(..)) {
            self.pacer.request(Instant::now());
        }
        let Some(action) = action else { return Ok(true) };
        match self.state.act(action, clock.now()) {
            Effect::Nothing => {}
            Effect::Quit => return Ok(false),
            Effect::Suspend => self.suspend(screen)?,
            Effect::Copy(text) => screen.copy(&text)?,
        }
        let interest = self.state.ui.open_node().is_some();
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
