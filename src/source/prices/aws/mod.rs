//! Prices that AWS tells to those who sign in: on-demand and volume prices of the Price List API, spot prices by zone,
//! what kind of support a cluster has.
//!
//! ```text
//!  AwsOptions ─▶ Aws ─▶ credentials (once, shared, healing) ─┬─▶ products   pricing:GetProducts, by AWS's SDK
//!                                                            └─▶ signed     ec2, eks, sts: one call each, signed by us
//! ```
//!
//! Always true here: nothing happens before the first question; a question is answered or given up within seconds,
//! whatever credentials, network and AWS do; only the names in the question are sent; no failure is remembered, so that
//! a session that was signed in again works at the next question; nothing is written to the terminal.
//!
//! Without the cargo feature `aws` there is an [`Aws`] of the same shape, which has no credentials.

#[cfg(feature = "aws")]
mod calls;
#[cfg(feature = "aws")]
mod credentials;
#[cfg(feature = "aws")]
mod files;
#[cfg(feature = "aws")]
mod products;
#[cfg(feature = "aws")]
mod signed;
#[cfg(all(test, feature = "aws"))]
mod testing;
#[cfg(feature = "aws")]
mod transport;
#[cfg(not(feature = "aws"))]
mod without;

#[cfg(feature = "aws")]
pub use calls::Aws;
#[cfg(not(feature = "aws"))]
pub use without::Aws;

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

/// As whom AWS is asked.
#[derive(Clone, Debug, Default)]
pub struct AwsOptions {
    /// The profile; none is that of the environment, at last `default`.
    pub profile: Option<String>,
    /// The region to sign in at; none is that of the environment or the profile. Never the region that prices are asked
    /// for.
    pub region: Option<String>,
    /// Where credentials are looked for. Empty by default: see [`AwsEnvironment::of_process`].
    pub environment: AwsEnvironment,
}

/// The environment variables that AWS's tools look at (`AWS_PROFILE`, `HTTPS_PROXY`, `HOME` …).
#[derive(Clone, Default)]
pub struct AwsEnvironment(Arc<HashMap<String, String>>);

impl AwsEnvironment {
    /// The variables of this process. What is not Unicode is left out.
    pub fn of_process() -> Self {
        let unicode = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        };
        Self(Arc::new(std::env::vars_os().filter_map(unicode).collect()))
    }

    /// A variable; none also where it is empty.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }
}

impl<N: Into<String>, V: Into<String>> FromIterator<(N, V)> for AwsEnvironment {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(variables: I) -> Self {
        Self(Arc::new(variables.into_iter().map(|(name, value)| (name.into(), value.into())).collect()))
    }
}

impl fmt::Debug for AwsEnvironment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The values hold secrets.
        write!(f, "AwsEnvironment({} variables)", self.0.len())
    }
}

/// As whom AWS knows us.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The account, twelve digits.
    pub account: String,
    /// The user or role: `arn:aws:sts::111122223333:assumed-role/viewer/jane`.
    pub arn: String,
}
