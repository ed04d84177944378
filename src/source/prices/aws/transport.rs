//! AWS's SDK on the program's own HTTP client.
//!
//! Public files, signed requests and the SDK share one client: the same trust roots, proxies, and limits of time and size.
//! `aws-smithy-http-client` would be a second one, which ignores `HTTPS_PROXY`.

use crate::source::prices::http::{GetError, Http};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;

/// The time limit of a request for which the SDK has none.
const DEFAULT_LIMIT: Duration = Duration::from_secs(10);

/// The HTTP client in the form that the SDK needs.
pub(super) struct Transport(Arc<Http>);

impl Transport {
    pub(super) const fn new(http: Arc<Http>) -> Self {
        Self(http)
    }
}

impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Transport")
    }
}

impl HttpClient for Transport {
    fn http_connector(&self, settings: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        // The longer of the two limits, not their sum: both are a second for the instance metadata service, which off EC2
        // then takes less time than a question waits for credentials.
        let limit = settings.read_timeout().max(settings.connect_timeout()).unwrap_or(DEFAULT_LIMIT);
        SharedHttpConnector::new(Connector { http: Arc::clone(&self.0), limit })
    }
}

/// Sends the requests of one of the SDK's clients.
struct Connector {
    http: Arc<Http>,
    /// For the connection and the whole answer.
    limit: Duration,
}

impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connector").field("limit", &self.limit).finish_non_exhaustive()
    }
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        HttpConnectorFuture::new(answer(Arc::clone(&self.http), self.limit, request))
    }
}

async fn answer(http: Arc<Http>, limit: Duration, request: HttpRequest) -> Result<HttpResponse, ConnectorError> {
    let (head, body) = request.try_into_http1x().map_err(|error| ConnectorError::user(error.into()))?.into_parts();
    // The requests of all clients here are JSON, a form or empty.
    let body = body.bytes().and_then(|bytes| std::str::from_utf8(bytes).ok());
    let body = body.ok_or_else(|| ConnectorError::user("the body of the request is not text".into()))?.to_owned();
    let answer = timeout(limit, http.send(http::Request::from_parts(head, body))).await;
    let answer = answer
        .map_err(|elapsed| ConnectorError::timeout(elapsed.into()))?
        .map_err(|error| ConnectorError::io(reason(error).into()))?;
    answer.map(SdkBody::from).try_into().map_err(|error| ConnectorError::other(Box::new(error), None))
}

/// Why a request has no answer.
pub(super) fn reason(error: GetError) -> String {
    match error {
        GetError::Failed(why) => why,
        // Only of files.
        GetError::Absent => "it is not there".to_owned(),
        GetError::Forbidden => "it is forbidden".to_owned(),
    }
}
