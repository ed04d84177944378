//! The questions that AWS answers with credentials.

use super::credentials::{Credentials, Session};
use super::policy::Call;
use super::signed::Signer;
use super::transport::Transport;
use super::{AwsEnvironment, AwsOptions, Identity, products};
use crate::model::{Name, Timestamp};
use crate::pricing::{ClusterSupport, OnDemandKey, Os, PriceSheet};
use crate::source::prices::AskError;
use crate::source::prices::http::{Http, Proxies};
use crate::units::text::clean;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

/// A client of AWS. Clones share the credentials.
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

/// Every question needs a tokio runtime, and takes at most 17 s: two for the credentials, fifteen for the answer. An error
/// means that nothing was learned.
impl Aws {
    /// A client that looks for credentials at the first question.
    pub fn new(options: AwsOptions) -> Self {
        let variable = |name: &str| options.environment.get(name).map(str::to_owned);
        Self::over(Arc::new(Http::new(&Proxies::from_environment(&variable))), options)
    }

    /// A client that shares its connections with others.
    pub(in crate::source::prices) fn over(http: Arc<Http>, options: AwsOptions) -> Self {
        let client = SharedHttpClient::new(Transport::new(Arc::clone(&http)));
        Self::with(options, http, client)
    }

    /// A client with another HTTP client for the SDK.
    pub(super) fn with(options: AwsOptions, http: Arc<Http>, client: SharedHttpClient) -> Self {
        let environment = options.environment.clone();
        let credentials = Credentials::new(options, client);
        Self(Arc::new(Inner { credentials, http, environment, now: Timestamp::now }))
    }

    /// On-demand prices of instance types, by `pricing:GetProducts`. The sheet lacks types that AWS does not list.
    ///
    /// # Errors
    ///
    /// [`AskError::Absent`] if the partition has no Price List API.
    pub async fn on_demand(&self, key: &OnDemandKey, types: &BTreeSet<Name>) -> Result<PriceSheet, AskError> {
        let session = self.session().await?;
        self.heed(products::on_demand(&session, key, types, self.0.now).await).await
    }

    /// Spot prices of instance types by zone, by `ec2:DescribeSpotPriceHistory`.
    ///
    /// # Errors
    ///
    /// [`AskError::Absent`] if the region is not the name of one.
    pub async fn spot(&self, region: &str, os: Os, types: &BTreeSet<Name>) -> Result<PriceSheet, AskError> {
        let session = self.session().await?;
        self.heed(self.signer(&session).spot(region, os, types).await).await
    }

    /// Prices of EBS volume types, by `pricing:GetProducts`.
    ///
    /// # Errors
    ///
    /// [`AskError::Absent`] if the partition has no Price List API.
    pub async fn volumes(&self, region: &str, types: &BTreeSet<Name>) -> Result<PriceSheet, AskError> {
        let session = self.session().await?;
        self.heed(products::volumes(&session, region, types, self.0.now).await).await
    }

    /// The support type and the tier of a cluster, by `eks:DescribeCluster`; and the support phase of its version, by
    /// `eks:DescribeClusterVersions` if that is allowed.
    ///
    /// # Errors
    ///
    /// [`AskError::Absent`] if the account has no such cluster in the region.
    pub async fn cluster_support(&self, region: &str, cluster: &str) -> Result<ClusterSupport, AskError> {
        let session = self.session().await?;
        self.heed(self.signer(&session).cluster_support(region, cluster).await).await
    }

    /// The account and the user or role of the credentials, by `sts:GetCallerIdentity`, which no policy can forbid.
    ///
    /// # Errors
    ///
    /// There are no credentials, AWS does not accept them, or STS is not reachable.
    pub async fn identity(&self) -> Result<Identity, AskError> {
        let session = self.session().await?;
        let what = "the identity of the AWS credentials";
        let call = Call { session: &session, action: "sts:GetCallerIdentity", what };
        let config = aws_sdk_sts::config::Builder::from(&session.config).credentials_provider(session.keys.clone());
        let request = Box::pin(aws_sdk_sts::Client::from_conf(config.build()).get_caller_identity().send());
        let answer = call.in_time(async { request.await.map_err(|error| call.failed(&error).error) }).await;
        let answer = self.heed(answer).await?;
        match (answer.account(), answer.arn()) {
            (Some(account), Some(arn)) => {
                Ok(Identity { account: clean(account).into_owned(), arn: clean(arn).into_owned() })
            }
            (_, _) => Err(call.garbled("it has no account and no ARN".to_owned())),
        }
    }

    async fn session(&self) -> Result<Session, AskError> {
        self.0.credentials.session().await
    }

    fn signer<'a>(&'a self, session: &'a Session) -> Signer<'a> {
        Signer { http: &self.0.http, environment: &self.0.environment, session, now: self.0.now }
    }

    /// Forgets credentials that AWS does not accept, so that the next question looks for others.
    async fn heed<T>(&self, answer: Result<T, AskError>) -> Result<T, AskError> {
        if matches!(answer, Err(AskError::Expired { .. })) {
            self.0.credentials.forget().await;
        }
        answer
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Server, answer, signed_in};
    use super::*;

    #[tokio::test]
    async fn the_identity_is_that_of_sts() {
        let body = "<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws:iam::123456789012:user/Alice</Arn>\
                    <Account>123456789012</Account></GetCallerIdentityResult></GetCallerIdentityResponse>";
        let server =
            Server::start(vec![answer("200 OK", body), answer("403 Forbidden", &sts_error("InvalidClientTokenId"))])
                .await;
        let mut options = signed_in(&[("AWS_ENDPOINT_URL_STS", &server.address)]);
        options.region = Some("eu-west-1".into());
        let aws = Aws::new(options);
        let expected = Identity { account: "123456789012".into(), arn: "arn:aws:iam::123456789012:user/Alice".into() };
        assert_eq!(aws.identity().await, Ok(expected));
        let request = server.requests().remove(0);
        assert!(
            request.contains("/eu-west-1/sts/aws4_request")
                && request.ends_with("Action=GetCallerIdentity&Version=2011-06-15")
        );
        let error = aws.identity().await.unwrap_err();
        assert_eq!(error.to_string(), "use the AWS credentials: Not now; renew the credentials of the profile default");
    }

    fn sts_error(code: &str) -> String {
        format!(
            "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>Not now.</Message></Error></ErrorResponse>"
        )
    }
}
