//! `nodeglass doctor`: its report of clusters that are healthy, faulty or unreachable, and the printed policies.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use crate::support::apiserver::{
    ACCESS_REVIEWS, Answer, ApiServer, CLAIMS, End, NODE_METRICS, NODES, PODS, added, end_of_list,
};
use crate::support::price_server::{self, PriceServer};
use pretty_assertions::assert_eq;
use serde_json::{Value, json};
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

/// The program with nothing of ours in its environment, no terminal, and no way to any price.
fn doctor(kubeconfig: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_nodeglass"));
    command.args(["doctor", "--pricing=offline", "--timeout", "5s"]).args(args);
    command.env_clear().env("HOME", "/nonexistent").env("KUBECONFIG", kubeconfig).stdin(Stdio::null());
    // What may be kept lies beside the kubeconfig, which is the test's own.
    let caches = kubeconfig.parent().map(|dir| dir.join("caches")).unwrap_or_default();
    command.env("XDG_CACHE_HOME", caches);
    command
}

/// Runs beside the scripted server, whose tasks need this test's runtime.
async fn run(mut command: Command) -> Output {
    tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// Auto Mode with metrics and one node, on spot in Seoul.
async fn cluster() -> ApiServer {
    let server = ApiServer::start().await;
    let group = |name: &str, version: &str| json!({"name": name, "versions": [{"version": version}]});
    let groups = json!({"groups": [group("apps", "v1"), group("karpenter.sh", "v1"), group("eks.amazonaws.com", "v1"),
        group("metrics.k8s.io", "v1beta1")]});
    server.on_list("/apis", [Answer::json(&groups)]);
    let usage = json!({"metadata": {"name": "i-0a"}, "timestamp": "2026-01-02T03:04:05Z", "window": "10s",
        "usage": {"cpu": "1", "memory": "1Gi"}});
    server.on_list(NODE_METRICS, [Answer::json(&json!({"items": [usage]}))]);
    let node = json!({"metadata": {"name": "i-0a", "uid": "uid-a", "resourceVersion": "1", "labels": {
        "node.kubernetes.io/instance-type": "c5a.large", "topology.kubernetes.io/region": "ap-northeast-2",
        "topology.kubernetes.io/zone": "ap-northeast-2a", "karpenter.sh/capacity-type": "spot",
        "eks.amazonaws.com/compute-type": "auto", "kubernetes.io/os": "linux"}}});
    server.on_streaming_list(NODES, [Answer::lines(&[added(&node), end_of_list("1")], End::Open)]);
    server.on_list(NODES, [Answer::page("1", "", &[node])]);
    server
}

/// A report with what differs from run to run taken out.
fn stable(report: &str, server: &ApiServer) -> String {
    let mut out = report.replace(&server.address, "http://SERVER").replace(&*server.dir().to_string_lossy(), "DIR");
    for (unit, before) in [(" ms", "in "), (" ms", "latency "), (" ms", "(first request ")] {
        let parts: Vec<String> = out
            .split(before)
            .enumerate()
            .map(|(i, part)| match part.split_once(unit) {
                Some((number, rest)) if i > 0 && number.parse::<u64>().is_ok() => format!("N{unit}{rest}"),
                _ => part.to_owned(),
            })
            .collect();
        out = parts.join(before);
    }
    out
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_that_is_well_is_told_so() {
    let server = cluster().await;
    let output = run(doctor(&server.kubeconfig(), &[])).await;
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), String::new()));
    let report = text(&output.stdout);
    assert!(!report.contains('\u{1b}'), "no colour in a pipe");
    insta::assert_snapshot!("doctor_well", stable(&report, &server));
    // Nothing but questions: reads, and reviews, which no server keeps.
    for asked in server.asked() {
        let is_review = asked.path.ends_with("reviews");
        assert_eq!(asked.method, if is_review { "POST" } else { "GET" }, "{}", asked.path);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_denied_is_named_with_what_is_lost_and_the_rule_that_mends_it() {
    let server = cluster().await;
    server.denies("pods", "watch");
    server.denies("nodeclaims.karpenter.sh", "list");
    server.denies("nodeclaims.karpenter.sh", "watch");
    server.on_list(NODE_METRICS, [Answer::status(404, "the server could not find the requested resource")]);
    server.refuses_streaming_lists();
    let output = run(doctor(&server.kubeconfig(), &[])).await;
    assert_eq!(output.status.code(), Some(0), "the rest works");
    insta::assert_snapshot!("doctor_limits", stable(&text(&output.stdout), &server));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_is_streamed_only_where_its_end_is_marked() {
    let server = cluster().await;
    // The server ignores the parameters: a plain watch, which has no bookmark at the end of the initial objects.
    server.on_streaming_list(NODES, [Answer::lines(&[], End::Open)]);
    let output = run(doctor(&server.kubeconfig(), &["-o", "json"])).await;
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let streaming = finding(&report, "cluster features", "streaming lists");
    assert_eq!((&streaming["verdict"], &streaming["facts"]["served"]), (&json!("ok"), &json!(false)));
    assert!(streaming["text"].as_str().unwrap().contains("ignores"), "{streaming}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_without_a_watch_is_limited_and_not_failed() {
    let server = cluster().await;
    server.denies("nodes", "watch");
    let output = run(doctor(&server.kubeconfig(), &["-o", "json"])).await;
    assert_eq!(output.status.code(), Some(0), "nodes are shown");
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let nodes = finding(&report, "permissions", "nodes");
    assert_eq!((&nodes["verdict"], &nodes["facts"]), (&json!("limited"), &json!({"list": true, "watch": false})));
    assert!(nodes["lost"].as_str().unwrap().contains("listed every 30s"), "{nodes}");
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_that_are_denied_and_not_there_are_not_there() {
    let server = cluster().await;
    server.on_list(NODE_METRICS, [Answer::status(403, "nodes.metrics.k8s.io is forbidden")]);
    server.on_list("/apis/metrics.k8s.io/v1beta1", [Answer::status(404, "not found")]);
    server.denies("nodes.metrics.k8s.io", "list");
    let output = run(doctor(&server.kubeconfig(), &["-o", "json"])).await;
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let text = |section, check| finding(&report, section, check)["text"].as_str().unwrap().to_owned();
    assert_eq!(text("cluster features", "metrics"), "metrics.k8s.io is not served");
    assert_eq!(text("permissions", "nodes.metrics.k8s.io"), "not granted, and the cluster has none");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_nodes_there_is_no_dashboard() {
    let server = cluster().await;
    server.denies("nodes", "list");
    let output = run(doctor(&server.kubeconfig(), &["-o", "json"])).await;
    assert_eq!(output.status.code(), Some(1));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&report["schema"], &report["works"]), (&json!("nodeglass-doctor/v1"), &json!("no")));
    let nodes = finding(&report, "permissions", "nodes");
    assert_eq!((&nodes["verdict"], &nodes["lost"]), (&json!("failed"), &json!("everything")));
    assert_eq!(nodes["facts"], json!({"list": false, "watch": true}));
}

/// A finding of a JSON report.
fn finding<'a>(report: &'a Value, section: &str, check: &str) -> &'a Value {
    let sections = report["sections"].as_array().unwrap();
    let section = sections.iter().find(|s| s["name"] == section).unwrap_or_else(|| panic!("no {section}: {report:#}"));
    let mut findings = section["findings"].as_array().unwrap().iter();
    findings.find(|f| f["check"] == check).unwrap_or_else(|| panic!("no {check} in {section:#}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn json_has_the_same_shape_for_every_finding() {
    let server = cluster().await;
    let output = run(doctor(&server.kubeconfig(), &["-o", "json"])).await;
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&report["works"], &report["version"]), (&json!("full"), &json!(env!("CARGO_PKG_VERSION"))));
    for section in report["sections"].as_array().unwrap() {
        for finding in section["findings"].as_array().unwrap() {
            assert!(finding["check"].is_string() && finding["text"].is_string(), "{finding}");
            let verdict = finding["verdict"].as_str().unwrap();
            assert!(["ok", "skipped", "note", "limited", "failed"].contains(&verdict), "{finding}");
            assert!(["lost", "mend"].iter().all(|key| finding[key].is_null() || finding[key].is_string()), "{finding}");
        }
    }
    assert_eq!(finding(&report, "cluster", "identity")["facts"]["name"], "reader@example.com");
    assert_eq!(finding(&report, "cluster", "server")["facts"]["version"], "1.36");
    assert_eq!(finding(&report, "cluster features", "provisioner")["facts"]["provisioners"], json!(["EKS Auto Mode"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_down_ends_the_questions_about_it() {
    let server = cluster().await;
    let kubeconfig = server.kubeconfig();
    let file = std::fs::read_to_string(&kubeconfig).unwrap().replace(&server.address, "http://127.0.0.1:1");
    std::fs::write(&kubeconfig, file).unwrap();
    let output = run(doctor(&kubeconfig, &[])).await;
    assert_eq!(output.status.code(), Some(1));
    let report = text(&output.stdout);
    assert!(report.contains("FAIL   server") && report.contains("VPN") && !report.contains("Permissions"), "{report}");
    assert!(report.ends_with("Not usable: server.\n"), "{report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn silence_ends_every_check_in_time() {
    let server = cluster().await;
    for path in [ACCESS_REVIEWS, "/apis", NODE_METRICS, NODES, PODS, CLAIMS] {
        server.on_all(path, &Answer::silence());
    }
    let began = Instant::now();
    let output = run(doctor(&server.kubeconfig(), &["--timeout", "1s"])).await;
    // All at once: one after the other these would be twenty seconds.
    assert!(began.elapsed() < Duration::from_secs(12), "{:?}", began.elapsed());
    let report = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{report}");
    assert!(report.contains("unknown whether granted: list, watch"), "{report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_reviews_nothing_is_asked_for_the_list_itself() {
    let server = cluster().await;
    server.on_list(ACCESS_REVIEWS, [Answer::status(403, "reviews are forbidden")]);
    server.on_list(PODS, [Answer::status(403, "pods is forbidden: no such role")]);
    let output = run(doctor(&server.kubeconfig(), &["-o", "json"])).await;
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(finding(&report, "permissions", "nodes")["facts"], json!({"list": true, "watch": null}));
    assert_eq!(finding(&report, "permissions", "pods")["facts"], json!({"list": false, "watch": null}));
    assert_eq!(output.status.code(), Some(0), "an unknown permission is not a failure");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_credential_plugin_that_fails_is_quoted() {
    let server = cluster().await;
    let plugin = server.dir().join("aws");
    std::fs::write(&plugin, "#!/bin/sh\necho 'Token has expired' >&2\nexit 255\n").unwrap();
    std::fs::set_permissions(&plugin, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let user = format!(
        "exec: {{apiVersion: client.authentication.k8s.io/v1beta1, command: {:?}, \
         args: [eks, get-token, --cluster-name, web, --profile, ops], interactiveMode: Never}}",
        plugin.to_str().unwrap()
    );
    let output = run(doctor(&server.kubeconfig_of(&user), &[])).await;
    assert_eq!(output.status.code(), Some(1));
    let report = text(&output.stdout);
    for fact in
        ["FAIL   credentials", "Token has expired", "aws sso login --profile ops", "not checked without credentials"]
    {
        assert!(report.contains(fact), "{fact} is not in\n{report}");
    }
    assert!(server.asked().is_empty(), "no request without credentials");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_kubeconfig_the_way_to_one_is_told() {
    let output = run(doctor(Path::new(""), &[])).await;
    let report = text(&output.stdout);
    assert_eq!(output.status.code(), Some(1));
    assert!(report.contains("FAIL   kubeconfig") && report.contains("aws eks update-kubeconfig"), "{report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_settings_file_is_a_finding_and_not_the_end() {
    let server = cluster().await;
    let config = server.dir().join("config.toml");
    std::fs::write(&config, "ascii = true\npalete = \"pressure\"\n").unwrap();
    let output = run(doctor(&server.kubeconfig(), &["--config", config.to_str().unwrap()])).await;
    let report = text(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "the dashboard refuses that file");
    assert!(report.contains("FAIL   settings file") && report.contains("did you mean `palette`?"), "{report}");
    assert!(report.contains("Kubernetes 1.36"), "the rest is examined: {report}");
    let output = run(doctor(&server.kubeconfig(), &["--palette", "presure"])).await;
    assert_eq!(output.status.code(), Some(2), "what was typed is still an error of its own");
}

/// Prints without a kubeconfig, without a cluster.
async fn printed(args: &[&str]) -> String {
    let output = run(doctor(Path::new("/nonexistent"), args)).await;
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), String::new()));
    text(&output.stdout)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_role_that_is_printed_is_the_readmes() {
    let printed = printed(&["--print-rbac"]).await;
    let (role, binding) = printed.split_once("---\n").unwrap();
    let readme = include_str!("../../README.md");
    let (_, rest) = readme.split_once("```yaml\n").unwrap();
    assert_eq!(rest.split("```").next().unwrap(), role);
    assert!(binding.contains("kind: ClusterRoleBinding") && binding.contains("REPLACE-ME"), "{binding}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_role_grows_with_what_is_shown() {
    let without = printed(&["--print-rbac"]).await;
    let with = printed(&["--print-rbac", "--extra-costs", "volumes"]).await;
    assert!(!without.contains("nodeclasses") && with.contains("[ec2nodeclasses]") && with.contains("[nodeclasses]"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_policy_that_is_printed_allows_what_is_asked_and_no_more() {
    let actions = |printed: &str| {
        let policy: Value = serde_json::from_str(printed).unwrap();
        assert_eq!(policy["Version"], "2012-10-17");
        assert_eq!(policy["Statement"].as_array().unwrap().len(), 1);
        policy["Statement"][0]["Action"].clone()
    };
    let usual = printed(&["--print-iam-policy"]).await;
    assert_eq!(actions(&usual), json!(["ec2:DescribeSpotPriceHistory", "pricing:GetProducts"]));
    let more = printed(&["--print-iam-policy", "--extra-costs=control-plane"]).await;
    assert_eq!(actions(&more).as_array().unwrap().len(), 4);
    let both = run(doctor(Path::new(""), &["--print-iam-policy", "--print-rbac"])).await;
    assert_eq!(both.status.code(), Some(2));
}

// === prices ===

const PAGE: &str = "/pricing/2.0/meteredUnitMaps/ec2/USD/current/ec2-ondemand-without-sec-sel/Asia%20Pacific%20(Seoul)/Linux/index.json";
const EKS: &str = "/offers/v1.0/aws/AmazonEKS/current/ap-northeast-2/index.json";
const FEED: &str = "/spot.json";

fn fixture(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/pricing").join(name);
    std::fs::read(path).unwrap()
}

/// A server of public files, all of them there.
async fn public_files() -> PriceServer {
    let files = PriceServer::start().await;
    for (path, name) in [
        (PAGE, "meteredunitmaps_ec2_seoul_linux.json"),
        (EKS, "eks_index_ap-northeast-2.json"),
        (FEED, "spot_feed.json"),
    ] {
        files.on(path, [price_server::Answer::file(fixture(name))]);
    }
    files
}

/// `doctor` with all price sources at this address, and without AWS credentials.
fn with_prices(kubeconfig: &Path, address: &str, args: &[&str]) -> Command {
    let mut command = doctor(kubeconfig, &["--pricing=auto", "-o", "json"]);
    for variable in ["PRICE_PAGE_URL", "PRICE_LIST_URL", "SPOT_FEED_URL", "SPOT_ADVISOR_URL"] {
        command.env(variable, address);
    }
    command.env("AWS_EC2_METADATA_DISABLED", "true").env("AWS_CONFIG_FILE", "/nonexistent").args(args);
    command
}

fn json_of(output: &Output) -> Value {
    assert_eq!(text(&output.stderr), "");
    serde_json::from_slice(&output.stdout).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn public_files_that_answer_are_told_with_what_they_hold() {
    let (server, files) = (cluster().await, public_files().await);
    let report = json_of(&run(with_prices(&server.kubeconfig(), &files.address, &[])).await);
    for source in ["price-page", "eks-price-list", "spot-feed"] {
        let finding = finding(&report, "prices", &format!("{source} ap-northeast-2"));
        assert_eq!((&finding["verdict"], &finding["facts"]["source"]), (&json!("ok"), &json!(source)), "{finding}");
        assert!(finding["facts"]["figures"].as_u64().unwrap() > 0, "{finding}");
    }
    let identity = finding(&report, "prices", "AWS identity");
    assert_eq!(identity["verdict"], "note", "no credentials are no fault: {identity}");
    assert!(identity["lost"].as_str().unwrap().contains("by zone"), "{identity}");
    assert_eq!(report["works"], "full");
    assert_eq!(
        finding(&report, "cluster features", "nodes")["facts"],
        json!({"nodes": 1, "regions": ["ap-northeast-2"]})
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_public_file_that_fails_is_told_with_what_is_lost() {
    let (server, files) = (cluster().await, public_files().await);
    files.on(PAGE, [price_server::Answer::status(503)]);
    files.on(FEED, [price_server::Answer::silence()]);
    let began = Instant::now();
    let report = json_of(&run(with_prices(&server.kubeconfig(), &files.address, &["--timeout", "2s"])).await);
    assert!(began.elapsed() < Duration::from_secs(15), "{:?}", began.elapsed());
    let page = finding(&report, "prices", "price-page ap-northeast-2");
    assert_eq!(page["verdict"], "limited");
    assert!(page["text"].as_str().unwrap().contains("503") && page["lost"].is_string(), "{page}");
    let feed = finding(&report, "prices", "spot-feed ap-northeast-2");
    assert_eq!((&feed["verdict"], &feed["text"]), (&json!("limited"), &json!("no answer within 2s")));
    assert_eq!(report["works"], "limited");
}

#[tokio::test(flavor = "multi_thread")]
async fn offline_asks_no_price_source() {
    let (server, files) = (cluster().await, public_files().await);
    let report = json_of(&run(with_prices(&server.kubeconfig(), &files.address, &["--pricing=offline"])).await);
    assert_eq!(finding(&report, "prices", "sources")["verdict"], "skipped");
    assert_eq!(files.connections(), 0);
    let report = json_of(&run(with_prices(&server.kubeconfig(), &files.address, &["--pricing=off"])).await);
    assert_eq!(finding(&report, "prices", "pricing")["verdict"], "skipped");
    assert_eq!(files.connections(), 0);
}

#[cfg(feature = "aws")]
#[tokio::test(flavor = "multi_thread")]
async fn each_action_that_aws_denies_is_named() {
    let (server, files) = (cluster().await, public_files().await);
    let (sts, ec2, products) = (PriceServer::start().await, PriceServer::start().await, PriceServer::start().await);
    let eks = PriceServer::start().await;
    let identity = "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><GetCallerIdentityResult>\
        <Arn>arn:aws:sts::111122223333:assumed-role/viewer/ada</Arn><UserId>AROA:ada</UserId><Account>111122223333</Account>\
        </GetCallerIdentityResult></GetCallerIdentityResponse>";
    sts.on("/", [price_server::Answer::file(identity)]);
    let denied = price_server::Answer::file(fixture("spot_history_unauthorized.xml")).with_status(403);
    ec2.on("/", [denied]);
    let denied = r#"{"__type": "AccessDeniedException", "Message": "not authorized to perform: pricing:GetProducts"}"#;
    products.on("/", [price_server::Answer::file(denied).with_status(400)]);
    let denied = price_server::Answer::file(r#"{"message": "not authorized to perform: eks:DescribeCluster"}"#);
    let denied = denied.with_status(403).header("x-amzn-errortype", "AccessDeniedException");
    let described =
        price_server::Answer::file(r#"{"cluster": {"version": "1.36", "upgradePolicy": {"supportType": "STANDARD"}}}"#);
    eks.on("/clusters/web", [denied, described]);
    // The name of an EKS cluster is read from the names in the kubeconfig that the AWS CLI writes.
    let kubeconfig = std::fs::read_to_string(server.kubeconfig()).unwrap();
    let named = server.dir().join("eks.kubeconfig");
    let arn = "arn:aws:eks:ap-northeast-2:111122223333:cluster/web";
    assert!(kubeconfig.contains("scripted"), "{kubeconfig}");
    std::fs::write(&named, kubeconfig.replace("scripted", arn)).unwrap();
    let command = || {
        let mut command = with_prices(&named, &files.address, &["--extra-costs", "control-plane"]);
        for (service, at) in [("STS", &sts), ("EC2", &ec2), ("PRICING", &products), ("EKS", &eks)] {
            command.env(format!("AWS_ENDPOINT_URL_{service}"), &at.address);
        }
        command.env("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE").env("AWS_SECRET_ACCESS_KEY", "secret");
        command
    };
    let report = json_of(&run(command()).await);
    assert_eq!(finding(&report, "prices", "AWS identity")["facts"]["account"], "111122223333");
    for action in ["ec2:DescribeSpotPriceHistory", "pricing:GetProducts", "eks:DescribeCluster"] {
        let finding = finding(&report, "prices", action);
        assert_eq!(
            (&finding["verdict"], &finding["facts"]["allowed"]),
            (&json!("limited"), &json!(false)),
            "{finding}"
        );
        assert!(finding["mend"].as_str().unwrap().contains(action) && finding["lost"].is_string(), "{finding}");
    }
    assert_eq!(report["works"], "limited");
    let again = json_of(&run(command()).await);
    assert_eq!(finding(&again, "prices", "eks:DescribeCluster")["facts"]["allowed"], true);
}

#[tokio::test(flavor = "multi_thread")]
async fn terms_of_the_user_that_hold_for_nothing_are_noted() {
    let server = cluster().await;
    let (file, config) = (server.dir().join("prices.csv"), server.dir().join("config.toml"));
    std::fs::write(&file, "region,instance_type,usd_per_hour\nap-northeast-2,c5a.large,0.05\n,p5.48xlarge,30\n")
        .unwrap();
    std::fs::write(&config, "[[discounts]]\nfamily = \"m5*\"\nprice = \"-28%\"\n").unwrap();
    let args = ["--config", config.to_str().unwrap(), "--price-file", file.to_str().unwrap()];
    let report = text(&run(doctor(&server.kubeconfig(), &args)).await.stdout);
    for fact in ["2 prices", "1 rule", "(family=m5* -28%) matches no node", "prices.csv:3 (* p5.48xlarge * 30"] {
        assert!(report.contains(fact), "{fact} is not in\n{report}");
    }
    assert!(!report.contains("prices.csv:2"), "a row that holds is no news: {report}");
    std::fs::write(&file, "region,instance_type,usd_per_hour\nap-northeast-2,c5a.large,cheap\n").unwrap();
    let output = run(doctor(&server.kubeconfig(), &args)).await;
    assert_eq!(output.status.code(), Some(1), "the dashboard does not start with such a file");
    assert!(text(&output.stdout).contains("FAIL   price file"), "{}", text(&output.stdout));
}
