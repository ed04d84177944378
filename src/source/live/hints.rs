//! What a kubeconfig says about AWS: the profile and the region its user signs in with, and what EKS calls the cluster.
//!
//! Prices are asked for as the same identity that reads the cluster, without being told twice. Nothing is looked up:
//! these are words of a file, and any of them may be missing.

use crate::model::Name;
use crate::units::text::clean_compact;
use kube::config::ExecConfig;

/// What a kubeconfig says about AWS.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AwsHints {
    /// The profile its credential plugin signs in with.
    pub profile: Option<Name>,
    /// The region of the cluster. Prices go by each node's own.
    pub region: Option<Name>,
    /// The cluster's name in EKS.
    pub cluster: Option<Name>,
}

impl AwsHints {
    /// What is told by the plugin (`aws eks get-token`, `aws-iam-authenticator token`), by the names of context and
    /// cluster, and by the server's host, in this order.
    ///
    /// Names: `aws eks update-kubeconfig` writes the cluster's ARN, `eksctl` writes `NAME.REGION.eksctl.io` and puts
    /// `USER@` before a context's.
    pub(super) fn of(plugin: Option<&ExecConfig>, names: &[&str], host: &str) -> Self {
        let mut hints = plugin.map(Self::of_plugin).unwrap_or_default();
        for (cluster, region) in names.iter().filter_map(|name| of_arn(name).or_else(|| of_eksctl(name))) {
            hints.cluster = hints.cluster.or_else(|| given(cluster));
            hints.region = hints.region.or_else(|| given(region));
        }
        hints.region = hints.region.or_else(|| of_host(host).and_then(given));
        hints
    }

    fn of_plugin(plugin: &ExecConfig) -> Self {
        let args: Vec<&str> = plugin.args.iter().flatten().map(String::as_str).collect();
        let arg = |names: &[&str]| names.iter().find_map(|name| value_of(&args, name)).and_then(given);
        let variable = |name: &str| {
            let mut set = plugin.env.iter().flatten().filter(|pair| pair.get("name").is_some_and(|n| n == name));
            set.find_map(|pair| given(pair.get("value")?))
        };
        let is_eks = args.contains(&"get-token") || args.contains(&"token");
        Self {
            profile: arg(&["--profile"]).or_else(|| variable("AWS_PROFILE")),
            region: arg(&["--region"]).or_else(|| variable("AWS_REGION")).or_else(|| variable("AWS_DEFAULT_REGION")),
            cluster: arg(&["--cluster-name", "--cluster-id", "-i"]).filter(|_| is_eks),
        }
    }
}

/// Text that is there, safe to show.
fn given(text: &str) -> Option<Name> {
    Some(clean_compact(text)).filter(|text| !text.is_empty())
}

/// The value of a flag, as `--flag value` or `--flag=value`; of several the last.
fn value_of<'a>(args: &[&'a str], flag: &str) -> Option<&'a str> {
    let apart = args.windows(2).filter_map(|pair| match pair {
        [name, value] if *name == flag => Some(*value),
        _ => None,
    });
    let joined = args.iter().filter_map(|arg| arg.strip_prefix(flag)?.strip_prefix('='));
    apart.chain(joined).last()
}

/// Name and region of `arn:aws:eks:REGION:ACCOUNT:cluster/NAME`, in any partition.
fn of_arn(arn: &str) -> Option<(&str, &str)> {
    let mut parts = arn.splitn(6, ':');
    let (scheme, _partition, service) = (parts.next()?, parts.next()?, parts.next()?);
    let (region, _account, resource) = (parts.next()?, parts.next()?, parts.next()?);
    ((scheme, service) == ("arn", "eks")).then_some((resource.strip_prefix("cluster/")?, region))
}

/// Name and region of `NAME.REGION.eksctl.io`, with `USER@` before it or not.
fn of_eksctl(name: &str) -> Option<(&str, &str)> {
    let name = name.rsplit('@').next()?;
    name.strip_suffix(".eksctl.io")?.rsplit_once('.')
}

