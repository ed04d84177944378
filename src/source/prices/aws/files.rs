//! The files of the AWS configuration, as the SDK is given them.
//!
//! A profile may name a program that prints its keys (`credential_process`). The SDK starts it with our standard input,
//! which is the terminal in raw mode: a program that asks something would take the user's keys from the dashboard, and
//! wait for ever. The SDK has no option for that, so the command is given an empty input where it is written down.
//!
//! Where the files are: AWS SDKs and Tools Reference Guide, "Location of the shared config and credentials files".
#![expect(
    deprecated,
    reason = "the types have moved to a crate of the SDK's insides, and only their old names can be named"
)]

use super::AwsEnvironment;
use aws_config::profile::profile_file::{ProfileFileKind, ProfileFiles};
use std::path::{Path, PathBuf};

/// The kinds in the order in which the SDK reads them: of two settings of one name, the later one holds.
const FILES: [(ProfileFileKind, &str, &str); 2] = [
    (ProfileFileKind::Config, "AWS_CONFIG_FILE", "~/.aws/config"),
    (ProfileFileKind::Credentials, "AWS_SHARED_CREDENTIALS_FILE", "~/.aws/credentials"),
];

/// Both files; a program that one of them names reads nothing from the terminal.
pub(super) async fn without_a_terminal(environment: &AwsEnvironment) -> ProfileFiles {
    let mut files = ProfileFiles::builder();
    for (kind, variable, usual) in FILES {
        let path = place(environment.get(variable).unwrap_or(usual), environment);
        let text = match path {
            // What cannot be read is for the SDK to complain of.
            Some(path) if cfg!(unix) => tokio::fs::read_to_string(path).await.ok(),
            _ => None,
        };
        files = match (text.as_deref().and_then(with_empty_input), kind) {
            (Some(text), kind) => files.with_contents(kind, text),
            (None, ProfileFileKind::Config) => files.include_default_config_file(true),
            (None, _) => files.include_default_credentials_file(true),
        };
    }
    files.build()
}

/// A path with the home directory in the place of `~`.
fn place(path: &str, environment: &AwsEnvironment) -> Option<PathBuf> {
    match path.strip_prefix("~/") {
        Some(rest) => environment.get("HOME").map(|home| Path::new(home).join(rest)),
        None => Some(path.into()),
    }
}

/// The text with every command on an empty input; none where it names no command. The SDK runs them by `sh -c`.
fn with_empty_input(text: &str) -> Option<String> {
    let mut found = false;
    let line = |line: &str| {
        let command = line.split_once('=').filter(|(key, _)| key.trim_end().eq_ignore_ascii_case("credential_process"));
        let Some((key, command)) = command.filter(|(_, command)| !command.trim().is_empty()) else {
            return format!("{line}\n");
        };
        found = true;
        format!("{key}= exec </dev/null; {}\n", command.trim_start())
    };
    let text = text.lines().map(line).collect();
    found.then_some(text)
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
    fn commands_are_given_an_empty_input(text: &str) -> Option<String> {
        with_empty_input(text)
    }

    #[test]
    fn files_are_where_aws_tools_look() {
        let environment = [("HOME", "/home/ada")].into_iter().collect();
        assert_eq!(place("~/.aws/config", &environment), Some("/home/ada/.aws/config".into()));
        assert_eq!(place("/etc/aws", &environment), Some("/etc/aws".into()));
        assert_eq!(place("~/.aws/config", &AwsEnvironment::default()), None);
    }
}
