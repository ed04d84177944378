//! Pure answers over the state: which rows are wanted, in what order, in which groups, what they add up to, and what
//! somebody should be told about.

mod filter;
mod sort;
mod totals;
mod view;

pub use filter::{Filter, FilterError, FilterProblem};
pub use sort::{Column, Direction, Sort};
pub use totals::{PriceTotals, Totals};
pub use view::{GroupBy, Line, View};
