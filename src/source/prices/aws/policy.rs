//! What all requests to AWS share: time limits, the end of paged answers, the meaning of errors.

use super::credentials::Session;
use crate::source::prices::AskError;
use crate::source::prices::error::{root_cause, tidy};
use aws_config::timeout::TimeoutConfig;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use std::collections::HashSet;
use std::error::Error;
use std::time::Duration;
use tokio::time::timeout;

/// A question is answered within this time, or with the part of the answer that has arrived.
pub(super) const PATIENCE: Duration = Duration::from_secs(15);
/// Further pages of an answer are not requested; all instance types of a region are 14 pages.
pub(super) const MAX_PAGES: usize = 50;

/// The limits of each request by the SDK: less than [`PATIENCE`], so that another endpoint can be asked.
pub(super) fn time_limits() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(2))
        .read_timeout(Duration::from_secs(4))
        .operation_attempt_timeout(Duration::from_secs(6))
        .operation_timeout(Duration::from_secs(10))
        .build()
}

/// The position in a paged answer.
#[derive(Debug, Default)]
pub(super) struct Pages {
    token: Option<String>,
    seen: HashSet<String>,
}

impl Pages {
    /// The token of the page to request; `None` for the first one.
    pub(super) fn token(&self) -> Option<&str> {
        self.token.as_deref()
    }

    /// Takes the token that came with a page, and returns whether there is another page to request.
    pub(super) fn advance(&mut self, next: Option<String>) -> bool {
        let Some(next) = next.filter(|token| !token.is_empty()) else { return false };
        if self.seen.len() + 1 >= MAX_PAGES {
            tracing::warn!(pages = MAX_PAGES, "the answer has more pages than are requested");
            return false;
        }
        self.token = Some(next.clone());
        // The pages of a token that repeats would never end.
        self.seen.insert(next)
    }
}

/// A question to AWS, as its errors name it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Call<'a> {
    pub(super) session: &'a Session,
    /// The IAM action.
    pub(super) action: &'static str,
    /// The answer that is expected.
    pub(super) what: &'a str,
}

/// Why a request failed.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) kind: FailureKind,
    pub(super) error: AskError,
}

impl From<Failure> for AskError {
    fn from(failure: Failure) -> Self {
        failure.error
    }
}

/// What a failure means for further requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FailureKind {
    /// A policy forbids the action.
    Denied,
    /// AWS does not accept the credentials.
    Credentials,
    /// There is no object of this name.
    Absent,
    /// AWS does not accept the parameters.
    Parameters,
    /// No answer of AWS.
    Unreachable,
    /// Anything else.
    Other,
}

impl FailureKind {
    /// The meaning of an error code. Sources: EC2 API reference, "Error codes"; STS, EKS and Price List API references,
    /// "Common errors".
    fn from_code(code: &str) -> Self {
        match code.trim_end_matches("Exception") {
            "UnauthorizedOperation" | "AccessDenied" | "Unauthorized" => Self::Denied,
            "AuthFailure"
            | "ExpiredToken"
            | "RequestExpired"
            | "InvalidClientTokenId"
            | "SignatureDoesNotMatch"
            | "InvalidSignature"
            | "UnrecognizedClient"
            | "MissingAuthenticationToken"
            | "IncompleteSignature" => Self::Credentials,
            "ResourceNotFound" => Self::Absent,
            "InvalidParameter" | "Validation" => Self::Parameters,
            // Not an error of AWS, but of a proxy.
            "" => Self::Unreachable,
            _ => Self::Other,
        }
    }
}

impl Call<'_> {
    /// Waits for an answer until [`PATIENCE`] is over.
    pub(super) async fn in_time<T>(&self, answer: impl Future<Output = Result<T, AskError>>) -> Result<T, AskError> {
        let late = || Err(self.unavailable(format!("no whole answer within {} s", PATIENCE.as_secs())));
        timeout(PATIENCE, answer).await.unwrap_or_else(|_elapsed| late())
    }

    /// Waits for the pages of an answer. A failure counts only if `is_empty` returns that nothing has arrived before.
    pub(super) fn accept_part(&self, ended: Result<(), AskError>, is_empty: bool) -> Result<(), AskError> {
        match ended {
            Err(error) if !is_empty => {
                tracing::warn!(action = self.action, %error, "only a part of the prices has arrived");
                Ok(())
            }
            ended => ended,
        }
    }

    pub(super) fn unavailable(&self, why: String) -> AskError {
        AskError::Unavailable { what: self.what.to_owned(), why }
    }

    pub(super) fn garbled(&self, why: String) -> AskError {
        AskError::Garbled { what: self.what.to_owned(), why }
    }

    /// AWS, or a proxy, refused the request with this status, code and message.
    pub(super) fn refused(&self, status: u16, code: &str, message: &str) -> Failure {
        let (code, message) = (tidy(code), tidy(message));
        let why = match (message.as_str(), code.as_str()) {
            ("", "") => format!("the server answers {status}"),
            ("", code) => code.to_owned(),
            (message, _) => message.to_owned(),
        };
        let kind = FailureKind::from_code(&code);
        let error = match kind {
            FailureKind::Denied => AskError::Denied { action: self.action, why },
            FailureKind::Credentials => self.session.refused(&why),
            FailureKind::Absent => AskError::Absent { what: self.what.to_owned() },
            FailureKind::Other if why != code => self.unavailable(format!("{why} ({code})")),
            FailureKind::Parameters | FailureKind::Unreachable | FailureKind::Other => self.unavailable(why),
        };
        Failure { kind, error }
    }

    /// A request by the SDK failed.
    pub(super) fn failed<E>(&self, error: &SdkError<E, HttpResponse>) -> Failure
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        let (kind, error) = match error {
            SdkError::TimeoutError(_) => (FailureKind::Unreachable, self.unavailable("no answer in time".to_owned())),
            SdkError::DispatchFailure(failure) if failure.is_timeout() => {
                (FailureKind::Unreachable, self.unavailable("no answer in time".to_owned()))
            }
            SdkError::DispatchFailure(_) => (FailureKind::Unreachable, self.unavailable(root_cause(error))),
            SdkError::ServiceError(answer) => {
                let (status, error_of_aws) = (answer.raw().status(), answer.err());
                match error_of_aws.code() {
                    None if status.is_success() => (FailureKind::Other, self.garbled(root_cause(error))),
                    code => {
                        let message = error_of_aws.message().unwrap_or_default();
                        return self.refused(status.as_u16(), code.unwrap_or_default(), message);
                    }
                }
            }
            SdkError::ResponseError(_) => (FailureKind::Other, self.garbled(root_cause(error))),
            _ => (FailureKind::Other, self.unavailable(root_cause(error))),
        };
        Failure { kind, error }
    }
}
