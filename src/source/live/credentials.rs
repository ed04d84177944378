//! Credential plugins (client-go's exec plugins, `client.authentication.k8s.io`).
//!
//! A plugin may ask its user something, but only while the terminal is still the shell's: the first run inherits stdin
//! and stderr, every later one has neither and what it writes to stderr becomes its error message.

use super::certificate::{self, PairFault};
use super::fault::first_line;
use super::kubeconfig::bearer;
use crate::source::json::{Time, lenient};
use http::HeaderValue;
use kube::config::{ExecConfig, ExecInteractiveMode};
use rustls::sign::CertifiedKey;
use serde::Deserialize;
use serde_json::json;
use std::io::Read;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

/// Why a plugin gave no credentials. Completes "the credential plugin …".
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PluginError {
    /// The kubeconfig names no command.
    #[error("has no command in the kubeconfig")]
    NoCommand,
    /// It insists on a terminal.
    #[error("{command:?} needs a terminal to ask its questions (interactiveMode: Always); log in and start again")]
    NeedsTerminal {
        /// The program.
        command: String,
    },
    /// It cannot be started.
    #[error("{command:?} cannot be started: {why}{}", hint.as_deref().map(|h| format!("; {h}")).unwrap_or_default())]
    Start {
        /// The program.
        command: String,
        /// The system's words.
        why: String,
        /// How to install it, from the kubeconfig.
        hint: Option<String>,
    },
    /// It failed.
    #[error("{command:?} failed ({status}): {said}")]
    Failed {
        /// The program.
        command: String,
        /// Its exit status.
        status: String,
        /// The first line it wrote to stderr.
        said: String,
    },
    /// It did not end.
    #[error("{command:?} did not answer within {} s", .after.as_secs())]
    TimedOut {
        /// The program.
        command: String,
        /// How long it was waited for.
        after: Duration,
    },
    /// What it printed is no credential.
    #[error("{command:?} printed no credentials: {why}")]
    Output {
        /// The program.
        command: String,
        /// What is missing.
        why: String,
    },
    /// What it printed are credentials that cannot be used.
    #[error("{command:?} printed credentials that cannot be used: {why}")]
    Unusable {
        /// The program.
        command: String,
        /// What is wrong with them.
        why: String,
    },
}

impl PluginError {
    /// What to do where running it again will not help.
    pub const fn remedy(&self) -> Option<&'static str> {
        match self {
            Self::Unusable { .. } => {
                Some("see what the credential plugin prints: a token in one line, or a certificate with its key")
            }
            Self::NoCommand => Some("name the command of the credential plugin in the kubeconfig"),
            Self::NeedsTerminal { .. }
            | Self::Start { .. }
            | Self::Failed { .. }
            | Self::TimedOut { .. }
            | Self::Output { .. } => None,
        }
    }
}

/// Credentials as a plugin gave them.
#[derive(Clone, Debug)]
pub(super) struct Credentials {
    /// The value of `Authorization`.
    pub(super) authorization: Option<HeaderValue>,
    /// A client certificate with its key.
    pub(super) certificate: Option<Arc<CertifiedKey>>,
    /// When they end, if the plugin said so.
    pub(super) expires: Option<jiff::Timestamp>,
}

