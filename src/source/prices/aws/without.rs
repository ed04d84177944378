//! The same questions in a build without AWS support: nobody to ask.

use super::{AwsOptions, Identity};
use crate::model::Name;
use crate::pricing::{ClusterSupport, OnDemandKey, Os, PriceSheet};
use crate::source::prices::AskError;
use crate::source::prices::http::Http;
use std::collections::BTreeSet;
use std::sync::Arc;

/// AWS, as it may be asked with credentials: not in this build (cargo feature `aws`).
#[derive(Clone, Debug)]
pub struct Aws;

#[expect(clippy::unused_async, clippy::missing_errors_doc, reason = "the shape of the build with AWS support")]
impl Aws {
    /// Nobody to ask.
    pub fn new(_: AwsOptions) -> Self {
        Self
    }

    /// Nobody to ask.
    pub(in crate::source::prices) fn over(_: Arc<Http>, _: AwsOptions) -> Self {
        Self
    }

    fn none<T>() -> Result<T, AskError> {
        Err(AskError::NoCredentials { why: "this build has no AWS support".to_owned() })
    }

    /// No on-demand prices.
    pub async fn on_demand(&self, _: &OnDemandKey, _: &BTreeSet<Name>) -> Result<PriceSheet, AskError> {
        Self::none()
    }

    /// No spot prices.
    pub async fn spot(&self, _: &str, _: Os, _: &BTreeSet<Name>) -> Result<PriceSheet, AskError> {
        Self::none()
    }

    /// No volume prices.
    pub async fn volumes(&self, _: &str, _: &BTreeSet<Name>) -> Result<PriceSheet, AskError> {
        Self::none()
    }

    /// No description of a cluster.
    pub async fn cluster_support(&self, _: &str, _: &str) -> Result<ClusterSupport, AskError> {
        Self::none()
    }

    /// Nobody knows us.
    pub async fn identity(&self) -> Result<Identity, AskError> {
        Self::none()
    }
}
