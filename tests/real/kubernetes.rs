//! The state of a cluster by kubectl, without code of the program under test: sums of nodes are those of
//! `kubectl describe node`, everything else is counted here.

use crate::cluster::Cluster;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// The state of a cluster at one time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    /// By name.
    pub nodes: BTreeMap<String, Node>,
    /// Of pods that have not ended.
    pub pods: PodCounts,
    /// Names of the claims.
    pub claims: BTreeSet<String>,
    /// Names of the nodepools, and how many nodes each has.
    pub pools: BTreeMap<String, usize>,
    /// Whether every node and every claim is past its start and not on its way out.
    all_initialized: bool,
}

/// A node as described.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    labels: BTreeMap<String, String>,
    /// Of `status.allocatable`.
    pub allocatable: Amounts,
    /// Of `status.allocatable`.
    pub allocatable_pods: i64,
    /// "Allocated resources".
    pub requests: Amounts,
    /// "Allocated resources".
    pub limits: Amounts,
    /// "Non-terminated Pods".
    pub pods: usize,
}

/// The resources that kubectl sums.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Amounts {
    pub cpu_millicores: i64,
    pub memory_bytes: i64,
    pub ephemeral_storage_bytes: i64,
}

/// Pods by state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PodCounts {
    pub total: usize,
    pub unscheduled: usize,
    pub starting: usize,
    pub running: usize,
    pub terminating: usize,
    pub bound: usize,
}

impl State {
    /// Asks kubectl.
    pub fn take(cluster: &Cluster) -> Self {
        let claims = cluster.objects("nodeclaims");
        let nodes = cluster.objects("nodes");
        let settled = |object: &Value| object["metadata"]["deletionTimestamp"].is_null();
        let initialized = |claim: &Value| {
            let conditions = claim["status"]["conditions"].as_array().map_or(&[][..], Vec::as_slice);
            conditions.iter().any(|condition| condition["type"] == "Initialized" && condition["status"] == "True")
        };
        let tainted = |node: &Value| node["spec"]["taints"].as_array().is_some_and(|taints| !taints.is_empty());
        let all_initialized = claims.iter().all(|claim| settled(claim) && initialized(claim))
            && nodes.iter().all(|node| settled(node) && !tainted(node))
            && claims.len() == nodes.len();

        let mut pools: BTreeMap<String, usize> =
            cluster.objects("nodepools").iter().map(|pool| (name(pool), 0)).collect();
        let described = cluster.described_nodes();
        let nodes: BTreeMap<String, Node> =
            nodes.iter().map(|node| (name(node), Node::described(node, &described))).collect();
        for node in nodes.values() {
            *pools.entry(node.label("karpenter.sh/nodepool").clone()).or_default() += 1;
        }
        Self {
            nodes,
            pods: PodCounts::count(&cluster.objects("pods")),
            claims: claims.iter().map(name).collect(),
            pools,
            all_initialized,
        }
    }

    /// Nothing comes up and nothing goes away.
    pub fn is_quiet(&self) -> bool {
        self.all_initialized && self.pods.terminating == 0 && self.pods.starting == 0
    }

    /// The price of all nodes by Karpenter, in millionths of a dollar per hour.
    pub fn hourly_micro_usd(&self) -> i64 {
        self.nodes.values().map(Node::micro_usd).sum()
    }
}

impl PodCounts {
    fn count(pods: &[Value]) -> Self {
        let mut counts = Self::default();
        for pod in pods {
            let phase = text(&pod["status"]["phase"]);
            if phase == "Succeeded" || phase == "Failed" {
                continue;
            }
            let bound = pod["spec"]["nodeName"].is_string();
            counts.total += 1;
            counts.bound += usize::from(bound);
            let state = match (pod["metadata"]["deletionTimestamp"].is_string(), bound, phase) {
                (true, ..) => &mut counts.terminating,
                (false, false, _) => &mut counts.unscheduled,
                (false, true, "Pending") => &mut counts.starting,
                (false, true, _) => &mut counts.running,
            };
            *state += 1;
        }
        counts
    }
}

impl Node {
    fn described(node: &Value, all: &str) -> Self {
        // A node that was created between list and describe has no description; the next state then differs.
        let own = all.split("Name: ").find(|part| part.split_whitespace().next() == Some(&name(node)));
        let described = own.unwrap_or_default();
        let (requests, limits) = allocated(described);
        let labels = node["metadata"]["labels"].as_object().expect("labels");
        let allocatable = |resource: &str| text(&node["status"]["allocatable"][resource]).to_owned();
        Self {
            labels: labels.iter().map(|(key, value)| (key.clone(), text(value).to_owned())).collect(),
            allocatable: Amounts {
                cpu_millicores: millis(&allocatable("cpu")),
                memory_bytes: millis(&allocatable("memory")) / 1000,
                ephemeral_storage_bytes: millis(&allocatable("ephemeral-storage")) / 1000,
            },
            allocatable_pods: millis(&allocatable("pods")) / 1000,
            requests,
            limits,
            pods: non_terminated_pods(described),
        }
    }

    /// A label that every node of these clusters has.
    pub fn label(&self, key: &str) -> &String {
        self.labels.get(key).unwrap_or_else(|| panic!("no label {key} among {:?}", self.labels))
    }

    /// Its price by Karpenter, in millionths of a dollar per hour.
    pub fn micro_usd(&self) -> i64 {
        micros(self.label("eks-node-viewer/instance-price"))
    }
}

