//! What a kubeconfig tells of AWS: as whom its user signs in, and where the cluster is.
//!
//! Read, never run. Written by the AWS CLI (`aws eks update-kubeconfig`), eksctl and people.

/// Profile, region and name of an EKS cluster, as far as a kubeconfig tells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AwsHints {
    /// The profile of the AWS configuration that the credential plugin uses.
    pub profile: Option<String>,
    /// The region of the cluster.
    pub region: Option<String>,
    /// The cluster's name in EKS.
    pub cluster: Option<String>,
    /// A role that the plugin assumes for its token. It is not ours: what it may do at AWS is not known.
    pub role: Option<String>,
}

impl AwsHints {
    /// What a credential plugin's command line and environment tell. An option comes before a variable, as in the AWS
    /// CLI.
    pub fn of_exec<'a>(command: &str, args: &'a [String], env: &'a [(String, String)]) -> Self {
        let variable = |names: &[&str]| {
            let find = |name: &&str| env.iter().find(|(n, value)| n == name && !value.is_empty());
            names.iter().find_map(find).map(|(_, value)| value.clone())
        };
        let from_environment = Self {
            profile: variable(&["AWS_PROFILE", "AWS_DEFAULT_PROFILE"]),
            region: variable(&["AWS_REGION", "AWS_DEFAULT_REGION"]),
            ..Self::default()
        };
        let words: Vec<&str> = match (program(command), args) {
            // A shell's script is read like a command line: enough for one that only calls the plugin.
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

    /// What the name of a context or of a cluster tells: the AWS CLI writes `arn:aws:eks:<region>:<account>:cluster/<name>`,
    /// eksctl `<user>@<name>.<region>.eksctl.io`.
    pub fn of_name(name: &str) -> Self {
        let told = |region: &str, cluster: &str| Self {
            region: is_region(region).then(|| region.to_owned()),
            cluster: Some(cluster.to_owned()).filter(|cluster| !cluster.is_empty()),
            ..Self::default()
        };
        let parts: Vec<&str> = name.splitn(6, ':').collect();
        if let ["arn", _, "eks", region, _, resource] = parts[..]
            && let Some(cluster) = resource.strip_prefix("cluster/")
        {
            return told(region, cluster);
        }
        let host = name.rsplit_once('@').map_or(name, |(_, host)| host);
        match host.strip_suffix(".eksctl.io").and_then(|rest| rest.rsplit_once('.')) {
            Some((cluster, region)) => told(region, cluster),
            None => Self::default(),
        }
    }

    /// What is told here, and of the rest what `other` tells.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self {
            profile: self.profile.or(other.profile),
            region: self.region.or(other.region),
            cluster: self.cluster.or(other.cluster),
            role: self.role.or(other.role),
        }
    }
}

/// The name of a program without its folder and Windows' ending.
fn program(command: &str) -> &str {
    let name = command.rsplit(['/', '\\']).next().unwrap_or(command);
    name.strip_suffix(".exe").unwrap_or(name)
}

/// The value of an option: the word after it, or what follows its `=`. The last one holds, as in the programs.
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

/// Whether a name has the form of a region's: letters, digits and hyphens, and a number at its end.
fn is_region(name: &str) -> bool {
    let plain = name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    plain && name.contains('-') && name.ends_with(|c: char| c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;
    use test_case::test_case;

    fn of_exec(line: &str, env: &[(&str, &str)]) -> AwsHints {
        // Words are separated by blanks, but for what is in brackets: one argument.
        let mut words: Vec<String> = Vec::new();
        let mut inside = false;
        for word in line.split(' ') {
            match words.last_mut().filter(|_| inside) {
                Some(last) => *last = format!("{last} {}", word.trim_end_matches(']')),
                None => words.push(word.trim_matches(['[', ']']).to_owned()),
            }
            inside = (inside || word.starts_with('[')) && !word.ends_with(']');
        }
        let env: Vec<_> = env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let command = words.remove(0);
        AwsHints::of_exec(&command, &words, &env)
    }

    /// Profile, region, cluster and role, `-` for what is not told.
    fn shown(hints: &AwsHints) -> String {
        let told = [&hints.profile, &hints.region, &hints.cluster, &hints.role];
        told.map(|told| told.as_deref().unwrap_or("-")).join(" ")
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
    fn a_plugin_tells(line: &str, env: &[(&str, &str)]) -> String {
        shown(&of_exec(line, env))
    }

    #[test_case("arn:aws:eks:eu-west-1:111122223333:cluster/shop" => "- eu-west-1 shop -")]
    #[test_case("arn:aws-cn:eks:cn-north-1:111122223333:cluster/shop" => "- cn-north-1 shop -" ; "china")]
    #[test_case("arn:aws:eks:/evil:111122223333:cluster/shop" => "- - shop -" ; "no region")]
    #[test_case("arn:aws:iam::111122223333:role/r" => "- - - -" ; "another service")]
    #[test_case("jane@shop.us-west-2.eksctl.io" => "- us-west-2 shop -" ; "a context of eksctl")]
    #[test_case("shop.us-west-2.eksctl.io" => "- us-west-2 shop -" ; "a cluster of eksctl")]
    #[test_case("shop" => "- - - -")]
    #[test_case("" => "- - - -")]
    fn a_name_tells(name: &str) -> String {
        shown(&AwsHints::of_name(name))
    }

    #[test]
    fn the_first_that_tells_is_believed() {
        let exec = of_exec("aws eks get-token --cluster-name shop", &[]);
        let name = AwsHints::of_name("arn:aws:eks:eu-west-1:111122223333:cluster/other");
        assert_eq!(shown(&exec.or(name)), "- eu-west-1 shop -");
    }
}
