//! Pure answers over the state: which rows are shown, in which order and groups, what they add up to, and which
//! conditions need attention.

mod alerts;
mod amount;
mod counts;
mod extra_column;
mod filter;
mod history;
mod nodepool_match;
mod orphans;
mod pending;
mod sort;
mod status;
mod totals;
mod view;
mod waste;

pub use alerts::{Alert, AlertKind, Severity, alerts, clock_skew, unmatched_terms};
pub use amount::{amount_text, percent_text, ratio_text, share_text};
pub use extra_column::{ExtraColumn, extra_titles, resource_titles};
pub use filter::{Filter, FilterError, FilterProblem};
pub use history::CostHistory;
pub use orphans::MissingNodes;
pub use pending::{Binding, Cause, PendingByCause, PendingCount};
pub use sort::{Column, Direction, Sort};
pub use status::{Status, StatusLevel, launch_failure_text, leaving_text, status_reason};
pub use totals::{OldPrices, PriceTotals, Totals};
pub use view::{GroupBy, Line, View};
pub use waste::Waste;
