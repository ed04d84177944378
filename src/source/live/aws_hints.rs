//! What a kubeconfig says about AWS: the profile and the role of its user, the region and the name of the cluster.
//!
//! The credential plugin's command line is read, never run. The AWS CLI (`aws eks update-kubeconfig`), eksctl and people
//! write these entries.

use crate::pricing::region_of_endpoint;
use crate::units::text::clean;
use kube::config::ExecConfig;

/// Profile, role, region and name of an EKS cluster, each if the kubeconfig names it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AwsHints {
    /// The profile of the AWS configuration that the credential plugin uses.
    pub profile: Option<String>,
    /// The region of the cluster.
    pub region: Option<String>,
    /// The name of the cluster in EKS.
    pub cluster: Option<String>,
    /// The role that the plugin assumes for its token. Prices are not requested with it.
    pub role: Option<String>,
}

impl AwsHints {
    /// Each hint from the first that has it: the credential plugin, the names of context and cluster, the server's host.
    /// Control characters are removed.
    pub(super) fn from_kubeconfig(plugin: Option<&ExecConfig>, names: &[&str], host: &str) -> Self {
        let from_host = Self { region: region_of_endpoint(host).map(str::to_owned), ..Self::default() };
        let from_names = names.iter().map(|name| Self::from_name(name));
        let hints = plugin.map(Self::from_plugin).into_iter().chain(from_names).chain([from_host]);
        let hints = hints.fold(Self::default(), Self::or);
        let safe = |text: Option<String>| text.map(|text| clean(&text).into_owned());
        Self {
            profile: safe(hints.profile),
            region: safe(hints.region),
            cluster: safe(hints.cluster),
            role: safe(hints.role),
        }
    }

    /// The hints in the command line and the environment of a credential plugin. An option takes precedence over a
    /// variable, as in the AWS CLI.
    fn from_plugin(plugin: &ExecConfig) -> Self {
        let variable = |names: &[&str]| {
            let value = |name: &&str| {
                let mut pairs = plugin.env.iter().flatten();
                pairs.find_map(|pair| pair.get("value").filter(|_| pair.get("name").is_some_and(|n| n == name)))
            };
            names.iter().filter_map(value).find(|value| !value.is_empty()).cloned()
        };
        let from_environment = Self {
            profile: variable(&["AWS_PROFILE", "AWS_DEFAULT_PROFILE"]),
            region: variable(&["AWS_REGION", "AWS_DEFAULT_REGION"]),
            ..Self::default()
        };
        let command = plugin.command.as_deref().unwrap_or_default();
        let args = plugin.args.as_deref().unwrap_or_default();
        let words: Vec<&str> = match (program(command), args) {
            // The script of a shell is read like a command line, which is enough for one that only calls the plugin.
            ("sh" | "bash" | "zsh" | "dash", [flag, script, ..]) if flag.starts_with('-') && flag.ends_with('c') => {
                script.split_whitespace().map(|word| word.trim_matches(['"', '\''])).collect()
            }
            _ => std::iter::once(command).chain(args.iter().map(String::as_str)).collect(),
        };
        let option = |names: &[&str]| option(&words, names);
        let calls = |name: &str| words.iter().any(|word| program(word) == name);
        let from_command = if calls("aws") && words.windows(2).any(|pair| pair == ["eks", "get-token"]) {
            Self {
                profile: option(&["--profile"]),
                region: option(&["--region"]),
                cluster: option(&["--cluster-name"]),
                role: option(&["--role-arn", "--role"]),
            }
        } else if calls("aws-iam-authenticator") && words.contains(&"token") {
            Self {
                profile: None,
                region: option(&["--region"]),
                cluster: option(&["-i", "--cluster-id"]),
                role: option(&["-r", "--role"]),
            }
        } else {
            Self::default()
        };
        from_command.or(from_environment)
    }

