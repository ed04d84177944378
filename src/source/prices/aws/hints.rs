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
