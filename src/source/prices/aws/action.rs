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

/// The time limit of an answer with all its pages.
pub(super) const LIMIT: Duration = Duration::from_secs(15);
/// The most pages of an answer; all instance types of a region are 14.
pub(super) const MAX_PAGES: usize = 50;

/// The limits of each request by the SDK: less than [`LIMIT`], so that another endpoint can be asked.
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

    /// Takes the token that came with a page, and returns whether there is another page to request. A token that repeats
    /// would never end.
    pub(super) fn advance(&mut self, next: Option<String>) -> bool {
        let Some(next) = next.filter(|token| !token.is_empty()) else { return false };
        self.token = Some(next.clone());
        self.seen.insert(next) && self.seen.len() < MAX_PAGES
    }
}

/// An action of AWS, as errors name it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Action<'a> {
    pub(super) session: &'a Session,
    /// In IAM: `ec2:DescribeSpotPriceHistory`.
    pub(super) name: &'static str,
    /// The answer: `EC2's spot prices`.
    pub(super) what: &'a str,
}

impl Action<'_> {
    /// Waits for an answer, for [`LIMIT`].
    pub(super) async fn in_time<T>(&self, answer: impl Future<Output = Result<T, AskError>>) -> Result<T, AskError> {
        let late = || Err(self.unavailable(format!("no whole answer within {} s", LIMIT.as_secs())));
        timeout(LIMIT, answer).await.unwrap_or_else(|_elapsed| late())
    }

    /// Drops the error of a later page: the pages before it are an answer.
    pub(super) fn accept_part(&self, ended: Result<(), AskError>, is_empty: bool) -> Result<(), AskError> {
        match ended {
            Err(error) if !is_empty => {
                tracing::warn!(action = self.name, %error, "only a part of the prices has arrived");
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

    /// The error of an answer with an error code, which is empty in the answer of a proxy. Sources: EC2 API reference,
    /// "Error codes"; STS, EKS and Price List API references, "Common errors".
    pub(super) fn refused(&self, status: u16, code: &str, message: &str) -> AskError {
        let (code, message) = (tidy(code), tidy(message));
        let why = match (message.as_str(), code.as_str()) {
            ("", "") => format!("the server answers {status}"),
            ("", code) => code.to_owned(),
            (message, _) => message.to_owned(),
        };
        match code.trim_end_matches("Exception") {
            "UnauthorizedOperation" | "AccessDenied" | "Unauthorized" => AskError::Denied { action: self.name, why },
            "AuthFailure"
            | "ExpiredToken"
            | "RequestExpired"
            | "InvalidClientTokenId"
            | "SignatureDoesNotMatch"
            | "InvalidSignature"
            | "UnrecognizedClient"
            | "MissingAuthenticationToken"
            | "IncompleteSignature" => self.session.refused(&why),
            "ResourceNotFound" => AskError::Absent { what: self.what.to_owned() },
            "" | INVALID_PARAMETER | "Validation" => self.unavailable(why),
            _ if message.is_empty() => self.unavailable(why),
            _ => self.unavailable(format!("{why} ({code})")),
        }
    }

    /// The error of a request by the SDK.
    pub(super) fn failed<E>(&self, error: &SdkError<E, HttpResponse>) -> AskError
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        match error {
            SdkError::TimeoutError(_) => self.unavailable("no answer in time".to_owned()),
            SdkError::DispatchFailure(failure) if failure.is_timeout() => {
                self.unavailable("no answer in time".to_owned())
            }
            SdkError::ServiceError(answer) if error.code().is_some() || !answer.raw().status().is_success() => {
                let (code, message) = (error.code().unwrap_or_default(), error.message().unwrap_or_default());
                self.refused(answer.raw().status().as_u16(), code, message)
            }
            SdkError::ServiceError(_) | SdkError::ResponseError(_) => self.garbled(root_cause(error)),
            _ => self.unavailable(root_cause(error)),
        }
    }
}

const INVALID_PARAMETER: &str = "InvalidParameter";

/// Whether AWS does not accept the parameters.
pub(super) fn is_invalid_parameter<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> bool {
    error.code().is_some_and(|code| matches!(code.trim_end_matches("Exception"), INVALID_PARAMETER | "Validation"))
}

/// Whether AWS did not answer, so that another region may.
pub(super) fn is_unreachable<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> bool {
    match error {
        SdkError::TimeoutError(_) | SdkError::DispatchFailure(_) => true,
        // The answer of a proxy.
        SdkError::ServiceError(answer) => {
            error.code().unwrap_or_default().is_empty() && !answer.raw().status().is_success()
        }
        _ => false,
    }
}
