//! A cluster looked at once, for the doctor: what it is, how it answers, what it grants. Each question has its own answer
//! or its own trouble, and none takes longer than [`super::Timing::response`].

use super::codec::{self, Line, Lines};
use super::credentials::Terminal;
use super::discovery;
use super::fault::Fault;
use super::kinds::{self, Kind};
use super::permissions::{self, Access, Allowed};
use super::requests::RequestRule;
use super::server::Encoding;
use super::skew;
use super::wire::metrics::MetricsList;
use super::{Connection, Options, PluginError};
use crate::model::{Name, Provisioner, Stream};
use crate::units::text::clean;
use futures::future::join_all;
use jiff::SignedDuration;
use serde::Deserialize;
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, timeout};

/// A streaming list of no node is complete within this time.
const STREAMED_LIST: Duration = Duration::from_secs(3);

/// Why a question has no answer. Completes "failed to …", or stands alone.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExamineError {
    /// No credentials could be had.
    #[error("{0}")]
    Credentials(String),
    /// A certificate, key, token or proxy stands in the way.
    #[error("{why}")]
    Access {
        /// What is wrong.
        why: String,
        /// What to do about it.
        remedy: &'static str,
    },
    /// The server did not answer, or not so that it can be read.
    #[error("{0}")]
    NoAnswer(String),
    /// It answered, and it has no such thing.
    #[error("the server does not have it")]
    Absent,
    /// It answered, and we may not.
    #[error("{0}")]
    Denied(String),
    /// It answered, and does not take the question.
    #[error("{0}")]
    Refused(String),
}

impl From<Fault> for ExamineError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Credentials(why) | Fault::Unauthorized(why) => Self::Credentials(why),
            Fault::Access(fault) => Self::Access { why: fault.why, remedy: fault.remedy },
            Fault::Absent => Self::Absent,
            Fault::Denied(why) => Self::Denied(why),
            Fault::Refused(why) => Self::Refused(why),
            other => Self::NoAnswer(other.to_string()),
        }
    }
}

/// How the server answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerAnswer {
    /// Its version, such as `1.36`; empty if it does not say.
    pub version: String,
    /// How long the first answer took, the connection included.
    pub first: Duration,
    /// How long the next one took, on the same connection.
    pub next: Duration,
    /// How far our clock is ahead of the server's, to about a second, if the server tells the time.
    pub ahead: Option<SignedDuration>,
}

