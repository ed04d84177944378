//! AWS credentials from where AWS's own tools look for them: environment, profile (keys, SSO, process, role), web identity,
//! container, instance.
//!
//! All questions share one search, which the first question starts, and wait at most [`PATIENCE`] for it: off EC2 the
//! instance metadata service may not answer at all. A search that takes longer continues in the background, and the next
//! question takes its result. Credentials are kept until they expire, failures are not: the next question reads the files
//! again, so that it is enough to sign in elsewhere.

use super::policy::time_limits;
use super::{AwsEnvironment, AwsOptions, files};
use crate::source::prices::AskError;
use crate::source::prices::error::{causes, root_cause, tidy};
use aws_config::profile::ProfileSet;
use aws_config::retry::RetryConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials as Keys;
use aws_credential_types::provider::ProvideCredentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_runtime_api::client::result::ConnectorError;
use std::error::Error;
use std::time::{Duration, SystemTime};
use tokio::sync::Mutex;
use tokio::task::{JoinError, JoinSet};
use tokio::time::{Instant, timeout, timeout_at};

/// How long questions wait for a search.
const PATIENCE: Duration = Duration::from_secs(2);
/// A search in the background ends after this time.
const SEARCH: Duration = Duration::from_secs(30);
/// Credentials that expire sooner than this are replaced.
const MARGIN: Duration = Duration::from_mins(5);
/// Where to sign in if nothing configures a region. AWS's tools ask the instance metadata service instead, which may not
/// answer.
const DEFAULT_REGION: &str = "us-east-1";

/// Credentials, and the configuration that they were found with.
#[derive(Clone, Debug)]
pub(super) struct Session {
    /// The SDK's configuration: endpoints, time limits, the region to sign in at.
    pub(super) config: SdkConfig,
    pub(super) keys: Keys,
    renewal: Renewal,
}

impl Session {
    fn is_valid(&self, now: SystemTime) -> bool {
        self.keys.expiry().is_none_or(|end| now + MARGIN < end)
    }

    /// The error of credentials that AWS does not accept.
    pub(super) fn refused(&self, why: &str) -> AskError {
        self.renewal.expired(why)
    }
}

/// How a user renews expired credentials.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Renewal {
    /// By `aws sso login` with this profile.
    Sso(String),
    /// By `aws login` with this profile.
    Login(String),
    /// By the tool that wrote the credentials of this profile.
    Other(String),
}

impl Renewal {
    /// The way of a profile, or of the profile that its role is assumed from.
    fn new(profiles: &ProfileSet, name: &str) -> Self {
        let mut next = profiles.get_profile(name);
        // Profiles may refer to each other in circles.
        for _ in 0..8 {
            let Some(profile) = next else { break };
            if profile.get("sso_session").or_else(|| profile.get("sso_start_url")).is_some() {
                return Self::Sso(tidy(profile.name()));
            }
            if profile.get("login_session").is_some() {
                return Self::Login(tidy(profile.name()));
            }
            next = profile.get("source_profile").and_then(|source| profiles.get_profile(source));
        }
        Self::Other(tidy(name))
    }

    /// The error of expired credentials, with the command that renews them.
    fn expired(&self, why: &str) -> AskError {
        let why = why.trim_end_matches('.');
        AskError::Expired {
            why: match self {
                Self::Sso(profile) => format!("{why}; sign in again: aws sso login --profile {profile}"),
                Self::Login(profile) => format!("{why}; sign in again: aws login --profile {profile}"),
                Self::Other(profile) => format!("{why}; renew the credentials of the profile {profile}"),
            },
        }
    }
}

/// Finds credentials at the first question, and shares them.
#[derive(Debug)]
pub(super) struct Credentials {
    options: AwsOptions,
    client: SharedHttpClient,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    session: Option<Session>,
    /// The search, at most one; dropping it ends the search.
    search: JoinSet<Result<Session, AskError>>,
    /// Until when questions wait for the search.
    until: Instant,
    /// When and how the last search failed.
    failure: Option<(Instant, AskError)>,
}

impl Credentials {
    pub(super) fn new(options: AwsOptions, client: SharedHttpClient) -> Self {
        let state = State { session: None, search: JoinSet::new(), until: Instant::now(), failure: None };
        Self { options, client, state: Mutex::new(state) }
    }

    /// The credentials, if they are known or found within [`PATIENCE`].
    pub(super) async fn session(&self) -> Result<Session, AskError> {
        let asked = Instant::now();
        // Other questions wait for the lock while this one waits for the search.
        let mut state = self.state.lock().await;
        if let Some(ended) = state.search.try_join_next() {
            // A failure in the background is shown only until the next search ends.
            let _ = state.finish(ended);
        }
        if let Some(session) = state.session.as_ref().filter(|session| session.is_valid(SystemTime::now())) {
            return Ok(session.clone());
        }
        if let Some((at, error)) = &state.failure
            && *at > asked
        {
            return Err(error.clone());
        }
        if state.search.is_empty() {
            state.until = Instant::now() + PATIENCE;
            state.search.spawn(search_in_time(self.options.clone(), self.client.clone()));
        }
        let until = state.until;
        match timeout_at(until, state.search.join_next()).await {
            Ok(Some(ended)) => state.finish(ended),
            Ok(None) | Err(_) => Err(state.failure.clone().map_or_else(
                || unavailable(format!("nothing found within {} s; the search goes on", PATIENCE.as_secs())),
                |(_, error)| error,
            )),
        }
    }

    /// Forgets the credentials, because AWS does not accept them.
    pub(super) async fn forget(&self) {
        self.state.lock().await.session = None;
    }
}

