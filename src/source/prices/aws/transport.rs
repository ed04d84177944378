//! AWS's SDK on the HTTP client of all price sources: the same trust roots, proxies and limits of size.
//!
//! `aws-smithy-http-client` would be a second client, which ignores `HTTPS_PROXY`.

use crate::source::prices::http::Http;
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

/// The HTTP client in the form that the SDK needs.
#[derive(Clone)]
pub(super) struct Transport {
    http: Arc<Http>,
    /// The time limit of a request.
    limit: Duration,
}

impl Transport {
    pub(super) const fn new(http: Arc<Http>) -> Self {
        Self { http, limit: Duration::from_secs(10) }
    }

    async fn send(self, request: HttpRequest) -> Result<HttpResponse, ConnectorError> {
        let (head, body) = request.try_into_http1x().map_err(|error| ConnectorError::user(error.into()))?.into_parts();
        // The requests of all clients here are JSON, a form or empty.
        let body = body.bytes().and_then(|bytes| std::str::from_utf8(bytes).ok());
        let body = body.ok_or_else(|| ConnectorError::user("the body of the request is not text".into()))?.to_owned();
        let answer = timeout(self.limit, self.http.send(http::Request::from_parts(head, body))).await;
        let answer = answer
            .map_err(|elapsed| ConnectorError::timeout(elapsed.into()))?
            .map_err(|reason| ConnectorError::io(reason.into()))?;
        answer.map(SdkBody::from).try_into().map_err(|error| ConnectorError::other(Box::new(error), None))
    }
}

impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transport").field("limit", &self.limit).finish_non_exhaustive()
    }
}

impl HttpClient for Transport {
    fn http_connector(&self, settings: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        // The longer of the two limits, not their sum: both are a second for the instance metadata service, which off EC2
        // then takes less time than a request waits for credentials.
        let limit = settings.read_timeout().max(settings.connect_timeout()).unwrap_or(self.limit);
        SharedHttpConnector::new(Self { http: Arc::clone(&self.http), limit })
    }
}

impl HttpConnector for Transport {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        HttpConnectorFuture::new(self.clone().send(request))
    }
}