/// Whether a plugin may use the terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Terminal {
    /// It may ask and be answered.
    Shared,
    /// It is not there.
    Closed,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ExecCredential {
    #[serde(deserialize_with = "lenient")]
    status: ExecStatus,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct ExecStatus {
    expiration_timestamp: Time,
    token: Option<String>,
    client_certificate_data: Option<String>,
    client_key_data: Option<String>,
}

/// Largest part in bytes of a plugin's output that is kept.
const LARGEST_OUTPUT: u64 = 1 << 20;

/// Runs the plugin once. Blocks; a run without a terminal is given up after `patience`.
pub(super) fn run(exec: &ExecConfig, terminal: Terminal, patience: Duration) -> Result<Credentials, PluginError> {
    let command = exec.command.clone().ok_or(PluginError::NoCommand)?;
    let terminal = if exec.interactive_mode == Some(ExecInteractiveMode::Never) { Terminal::Closed } else { terminal };
    if terminal == Terminal::Closed && exec.interactive_mode == Some(ExecInteractiveMode::Always) {
        return Err(PluginError::NeedsTerminal { command });
    }
    let start = |error: &std::io::Error| PluginError::Start {
        command: command.clone(),
        why: error.to_string(),
        hint: exec.install_hint.clone(),
    };
    let mut process = prepare(exec, &command, terminal);
    let mut child = process.spawn().map_err(|error| start(&error))?;
    // Both pipes are read while it runs, so that a long complaint cannot block it.
    let read = |pipe: Option<Box<dyn Read + Send>>| {
        std::thread::spawn(move || {
            let mut bytes = Vec::new();
            if let Some(mut pipe) = pipe {
                // What could be read up to a failure is still worth showing. The rest is read so that the plugin can end.
                let _ = pipe.by_ref().take(LARGEST_OUTPUT).read_to_end(&mut bytes);
                let _ = std::io::copy(&mut pipe, &mut std::io::sink());
            }
            bytes
        })
    };
    let stdout = read(child.stdout.take().map(|pipe| Box::new(pipe) as _));
    let stderr = read(child.stderr.take().map(|pipe| Box::new(pipe) as _));
    let status = match terminal {
        Terminal::Shared => child.wait().map_err(|error| start(&error))?,
        Terminal::Closed => {
            let deadline = std::time::Instant::now() + patience;
            loop {
                match child.try_wait().map_err(|error| start(&error))? {
                    Some(status) => break status,
                    None if std::time::Instant::now() >= deadline => {
                        // It may have ended just now; either way it is gone.
                        let _ = child.kill();
                        let _ = child.wait();
                        return Err(PluginError::TimedOut { command, after: patience });
                    }
                    None => std::thread::sleep(Duration::from_millis(20)),
                }
            }
        }
    };
    let stdout = stdout.join().unwrap_or_default();
    if !status.success() {
        let said = first_line(&String::from_utf8_lossy(&stderr.join().unwrap_or_default()));
        let said = said.unwrap_or_else(|| "it gave no reason".into());
        return Err(PluginError::Failed { command, status: status.to_string(), said });
    }
    parse(&stdout, &command)
}

fn prepare(exec: &ExecConfig, command: &str, terminal: Terminal) -> Command {
    let mut process = Command::new(command);
    process.args(exec.args.iter().flatten()).stdout(Stdio::piped());
    for variable in exec.env.iter().flatten() {
        if let (Some(name), Some(value)) = (variable.get("name"), variable.get("value")) {
            process.env(name, value);
        }
    }
    let shared = terminal == Terminal::Shared;
    if shared {
        process.stdin(Stdio::inherit()).stderr(Stdio::inherit());
    } else {
        process.stdin(Stdio::null()).stderr(Stdio::piped());
    }
    let mut spec = json!({"interactive": shared});
    if let (true, Some(cluster)) = (exec.provide_cluster_info, &exec.cluster) {
        spec["cluster"] = json!(cluster);
    }
    let info = json!({"kind": "ExecCredential", "apiVersion": exec.api_version, "spec": spec});
    process.env("KUBERNETES_EXEC_INFO", info.to_string());
    for name in exec.drop_env.iter().flatten() {
        process.env_remove(name);
    }
    process
}

fn parse(stdout: &[u8], command: &str) -> Result<Credentials, PluginError> {
    let no_credentials = |why: String| PluginError::Output { command: command.to_owned(), why };
    let unusable = |why: String| PluginError::Unusable { command: command.to_owned(), why };
    let status = serde_json::from_slice::<ExecCredential>(stdout)
        // The text may hold a secret, so only the place of the mistake is shown.
        .map_err(|error| {
            no_credentials(format!("not an ExecCredential (line {}, column {})", error.line(), error.column()))
        })?
        .status;
    let filled = |text: Option<String>| text.filter(|text| !text.is_empty());
    let certificate = match (filled(status.client_certificate_data), filled(status.client_key_data)) {
        (Some(certificate), Some(key)) => {
            let pair = certificate::pair(certificate.as_bytes(), key.as_bytes()).map_err(|fault| match fault {
                PairFault::Certificate(why) => format!("clientCertificateData: {why}"),
                PairFault::Key(why) => format!("clientKeyData: {why}"),
                PairFault::Mismatch => "clientKeyData is not the private key of clientCertificateData".to_owned(),
            });
            Some(pair.map_err(unusable)?)
        }
        (None, None) => None,
        (_, _) => return Err(unusable("a certificate and its key come together, and one is missing".into())),
    };
    let authorization = filled(status.token).map(|token| bearer(&token)).transpose().map_err(unusable)?;
    if certificate.is_none() && authorization.is_none() {
        return Err(no_credentials("neither a token nor a certificate in its status".into()));
    }
    Ok(Credentials { authorization, certificate, expires: status.expiration_timestamp.0 })
}

#[cfg(test)]
mod tests {
    use super::*;
    fn plugin(script: &str) -> ExecConfig {
        serde_json::from_value(json!({
            "apiVersion": "client.authentication.k8s.io/v1beta1", "command": "sh", "args": ["-c", script],
            "env": [{"name": "TOKEN", "value": "from-env"}],
        }))
        .unwrap()
    }

    fn closed(script: &str) -> Result<Credentials, PluginError> {
        run(&plugin(script), Terminal::Closed, Duration::from_secs(20))
    }

    #[cfg(unix)]
    #[test]
    fn a_plugin_gives_a_token_and_its_end() {
        let got = closed(r#"printf '{"status":{"token":"%s","expirationTimestamp":"2026-11-24T08:00:00Z"}}' "$TOKEN""#)
            .unwrap();
        assert_eq!(got.expires, "2026-11-24T08:00:00Z".parse().ok());
        assert_eq!(got.authorization.unwrap(), "Bearer from-env");
    }

    #[cfg(unix)]
    #[test]
    fn a_failing_plugin_is_quoted() {
        let error = closed("echo >&2; echo 'Token has expired: run aws sso login' >&2; exit 255").unwrap_err();
        assert!(error.to_string().contains("run aws sso login"), "{error}");
        let error = closed("echo '{\"status\":{}}'").unwrap_err();
        assert!(error.to_string().contains("neither a token nor a certificate"), "{error}");
        let error = closed("echo secret-token").unwrap_err();
        assert!(!error.to_string().contains("secret-token"), "{error}");
        let mut missing = plugin("");
        missing.command = Some("/nonexistent/plugin".into());
        let error = run(&missing, Terminal::Closed, Duration::from_secs(1)).unwrap_err();
        assert!(error.to_string().contains("\"/nonexistent/plugin\" cannot be started"), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn a_plugin_that_waits_for_an_answer_is_given_up() {
        let error = run(&plugin("exec sleep 60"), Terminal::Closed, Duration::from_millis(50)).unwrap_err();
        assert!(matches!(error, PluginError::TimedOut { .. }), "{error}");
    }
}
