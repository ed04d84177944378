//! What several areas share.

pub mod apiserver;
