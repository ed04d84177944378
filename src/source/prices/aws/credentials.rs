//! AWS credentials from where AWS's own tools look for them: environment, profile (keys, SSO, process, role), web identity,
//! container, instance.
//!
//! All calls share one search, which the first call starts, and wait at most [`PATIENCE`] for it: off EC2 the instance
//! metadata service may not answer at all. A longer search continues in the background, for the next call. Credentials are
//! kept until they expire, failures are not: the next call reads the files again, so that a user can sign in meanwhile.

use super::action::time_limits;
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
use futures::FutureExt;
use futures::future::{BoxFuture, Shared};
use std::error::Error;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout, timeout_at};

/// How long calls wait for a search.
const PATIENCE: Duration = Duration::from_secs(2);
/// The time limit of a search in the background.
const SEARCH: Duration = Duration::from_secs(30);
/// Credentials that expire sooner than this are replaced.
const MARGIN: Duration = Duration::from_mins(5);
/// Where to sign in if no region is configured. AWS's tools ask the instance metadata service, which may not answer.
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
    fn is_valid(&self) -> bool {
        self.keys.expiry().is_none_or(|end| SystemTime::now() + MARGIN < end)
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
    /// That of a profile, or of the profile that its role is assumed from.
    fn of_profile(profiles: &ProfileSet, name: &str) -> Self {
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
        let advice = match self {
            Self::Sso(profile) => format!("sign in again: aws sso login --profile {profile}"),
            Self::Login(profile) => format!("sign in again: aws login --profile {profile}"),
            Self::Other(profile) => format!("renew the credentials of the profile {profile}"),
        };
        AskError::Expired { why: format!("{}; {advice}", why.trim_end_matches('.')) }
    }
}

type Search = Shared<BoxFuture<'static, Result<Session, AskError>>>;

/// Finds credentials at the first call, and shares them.
#[derive(Debug)]
pub(super) struct Credentials {
    options: AwsOptions,
    client: SharedHttpClient,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// The last search, and until when calls wait for it.
    search: Option<(Search, Instant)>,
    /// The error of the search before.
    error: Option<AskError>,
}

impl Credentials {
    pub(super) fn new(options: AwsOptions, client: SharedHttpClient) -> Self {
        Self { options, client, state: Mutex::default() }
    }

    /// The credentials, if they are known or found within [`PATIENCE`].
    pub(super) async fn session(&self) -> Result<Session, AskError> {
        let (search, until, error) = self.search();
        timeout_at(until, search).await.unwrap_or_else(|_elapsed| {
            let why = format!("nothing found within {} s; the search goes on", PATIENCE.as_secs());
            Err(error.unwrap_or_else(|| unavailable(why)))
        })
    }

    /// The search under way, or the one that found valid credentials; else a new one. With the end of the wait for it, and
    /// the error of the search before.
    fn search(&self) -> (Search, Instant, Option<AskError>) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let mut error = None;
        if let Some((search, until)) = &state.search {
            match search.clone().now_or_never() {
                None => return (search.clone(), *until, state.error.clone()),
                Some(Ok(session)) if session.is_valid() => return (search.clone(), *until, None),
                Some(ended) => error = ended.err(),
            }
        }
        // Dropping the set ends the search.
        let mut tasks = JoinSet::new();
        tasks.spawn(search_in_time(self.options.clone(), self.client.clone()));
        let search = async move {
            let result = tasks.join_next().await.and_then(Result::ok);
            result.unwrap_or_else(|| Err(unavailable("the search for them broke off".to_owned())))
        };
        let (search, until) = (search.boxed().shared(), Instant::now() + PATIENCE);
        *state = State { search: Some((search.clone(), until)), error: error.clone() };
        (search, until, error)
    }

    /// Forgets the credentials, because AWS does not accept them.
    pub(super) fn forget(&self) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).search = None;
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
    let renewal = Renewal::of_profile(&profiles, name);
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
    let provider = config.credentials_provider().ok_or_else(|| not_configured(&options.environment))?;
    match provider.provide_credentials().await {
        Ok(keys) => Ok(Session { config, keys, renewal }),
        Err(error) => Err(failed(&error, &options.environment, name, &renewal)),
    }
}

fn no_profile(name: &str, profiles: &ProfileSet) -> String {
    const SHOWN: usize = 8;
    let mut known: Vec<&str> = profiles.profiles().collect();
    known.sort_unstable();
    let rest = known.len().saturating_sub(SHOWN);
    known.truncate(SHOWN);
    let known = match (tidy(&known.join(", ")), rest) {
        (known, _) if known.is_empty() => ", nor any other".to_owned(),
        (known, 0) => format!("; known profiles: {known}"),
        (known, rest) => format!("; known profiles: {known} and {rest} more"),
    };
    format!("the AWS configuration has no profile {:?}{known}", tidy(name))
}

/// The error if no provider has credentials.
fn not_configured(environment: &AwsEnvironment) -> AskError {
    let instance = if environment.is_true("AWS_EC2_METADATA_DISABLED") { "" } else { ", and no role of this machine" };
    AskError::NoCredentials { why: format!("none in the environment, none in the AWS configuration{instance}") }
}

/// The error if a provider that is configured fails.
fn failed(error: &CredentialsError, environment: &AwsEnvironment, profile: &str, renewal: &Renewal) -> AskError {
    let why = root_cause(error);
    match (error, renewal) {
        (CredentialsError::CredentialsNotLoaded(_), _) => return not_configured(environment),
        // The feature of aws-config that reads these sessions depends on elliptic curves; the AWS CLI exports them.
        (CredentialsError::InvalidConfiguration(_), Renewal::Login(profile)) => {
            return unavailable(format!(
                "sessions of `aws login` cannot be read; use a profile with credential_process = \
                 aws configure export-credentials --profile {profile} --format process"
            ));
        }
        (CredentialsError::InvalidConfiguration(_), _) => return unavailable(format!("profile {profile:?}: {why}")),
        _ => {}
    }
    let error: &(dyn Error + 'static) = error;
    let messages: Vec<String> = causes(error).map(|cause| cause.to_string().to_ascii_lowercase()).collect();
    let mentions = |words: &[&str]| messages.iter().any(|message| words.iter().any(|word| message.contains(word)));
    if causes(error).any(<dyn Error>::is::<ConnectorError>) || mentions(&["timeout"]) {
        return unavailable(why);
    }
    // Of SSO and `aws login`, every other failure is a session that has expired or does not exist.
    let is_session = matches!(renewal, Renewal::Sso(_) | Renewal::Login(_)) && !mentions(&["accessdenied"]);
    if is_session || mentions(&["expired", "invalidclienttokenid", "unrecognizedclient"]) {
        return renewal.expired(&why);
    }
    unavailable(why)
}

#[cfg(test)]
mod tests;
