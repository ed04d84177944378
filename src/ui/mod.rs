//! The screen: state and cluster in, cells out; key → action → update. No I/O, no clock.
//!
//! ```text
//!  nodeglass  context · region · version · provisioner        ● nodes ● pods ● events ● claims   14:02:31   header
//!  nodes    2  +1 launching     $0.482/h  $351.57/mo  instances 0.430 + auto mode 0.052                  header
//!  cpu      8.0 / 9.8   81.3%  ██████████████████████████████████████████████████                        header
//!  ▲ 3 launches failed in 2m: VcpuLimitExceeded (general-purpose)                                        alerts
//! ── nodes ──────────────────────────────── requests · efficiency: ■ <35% low ■ ok ■ >70% high ─ table
//! ▌  i-0fce4e6539834df06   general-purpose   ██████████████████▋    88%    …   Ready                     table
//! ── events  [all] provision schedule disrupt warnings ───────────────────────────────────── following ── events
//!  2s W FailedScheduling    pod/inflate-b6b45f8d4-b8hxt  ×91  0/1 nodes are available: 1 Insufficient …   events
//!  ←/→ page  ↑/↓ select  ⏎ open  / filter  …                                          page 1/1 · 2 nodes footer
//! ```
//!
//! Invariants: [`draw()`] only reads, and returns what was visible ([`Seen`]); [`update()`] is the only writer of
//! [`UiState`]. Only visible lines are formatted, so the cost of a frame does not depend on the size of the cluster. The
//! main loop is `view.refresh` → [`draw()`] → [`UiState::saw`], and on a key
//! [`keys::action`] → [`update()`] → [`Effect`].

mod amounts;
mod bar;
mod detail;
mod empty;
mod events;
mod extra_costs;
mod footer;
mod format;
mod frame;
mod header;
mod help;
pub mod keys;
mod nodepools;
mod pen;
mod placement;
mod scene;
mod sorting;
mod state;
mod status;
mod table;
mod theme;
mod update;

pub use frame::{draw, next_deadline};
pub use keys::{Action, Binding, Scope, action};
pub use scene::Scene;
pub use state::{Bars, EventMark, Focus, Seen, UiOptions, UiState, Widths};
pub use theme::{Depth, Level, Levels, Palette, Rgb, Theme};
pub use update::{Effect, update};
