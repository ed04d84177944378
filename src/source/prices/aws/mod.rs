//! Calls to AWS that need credentials: on-demand and volume prices of the Price List API, spot prices by zone, the support
//! of a cluster.
//!
//! ```text
//!  AwsOptions ─▶ Aws ─▶ credentials (one search for all calls) ─┬─▶ products   pricing:GetProducts, by AWS's SDK
//!                                                               └─▶ signed     ec2 and eks, signed here
//! ```
//!
//! Nothing happens before the first call. Every call ends within seconds, whatever credentials, network and AWS do, and
//! sends only the names that it is about. No failure is remembered: after signing in again, the next call succeeds. Nothing
//! is written to the terminal.

#[cfg(feature = "aws")]
mod action;
#[cfg(feature = "aws")]
mod client;
#[cfg(feature = "aws")]
mod credentials;
#[cfg(feature = "aws")]
mod files;
#[cfg(feature = "aws")]
mod products;
#[cfg(feature = "aws")]
mod signed;
#[cfg(all(test, feature = "aws"))]
mod tests;
#[cfg(feature = "aws")]
mod transport;
#[cfg(not(feature = "aws"))]
mod without;

#[cfg(feature = "aws")]
pub use client::Aws;
#[cfg(not(feature = "aws"))]
pub use without::Aws;

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

/// How AWS is called.
#[derive(Clone, Debug, Default)]
pub struct AwsOptions {
    /// The profile; by default that of the environment, else `default`.
    pub profile: Option<String>,
    /// The region to sign in at; by default that of the environment or the profile. Not the region of the prices.
    pub region: Option<String>,
    /// The environment to find credentials in; empty by default (see [`AwsEnvironment::of_process`]).
    pub environment: AwsEnvironment,
}

/// Environment variables that AWS's tools read (`AWS_PROFILE`, `HTTPS_PROXY`, `HOME` …).
#[derive(Clone, Default)]
pub struct AwsEnvironment(Arc<HashMap<String, String>>);

impl AwsEnvironment {
    /// The variables of this process that are Unicode.
    pub fn of_process() -> Self {
        let unicode = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        };
        std::env::vars_os().filter_map(unicode).collect()
    }

    /// The value of a variable; `None` if it is empty.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// Whether a variable is `true`, in upper or lower case.
    #[cfg(feature = "aws")]
    fn is_true(&self, name: &str) -> bool {
        self.get(name).is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }
}

impl<N: Into<String>, V: Into<String>> FromIterator<(N, V)> for AwsEnvironment {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(variables: I) -> Self {
        Self(Arc::new(variables.into_iter().map(|(name, value)| (name.into(), value.into())).collect()))
    }
}

impl fmt::Debug for AwsEnvironment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The values contain secrets.
        write!(f, "AwsEnvironment({} variables)", self.0.len())
    }
}

/// The identity of the credentials.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The account, twelve digits.
    pub account: String,
    /// The user or role: `arn:aws:sts::111122223333:assumed-role/viewer/jane`.
    pub arn: String,
}
