//! …

pub mod demo;
pub mod scenario;
pub mod sim;
