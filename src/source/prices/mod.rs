//! Prices from AWS.

pub mod read;