/// The region in the host of an EKS cluster: `ID.gr7.REGION.eks.amazonaws.com`, in China with `.cn`.
fn of_host(host: &str) -> Option<&str> {
    let host = host.strip_suffix(".cn").unwrap_or(host);
    host.strip_suffix(".eks.amazonaws.com")?.rsplit('.').next()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use test_case::test_case;

    fn plugin(args: &str, env: &[(&str, &str)]) -> ExecConfig {
        let env: Vec<_> = env.iter().map(|(name, value)| json!({"name": name, "value": value})).collect();
        let args: Vec<_> = args.split_whitespace().collect();
        serde_json::from_value(json!({"command": "aws", "args": args, "env": env})).unwrap()
    }

    fn hints(profile: Option<&str>, region: Option<&str>, cluster: Option<&str>) -> AwsHints {
        AwsHints { profile: profile.map(Name::from), region: region.map(Name::from), cluster: cluster.map(Name::from) }
    }

    #[test_case("--region us-west-2 eks get-token --cluster-name web --profile ops", &[]
        => hints(Some("ops"), Some("us-west-2"), Some("web")) ; "as update-kubeconfig writes it")]
    #[test_case("eks get-token --cluster-name=web --profile=ops", &[] => hints(Some("ops"), None, Some("web")))]
    #[test_case("eks get-token --cluster-name web", &[("AWS_PROFILE", "ops"), ("AWS_REGION", "eu-west-1")]
        => hints(Some("ops"), Some("eu-west-1"), Some("web")) ; "by the environment")]
    #[test_case("eks get-token --profile flag", &[("AWS_PROFILE", "variable")] => hints(Some("flag"), None, None))]
    #[test_case("token -i web", &[("AWS_PROFILE", "")] => hints(None, None, Some("web")) ; "the iam authenticator")]
    #[test_case("get --cluster-name not-eks", &[] => hints(None, None, None) ; "another plugin's flag")]
    #[test_case("eks get-token --profile", &[] => hints(None, None, None) ; "a flag without its value")]
    fn the_plugin_tells(args: &str, env: &[(&str, &str)]) -> AwsHints {
        AwsHints::of(Some(&plugin(args, env)), &[], "")
    }

    #[test_case(&["arn:aws:eks:eu-west-1:111122223333:cluster/web"], "" => hints(None, Some("eu-west-1"), Some("web")))]
    #[test_case(&["prod", "arn:aws-cn:eks:cn-north-1:111122223333:cluster/web"], ""
        => hints(None, Some("cn-north-1"), Some("web")) ; "an alias for the context")]
    #[test_case(&["ada@web.us-east-2.eksctl.io"], "" => hints(None, Some("us-east-2"), Some("web")))]
    #[test_case(&["prod"], "0A1B.gr7.ap-northeast-2.eks.amazonaws.com" => hints(None, Some("ap-northeast-2"), None))]
    #[test_case(&["prod"], "0A1B.sk1.cn-north-1.eks.amazonaws.com.cn" => hints(None, Some("cn-north-1"), None))]
    #[test_case(&["kind-kind", "arn:aws:s3:::bucket"], "127.0.0.1" => hints(None, None, None) ; "not on AWS")]
    fn names_and_hosts_tell(names: &[&str], host: &str) -> AwsHints {
        AwsHints::of(None, names, host)
    }

    #[test]
    fn the_plugin_goes_before_the_names() {
        let told = AwsHints::of(
            Some(&plugin("--region us-west-2 eks get-token --cluster-name web", &[])),
            &["arn:aws:eks:eu-west-1:111122223333:cluster/other"],
            "x.gr7.eu-west-3.eks.amazonaws.com",
        );
        assert_eq!(told, hints(None, Some("us-west-2"), Some("web")));
    }
}
