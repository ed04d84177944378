//! Credentials as AWS's own tools find them: environment, profile (keys, SSO, process, role), web identity, container,
//! instance.
//!
//! They are looked for once, at the first question, for everybody. Nobody waits longer than [`PATIENCE`] for that: off
//! EC2 the instance's metadata service may stall for long. A search that takes longer goes on in the background, and the
//! next question finds what it found. What was found is kept until it ends, a failure never: whoever asks again causes
//! the files to be read anew, so that signing in elsewhere is enough.

use super::{AwsEnvironment, AwsOptions, files};
use crate::source::prices::AskError;
use crate::source::prices::words::{chain, root, tidy};
use aws_config::profile::{Profile, ProfileSet};
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials as Keys;
use aws_credential_types::provider::ProvideCredentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_runtime_api::client::result::ConnectorError;
use std::error::Error;
use std::fmt::Write as _;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};
use tokio::sync::watch;
use tokio::task::AbortHandle;
use tokio::time::{Instant, timeout, timeout_at};

/// How long a question waits for credentials.
pub(super) const PATIENCE: Duration = Duration::from_secs(2);
/// A search that goes on in the background is given up after this time.
const SEARCH: Duration = Duration::from_secs(30);
/// Credentials that end sooner than this are looked for again.
const MARGIN: Duration = Duration::from_mins(5);
/// Where to sign in if nobody says. AWS's tools have no such last resort, but ask the instance's metadata service, which
/// may stall.
const LAST_REGION: &str = "us-east-1";

/// Credentials, and what was configured beside them.
#[derive(Clone, Debug)]
pub(super) struct Session {
    /// Endpoints and the like, as profile and environment configure them.
    pub(super) config: SdkConfig,
    pub(super) keys: Keys,
    /// Where to sign in.
    pub(super) region: String,
    profile: String,
    renewal: Renewal,
}

impl Session {
    fn lasts(&self, now: SystemTime) -> bool {
        self.keys.expiry().is_none_or(|end| now + MARGIN < end)
    }

    /// AWS does not accept the credentials.
    pub(super) fn refused(&self, why: &str) -> AskError {
        AskError::Expired { why: self.renewal.advice(why, &self.profile) }
    }
}

/// How credentials that have ended are renewed.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Renewal {
    /// `aws sso login`, of this profile.
    Sso(String),
    /// `aws login`, of this profile.
    Login(String),
    /// By whatever wrote them.
    Unknown,
}

impl Renewal {
    /// By the chosen profile, or the one that its role is assumed from.
    fn of(profiles: &ProfileSet, profile: &Profile) -> Self {
        let mut profile = profile;
        // Profiles may refer to each other in circles.
        for _ in 0..8 {
            if profile.get("sso_session").or_else(|| profile.get("sso_start_url")).is_some() {
                return Self::Sso(profile.name().to_owned());
            }
            if profile.get("login_session").is_some() {
                return Self::Login(profile.name().to_owned());
            }
            let source = profile.get("source_profile").and_then(|source| profiles.get_profile(source));
            let Some(source) = source else { break };
            profile = source;
        }
        Self::Unknown
    }

    /// What is wrong, and the command that mends it.
    fn advice(&self, why: &str, profile: &str) -> String {
        let why = why.trim_end_matches('.');
        match self {
            Self::Sso(profile) => format!("{why}; sign in again: aws sso login --profile {}", tidy(profile)),
            Self::Login(profile) => format!("{why}; sign in again: aws login --profile {}", tidy(profile)),
            Self::Unknown => format!("{why}; renew the credentials of the profile {}", tidy(profile)),
        }
    }
}

/// Credentials, found at the first question and shared by all.
#[derive(Debug)]
pub(super) struct Credentials {
    options: AwsOptions,
    client: SharedHttpClient,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    session: Option<Session>,
    search: Option<Search>,
    /// What the last search that came to an end in the background had to say.
    last: Option<AskError>,
}

/// A search under way.
#[derive(Debug)]
struct Search {
    until: Instant,
    found: watch::Receiver<Option<Result<Session, AskError>>>,
    task: AbortHandle,
}

