//! Questions to AWS with credentials.

use super::credentials::{Credentials, Session};
use super::signed::Caller;
use super::transport::Transport;
use super::{AwsEnvironment, AwsOptions, Identity, products};
use crate::model::{Name, Timestamp};
use crate::pricing::{ClusterSupport, OnDemandKey, Os, PriceSheet};
use crate::source::prices::AskError;
use crate::source::prices::http::{Http, Proxies};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

/// AWS, as it may be asked with credentials. A copy shares them.
#[derive(Clone)]
pub struct Aws(Arc<Inner>);

struct Inner {
    credentials: Credentials,
    http: Arc<Http>,
    environment: AwsEnvironment,
    now: fn() -> Timestamp,
}

impl fmt::Debug for Aws {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Aws")
    }
}

/// Every question is answered or given up within some 17 s: two for credentials, fifteen for AWS. They need a tokio
/// runtime.
impl Aws {
    /// Nothing is looked for before the first question.
    pub fn new(options: AwsOptions) -> Self {
        let variable = |name: &str| options.environment.get(name).map(str::to_owned);
        Self::over(Arc::new(Http::new(&Proxies::of(&variable))), options)
    }

    /// The same over a client that others use as well.
    pub(in crate::source::prices) fn over(http: Arc<Http>, options: AwsOptions) -> Self {
        let client = SharedHttpClient::new(Transport::new(Arc::clone(&http)));
        Self::with(options, http, client)
    }

    /// With a client for the SDK of its own.
    pub(super) fn with(options: AwsOptions, http: Arc<Http>, client: SharedHttpClient) -> Self {
        let environment = options.environment.clone();
        let credentials = Credentials::new(options, client);
        Self(Arc::new(Inner { credentials, http, environment, now: Timestamp::now }))
    }

    /// On-demand prices of some instance types, by `pricing:GetProducts`. A type that the list does not have is not in
    /// the sheet.
    ///
    /// # Errors
    ///
    /// Nothing could be learned. [`AskError::Absent`]: the partition has no Price List API.
    pub async fn on_demand(&self, key: &OnDemandKey, types: &BTreeSet<Name>) -> Result<PriceSheet, AskError> {
        let session = self.session().await?;
        self.heed(products::on_demand(&session, key, types, self.0.now).await)
    }

    /// Spot prices of some instance types by zone, by `ec2:DescribeSpotPriceHistory`.
    ///
    /// # Errors
    ///
    /// Nothing could be learned.
    pub async fn spot(&self, region: &str, os: Os, types: &BTreeSet<Name>) -> Result<PriceSheet, AskError> {
        let session = self.session().await?;
        self.heed(self.caller(&session).spot(region, os, types).await)
    }

    /// Prices of some EBS volume types, by `pricing:GetProducts`.
    ///
    /// # Errors
    ///
    /// Nothing could be learned. [`AskError::Absent`]: the partition has no Price List API.
    pub async fn volumes(&self, region: &str, types: &BTreeSet<Name>) -> Result<PriceSheet, AskError> {
        let session = self.session().await?;
        self.heed(products::volumes(&session, region, types, self.0.now).await)
    }

    /// What kind of support a cluster has, and its tier, by `eks:DescribeCluster`; which support its version is in today,
    /// by `eks:DescribeClusterVersions` where that is allowed.
    ///
    /// # Errors
    ///
    /// [`AskError::Absent`]: the account has no such cluster there. Or nothing could be learned.
    pub async fn cluster_support(&self, region: &str, cluster: &str) -> Result<ClusterSupport, AskError> {
        let session = self.session().await?;
        self.heed(self.caller(&session).cluster_support(region, cluster).await)
    }

    /// As whom AWS knows us, by `sts:GetCallerIdentity`, which no policy can forbid.
    ///
    /// # Errors
    ///
    /// There are no credentials, or they are not accepted, or STS cannot be reached.
    pub async fn identity(&self) -> Result<Identity, AskError> {
        let session = self.session().await?;
        self.heed(self.caller(&session).identity().await)
    }

    async fn session(&self) -> Result<Session, AskError> {
        self.0.credentials.session().await
    }

    fn caller<'a>(&'a self, session: &'a Session) -> Caller<'a> {
        Caller { http: &self.0.http, environment: &self.0.environment, session, now: self.0.now }
    }

    /// Credentials that are not accepted are looked for anew at the next question.
    fn heed<T>(&self, answer: Result<T, AskError>) -> Result<T, AskError> {
        if matches!(answer, Err(AskError::Expired { .. })) {
            self.0.credentials.forget();
        }
        answer
    }
}
