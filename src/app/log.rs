//! Logging into a file, if one is set. Log lines never reach the terminal.

use std::path::Path;
use tracing_appender::non_blocking::WorkerGuard;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// Why logging cannot start. Completes "failed to …".
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The file cannot be opened for writing.
    #[error("open the log file {path}: {source}; choose another with --log-file")]
    Open {
        /// The file's path.
        path: String,
        /// The system's error.
        source: std::io::Error,
    },
    /// The filter cannot be read.
    #[error("read the log filter {filter:?}: {source}; it is like \"info\" or \"nodeglass=debug\"")]
    Filter {
        /// The filter.
        filter: String,
        /// Its error.
        source: tracing_subscriber::filter::ParseError,
    },
}

/// Keeps secrets out of the log. kube logs the whole body of an answer that it cannot decode; AWS's crates log requests
/// with signatures, answers with session tokens and commands with arguments at levels below warnings.
const CAPPED: &str = "kube_client=error,kube_client::client=off,aws_config=warn,aws_credential_types=warn,\
    aws_runtime=warn,aws_sdk_pricing=warn,aws_sdk_sso=warn,aws_sdk_ssooidc=warn,aws_sdk_sts=warn,aws_sigv4=warn,\
    aws_smithy_http=warn,aws_smithy_runtime=warn,aws_smithy_runtime_api=warn,aws_smithy_types=warn";

/// Starts appending to the log file `path`. Dropping the guard flushes the log, so it must live as long as the program.
///
/// # Errors
/// If the file cannot be opened or the filter does not parse.
pub fn start(path: &Path, filter: &str) -> Result<WorkerGuard, LogError> {
    let text = path.display().to_string();
    let file = std::fs::OpenOptions::new().create(true).append(true).open(path);
    let file = file.map_err(|source| LogError::Open { path: text, source })?;
    let filter = EnvFilter::try_new(format!("{filter},{CAPPED}"))
        .map_err(|source| LogError::Filter { filter: filter.to_owned(), source })?;
    let (writer, guard) = tracing_appender::non_blocking(file);
    let layer = tracing_subscriber::fmt::layer().with_ansi(false).with_writer(writer);
    // A second call (in tests) keeps the first subscriber.
    let _ = tracing_subscriber::registry().with(filter).with(layer).try_init();
    Ok(guard)
}