impl Drop for Search {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Credentials {
    pub(super) const fn new(options: AwsOptions, client: SharedHttpClient) -> Self {
        let state = State { session: None, search: None, last: None };
        Self { options, client, state: Mutex::new(state) }
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        // Every change to it is one assignment: there is no half of one.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The credentials, if they are known or found within [`PATIENCE`].
    pub(super) async fn session(&self) -> Result<Session, AskError> {
        let (until, mut found) = {
            let mut state = self.state();
            match state.settle() {
                Some(session) if session.lasts(SystemTime::now()) => return Ok(session.clone()),
                _ => {}
            }
            let search = state.search.get_or_insert_with(|| Search::start(self.options.clone(), self.client.clone()));
            (search.until, search.found.clone())
        };
        match timeout_at(until, found.wait_for(Option::is_some)).await {
            // The search has ended without a word: only a panic does that, and the panic has been told.
            Ok(Err(_)) => {
                self.state().search = None;
                Err(AskError::Unavailable { what: WHAT.into(), why: "the search for them broke off".into() })
            }
            Ok(Ok(found)) => {
                let found = found.clone();
                let mut state = self.state();
                state.settle();
                state.last = None;
                found.unwrap_or_else(|| Err(nowhere(&self.options.environment)))
            }
            Err(_elapsed) => Err(self.state().last.clone().unwrap_or_else(|| AskError::Unavailable {
                what: WHAT.into(),
                why: format!("nothing found within {} s; the search goes on", PATIENCE.as_secs()),
            })),
        }
    }

    /// Forgets what was found: AWS does not accept it (any more).
    pub(super) fn forget(&self) {
        self.state().session = None;
    }
}

const WHAT: &str = "AWS credentials";

impl State {
    /// Takes in what a search has found, and returns what is known.
    fn settle(&mut self) -> Option<&Session> {
        let found = self.search.as_ref().and_then(|search| search.found.borrow().clone());
        if let Some(found) = found {
            self.search = None;
            match found {
                Ok(session) => self.session = Some(session),
                Err(error) => self.last = Some(error),
            }
        }
        self.session.as_ref()
    }
}

impl Search {
    fn start(options: AwsOptions, client: SharedHttpClient) -> Self {
        let (sender, found) = watch::channel(None);
        let task = tokio::spawn(async move {
            let search = timeout(SEARCH, search(options, client)).await;
            let answer = search.unwrap_or_else(|_elapsed| {
                let why = format!("nothing found within {} s", SEARCH.as_secs());
                Err(AskError::Unavailable { what: WHAT.into(), why })
            });
            sender.send_replace(Some(answer));
        });
        Self { until: Instant::now() + PATIENCE, found, task: task.abort_handle() }
    }
}

/// Reads the configuration and asks one provider after the other.
#[expect(clippy::default_trait_access, reason = "the types are of a crate that is not named here")]
async fn search(options: AwsOptions, client: SharedHttpClient) -> Result<Session, AskError> {
    let misconfigured = |why: String| AskError::Unavailable { what: WHAT.into(), why };
    let mut variables = (*options.environment.0).clone();
    variables.retain(|_, value| !value.is_empty());
    if options.profile.is_some() {
        // A profile that was asked for comes before keys in the environment, as in the AWS CLI.
        for name in ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"] {
            variables.remove(name);
        }
    }
    let asked = options.profile.clone().map(std::borrow::Cow::Owned);
    let files = files::without_a_terminal(&options.environment).await;
    let profiles = aws_config::profile::load(&Default::default(), &variables.clone().into(), &files, asked).await;
    let profiles = profiles.map_err(|error| misconfigured(root(&error)))?;
    let profile_name = profiles.selected_profile().to_owned();
    let profile = profiles.get_profile(&profile_name);
    let named = options.profile.is_some()
        || (variables.contains_key("AWS_PROFILE") && !variables.contains_key("AWS_ACCESS_KEY_ID"));
    if named && profile.is_none() {
        return Err(misconfigured(no_profile(&profile_name, &profiles)));
    }
    let renewal = profile.map_or(Renewal::Unknown, |profile| Renewal::of(&profiles, profile));
    let variable = |name: &str| variables.get(name).cloned();
    let region = options
        .region
        .or_else(|| variable("AWS_REGION"))
        .or_else(|| variable("AWS_DEFAULT_REGION"))
        .or_else(|| profile?.get("region").map(str::to_owned))
        .unwrap_or_else(|| LAST_REGION.to_owned());
    let limits = TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(2))
        .read_timeout(Duration::from_secs(5))
        .operation_timeout(Duration::from_secs(15))
        .build();
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .env(variables.into())
        .profile_files(files)
        .http_client(client)
        .region(Region::new(region.clone()))
        .retry_config(RetryConfig::standard().with_max_attempts(2))
        .timeout_config(limits);
    if let Some(profile) = options.profile {
        loader = loader.profile_name(profile);
    }
    let config = loader.load().await;
    let provider = config.credentials_provider().ok_or_else(|| nowhere(&options.environment))?;
    match provider.provide_credentials().await {
        Ok(keys) => Ok(Session { config, keys, region, profile: profile_name, renewal }),
        Err(error) => Err(failed(&error, &options.environment, &profile_name, &renewal)),
    }
}

