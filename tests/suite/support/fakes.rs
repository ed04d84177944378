//! The scripted environment of the main loop: a recording screen, a script of keys and pauses, and a source that the test
//! controls. On tokio's paused clock this takes no time.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails here")]

use super::stage::{afternoon, plain};
use futures::{Stream, stream};
use nodeglass::app::{Dashboard, DashboardState, PriceLink, Running, Screen, SignalAction, World};
use nodeglass::cluster::Cluster;
use nodeglass::insight::View;
use nodeglass::model::{Change, Clock};
use nodeglass::pricing::PriceBook;
use nodeglass::source::live::Interest;
use nodeglass::ui::{UiOptions, UiState};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::crossterm::event::{Event, KeyCode, KeyEvent, KeyModifiers};
use std::cell::RefCell;
use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// A call of the loop to its screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Call {
    Draw(String),
    Copy(String),
    Suspend,
    Repaint,
}

#[derive(Default)]
struct Memory {
    calls: Vec<(Duration, Call)>,
    size: (u16, u16),
    /// The error of all further calls.
    broken: Option<io::ErrorKind>,
}

/// The calls so far, and the error of further calls.
#[derive(Clone)]
pub struct Record {
    memory: Rc<RefCell<Memory>>,
    begun: Instant,
}

impl Record {
    /// All calls, with their times since the start.
    pub fn calls(&self) -> Vec<(Duration, Call)> {
        self.memory.borrow().calls.clone()
    }

    /// The frames, with their times.
    pub fn frames(&self) -> Vec<(Duration, String)> {
        let frame = |(at, call)| match call {
            Call::Draw(text) => Some((at, text)),
            Call::Copy(_) | Call::Suspend | Call::Repaint => None,
        };
        self.calls().into_iter().filter_map(frame).collect()
    }

    /// What the screen shows.
    pub fn last(&self) -> String {
        self.frames().pop().unwrap().1
    }

    /// The time of the first frame that shows a text.
    pub fn shown(&self, text: &str) -> Option<Duration> {
        self.frames().into_iter().find(|(_, frame)| frame.contains(text)).map(|(at, _)| at)
    }

    pub fn resize(&self, width: u16, height: u16) {
        self.memory.borrow_mut().size = (width, height);
    }

    /// Lets all further calls fail.
    pub fn break_with(&self, kind: io::ErrorKind) {
        self.memory.borrow_mut().broken = Some(kind);
    }

    fn call(&self, call: Call) -> io::Result<()> {
        let mut memory = self.memory.borrow_mut();
        memory.calls.push((self.begun.elapsed(), call));
        memory.broken.map_or(Ok(()), |kind| Err(kind.into()))
    }
}

struct FakeScreen {
    terminal: Terminal<TestBackend>,
    record: Record,
}

impl Screen for FakeScreen {
    fn draw(&mut self, paint: &mut dyn FnMut(&mut ratatui::Frame<'_>)) -> io::Result<()> {
        let (width, height) = self.record.memory.borrow().size;
        self.terminal.backend_mut().resize(width, height);
        self.terminal.draw(|frame| paint(frame)).unwrap();
        self.record.call(Call::Draw(super::stage::text(self.terminal.backend().buffer())))
    }

    fn copy(&mut self, text: &str) -> io::Result<()> {
        self.record.call(Call::Copy(text.to_owned()))
    }

    fn suspend(&mut self) -> io::Result<()> {
        self.record.call(Call::Suspend)
    }

    fn repaint(&mut self) -> io::Result<()> {
        self.record.call(Call::Repaint)
    }
}

/// A step of a script.
pub enum Step {
    /// A pause.
    Pause(Duration),
    /// An event of the terminal.
    Input(Event),
    /// An event repeated without a pause until a condition is true.
    Flood(Event, Box<dyn FnMut() -> bool>),
    /// Any other action.
    Do(Box<dyn FnOnce()>),
    /// An error of the terminal.
    Broken(io::Error),
}

pub fn pause(millis: u64) -> Step {
    Step::Pause(Duration::from_millis(millis))
}

pub fn key(c: char) -> Step {
    press(KeyCode::Char(c))
}

pub fn press(code: KeyCode) -> Step {
    Step::Input(Event::Key(KeyEvent::new(code, KeyModifiers::NONE)))
}

pub fn ctrl(c: char) -> Step {
    Step::Input(Event::Key(KeyEvent::new(KeyCode::Char(c), KeyModifiers::CONTROL)))
}

pub fn then(run: impl FnOnce() + 'static) -> Step {
    Step::Do(Box::new(run))
}

/// A script as the stream of terminal events. Its end is the end of the input.
fn inputs(script: impl IntoIterator<Item = Step>) -> Pin<Box<dyn Stream<Item = io::Result<Event>>>> {
    let steps: VecDeque<Step> = script.into_iter().collect();
    // The stream stores its pause, because the loop drops the future of the next event in every iteration.
    Box::pin(stream::unfold(steps, |mut steps| async move {
        loop {
            match steps.pop_front()? {
                Step::Pause(time) => tokio::time::sleep(time).await,
                Step::Input(event) => return Some((Ok(event), steps)),
                Step::Flood(event, mut until) => {
                    if !until() {
                        steps.push_front(Step::Flood(event.clone(), until));
                        return Some((Ok(event), steps));
                    }
                }
                Step::Do(run) => run(),
                Step::Broken(error) => return Some((Err(error), steps)),
            }
        }
    }))
}

/// A source that the test controls.
pub struct Feed {
    sender: mpsc::Sender<Vec<Change>>,
    pub interest: watch::Receiver<Interest>,
    pub cancel: CancellationToken,
}

impl Feed {
    /// Sends changes; the channel has a capacity of a thousand batches.
    pub fn send(&self, changes: impl IntoIterator<Item = Change>) {
        self.sender.try_send(changes.into_iter().collect()).unwrap();
    }

