//! The files of the AWS configuration, changed so that no program in them reads from the terminal.
//!
//! A profile may name a program that prints its keys (`credential_process`). The SDK starts it with the program's own
//! standard input, which is the terminal in raw mode: a program that prompts would take the keys that a user types, and
//! wait for ever. The SDK has no option for that, so each command gets an empty input in the text of the file.
#![expect(
    deprecated,
    reason = "the types have moved to a crate of the SDK's internals; only their old names can be used"
)]

use super::AwsEnvironment;
use aws_config::profile::profile_file::{ProfileFileKind, ProfileFiles};
use std::path::{Path, PathBuf};

/// Both files, in the order in which the SDK reads them: of two settings of one name, the later applies.
///
/// Their places: AWS SDKs and Tools Reference Guide, "Location of the shared config and credentials files".
pub(super) async fn without_a_terminal(environment: &AwsEnvironment) -> ProfileFiles {
    let files = ProfileFiles::builder();
    let files = match edited(environment, "AWS_CONFIG_FILE", "~/.aws/config").await {
        Some(text) => files.with_contents(ProfileFileKind::Config, text),
        None => files.include_default_config_file(true),
    };
    let files = match edited(environment, "AWS_SHARED_CREDENTIALS_FILE", "~/.aws/credentials").await {
        Some(text) => files.with_contents(ProfileFileKind::Credentials, text),
        None => files.include_default_credentials_file(true),
    };
    files.build()
}

/// The changed text of a file; `None` if the SDK can read it as it is, or reports that it cannot.
async fn edited(environment: &AwsEnvironment, variable: &str, default: &str) -> Option<String> {
    let path = expand(environment.get(variable).unwrap_or(default), environment)?;
    let text = if cfg!(unix) { tokio::fs::read_to_string(path).await.ok()? } else { return None };
    with_empty_input(&text)
}

/// A path with the home directory in place of `~`.
fn expand(path: &str, environment: &AwsEnvironment) -> Option<PathBuf> {
    match path.strip_prefix("~/") {
        Some(rest) => environment.get("HOME").map(|home| Path::new(home).join(rest)),
        None => Some(path.into()),
    }
}

/// The text with every command on an empty input; `None` if it has no command. The SDK runs commands by `sh -c`.
fn with_empty_input(text: &str) -> Option<String> {
    let mut has_command = false;
    let line = |line: &str| {
        let command = line.split_once('=').filter(|(key, _)| key.trim_end().eq_ignore_ascii_case("credential_process"));
        match command.filter(|(_, command)| !command.trim().is_empty()) {
            Some((key, command)) => {
                has_command = true;
                format!("{key}= exec </dev/null; {}\n", command.trim_start())
            }
            None => format!("{line}\n"),
        }
    };
    let text = text.lines().map(line).collect();
    has_command.then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use test_case::test_case;

    #[test_case("credential_process = vault read  x" => Some("credential_process = exec </dev/null; vault read  x\n".into()))]
    #[test_case("CREDENTIAL_PROCESS=a" => Some("CREDENTIAL_PROCESS= exec </dev/null; a\n".into()) ; "without blanks")]
    #[test_case("[profile a]\ncredential_process = a # all\nregion = b"
        => Some("[profile a]\ncredential_process = exec </dev/null; a # all\nregion = b\n".into()) ; "among others")]
    #[test_case("[default]\nregion = a\n# credential_process = b" => None ; "a comment")]
    #[test_case("credential_process =\n" => None ; "no command")]
    fn commands_get_an_empty_input(text: &str) -> Option<String> {
        with_empty_input(text)
    }

    #[test]
    fn files_are_where_aws_tools_look_for_them() {
        let environment = [("HOME", "/home/ada")].into_iter().collect();
        assert_eq!(expand("~/.aws/config", &environment), Some("/home/ada/.aws/config".into()));
        assert_eq!(expand("/etc/aws", &environment), Some("/etc/aws".into()));
        assert_eq!(expand("~/.aws/config", &AwsEnvironment::default()), None);
    }
}
