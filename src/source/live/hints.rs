//! Where a kubeconfig tells of AWS: the credential plugin, the names of context and cluster, the server's host.

use crate::pricing::region_of_endpoint;
use crate::source::prices::AwsHints;
use crate::units::text::clean;
use kube::config::ExecConfig;

/// What is told of AWS, the first of these that tells it: plugin, names, host. What it says is safe to show.
pub(super) fn of(plugin: Option<&ExecConfig>, names: &[&str], host: &str) -> AwsHints {
    let of_plugin = plugin.map(|plugin| {
        let pairs = plugin.env.iter().flatten();
        let env: Vec<(String, String)> =
            pairs.filter_map(|pair| Some((pair.get("name")?.clone(), pair.get("value")?.clone()))).collect();
        AwsHints::of_exec(
            plugin.command.as_deref().unwrap_or_default(),
            plugin.args.as_deref().unwrap_or_default(),
            &env,
        )
    });
    let of_host = AwsHints { region: region_of_endpoint(host).map(str::to_owned), ..AwsHints::default() };
    let of_names = names.iter().map(|name| AwsHints::of_name(name));
    let told = of_plugin.into_iter().chain(of_names).chain([of_host]).fold(AwsHints::default(), AwsHints::or);
    let safe = |text: Option<String>| text.map(|text| clean(&text).into_owned());
    AwsHints {
        profile: safe(told.profile),
        region: safe(told.region),
        cluster: safe(told.cluster),
        role: safe(told.role),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use test_case::test_case;

    fn hints(profile: Option<&str>, region: Option<&str>, cluster: Option<&str>) -> AwsHints {
        let text = |text: Option<&str>| text.map(str::to_owned);
        AwsHints { profile: text(profile), region: text(region), cluster: text(cluster), role: None }
    }

    #[test_case(&["arn:aws:eks:eu-west-1:111122223333:cluster/web"], "" => hints(None, Some("eu-west-1"), Some("web")))]
    #[test_case(&["prod", "arn:aws-cn:eks:cn-north-1:111122223333:cluster/web"], ""
        => hints(None, Some("cn-north-1"), Some("web")) ; "an alias for the context")]
    #[test_case(&["prod"], "0A1B.gr7.ap-northeast-2.eks.amazonaws.com" => hints(None, Some("ap-northeast-2"), None))]
    #[test_case(&["prod"], "0A1B.sk1.cn-north-1.eks.amazonaws.com.cn" => hints(None, Some("cn-north-1"), None))]
    #[test_case(&["kind-kind", "arn:aws:s3:::bucket"], "127.0.0.1" => hints(None, None, None) ; "not on AWS")]
    fn names_and_hosts_tell(names: &[&str], host: &str) -> AwsHints {
        of(None, names, host)
    }

    #[test]
    fn the_plugin_goes_before_the_names() {
        let plugin = json!({
            "command": "aws", "args": ["--region", "us-west-2", "eks", "get-token", "--cluster-name", "web\u{1b}"],
            "env": [{"name": "AWS_PROFILE", "value": "ops"}, {"name": "ODD"}],
        });
        let told = of(
            Some(&serde_json::from_value(plugin).unwrap()),
            &["arn:aws:eks:eu-west-1:111122223333:cluster/other"],
            "x.gr7.eu-west-3.eks.amazonaws.com",
        );
        assert_eq!(told, hints(Some("ops"), Some("us-west-2"), Some("web")));
    }
}
