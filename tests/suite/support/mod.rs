//! What several areas of tests share.

pub mod alloc;
pub mod build;