fn no_profile(name: &str, profiles: &ProfileSet) -> String {
    const SHOWN: usize = 8;
    let mut known: Vec<&str> = profiles.profiles().collect();
    known.sort_unstable();
    let mut why = format!("the AWS configuration has no profile {:?}", tidy(name));
    if known.is_empty() {
        why.push_str(", nor any other");
    } else {
        let more = known.len().saturating_sub(SHOWN);
        // Writing to a string cannot fail.
        let _ = write!(why, "; known profiles: {}", tidy(&known[..known.len() - more].join(", ")));
        if more > 0 {
            let _ = write!(why, " and {more} more");
        }
    }
    why
}

/// No provider has any.
fn nowhere(environment: &AwsEnvironment) -> AskError {
    let off = environment.get("AWS_EC2_METADATA_DISABLED").is_some_and(|value| value.eq_ignore_ascii_case("true"));
    let instance = if off { "" } else { ", and no role of this machine" };
    AskError::NoCredentials { why: format!("none in the environment, none in the AWS configuration{instance}") }
}

/// Why a provider that should have credentials gave none.
fn failed(error: &CredentialsError, environment: &AwsEnvironment, profile: &str, renewal: &Renewal) -> AskError {
    let why = root(error);
    match error {
        CredentialsError::CredentialsNotLoaded(_) => return nowhere(environment),
        CredentialsError::InvalidConfiguration(_) => {
            // aws-config reads them by a feature that brings elliptic curves; the AWS CLI does it as well.
            if let Renewal::Login(profile) = renewal {
                let profile = tidy(profile);
                let why = format!(
                    "sessions of `aws login` cannot be read; use a profile with credential_process = \
                     aws configure export-credentials --profile {profile} --format process"
                );
                return AskError::Unavailable { what: WHAT.into(), why };
            }
            return AskError::Unavailable { what: WHAT.into(), why: format!("profile {profile:?}: {why}") };
        }
        _ => {}
    }
    let error: &(dyn Error + 'static) = error;
    let unreachable = chain(error).any(|cause| cause.is::<ConnectorError>() || cause.to_string().contains("timeout"));
    let ended = chain(error).any(|cause| {
        let said = cause.to_string().to_ascii_lowercase();
        ["expired", "invalidclienttokenid", "unrecognizedclient"].iter().any(|sign| said.contains(sign))
    });
    let denied = chain(error).any(|cause| cause.to_string().contains("AccessDenied"));
    match renewal {
        _ if unreachable => AskError::Unavailable { what: WHAT.into(), why },
        // Of SSO and sign-in, whatever is not the network is a session that is not there, or not any more.
        Renewal::Sso(_) | Renewal::Login(_) if !denied => AskError::Expired { why: renewal.advice(&why, profile) },
        _ if ended => AskError::Expired { why: renewal.advice(&why, profile) },
        _ => AskError::Unavailable { what: WHAT.into(), why },
    }
}

#[cfg(test)]
mod tests;
