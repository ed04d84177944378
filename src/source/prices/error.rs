//! Why a price source did not answer, in words that fit a line of the screen.

use crate::units::text::clean;
use std::error::Error;

/// The longest reason that is shown, in characters.
const MAX_REASON: usize = 240;

/// Why a price source did not answer. Completes "failed to …".
///
/// An error is the state of a source: the program goes on, and known prices stay. Text of servers is clean.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AskError {
    /// No AWS credentials are configured. Most prices need none, so this is no fault.
    #[error("find AWS credentials: {why}")]
    NoCredentials {
        /// Where they were looked for.
        why: String,
    },
    /// No policy allows the AWS identity this action.
    #[error("call {action}: the AWS identity may not: {why}")]
    Denied {
        /// The IAM action: `ec2:DescribeSpotPriceHistory`.
        action: &'static str,
        /// AWS's message.
        why: String,
    },
    /// AWS does not accept the credentials, or no longer.
    #[error("use the AWS credentials: {why}")]
    Expired {
        /// The problem, and the command that solves it.
        why: String,
    },
    /// The source has no file, region or cluster of this name.
    #[error("find {what}")]
    Absent {
        /// What was requested: `the price page of eu-south-1`.
        what: String,
    },
    /// No answer in time, or an error of the server or the network.
    #[error("get {what}: {why}")]
    Unavailable {
        /// What was requested.
        what: String,
        /// The message of the system or of the server.
        why: String,
    },
    /// The answer has another form than expected.
    #[error("read {what}: {why}")]
    Garbled {
        /// The document.
        what: String,
        /// What is wrong with it.
        why: String,
    },
}

impl AskError {
    /// The reason alone, to be shown beside the names of source and region.
    pub fn reason(&self) -> String {
        match self {
            Self::NoCredentials { .. } => "no AWS credentials".to_owned(),
            Self::Denied { action, .. } => format!("{action} is not allowed"),
            Self::Expired { why } => format!("AWS credentials are not accepted: {why}"),
            Self::Absent { .. } => "it is not there".to_owned(),
            Self::Unavailable { why, .. } => why.clone(),
            Self::Garbled { why, .. } => format!("the answer cannot be read: {why}"),
        }
    }
}

/// Text of a server or a library as one clean line of limited length.
pub(super) fn tidy(text: &str) -> String {
    let clean = clean(text);
    let words: Vec<&str> = clean.split_whitespace().collect();
    words.join(" ").chars().take(MAX_REASON).collect()
}

/// The message of the innermost cause, which is that of the system or of TLS; libraries wrap it in "dispatch failure" or
/// "client error (Connect)".
pub(super) fn root_cause(error: &(dyn Error + 'static)) -> String {
    let message = causes(error).last().map_or_else(String::new, ToString::to_string);
    tidy(message.split(" (os error").next().unwrap_or(&message))
}

/// An error and its causes, from the outside in.
pub(super) fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error: &&'a (dyn Error + 'static)| (*error).source())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_completes_failed_to_and_its_reason_stands_alone() {
        let error = AskError::Unavailable { what: "the price page of eu-west-1".into(), why: "no answer".into() };
        assert_eq!(error.to_string(), "get the price page of eu-west-1: no answer");
        assert_eq!(error.reason(), "no answer");
        let error = AskError::Denied { action: "pricing:GetProducts", why: "no identity-based policy".into() };
        assert_eq!(error.to_string(), "call pricing:GetProducts: the AWS identity may not: no identity-based policy");
        assert_eq!(error.reason(), "pricing:GetProducts is not allowed");
    }
}