    /// The hints in the name of a context or a cluster: the AWS CLI writes `arn:aws:eks:<region>:<account>:cluster/<name>`,
    /// eksctl `<user>@<name>.<region>.eksctl.io`.
    fn from_name(name: &str) -> Self {
        let hints = |region: &str, cluster: &str| Self {
            region: is_region(region).then(|| region.to_owned()),
            cluster: Some(cluster.to_owned()).filter(|cluster| !cluster.is_empty()),
            ..Self::default()
        };
        let parts: Vec<&str> = name.splitn(6, ':').collect();
        if let ["arn", _, "eks", region, _, resource] = parts[..]
            && let Some(cluster) = resource.strip_prefix("cluster/")
        {
            return hints(region, cluster);
        }
        let host = name.rsplit_once('@').map_or(name, |(_, host)| host);
        match host.strip_suffix(".eksctl.io").and_then(|rest| rest.rsplit_once('.')) {
            Some((cluster, region)) => hints(region, cluster),
            None => Self::default(),
        }
    }

    /// These hints, completed by those of `other`.
    fn or(self, other: Self) -> Self {
        Self {
            profile: self.profile.or(other.profile),
            region: self.region.or(other.region),
            cluster: self.cluster.or(other.cluster),
            role: self.role.or(other.role),
        }
    }
}

/// The name of a program without its folder and the suffix `.exe`.
fn program(command: &str) -> &str {
    let name = command.rsplit(['/', '\\']).next().unwrap_or(command);
    name.strip_suffix(".exe").unwrap_or(name)
}

/// The value of an option: the word after it, or the text after its `=`. As in the programs, the last one applies.
fn option(words: &[&str], names: &[&str]) -> Option<String> {
    let value = |at: usize| {
        let word = words.get(at)?;
        if names.contains(word) {
            return words.get(at + 1).copied();
        }
        word.split_once('=').filter(|(name, _)| names.contains(name)).map(|(_, value)| value)
    };
    (0..words.len()).rev().find_map(value).filter(|value| !value.is_empty()).map(str::to_owned)
}

