//! Leaf values: quantities, money, ages, names in natural order, text that is safe and fits.
//!
//! Nothing here knows Kubernetes objects, the terminal or the network.

pub mod age;
pub mod money;
pub mod natural;
pub mod quantity;
pub mod text;

pub use money::{Currency, Money};
pub use quantity::Quantity;
