//! AWS's SDK on the program's own HTTP client.
//!
//! One client for public files, signed calls and the SDK: the same roots of trust, the same proxies, the same limits of
//! time and size. `aws-smithy-http-client` would be a second one, which takes no notice of `HTTPS_PROXY` by itself.

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

/// An answer is there within this time, where the SDK sets no limit of its own.
const PATIENCE: Duration = Duration::from_secs(10);

/// The program's HTTP client, as the SDK wants it.
#[derive(Clone)]
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
        // The longer of the SDK's limits, not their sum: off EC2 the metadata service, for which both are a second,
        // then stays within the time that a question waits for credentials.
        let patience = settings.read_timeout().max(settings.connect_timeout()).unwrap_or(PATIENCE);
        SharedHttpConnector::new(Connector { http: Arc::clone(&self.0), patience })
    }
}

/// Carries the requests of one client of the SDK.
#[derive(Clone)]
struct Connector {
    http: Arc<Http>,
    /// For a whole answer, the connection included.
    patience: Duration,
}

impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connector").field("patience", &self.patience).finish_non_exhaustive()
    }
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let connector = self.clone();
        HttpConnectorFuture::new(async move { connector.answer(request).await })
    }
}

impl Connector {
    async fn answer(&self, request: HttpRequest) -> Result<HttpResponse, ConnectorError> {
        let (head, body) = request.try_into_http1x().map_err(|error| ConnectorError::user(error.into()))?.into_parts();
        // What we ask, and what signing in asks, is JSON, a form or nothing.
        let body = body.bytes().and_then(|bytes| std::str::from_utf8(bytes).ok());
        let body = body.ok_or_else(|| ConnectorError::user("a request whose body is no text".into()))?.to_owned();
        let answer = timeout(self.patience, self.http.send(http::Request::from_parts(head, body))).await;
        let answer = answer
            .map_err(|elapsed| ConnectorError::timeout(elapsed.into()))?
            .map_err(|error| ConnectorError::io(in_words(error).into()))?;
        answer.map(SdkBody::from).try_into().map_err(|error| ConnectorError::other(Box::new(error), None))
    }
}

/// Why a request has no answer.
pub(super) fn in_words(error: GetError) -> String {
    match error {
        GetError::Failed(why) => why,
        // Only said of files.
        GetError::Absent => "it is not there".to_owned(),
        GetError::Forbidden => "it is forbidden".to_owned(),
    }
}
