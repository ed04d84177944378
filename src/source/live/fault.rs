//! What can go wrong between a request and its answer, sorted by what is to be done about it.

use super::transport::AccessFault;
use crate::source::json::{Int, Text, lenient};
use crate::units::text::clean;
use http::{HeaderMap, StatusCode, header};
use serde::Deserialize;
use std::error::Error;
use std::fmt;
use std::time::Duration;

/// Trouble of one stream. Every variant is met with a behaviour in the list-watch loop; none ends the program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// 403: the role does not allow it.
    Denied(String),
    /// 404: the server does not know the kind.
    Absent,
    /// 410, or an ERROR event saying so: the version or the continue token is too old; list again.
    Expired,
    /// The server does not stream lists: ask for pages.
    NoStream,
    /// Another 4xx: the server does not take the request as it is.
    Refused(String),
    /// 401: who the server thinks we are not.
    Unauthorized(String),
    /// 429: asked to come back later.
    Throttled {
        /// The server's `Retry-After`.
        after: Option<Duration>,
        /// The server's words.
        message: String,
    },
    /// 5xx, or an ERROR event that is not 410.
    Server {
        /// The server's `Retry-After`.
        after: Option<Duration>,
        /// The server's words.
        message: String,
    },
    /// No credentials could be had: the plugin's words.
    Credentials(String),
    /// Certificates, keys, a token or a proxy stand in the way.
    Access(Box<AccessFault>),
    /// No answer: refused, reset, no route. `address: cause`.
    Unreachable(String),
    /// Nothing was heard for too long: the connection is taken for dead.
    Silent(Duration),
    /// An answer that is not the JSON it should be.
    Malformed(String),
    /// An answer, or a line of a watch, is larger than what is kept in memory.
    TooLarge {
        /// What is too large: `the answer`.
        subject: &'static str,
        /// The limit in bytes.
        limit: usize,
    },
    /// The answer ended before its time.
    Cut,
    /// Nobody takes the changes any more: the program is ending.
    Closed,
}

impl fmt::Display for Fault {
    /// One sentence for the status line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Denied(message) | Self::Unauthorized(message) | Self::Credentials(message) => f.write_str(message),
            Self::Absent => f.write_str("the server does not have this kind"),
            Self::Expired => f.write_str("the server no longer has this version"),
            Self::NoStream => f.write_str("the server does not stream lists"),
            Self::Refused(message) => write!(f, "the server refused the request: {message}"),
            Self::Throttled { message, .. } => write!(f, "the server is busy: {message}"),
            Self::Server { message, .. } => write!(f, "the server failed: {message}"),
            Self::Access(fault) => f.write_str(&fault.why),
            Self::Unreachable(why) => write!(f, "cannot reach {why}"),
            Self::Silent(time) => write!(f, "nothing heard for {} s", time.as_secs().max(1)),
            Self::Malformed(why) => write!(f, "the answer cannot be read: {why}"),
            Self::TooLarge { subject, limit } => write!(f, "{subject} is larger than {} MiB", limit >> 20),
            Self::Cut => f.write_str("the server ended the answer early"),
            Self::Closed => f.write_str("shutting down"),
        }
    }
}

/// The part of a `metav1.Status` that is used.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct StatusWire {
    code: Int,
    reason: Text,
    message: Text,
    #[serde(deserialize_with = "lenient")]
    details: StatusDetails,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct StatusDetails {
    retry_after_seconds: Int,
}

impl StatusWire {
    /// The fault of an ERROR event.
    pub(super) fn into_fault(self) -> Fault {
        let code = match (self.code.count::<u16>(), &*self.reason) {
            (_, "Expired" | "Gone") => 410,
            (Some(code), _) => code,
            (None, _) => 500,
        };
        fault_of(code, self, None)
    }
}

