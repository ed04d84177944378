//! Credential plugins (client-go's exec plugins, `client.authentication.k8s.io`).
//!
//! A plugin may ask its user something, but only while the terminal is still the shell's: the first run inherits stdin
//! and stderr, every later one has neither and what it writes to stderr becomes its error message.

use super::fault::first_line;
use super::wire::scalar::{Time, lenient};
use kube::config::{AuthInfo, ExecConfig, ExecInteractiveMode};
use serde::Deserialize;
use serde_json::json;
use std::process::{Command, Stdio};
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
}

/// Credentials as a plugin gave them.
#[derive(Clone, Debug)]
pub(super) struct Credentials {
    /// A token, or a certificate and key, in the shape of a kubeconfig user.
    pub(super) auth: AuthInfo,
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
    let read = |pipe: Option<Box<dyn std::io::Read + Send>>| {
        std::thread::spawn(move || {
            let mut bytes = Vec::new();
            if let Some(mut pipe) = pipe {
                // What could be read up to a failure is still worth showing.
                let _ = pipe.read_to_end(&mut bytes);
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
    parse(&stdout).map_err(|why| PluginError::Output { command, why })
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

fn parse(stdout: &[u8]) -> Result<Credentials, String> {
    let status = serde_json::from_slice::<ExecCredential>(stdout)
        // The text may hold a secret, so only the place of the mistake is told.
        .map_err(|error| format!("not an ExecCredential (line {}, column {})", error.line(), error.column()))?
        .status;
    let user = match status {
        ExecStatus { client_certificate_data: Some(certificate), client_key_data: Some(key), token, .. } => {
            // A kubeconfig user holds PEM in base64.
            json!({"client-certificate-data": base64(&certificate), "client-key-data": base64(&key), "token": token})
        }
        ExecStatus { token: Some(token), .. } => json!({"token": token}),
        ExecStatus { .. } => return Err("neither a token nor a certificate in its status".into()),
    };
    let auth = serde_json::from_value(user).map_err(|error| error.to_string())?;
    Ok(Credentials { auth, expires: status.expiration_timestamp.0 })
}

/// RFC 4648 base64 with padding.
fn base64(text: &str) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(text.len().div_ceil(3) * 4);
    for chunk in text.as_bytes().chunks(3) {
        let at = |i: usize| u32::from(chunk.get(i).copied().unwrap_or(0));
        let bits = at(0) << 16 | at(1) << 8 | at(2);
        for i in 0..4_u32 {
            let digit = DIGITS[(bits >> (18 - 6 * i) & 63) as usize];
            out.push(if i as usize > chunk.len() { '=' } else { char::from(digit) });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use test_case::test_case;

    #[test_case("" => "")]
    #[test_case("f" => "Zg==")]
    #[test_case("fo" => "Zm8=")]
    #[test_case("foo" => "Zm9v")]
    #[test_case("foobar" => "Zm9vYmFy")]
    fn base64_vectors_of_rfc_4648(text: &str) -> String {
        base64(text)
    }

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
        let auth = serde_json::to_value(&got.auth).unwrap();
        assert_eq!(auth["token"], "from-env");
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
