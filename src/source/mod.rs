//! Where changes come from, and prices. A cluster, the demo and a scenario file send the same
//! [`crate::model::Change`]s, so what works for one works for all.
//!
//! [`live`] and [`prices`] use no other source; the demo and scenario files play the simulation of [`sim`].

mod blocking;
pub mod demo;
mod json;
pub mod live;
pub mod prices;
pub mod scenario;
pub mod sim;