/// The sums under "Allocated resources", requests and limits.
fn allocated(described: &str) -> (Amounts, Amounts) {
    let mut sums = (Amounts::default(), Amounts::default());
    let lines = described.lines().skip_while(|line| !line.starts_with("Allocated resources:")).skip(1);
    for line in lines.take_while(|line| line.starts_with(' ')) {
        // Resource, requests, their share, limits, their share.
        let words: Vec<&str> = line.split_whitespace().collect();
        let [resource, request, _, limit, _] = words[..] else { continue };
        for (sum, quantity) in [(&mut sums.0, request), (&mut sums.1, limit)] {
            match resource {
                "cpu" => sum.cpu_millicores = millis(quantity),
                "memory" => sum.memory_bytes = millis(quantity) / 1000,
                "ephemeral-storage" => sum.ephemeral_storage_bytes = millis(quantity) / 1000,
                _ => {}
            }
        }
    }
    sums
}

/// The number in "Non-terminated Pods: (8 in total)".
fn non_terminated_pods(described: &str) -> usize {
    let line = described.lines().find_map(|line| line.strip_prefix("Non-terminated Pods:"));
    let number = line.and_then(|rest| rest.trim().strip_prefix('(')?.split_whitespace().next()?.parse().ok());
    number.unwrap_or_default()
}

/// The usage of each node by metrics-server: millicores, rounded up, and bytes of memory.
pub fn usage(cluster: &Cluster) -> Result<BTreeMap<String, [i64; 2]>, String> {
    let printed = cluster.try_kubectl(&["get", "--raw", "/apis/metrics.k8s.io/v1beta1/nodes"])?;
    let list: Value = serde_json::from_str(&printed).map_err(|error| format!("{error}: {printed}"))?;
    let usage = |node: &Value| {
        let cpu = text(&node["usage"]["cpu"]);
        let millicores = match cpu.strip_suffix('n') {
            Some(nanocores) => nanocores.parse::<u64>().map_err(|error| format!("{cpu}: {error}"))?.div_ceil(1_000_000),
            None => u64::try_from(millis(cpu)).map_err(|error| format!("{cpu}: {error}"))?,
        };
        let millicores = i64::try_from(millicores).map_err(|error| format!("{cpu}: {error}"))?;
        Ok((name(node), [millicores, millis(text(&node["usage"]["memory"])) / 1_000]))
    };
    list["items"].as_array().ok_or("no list")?.iter().map(usage).collect()
}

/// A quantity in thousandths, for the suffixes that occur here.
fn millis(quantity: &str) -> i64 {
    let digits = quantity.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let number: i64 = digits.parse().unwrap_or_else(|error| panic!("quantity {quantity:?}: {error}"));
    let factor = match quantity.strip_prefix(digits) {
        Some("m") => 1,
        Some("") => 1_000,
        Some("k") => 1_000_000,
        Some("Ki") => 1_000 << 10,
        Some("Mi") => 1_000 << 20,
        Some("Gi") => 1_000 << 30,
        _ => panic!("quantity {quantity:?} has an unknown suffix"),
    };
    number * factor
}

/// A decimal in millionths; what is finer must be zeros.
pub fn micros(decimal: &str) -> i64 {
    let (whole, fraction) = decimal.split_once('.').unwrap_or((decimal, ""));
    let (kept, finer) = fraction.split_at_checked(6).unwrap_or((fraction, ""));
    assert!(finer.bytes().all(|digit| digit == b'0'), "{decimal} is finer than a millionth");
    let parse = |digits: &str| digits.parse::<i64>().unwrap_or_else(|error| panic!("decimal {decimal:?}: {error}"));
    parse(whole) * 1_000_000 + parse(&format!("{kept:0<6}"))
}

fn name(object: &Value) -> String {
    text(&object["metadata"]["name"]).to_owned()
}

/// A value that is text.
pub fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("{value} is not text"))
}

#[test]
fn sums_are_read_from_what_kubectl_describes() {
    let described = "\
Non-terminated Pods:          (8 in total)
  Namespace    Name       CPU Requests  CPU Limits  Memory Requests  Memory Limits  Age
  ---------    ----       ------------  ----------  ---------------  -------------  ---
  default      inflate-1  1 (12%)       0 (0%)      256Mi (1%)       0 (0%)         8s
Allocated resources:
  (Total limits may be over 100 percent, i.e., overcommitted.)
  Resource           Requests      Limits
  --------           --------      ------
  cpu                7100m (89%)   2 (25%)
  memory             1792Mi (11%)  1Gi (6%)
  ephemeral-storage  0 (0%)        0 (0%)
Events:              <none>
";
    assert_eq!(non_terminated_pods(described), 8);
    let (requests, limits) = allocated(described);
    assert_eq!(requests, Amounts { cpu_millicores: 7100, memory_bytes: 1792 << 20, ephemeral_storage_bytes: 0 });
    assert_eq!(limits, Amounts { cpu_millicores: 2000, memory_bytes: 1 << 30, ephemeral_storage_bytes: 0 });
}

#[test]
fn decimals_are_read_exactly() {
    assert_eq!(micros("0.344000"), 344_000);
    assert_eq!(micros("0.344"), 344_000);
    assert_eq!(micros("12"), 12_000_000);
    assert_eq!(micros("0.48160000000"), 481_600);
}
