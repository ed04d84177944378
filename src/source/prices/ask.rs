//! Why a price source gave no answer.

/// Why a question to a price source has no answer. Completes "failed to …".
///
/// Nothing here ends the program, and nothing here takes away a price that is known: it is the state of a source.
/// Text of servers in it has passed [`crate::units::text::clean`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AskError {
    /// There are no AWS credentials to ask with. That is no fault: most prices need none.
    #[error("find AWS credentials: {why}")]
    NoCredentials {
        /// What was looked at.
        why: String,
    },
    /// AWS knows who asks, and does not allow it.
    #[error("call {action}: the AWS identity may not: {why}")]
    Denied {
        /// The IAM action that is missing: `ec2:DescribeSpotPriceHistory`.
        action: &'static str,
        /// AWS's words.
        why: String,
    },
    /// The credentials have ended, or are not accepted.
    #[error("use the AWS credentials: {why}")]
    Expired {
        /// What is wrong, and the command that mends it.
        why: String,
    },
    /// The source has nothing under this name: no such file, no such region.
    #[error("find {what}")]
    Absent {
        /// What was asked for: `the price page of eu-south-1`.
        what: String,
    },
    /// No answer, in time or at all, or one that refuses without a reason we know.
    #[error("get {what}: {why}")]
    Unavailable {
        /// What was asked for.
        what: String,
        /// The system's words, or the server's.
        why: String,
    },
    /// An answer that cannot be read.
    #[error("read {what}: {why}")]
    Garbled {
        /// What was asked for.
        what: String,
        /// What is wrong with it.
        why: String,
    },
}

impl AskError {
    /// The reason alone, for where the source and the region are named beside it.
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
