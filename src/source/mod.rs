//! Where changes come from. Every source sends the same [`crate::model::Change`]s, so what works for one works for all.

mod blocking;
pub mod demo;
mod json;
pub mod live;
pub mod prices;
pub mod scenario;
pub mod sim;