/// What provisions nodes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provisioners {
    /// What is known by name.
    pub provisioners: Vec<Provisioner>,
    /// The versions served of every API group that has to do with nodes: `karpenter.sh`, `v1`.
    pub groups: Vec<(Name, Vec<Name>)>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct WhoWire {
    status: WhoStatus,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct WhoStatus {
    user_info: UserInfo,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct UserInfo {
    username: String,
}

impl Connection {
    /// The same server, signed in as it is, with these streams alone.
    #[must_use]
    pub fn only(&self, streams: &[Stream]) -> Self {
        let options = Options { streams: Some(streams.to_vec()), ..self.options.clone() };
        Self { origin: self.origin.clone(), aws: self.aws.clone(), server: Arc::clone(&self.server), options }
    }

    /// How the kubeconfig's user signs in, for people: its name, and the plugin's command if it has one. Arguments are
    /// not shown: they may hold a secret.
    pub fn user(&self) -> (&str, Option<&str>) {
        self.server.signs_in_by()
    }

    /// Signs in, and how long that took. With somebody at the terminal the credential plugin may ask its question.
    ///
    /// # Errors
    ///
    /// The plugin's own words.
    pub async fn examine_credentials(&self) -> Result<Duration, PluginError> {
        let began = Instant::now();
        let terminal = if self.options.environment.interactive { Terminal::Shared } else { Terminal::Closed };
        self.server.sign_in(terminal).await.map(|()| began.elapsed())
    }

    /// Asks the server for its version, twice.
    ///
    /// # Errors
    ///
    /// Why there is no answer.
    pub async fn examine_server(&self) -> Result<ServerAnswer, ExamineError> {
        let ask = || async {
            let began = Instant::now();
            let response =
                self.server.get(discovery::VERSION, Encoding::Compressed, self.server.timing.response).await?;
            let ahead = skew::date(response.headers()).map(|date| self.server.clock.now().duration_since(date));
            let version = discovery::read_version(&self.server.whole(response).await?)?;
            Ok::<_, Fault>((version, began.elapsed(), ahead))
        };
        let (version, first, _) = ask().await?;
        let (_, next, ahead) = ask().await?;
        Ok(ServerAnswer { version, first, next, ahead })
    }

    /// Who the server takes us for.
    ///
    /// # Errors
    ///
    /// Why it does not say: servers before 1.28 cannot.
    pub async fn examine_identity(&self) -> Result<String, ExamineError> {
        let body = json!({"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"});
        let answer = self.server.review("/apis/authentication.k8s.io/v1/selfsubjectreviews", body.to_string()).await?;
        let who: WhoWire = serde_json::from_slice(&answer).map_err(|error| unreadable(&error))?;
        Ok(clean(&who.status.user_info.username).into_owned())
    }

    /// Whether each verb that a stream asks with is allowed, for every stream that is wanted, in the order of
    /// [`Stream::ALL`]. Each is given up after `patience`.
    pub async fn examine_permissions(&self, patience: Duration) -> Vec<(Access, Vec<(&'static str, Allowed)>)> {
        let wanted = Stream::ALL.into_iter().filter(|stream| self.options.wants(*stream)).map(Access::of);
        join_all(wanted.map(|access| async move {
            let verbs = access.verbs.iter().map(|verb| async move {
                let review = timeout(patience, permissions::review(&self.server, access, verb));
                (*verb, review.await.unwrap_or_else(|_elapsed| Allowed::Unknown("no answer in time".to_owned())))
            });
            (access, join_all(verbs).await)
        }))
        .await
    }

    /// What provisions the cluster's nodes, by the API groups it serves.
    ///
    /// # Errors
    ///
    /// Why there is no answer.
    pub async fn examine_provisioners(&self) -> Result<Provisioners, ExamineError> {
        const GROUPS: &[&str] = &["karpenter.sh", "eks.amazonaws.com", "karpenter.k8s.aws", "karpenter.kwok.sh"];
        let (provisioners, groups) = discovery::read_groups(&self.server.get_whole(discovery::GROUPS).await?)?;
        let groups = groups.into_iter().filter(|(name, _)| GROUPS.contains(&name.as_str())).collect();
        Ok(Provisioners { provisioners, groups })
    }

    /// Whether the server streams lists (KEP-3157), by streaming one of no node. A server that does not know the
    /// parameters ignores them, as the API conventions ask: only the bookmark with the annotation
    /// `k8s.io/initial-events-end` shows that a list was streamed. `false` where the watch came without it.
    ///
    /// # Errors
    ///
    /// [`ExamineError::Refused`] where the server knows the parameters and does not take them.
    pub async fn examine_streaming_lists(&self) -> Result<bool, ExamineError> {
        // No object has this name: the list is short in every cluster.
        let path = format!(
            "{}?watch=true&allowWatchBookmarks=true&timeoutSeconds=2&sendInitialEvents=true\
             &resourceVersionMatch=NotOlderThan&fieldSelector=metadata.name%3D-",
            kinds::Nodes::PATH
        );
        let response = self.server.get(&path, Encoding::Plain, self.server.timing.response).await?;
        let streamed = async {
            let mut lines = Lines::new(response.into_body());
            let mut ignored = Vec::new();
            loop {
                while let Some(text) = lines.next() {
                    match codec::line::<kinds::Nodes>(text, RequestRule::Since137, &mut ignored)? {
                        Line::Bookmark { initial_events_end: true, .. } => return Ok(true),
                        Line::Bookmark { .. } | Line::Object(_) => ignored.clear(),
                        Line::Error(fault) => return Err(fault),
                    }
                }
                if !lines.more().await? {
                    return Ok(false);
                }
            }
        };
        // A watch that stays open beyond the time that was asked for is one as well.
        Ok(timeout(STREAMED_LIST, streamed).await.unwrap_or(Ok(false))?)
    }

    /// How many nodes have been measured.
    ///
    /// # Errors
    ///
    /// [`ExamineError::Absent`] where nothing measures, or why there is no answer.
    pub async fn examine_metrics(&self) -> Result<usize, ExamineError> {
        let path = super::metrics::Polled::Nodes.path();
        let body = match self.server.get_whole(path).await {
            // A denial does not say that there is something to be denied.
            Err(Fault::Denied(_)) if discovery::serves(&self.server, path).await == Some(false) => {
                return Err(ExamineError::Absent);
            }
            answer => answer?,
        };
        let list: MetricsList = serde_json::from_slice(&body).map_err(|error| unreadable(&error))?;
        Ok(list.nodes().len())
    }
}

fn unreadable(error: &serde_json::Error) -> ExamineError {
    ExamineError::NoAnswer(format!("the answer cannot be read: line {}, column {}", error.line(), error.column()))
}
