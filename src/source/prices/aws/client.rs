//! The client of AWS: it finds credentials at the first call, and shares them.

use super::action::Action;
use super::credentials::{Credentials, Session};
use super::signed::Signer;
use super::transport::Transport;
use super::{AwsEnvironment, AwsOptions, Identity, products};
use crate::model::{Name, Timestamp};
use crate::source::prices::http::{Http, Proxies};
use crate::source::prices::query::{Answer, AwsCall};
use crate::source::prices::{AskError, ClusterId};
use crate::units::text::clean;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

/// A client of AWS. Clones share the credentials.
///
/// Each call needs a tokio runtime and takes at most 17 s: two for the credentials, fifteen for the answer.
#[derive(Clone)]
pub struct Aws(Arc<Inner>);

struct Inner {
    credentials: Credentials,
    http: Arc<Http>,
    environment: AwsEnvironment,
}

impl fmt::Debug for Aws {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Aws")
    }
}

impl Aws {
    /// A client with connections of its own.
    pub fn new(options: AwsOptions) -> Self {
        let variable = |name: &str| options.environment.get(name).map(str::to_owned);
        Self::over(Arc::new(Http::new(&Proxies::from_environment(&variable))), options)
    }

    /// A client that shares the HTTP client of other price sources.
    pub(in crate::source::prices) fn over(http: Arc<Http>, options: AwsOptions) -> Self {
        let client = SharedHttpClient::new(Transport::new(Arc::clone(&http)));
        Self::with_sdk_client(options, http, client)
    }

    /// A client with another HTTP client for the SDK.
    pub(super) fn with_sdk_client(options: AwsOptions, http: Arc<Http>, client: SharedHttpClient) -> Self {
        let environment = options.environment.clone();
        Self(Arc::new(Inner { credentials: Credentials::new(options, client), http, environment }))
    }

    /// Makes a call about types; the answer lacks those that AWS does not list. The call about a cluster needs no types.
    ///
    /// # Errors
    ///
    /// [`AskError::Absent`] if there is no such region or cluster, or its partition has no Price List API; an error means
    /// that nothing was answered.
    pub async fn ask(&self, call: &AwsCall, types: &BTreeSet<Name>) -> Result<Answer, AskError> {
        let session = self.0.credentials.session().await?;
        let signer =
            Signer { http: &self.0.http, environment: &self.0.environment, session: &session, now: Timestamp::now };
        let sheets = |sheet| Answer::from(vec![sheet]);
        let answer = match call {
            AwsCall::OnDemand(key) => Box::pin(products::on_demand(&session, key, types)).await.map(sheets),
            AwsCall::Volumes { region } => Box::pin(products::volumes(&session, region, types)).await.map(sheets),
            AwsCall::SpotHistory { region, os } => signer.spot(region, *os, types).await.map(sheets),
            AwsCall::Cluster(ClusterId { region, name }) => {
                let support = signer.cluster_support(region, name).await;
                support.map(|support| Answer { support: Some(support), ..Answer::default() })
            }
        };
        self.forget_if_refused(answer)
    }

    /// The account and the user or role of the credentials, by `sts:GetCallerIdentity`, which no policy can deny.
    ///
    /// # Errors
    ///
    /// There are no credentials, AWS does not accept them, or STS is not reachable.
    pub async fn identity(&self) -> Result<Identity, AskError> {
        let session = self.0.credentials.session().await?;
        let what = "the identity of the AWS credentials";
        let action = Action { session: &session, name: "sts:GetCallerIdentity", what };
        let answer = action.in_time(Box::pin(identity(&action))).await;
        self.forget_if_refused(answer)
    }

    /// Forgets credentials that AWS does not accept, so that the next call looks for others.
    fn forget_if_refused<T>(&self, answer: Result<T, AskError>) -> Result<T, AskError> {
        if matches!(answer, Err(AskError::Expired { .. })) {
            self.0.credentials.forget();
        }
        answer
    }
}

async fn identity(action: &Action<'_>) -> Result<Identity, AskError> {
    let Session { config, keys, .. } = action.session;
    let config = aws_sdk_sts::config::Builder::from(config).credentials_provider(keys.clone());
    let answer = aws_sdk_sts::Client::from_conf(config.build()).get_caller_identity().send().await;
    let answer = answer.map_err(|error| action.failed(&error))?;
    let text = |text: &str| clean(text).into_owned();
    match (answer.account(), answer.arn()) {
        (Some(account), Some(arn)) => Ok(Identity { account: text(account), arn: text(arn) }),
        (_, _) => Err(action.garbled("it has no account and no ARN".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Server, answer, signed_in};
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
