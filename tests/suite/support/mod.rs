//! What several areas of tests share.

pub mod build;