/// The fault of an answer that is not a success.
pub(super) fn of_response(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Fault {
    let after = headers.get(header::RETRY_AFTER).and_then(|value| value.to_str().ok()).and_then(|v| v.parse().ok());
    let said = serde_json::from_slice::<StatusWire>(body).ok().filter(|said| !said.message.is_empty());
    let said = said.unwrap_or_else(|| StatusWire {
        // Not a Status: a proxy's page, say. Its first line has to do.
        message: Text(first_line(&String::from_utf8_lossy(body)).unwrap_or_else(|| status.to_string()).into()),
        ..StatusWire::default()
    });
    fault_of(status.as_u16(), said, after.map(Duration::from_secs))
}

fn fault_of(code: u16, said: StatusWire, after: Option<Duration>) -> Fault {
    let after = after.or_else(|| said.details.retry_after_seconds.count().filter(|s| *s > 0).map(Duration::from_secs));
    let message = if said.message.is_empty() { format!("status {code}") } else { String::from(said.message.0) };
    match code {
        401 => Fault::Unauthorized(message),
        403 => Fault::Denied(message),
        404 => Fault::Absent,
        410 => Fault::Expired,
        429 => Fault::Throttled { after, message },
        400..=499 => Fault::Refused(message),
        _ => Fault::Server { after, message },
    }
}

/// The first line of a text that says something, at most 200 characters of it.
pub(super) fn first_line(text: &str) -> Option<String> {
    let line = text.lines().map(str::trim).find(|line| !line.is_empty())?;
    Some(clean(line).chars().take(200).collect())
}

/// What an error comes down to: the innermost cause, which is the system's or TLS's own word.
pub(super) fn root_cause(error: &(dyn Error + 'static)) -> String {
    let mut innermost = error;
    while let Some(cause) = innermost.source() {
        innermost = cause;
    }
    let innermost = innermost.to_string();
    let text = innermost.split(" (os error").next().unwrap_or(&innermost);
    clean(text).into_owned()
}

/// An error in words: what it and its causes say, without repetitions.
pub(super) fn in_words(error: &(dyn Error + 'static)) -> String {
    let mut words = String::new();
    let mut next = Some(error);
    while let Some(error) = next {
        let said = error.to_string();
        next = error.source();
        // Many errors print their cause as well; the cause then adds nothing, or says it better.
        let repeated = next.is_some_and(|cause| said.contains(&cause.to_string()));
        if !repeated && !words.contains(&said) {
            if !words.is_empty() {
                words.push_str(": ");
            }
            words.push_str(&said);
        }
    }
    clean(&words).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use test_case::test_case;

    fn respond(code: u16, body: &str) -> Fault {
        of_response(StatusCode::from_u16(code).unwrap(), &HeaderMap::new(), body.as_bytes())
    }

    #[test]
    fn a_status_is_quoted() {
        let body = r#"{"kind":"Status","message":"nodes is forbidden: User \"v\" cannot list","reason":"Forbidden","code":403}"#;
        assert_eq!(respond(403, body), Fault::Denied("nodes is forbidden: User \"v\" cannot list".into()));
    }

    #[test]
    fn a_page_that_is_no_status_gives_its_first_line() {
        assert_eq!(
            respond(502, "\n<h1>Bad \u{1b}[31mgateway</h1>\nmore"),
            Fault::Server { after: None, message: "<h1>Bad [31mgateway</h1>".into() }
        );
        assert_eq!(respond(500, ""), Fault::Server { after: None, message: "500 Internal Server Error".into() });
    }

    #[test]
    fn retry_after_is_read_from_the_header_and_from_the_status() {
        let mut headers = HeaderMap::new();
        headers.insert(header::RETRY_AFTER, "7".parse().unwrap());
        let throttled = of_response(StatusCode::TOO_MANY_REQUESTS, &headers, br#"{"message": "slow down"}"#);
        assert_eq!(throttled, Fault::Throttled { after: Some(Duration::from_secs(7)), message: "slow down".into() });
        let body = r#"{"message": "slow down", "details": {"retryAfterSeconds": 3}}"#;
        assert_eq!(
            respond(429, body),
            Fault::Throttled { after: Some(Duration::from_secs(3)), message: "slow down".into() }
        );
    }

    #[test_case(r#"{"code": 410, "reason": "Expired"}"# => Fault::Expired)]
    #[test_case(r#"{"reason": "Gone"}"# => Fault::Expired ; "by its reason")]
    #[test_case(r#"{"code": 500, "message": "etcd"}"# => Fault::Server { after: None, message: "etcd".into() })]
    #[test_case("{}" => Fault::Server { after: None, message: "status 500".into() } ; "empty")]
    fn error_events(status: &str) -> Fault {
        serde_json::from_str::<StatusWire>(status).unwrap().into_fault()
    }

    #[test]
    fn causes_are_told_once_and_the_innermost_is_found() {
        #[derive(Debug, thiserror::Error)]
        #[error("outer: {0}")]
        struct Outer(#[source] Inner);
        #[derive(Debug, thiserror::Error)]
        #[error("connection refused")]
        struct Inner;
        assert_eq!(in_words(&Outer(Inner)), "connection refused");
        assert_eq!(root_cause(&Outer(Inner)), "connection refused");
        let refused = std::io::Error::from_raw_os_error(111);
        assert!(!root_cause(&refused).contains("os error"), "{}", root_cause(&refused));
    }
}
