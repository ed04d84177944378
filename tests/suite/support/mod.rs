//! What several areas of the suite share.

pub mod alloc;
pub mod apiserver;
pub mod build;
pub mod fakes;
pub mod loopback;
pub mod price_server;
pub mod proxies;
#[cfg(unix)]
pub mod pty;
pub mod stage;
pub mod svg;
pub mod tls;
