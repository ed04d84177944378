//! The state of the dashboard, and what a frame is made of. No I/O and no clock.

use crate::cluster::{ChangedParts, Cluster};
use crate::insight::{Alert, CostHistory, Filter, PendingByCause, View, alerts, unmatched_terms};
use crate::model::{Change, Stream, Timestamp};
use crate::pricing::PriceNews;
use crate::ui::{self, Action, Effect, Scene, Seen, UiState};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

/// The cluster, the view of it, the screen, and what is derived from them for a frame.
pub struct DashboardState {
    /// The cluster.
    pub cluster: Cluster,
    /// The rows that are shown, and their sums.
    pub view: View,
    /// The state of the screen.
    pub ui: UiState,
    /// The alerts of the last frame.
    pub alerts: Vec<Alert>,
    /// What the last frame showed.
    pub seen: Seen,
    pending: PendingByCause,
    history: CostHistory,
    changed: ChangedParts,
    /// The second in which the alerts were computed.
    alerts_at: i64,
    sampled_filter: Option<Filter>,
    settings_checked: bool,
    prices_expected: bool,
}

impl DashboardState {
    /// The state of a cluster, which is usually empty, before its first frame.
    pub fn new(cluster: Cluster, view: View, ui: UiState) -> Self {
        Self {
            cluster,
            view,
            ui,
            alerts: Vec::new(),
            seen: Seen::default(),
            pending: PendingByCause::default(),
            history: CostHistory::default(),
            changed: ChangedParts::NONE,
            alerts_at: i64::MIN,
            sampled_filter: None,
            settings_checked: false,
            prices_expected: false,
        }
    }

    /// Live prices were requested (`--pricing=online`): a notice is shown, once, if no price source answers.
    #[must_use]
    pub const fn expecting_prices(mut self, expected: bool) -> Self {
        self.prices_expected = expected;
        self
    }

    /// Folds changes into the cluster. Returns whether a frame is due.
    pub fn fold(&mut self, changes: impl IntoIterator<Item = Change>, now: Timestamp) -> bool {
        let mut parts = ChangedParts::NONE;
        for change in changes {
            parts |= self.cluster.apply(change, now);
        }
        self.changed |= parts;
        parts.any()
    }

    /// Applies the answers of price sources. Returns whether a frame is due.
    pub fn learn(&mut self, news: impl IntoIterator<Item = PriceNews>, now: Timestamp) -> bool {
        let changed = self.quote(|cluster| cluster.learn(news));
        if let Some(why) = self.cluster.prices().total_failure().filter(|_| self.prices_expected) {
            self.prices_expected = false;
            self.ui.notify(format!("no price source answered: {why}"), now);
        }
        changed
    }

    /// Quotes the next rows of those whose prices have changed. Returns whether a frame is due.
    pub fn quote_rows(&mut self) -> bool {
        self.quote(Cluster::quote_rows)
    }

    /// Lets the cluster quote rows again. A more exact price is not a change in cost: earlier samples are adjusted to it.
    fn quote(&mut self, quote: impl FnOnce(&mut Cluster) -> ChangedParts) -> bool {
        self.view.refresh(&mut self.cluster);
        let before = self.view.totals().price.clone();
        let changed = quote(&mut self.cluster);
        if changed.has(ChangedParts::ROWS) {
            self.view.refresh(&mut self.cluster);
            self.history.rebase(&before, &self.view.totals().price);
        }
        self.changed |= changed;
        changed.any()
    }

    /// Brings everything that a frame shows up to date with the cluster and the time.
    pub fn prepare(&mut self, now: Timestamp) {
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
    }

    /// What a frame is drawn from, as of the last [`Self::prepare`]. `offset_seconds` is the local time's offset from UTC.
    pub fn scene(&self, now: Timestamp, offset_seconds: i32) -> Scene<'_> {
        Scene {
            cluster: &self.cluster,
            view: &self.view,
            ui: &self.ui,
            alerts: &self.alerts,
            pending: &self.pending,
            history: &self.history,
            now,
            offset_seconds,
        }
    }

    /// Prepares and draws a frame.
    pub fn draw(&mut self, buffer: &mut Buffer, area: Rect, now: Timestamp, offset_seconds: i32) {
        self.prepare(now);
        self.seen = ui::draw(buffer, area, &self.scene(now, offset_seconds));
        self.ui.saw(&self.seen);
    }

    /// Applies an action of the user.
    pub fn act(&mut self, action: Action, now: Timestamp) -> Effect {
        ui::update(&mut self.ui, &mut self.view, &self.cluster, action, &self.seen, now)
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
}
