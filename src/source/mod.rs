//! Where changes come from. Every source says the same [`crate::model::Change`]s, so what works for one works for all.

pub mod demo;
mod json;
pub mod live;
pub mod prices;
pub mod scenario;
pub mod sim;
