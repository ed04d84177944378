//! A cluster, a view of it and a screen, driven step by step like by the main loop, without time.

#![allow(dead_code, reason = "each area of tests uses its own part")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails here")]

use nodeglass::app::DashboardState;
use nodeglass::cluster::Cluster;
use nodeglass::insight::View;
use nodeglass::model::{Change, Timestamp};
use nodeglass::pricing::{ExtraCosts, PriceBook, PriceNews};
use nodeglass::source::demo;
use nodeglass::source::scenario::Scenario;
use nodeglass::source::sim::Speed;
use nodeglass::source::sim::play::Script;
use nodeglass::ui::{self, Action, Depth, Effect, Scene, UiOptions, UiState, keys};
use ratatui::buffer::Buffer;
use ratatui::crossterm::event::{Event, KeyCode, KeyEvent, KeyModifiers};
use ratatui::layout::Rect;
use std::ops::{Deref, DerefMut};

/// 2026-07-14 14:02:31 UTC: an afternoon on which everything here happens.
pub fn afternoon() -> Timestamp {
    Timestamp::from_second(1_784_037_751).unwrap()
}

/// The dashboard's state at a moment that tests choose.
pub struct Stage {
    state: DashboardState,
    pub now: Timestamp,
}

impl Deref for Stage {
    type Target = DashboardState;

    fn deref(&self) -> &DashboardState {
        &self.state
    }
}

impl DerefMut for Stage {
    fn deref_mut(&mut self) -> &mut DashboardState {
        &mut self.state
    }
}

/// Options whose frames are plain text.
pub fn plain() -> UiOptions {
    UiOptions { depth: Depth::None, ..UiOptions::default() }
}

impl Stage {
    pub fn new(cluster: Cluster, options: UiOptions) -> Self {
        let mut state = DashboardState::new(cluster, View::default(), UiState::new(options));
        state.prepare(afternoon());
        Self { state, now: afternoon() }
    }

    /// A stage without changes.
    pub fn empty(options: UiOptions) -> Self {
        Self::new(Cluster::new(Some(PriceBook::embedded())), options)
    }

    pub fn apply(&mut self, changes: impl IntoIterator<Item = Change>) -> &mut Self {
        self.state.fold(changes, self.now);
        self.state.prepare(self.now);
        self
    }

    /// Applies news of price sources.
    pub fn learn(&mut self, news: impl IntoIterator<Item = PriceNews>) -> &mut Self {
        self.state.learn(news, self.now);
        while self.cluster.has_rows_to_quote() {
            self.quote_rows();
        }
        self.state.prepare(self.now);
        self
    }

    /// Lets seconds pass.
    pub fn wait(&mut self, seconds: i64) -> &mut Self {
        self.now = Timestamp::from_second(self.now.as_second() + seconds).unwrap();
        self.state.prepare(self.now);
        self
    }

    /// The scale-out of the scenario file, up to this second.
    pub fn scale_out(until: i64, options: UiOptions) -> Self {
        let text = include_str!("../../../assets/scenarios/scale-out.toml");
        let scenario = Scenario::parse("scale-out.toml", text).unwrap();
        let mut stage = Self::empty(options);
        let start = stage.now;
        for step in scenario.steps(start, Speed::default()).into_iter().filter(|s| s.at.as_secs() <= until) {
            stage.now = start.checked_add(step.at).unwrap();
            stage.apply(step.changes);
        }
        stage.now = Timestamp::from_second(start.as_second() + until).unwrap();
        stage.wait(0);
        stage
    }

    /// The demo's fleet, after so many seconds.
    pub fn demo(nodes: Option<usize>, until: i64, options: UiOptions) -> Self {
        Self::demo_with(ExtraCosts::default(), nodes, until, options)
    }

    /// The same with extra costs.
    pub fn demo_with(extra_costs: ExtraCosts, nodes: Option<usize>, until: i64, options: UiOptions) -> Self {
        let mut cluster = Cluster::new(Some(PriceBook::embedded())).with_extra_costs(extra_costs);
        cluster.learn(demo::prices(afternoon()));
        let mut stage = Self::new(cluster, options);
        let start = stage.now;
        let mut fleet = demo::Fleet::new(demo::Options { seed: 7, nodes, speed: Speed::default() }, start);
        let end = Timestamp::from_second(start.as_second() + until).unwrap();
        while fleet.due().is_some_and(|due| due <= end) {
            let due = fleet.due().unwrap();
            stage.now = due.max(stage.now);
            let changes = fleet.play(due);
            stage.apply(changes);
        }
        stage.now = end;
        stage.wait(0);
        stage
    }

    pub fn frame_input(&self) -> Scene<'_> {
        self.scene(self.now, 0)
    }

    pub fn draw(&mut self, width: u16, height: u16) -> Buffer {
        let area = Rect::new(0, 0, width, height);
        let mut buf = Buffer::empty(area);
        self.state.draw(&mut buf, area, self.now, 0);
        buf
    }

    /// The frame as lines of text, without spaces at their ends.
    pub fn text(&mut self, width: u16, height: u16) -> String {
        text(&self.draw(width, height))
    }

    pub fn act(&mut self, action: Action) -> Effect {
        let effect = self.state.act(action, self.now);
        self.state.prepare(self.now);
        effect
    }

    /// Presses keys by their names in the key table; any other text is typed.
    pub fn press(&mut self, names: &[&str]) -> Effect {
        let mut effect = Effect::Nothing;
        for name in names {
            let known = keys::TABLE.iter().flat_map(|b| b.keys).find(|chord| chord.name() == *name);
            let events: Vec<KeyEvent> = match known {
                Some(chord) => vec![chord.event()],
                None => name.chars().map(|c| KeyEvent::new(KeyCode::Char(c), KeyModifiers::NONE)).collect(),
            };
            for event in events {
                if let Some(action) = ui::action(&self.ui, &Event::Key(event)) {
                    effect = self.act(action);
                }
                let area = self.seen.area;
                if !area.is_empty() {
                    self.draw(area.width, area.height);
                }
            }
        }
        effect
    }
}

/// A buffer as lines of text.
pub fn text(buf: &Buffer) -> String {
    let mut out = String::new();
    for y in 0..buf.area.height {
        let line: String = (0..buf.area.width).map(|x| buf[(x, y)].symbol()).collect();
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}
