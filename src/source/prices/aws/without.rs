//! [`Aws`] of a build without the cargo feature `aws`: every call fails.

use super::{AwsOptions, Identity};
use crate::model::Name;
use crate::source::prices::AskError;
use crate::source::prices::http::Http;
use crate::source::prices::query::{Answer, AwsCall};
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

    /// Fails.
    pub async fn ask(&self, _: &AwsCall, _: &BTreeSet<Name>) -> Result<Answer, AskError> {
        Err(no_credentials())
    }

    /// Fails.
    pub async fn identity(&self) -> Result<Identity, AskError> {
        Err(no_credentials())
    }
}

fn no_credentials() -> AskError {
    AskError::NoCredentials { why: "this build has no AWS support".to_owned() }
}