impl State {
    /// Keeps the result of a search.
    fn finish(&mut self, ended: Result<Result<Session, AskError>, JoinError>) -> Result<Session, AskError> {
        let result = ended.unwrap_or_else(|_panic| Err(unavailable("the search for them broke off".to_owned())));
        self.session = result.as_ref().ok().cloned();
        self.failure = result.as_ref().err().map(|error| (Instant::now(), error.clone()));
        result
    }
}

fn unavailable(why: String) -> AskError {
    AskError::Unavailable { what: "AWS credentials".to_owned(), why }
}

async fn search_in_time(options: AwsOptions, client: SharedHttpClient) -> Result<Session, AskError> {
    let late = || Err(unavailable(format!("nothing found within {} s", SEARCH.as_secs())));
    timeout(SEARCH, search(options, client)).await.unwrap_or_else(|_elapsed| late())
}

/// Reads the configuration, and asks one provider of credentials after the other.
#[expect(clippy::default_trait_access, reason = "the type belongs to a crate that is not a dependency")]
async fn search(options: AwsOptions, client: SharedHttpClient) -> Result<Session, AskError> {
    let mut variables = (*options.environment.0).clone();
    variables.retain(|_, value| !value.is_empty());
    if options.profile.is_some() {
        // An explicit profile takes precedence over keys in the environment, as in the AWS CLI.
        for name in ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"] {
            variables.remove(name);
        }
    }
    let files = files::without_a_terminal(&options.environment).await;
    let name = options.profile.clone().map(Into::into);
    let profiles = aws_config::profile::load(&Default::default(), &variables.clone().into(), &files, name).await;
    let profiles = profiles.map_err(|error| unavailable(root_cause(&error)))?;
    let name = profiles.selected_profile();
    let profile = profiles.get_profile(name);
    let is_named = options.profile.is_some()
        || (variables.contains_key("AWS_PROFILE") && !variables.contains_key("AWS_ACCESS_KEY_ID"));
    if is_named && profile.is_none() {
        return Err(unavailable(no_profile(name, &profiles)));
    }
    let renewal = Renewal::new(&profiles, name);
    let variable = |name: &str| variables.get(name).cloned();
    let region = options
        .region
        .or_else(|| variable("AWS_REGION"))
        .or_else(|| variable("AWS_DEFAULT_REGION"))
        .or_else(|| profile?.get("region").map(str::to_owned))
        .unwrap_or_else(|| DEFAULT_REGION.to_owned());
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .env(variables.into())
        .profile_files(files)
        .http_client(client)
        .region(Region::new(region))
        .retry_config(RetryConfig::standard().with_max_attempts(2))
        .timeout_config(time_limits());
    if let Some(profile) = options.profile {
        loader = loader.profile_name(profile);
    }
    let config = loader.load().await;
    let provider = config.credentials_provider().ok_or_else(|| nowhere(&options.environment))?;
    match provider.provide_credentials().await {
        Ok(keys) => Ok(Session { config, keys, renewal }),
        Err(error) => Err(failed(&error, &options.environment, name, &renewal)),
    }
}

fn no_profile(name: &str, profiles: &ProfileSet) -> String {
    const SHOWN: usize = 8;
    let mut known: Vec<&str> = profiles.profiles().collect();
    known.sort_unstable();
    let others = match known.get(..SHOWN) {
        _ if known.is_empty() => ", nor any other".to_owned(),
        Some(shown) if known.len() > SHOWN => {
            format!("; known profiles: {} and {} more", tidy(&shown.join(", ")), known.len() - SHOWN)
        }
        _ => format!("; known profiles: {}", tidy(&known.join(", "))),
    };
    format!("the AWS configuration has no profile {:?}{others}", tidy(name))
}

/// The error if no provider has credentials.
fn nowhere(environment: &AwsEnvironment) -> AskError {
    let instance = if environment.is_true("AWS_EC2_METADATA_DISABLED") { "" } else { ", and no role of this machine" };
    AskError::NoCredentials { why: format!("none in the environment, none in the AWS configuration{instance}") }
}

/// The error if a provider that is configured fails.
fn failed(error: &CredentialsError, environment: &AwsEnvironment, profile: &str, renewal: &Renewal) -> AskError {
    let why = root_cause(error);
    match error {
        CredentialsError::CredentialsNotLoaded(_) => return nowhere(environment),
        CredentialsError::InvalidConfiguration(_) => {
            // The feature of aws-config that reads these sessions depends on elliptic curves; the AWS CLI exports them.
            if let Renewal::Login(profile) = renewal {
                return unavailable(format!(
                    "sessions of `aws login` cannot be read; use a profile with credential_process = \
                     aws configure export-credentials --profile {profile} --format process"
                ));
            }
            return unavailable(format!("profile {profile:?}: {why}"));
        }
        _ => {}
    }
    let error: &(dyn Error + 'static) = error;
    let any = |is: &dyn Fn(&str) -> bool| causes(error).any(|cause| is(&cause.to_string().to_ascii_lowercase()));
    let is_unreachable =
        causes(error).any(<dyn Error>::is::<ConnectorError>) || any(&|cause| cause.contains("timeout"));
    let is_denied = any(&|cause| cause.contains("accessdenied"));
    let is_expired =
        any(&|cause| ["expired", "invalidclienttokenid", "unrecognizedclient"].iter().any(|sign| cause.contains(sign)));
    match renewal {
        _ if is_unreachable => unavailable(why),
        // Of SSO and `aws login`, every other failure is a session that has expired or does not exist.
        Renewal::Sso(_) | Renewal::Login(_) if !is_denied => renewal.expired(&why),
        _ if is_expired => renewal.expired(&why),
        _ => unavailable(why),
    }
}

#[cfg(test)]
mod tests;