    pub fn sender(&self) -> mpsc::Sender<Vec<Change>> {
        self.sender.clone()
    }

    /// Sends changes at a later step of the script.
    pub fn later(&self, changes: impl IntoIterator<Item = Change> + 'static) -> Step {
        let sender = self.sender();
        then(move || sender.try_send(changes.into_iter().collect()).unwrap())
    }
}

/// The program under test.
pub struct Play {
    pub record: Record,
    pub feed: Feed,
    pub signals: mpsc::Sender<SignalAction>,
    pub tasks: JoinSet<()>,
    pub dashboard: Dashboard,
    changes: mpsc::Receiver<Vec<Change>>,
    signal_actions: mpsc::Receiver<SignalAction>,
    interest: watch::Sender<Interest>,
}

impl Play {
    pub fn new() -> Self {
        Self::with(Cluster::new(Some(PriceBook::embedded())), plain())
    }

    /// On a screen of 120×40 cells.
    pub fn with(cluster: Cluster, options: UiOptions) -> Self {
        let memory = Memory { size: (120, 40), ..Memory::default() };
        let record = Record { memory: Rc::new(RefCell::new(memory)), begun: Instant::now() };
        let (sender, changes) = mpsc::channel(1000);
        let (interest, interested) = watch::channel(Interest::default());
        let (signals, signal_actions) = mpsc::channel(4);
        Self {
            record,
            feed: Feed { sender, interest: interested, cancel: CancellationToken::new() },
            signals,
            tasks: JoinSet::new(),
            dashboard: Dashboard::new(DashboardState::new(cluster, View::default(), UiState::new(options)), None),
            changes,
            signal_actions,
            interest,
        }
    }

    /// A signal, as a step of the script.
    pub fn signal(&self, action: SignalAction) -> Step {
        let signals = self.signals.clone();
        then(move || signals.try_send(action).unwrap())
    }

    /// Plays a script to its end; its last step quits the program.
    pub async fn run(&mut self, script: impl IntoIterator<Item = Step>) -> color_eyre::Result<()> {
        self.run_starting(script, || {}).await
    }

    /// The same, with an action at the start of the source.
    pub async fn run_starting(
        &mut self,
        script: impl IntoIterator<Item = Step>,
        started: impl FnOnce(),
    ) -> color_eyre::Result<()> {
        // The next script gets new channels.
        let (next_sender, next_changes) = mpsc::channel(1000);
        let (next_signals, next_actions) = mpsc::channel(4);
        let (next_interest, next_interested) = watch::channel(Interest::default());
        let running = Running {
            changes: std::mem::replace(&mut self.changes, next_changes),
            prices: PriceLink::closed(),
            tasks: std::mem::take(&mut self.tasks),
            interest: std::mem::replace(&mut self.interest, next_interest),
            cancel: self.feed.cancel.clone(),
        };
        let (width, height) = self.record.memory.borrow().size;
        let world = World {
            screen: FakeScreen {
                terminal: Terminal::new(TestBackend::new(width, height)).unwrap(),
                record: self.record.clone(),
            },
            inputs: inputs(script),
            signals: std::mem::replace(&mut self.signal_actions, next_actions),
            clock: Clock::starting_at(afternoon() + self.record.begun.elapsed()),
            start: move || {
                started();
                running
            },
        };
        let ended = self.dashboard.show(world).await;
        self.feed = Feed { sender: next_sender, interest: next_interested, cancel: CancellationToken::new() };
        self.signals = next_signals;
        ended
    }
}

/// A source that sends nothing and does not end.
pub fn closed_source() -> Running {
    let (_, changes) = mpsc::channel(1);
    let (interest, _) = watch::channel(Interest::default());
    Running { changes, prices: PriceLink::closed(), tasks: JoinSet::new(), interest, cancel: CancellationToken::new() }
}
