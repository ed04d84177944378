//! Basic values: quantities, money, ages, natural order of names, sanitized and truncated text.
//!
//! Independent of Kubernetes objects, the terminal and the network.

pub mod age;
pub mod money;
pub mod natural;
pub mod quantity;
pub mod text;

pub use money::{Currency, Money};
pub use quantity::Quantity;