/// Whether a name has the form of a region's: letters, digits and hyphens, with a digit at the end.
fn is_region(name: &str) -> bool {
    let is_plain = name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    is_plain && name.contains('-') && name.ends_with(|c: char| c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use test_case::test_case;

    fn from_plugin(line: &str, env: &[(&str, &str)]) -> AwsHints {
        // Words are separated by spaces; text in brackets is one word.
        let mut words: Vec<String> = Vec::new();
        let mut inside = false;
        for word in line.split(' ') {
            match words.last_mut().filter(|_| inside) {
                Some(last) => *last = format!("{last} {}", word.trim_end_matches(']')),
                None => words.push(word.trim_matches(['[', ']']).to_owned()),
            }
            inside = (inside || word.starts_with('[')) && !word.ends_with(']');
        }
        let env: Vec<_> = env.iter().map(|(name, value)| json!({"name": name, "value": value})).collect();
        let plugin = json!({"command": words.remove(0), "args": words, "env": env});
        AwsHints::from_plugin(&serde_json::from_value(plugin).unwrap())
    }

    /// Profile, region, cluster and role, `-` for a missing one.
    fn shown(hints: &AwsHints) -> String {
        let parts = [&hints.profile, &hints.region, &hints.cluster, &hints.role];
        parts.map(|part| part.as_deref().unwrap_or("-")).join(" ")
    }

    #[test_case("aws --region eu-west-1 eks get-token --cluster-name shop --output json", &[] => "- eu-west-1 shop -" ;
        "as the AWS CLI writes it")]
    #[test_case("aws --region eu-west-1 eks get-token --cluster-name shop", &[("AWS_PROFILE", "dev")] => "dev eu-west-1 shop -" ;
        "with a profile as the AWS CLI writes it")]
    #[test_case("aws eks get-token --cluster-name=shop --profile=dev --role-arn arn:aws:iam::1:role/r", &[("AWS_PROFILE", "x")]
        => "dev - shop arn:aws:iam::1:role/r" ; "options come before variables")]
    #[test_case("/usr/local/bin/aws eks get-token --profile dev --profile ops", &[] => "ops - - -" ; "the last one holds")]
    #[test_case("C:\\tools\\aws.exe eks get-token --cluster-name shop", &[] => "- - shop -" ; "windows")]
    #[test_case("aws-iam-authenticator token -i shop -r arn:aws:iam::1:role/r", &[("AWS_DEFAULT_REGION", "us-west-2")]
        => "- us-west-2 shop arn:aws:iam::1:role/r" ; "as eksctl writes it")]
    #[test_case("aws-iam-authenticator token --cluster-id shop", &[("AWS_REGION", "a-1"), ("AWS_DEFAULT_REGION", "b-1")]
        => "- a-1 shop -")]
    #[test_case("aws-vault exec dev -- aws eks get-token --cluster-name shop --region eu-west-1", &[]
        => "- eu-west-1 shop -" ; "wrapped")]
    #[test_case("bash -c [aws eks get-token --cluster-name 'shop' --profile \"dev\"]", &[] => "dev - shop -" ; "by a shell")]
    #[test_case("aws eks get-token --profile", &[] => "- - - -" ; "cut short")]
    #[test_case("gke-gcloud-auth-plugin --region europe-west1 --profile x", &[] => "- - - -" ; "another cloud")]
    #[test_case("kubelogin get-token", &[("AWS_PROFILE", "")] => "- - - -" ; "an empty variable")]
    fn hints_of_a_plugin(line: &str, env: &[(&str, &str)]) -> String {
        shown(&from_plugin(line, env))
    }

    #[test_case("arn:aws:eks:eu-west-1:111122223333:cluster/shop" => "- eu-west-1 shop -")]
    #[test_case("arn:aws-cn:eks:cn-north-1:111122223333:cluster/shop" => "- cn-north-1 shop -" ; "china")]
    #[test_case("arn:aws:eks:/evil:111122223333:cluster/shop" => "- - shop -" ; "no region")]
    #[test_case("arn:aws:iam::111122223333:role/r" => "- - - -" ; "another service")]
    #[test_case("jane@shop.us-west-2.eksctl.io" => "- us-west-2 shop -" ; "a context of eksctl")]
    #[test_case("shop.us-west-2.eksctl.io" => "- us-west-2 shop -" ; "a cluster of eksctl")]
    #[test_case("shop" => "- - - -")]
    #[test_case("" => "- - - -")]
    fn hints_of_a_name(name: &str) -> String {
        shown(&AwsHints::from_name(name))
    }

    #[test]
    fn the_first_hint_takes_precedence() {
        let plugin = from_plugin("aws eks get-token --cluster-name shop", &[]);
        let name = AwsHints::from_name("arn:aws:eks:eu-west-1:111122223333:cluster/other");
        assert_eq!(shown(&plugin.or(name)), "- eu-west-1 shop -");
    }

    #[test_case(&["arn:aws:eks:eu-west-1:111122223333:cluster/web"], "" => "- eu-west-1 web -")]
    #[test_case(&["prod", "arn:aws-cn:eks:cn-north-1:111122223333:cluster/web"], "" => "- cn-north-1 web -" ; "an alias for the context")]
    #[test_case(&["prod"], "0A1B.gr7.ap-northeast-2.eks.amazonaws.com" => "- ap-northeast-2 - -")]
    #[test_case(&["prod"], "0A1B.sk1.cn-north-1.eks.amazonaws.com.cn" => "- cn-north-1 - -")]
    #[test_case(&["kind-kind", "arn:aws:s3:::bucket"], "127.0.0.1" => "- - - -" ; "not on AWS")]
    fn hints_of_names_and_host(names: &[&str], host: &str) -> String {
        shown(&AwsHints::from_kubeconfig(None, names, host))
    }

    #[test]
    fn the_plugin_takes_precedence_over_names_and_host() {
        let plugin = json!({
            "command": "aws", "args": ["--region", "us-west-2", "eks", "get-token", "--cluster-name", "web\u{1b}"],
            "env": [{"name": "AWS_PROFILE", "value": "ops"}, {"name": "ODD"}],
        });
        let hints = AwsHints::from_kubeconfig(
            Some(&serde_json::from_value(plugin).unwrap()),
            &["arn:aws:eks:eu-west-1:111122223333:cluster/other"],
            "x.gr7.eu-west-3.eks.amazonaws.com",
        );
        assert_eq!(shown(&hints), "ops us-west-2 web -");
    }
}
