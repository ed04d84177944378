//! [`Aws`] of a build without the cargo feature `aws`: every question fails.

use super::{AwsOptions, Identity};
use crate::model::Name;
use crate::pricing::{ClusterSupport, OnDemandKey, Os, PriceSheet};
use crate::source::prices::AskError;
use crate::source::prices::http::Http;
use std::collections::BTreeSet;
use std::sync::Arc;

/// A client of AWS that has no credentials.
#[derive(Clone, Debug)]
pub struct Aws;

#[expect(clippy::unused_async, clippy::missing_errors_doc, reason = "the same methods as with the feature")]
impl Aws {
    /// A client.
    pub fn new(_: AwsOptions) -> Self {
        Self
    }

    /// A client.
    pub(in crate::source::prices) fn over(_: Arc<Http>, _: AwsOptions) -> Self {
        Self
    }

    fn none<T>() -> Result<T, AskError> {
        Err(AskError::NoCredentials { why: "this build has no AWS support".to_owned() })
    }

    /// Fails.
    pub async fn on_demand(&self, _: &OnDemandKey, _: &BTreeSet<Name>) -> Result<PriceSheet, AskError> {
        Self::none()
    }

    /// Fails.
    pub async fn spot(&self, _: &str, _: Os, _: &BTreeSet<Name>) -> Result<PriceSheet, AskError> {
        Self::none()
    }

    /// Fails.
    pub async fn volumes(&self, _: &str, _: &BTreeSet<Name>) -> Result<PriceSheet, AskError> {
        Self::none()
    }

    /// Fails.
    pub async fn cluster_support(&self, _: &str, _: &str) -> Result<ClusterSupport, AskError> {
        Self::none()
    }

    /// Fails.
    pub async fn identity(&self) -> Result<Identity, AskError> {
        Self::none()
    }
}
