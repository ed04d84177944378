//! The state of a row as text: the glyph before its name, its status, and the note in place of bars.

use super::format;
use super::scene::Scene;
use super::state::Seen;
use super::theme::{Role, Theme};
use crate::cluster::{Row, RowId, RowState};
use crate::insight::{Line, Status, StatusLevel, amount_text, launch_failure_text, leaving_text};
use crate::model::{Name, Resource};
use crate::units::age;
use std::fmt::Write;

/// The text of the status column: the state, and what it waits for.
pub(super) fn status(row: &Row, scene: &Scene<'_>, seen: &mut Seen) -> (String, Role) {
    let status = Status::from_row(row, scene.cluster, scene.now);
    if let Some(seconds) = status.changes_in {
        seen.changes_in(seconds, scene.now);
    }
    let role = match status.level {
        StatusLevel::Normal => Role::Text,
        StatusLevel::Inactive => Role::Dim,
        StatusLevel::Progressing => Role::Moving,
        StatusLevel::Warning => Role::Warn,
        StatusLevel::Failed => Role::Bad,
    };
    (status.text, role)
}

/// The glyph before the name.
pub(super) fn sign(row: &Row, new: bool, theme: &Theme) -> (&'static str, Role) {
    let g = theme.glyphs();
    if row.interrupted().is_some() && *row.state() != RowState::Gone {
        return (g.alert, Role::Bad);
    }
    match row.state() {
        RowState::Gone if row.never_launched() => (g.failed, Role::Bad),
        RowState::Gone => (g.gone, Role::Dim),
        RowState::LaunchFailed => (g.failed, Role::Bad),
        RowState::PendingClaim { failing } if !failing.is_empty() => (g.failed, Role::Bad),
        RowState::PendingClaim { .. } | RowState::Launching => (g.launching, Role::Moving),
        RowState::Joining | RowState::Initializing { .. } | RowState::Rebooting { .. } => (g.joining, Role::Moving),
        RowState::Disrupted { .. } | RowState::Draining { .. } | RowState::Terminating => (g.leaving, Role::Warn),
        RowState::Unreachable | RowState::NotReady | RowState::NodeMissing => (g.broken, Role::Bad),
        RowState::Cordoned => (g.cordoned, Role::Warn),
        RowState::Ready | RowState::Mentioned if new => (g.new, Role::Good),
        RowState::Ready | RowState::Mentioned => (" ", Role::Text),
    }
}

/// The text in place of bars, for a row without an instance.
pub(super) fn note(row: &Row, scene: &Scene<'_>, seen: &mut Seen) -> Option<(String, Role)> {
    let theme = &scene.ui.theme;
    let dot = theme.glyphs().dot;
    let why = |row: &Row| row.leaving().map(leaving_text);
    match row.state() {
        RowState::Gone if row.never_launched() => {
            Some((why(row).unwrap_or_else(|| "the launch failed".into()), Role::Bad))
        }
        RowState::Gone => {
            let at = row.gone().unwrap_or(scene.now);
            seen.changes_in(1, scene.now);
            let ago = age::short(scene.now.as_second() - at.as_second());
            Some((format!("gone {ago} ago {dot} {}", why(row).unwrap_or_else(|| "no reason given".into())), Role::Dim))
        }
        RowState::LaunchFailed => Some((why(row).unwrap_or_else(|| "the launch failed".into()), Role::Bad)),
        RowState::PendingClaim { failing } if !failing.is_empty() => Some((launch_failure_text(row)?, Role::Bad)),
        RowState::PendingClaim { .. } => {
            let claim = row.claim()?;
            let mut text = String::from("waits for its machine");
            let asks = &claim.requests;
            if asks.cpu_millicores > 0 {
                let cpu = amount_text(&Resource::Cpu, asks.cpu_millicores);
                let _ = write!(text, " {dot} asks {} cpu", cpu.trim_end_matches(".0"));
                if asks.memory_bytes > 0 {
                    let _ = write!(text, ", {}", amount_text(&Resource::Memory, asks.memory_bytes));
                }
            }
            if asks.pods > 0 {
                let _ = write!(text, " for {}", format::count(asks.pods, "pod", "pods"));
            }
            Some((text, Role::Moving))
        }
        RowState::Mentioned => Some(("known from its pods only: nodes may not be read".into(), Role::Dim)),
        RowState::Terminating
        | RowState::Draining { .. }
        | RowState::Disrupted { .. }
        | RowState::Launching
        | RowState::Joining
        | RowState::Initializing { .. }
        | RowState::Unreachable
        | RowState::NotReady
        | RowState::Cordoned
        | RowState::Rebooting { .. }
        | RowState::NodeMissing
        | RowState::Ready => None,
    }
}

/// The name of a row; empty if it does not exist any more.
pub(super) fn name_of(id: RowId, scene: &Scene<'_>) -> Name {
    scene.cluster.row(id).map_or_else(Name::default, |row| row.name().into())
}

/// The region of the cluster, by its first rows.
pub(super) fn region<'a>(scene: &Scene<'a>) -> Option<&'a str> {
    scene.view.lines().iter().take(50).find_map(|line| match line {
        Line::Row(id) => scene.cluster.row(*id)?.region(),
        Line::Group(_) => None,
    })
}
