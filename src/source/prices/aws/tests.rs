//! Shared by the tests of this module: an environment without files and network, and recorded answers.
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up fails")]

use super::{Aws, AwsEnvironment, AwsOptions};
use crate::model::Name;
use crate::pricing::{ClusterSupport, OnDemandKey, Os, PriceSheet};
use crate::source::prices::http::{Http, Proxies};
use crate::source::prices::query::AwsCall;
use crate::source::prices::{AskError, ClusterId};
use aws_smithy_http_client::test_util::{ReplayEvent, StaticReplayClient};
use aws_smithy_runtime_api::client::http::{HttpClient, SharedHttpClient};
use aws_smithy_types::body::SdkBody;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// An environment without files and without the instance metadata service.
pub const EMPTY: [(&str, &str); 3] = [
    ("AWS_CONFIG_FILE", "/nonexistent/config"),
    ("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent/credentials"),
    ("AWS_EC2_METADATA_DISABLED", "true"),
];
/// The key of AWS's documentation.
pub const KEYS: [(&str, &str); 3] = [
    ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"),
    ("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"),
    ("AWS_SESSION_TOKEN", "a-session-token"),
];

pub fn environment(variables: &[(&str, &str)]) -> AwsEnvironment {
    EMPTY.iter().chain(variables).copied().collect()
}

/// Options with keys and endpoints.
pub fn signed_in(endpoints: &[(&str, &str)]) -> AwsOptions {
    AwsOptions { environment: environment(&[&KEYS[..], endpoints].concat()), ..AwsOptions::default() }
}

/// A client whose SDK sends requests through `client`.
pub fn aws(options: AwsOptions, client: impl HttpClient + 'static) -> Aws {
    Aws::with_sdk_client(options, Arc::new(Http::new(&Proxies::default())), SharedHttpClient::new(client))
}

/// The calls by name.
impl Aws {
    pub(in crate::source::prices::aws) async fn on_demand(
        &self,
        key: &OnDemandKey,
        types: &BTreeSet<Name>,
    ) -> Result<PriceSheet, AskError> {
        self.sheet(AwsCall::OnDemand(key.clone()), types).await
    }

    pub(in crate::source::prices::aws) async fn spot(
        &self,
        region: &str,
        os: Os,
        types: &BTreeSet<Name>,
    ) -> Result<PriceSheet, AskError> {
        self.sheet(AwsCall::SpotHistory { region: region.into(), os }, types).await
    }

    pub(in crate::source::prices::aws) async fn volumes(
        &self,
        region: &str,
        types: &BTreeSet<Name>,
    ) -> Result<PriceSheet, AskError> {
        self.sheet(AwsCall::Volumes { region: region.into() }, types).await
    }

    pub(in crate::source::prices::aws) async fn cluster_support(
        &self,
        region: &str,
        name: &str,
    ) -> Result<ClusterSupport, AskError> {
        let call = AwsCall::Cluster(ClusterId { region: region.into(), name: name.into() });
        self.ask(&call, &types(&[])).await.map(|answer| answer.support.unwrap())
    }

    async fn sheet(&self, call: AwsCall, types: &BTreeSet<Name>) -> Result<PriceSheet, AskError> {
        self.ask(&call, types).await.map(|mut answer| answer.sheets.remove(0))
    }
}

pub fn types(names: &[&str]) -> BTreeSet<Name> {
    names.iter().map(|name| Name::from(*name)).collect()
}

/// Answers each request with the next answer.
pub fn replay<B: Into<SdkBody>>(answers: impl IntoIterator<Item = (u16, B)>) -> StaticReplayClient {
    let event = |(status, body): (u16, B)| {
        let answer = http::Response::builder().status(status).body(body.into()).unwrap();
        ReplayEvent::new(http::Request::new(SdkBody::empty()), answer)
    };
    StaticReplayClient::new(answers.into_iter().map(event).collect())
}

/// A server on loopback that answers each request with the next answer, then hangs.
pub struct Server {
    pub address: String,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Server {
    pub(in crate::source::prices::aws) async fn start(answers: Vec<String>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&requests);
        tokio::spawn(async move {
            let mut open = Vec::new();
            let mut answers = answers.into_iter();
            while let Ok((mut connection, _)) = listener.accept().await {
                let request = read_request(&mut connection).await;
                seen.lock().unwrap().push(request);
                match answers.next() {
                    Some(answer) => connection.write_all(answer.as_bytes()).await.unwrap_or_default(),
                    None => open.push(connection),
                }
            }
        });
        Self { address, requests }
    }

    pub fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

/// The text of an answer.
pub fn answer(status: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len())
}

async fn read_request(connection: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            if body.len() >= length.map_or(0, |length| length.parse().unwrap()) {
                return text;
            }
        }
        if connection.read_buf(&mut bytes).await.unwrap_or_default() == 0 {
            return text;
        }
    }
}
