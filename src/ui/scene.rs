//! The input of a frame.

use super::state::UiState;
use super::theme::Theme;
use crate::cluster::Cluster;
use crate::insight::{Alert, CostHistory, PendingByCause, View};
use crate::model::Timestamp;

/// The input of a frame: a frame depends on nothing else.
#[derive(Clone, Copy, Debug)]
pub struct Scene<'a> {
    /// The state.
    pub cluster: &'a Cluster,
    /// The shown rows in order, refreshed.
    pub view: &'a View,
    /// The state of the screen: cursor, layers, filter text.
    pub ui: &'a UiState,
    /// Alerts, the most important first.
    pub alerts: &'a [Alert],
    /// Pending pods by cause.
    pub pending: &'a PendingByCause,
    /// The hourly cost over the session.
    pub history: &'a CostHistory,
    /// The current time.
    pub now: Timestamp,
    /// Offset of local time from UTC in seconds, positive east of Greenwich.
    pub offset_seconds: i32,
}

impl Scene<'_> {
    pub(super) const fn theme(&self) -> &Theme {
        &self.ui.theme
    }
}
