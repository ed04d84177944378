//! The life of an instance, from NodeClaim to node to removal; API objects are generated from it.

use super::catalog::InstanceType;
use super::ids::PodId;
use super::later;
use crate::model::{
    ClaimRequirement, Condition, ConditionStatus, Labels, Name, Node, NodeClaim, Resources, Taint, TaintEffect,
    Timestamp, Uid, key,
};
use crate::units::age::go_duration;
use serde::Deserialize;
use std::collections::BTreeSet;

/// The capacity type of an instance.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CapacityType {
    /// On-demand.
    #[default]
    OnDemand,
    /// Spot: cheaper, and may be interrupted with two minutes' notice.
    Spot,
    /// Reserved: from a capacity reservation.
    Reserved,
}

impl CapacityType {
    /// The value of label `karpenter.sh/capacity-type`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::OnDemand => "on-demand",
            Self::Spot => "spot",
            Self::Reserved => "reserved",
        }
    }
}

/// A NodeClaim and, once it has joined, its node. Every `Option<Timestamp>` is the time at which a fact became true.
#[derive(Clone, Debug, Default)]
pub struct Instance {
    /// Name of the claim.
    pub claim: Name,
    /// Uid of the claim.
    pub claim_uid: Uid,
    /// Its nodepool.
    pub pool: Name,
    /// Capacity type.
    pub capacity_type: CapacityType,
    /// Instance types the claim allows, before launch.
    pub allowed: Vec<Name>,
    /// Requests of the claim's pods, including `DaemonSets`.
    pub claim_requests: Resources,
    /// `expireAfter` of the nodepool when the claim was created (`336h`).
    pub expire_after: Name,
    /// `terminationGracePeriod` of the nodepool.
    pub grace: Name,
    /// Creation of the claim.
    pub created: Timestamp,
    /// The instance type, once chosen.
    pub kind: Option<&'static InstanceType>,
    /// Availability zone, once chosen.
    pub zone: Name,
    /// EC2 instance id, once launched.
    pub instance: Name,
    /// Allocatable by the claim's status, until the node reports it; `None`: that of the type.
    pub claimed_allocatable: Option<Resources>,
    /// Condition Launched.
    pub launched: Option<Timestamp>,
    /// The node's creation.
    pub joined: Option<Timestamp>,
    /// Uid of the node.
    pub node_uid: Uid,
    /// Condition Registered.
    pub registered: Option<Timestamp>,
    /// The node's condition Ready.
    pub ready: Option<Timestamp>,
    /// Whether the device plugin has reported the node's devices.
    pub devices: bool,
    /// Condition Initialized.
    pub initialized: Option<Timestamp>,
    /// Condition Consolidatable.
    pub consolidatable: Option<Timestamp>,
    /// `lastPodEventTime`: when a pod was last bound or removed.
    pub last_pod_event: Option<Timestamp>,
    /// Taint `karpenter.sh/disrupted`.
    pub disrupted: Option<Timestamp>,
    /// Condition `DisruptionReason`.
    pub disruption_reason: Option<Name>,
    /// deletionTimestamp of claim and node.
    pub deleted: Option<Timestamp>,
    /// Condition Drained.
    pub drained: Option<Timestamp>,
    /// Condition `InstanceTerminating`.
    pub stopping: Option<Timestamp>,
    /// `spec.unschedulable`.
    pub cordoned: bool,
    /// Annotation do-not-disrupt.
    pub do_not_disrupt: bool,
    /// Allocatable by the node's status; `None`: that of the type.
    pub node_allocatable: Option<Resources>,
    /// Additional labels.
    pub labels: Vec<(Name, Name)>,
    /// Additional taints, including startup taints of the nodepool.
    pub taints: Vec<Taint>,
    /// Conditions that replace or complement the default ones.
    pub conditions: Vec<Condition>,
    /// Requests of its pods.
    pub requested: Resources,
    /// Pods bound to it.
    pub pods: BTreeSet<PodId>,
    /// Requests of pods that are nominated for it and not bound yet.
    pub reserved: Resources,
}

/// The properties of a cluster that determine the common labels of its nodes.
#[derive(Clone, Debug)]
pub struct Site {
    /// `ap-northeast-2`.
    pub region: Name,
    /// `v1.36.0-eks-…`.
    pub kubelet: Name,
    /// Auto Mode, or self-hosted Karpenter.
    pub auto_mode: bool,
    /// The cluster hash that the cloud provider sets as a label on every node.
    pub cluster_hash: Name,
}

impl Site {
    /// API group of the node class.
    pub fn class_group(&self) -> &'static str {
        if self.auto_mode { "eks.amazonaws.com" } else { "karpenter.k8s.aws" }
    }

    /// The ID of a zone in AWS's short form: `apne2-az2` for `ap-northeast-2b`. In AWS the mapping of letters to IDs depends
    /// on the account; here it follows the alphabet.
    fn zone_id(&self, zone: &str) -> String {
        let mut short = String::new();
        for (i, part) in self.region.split('-').enumerate() {
            match (i, part) {
                (0, first) => short.push_str(first),
                (_, "northeast") => short.push_str("ne"),
                (_, "northwest") => short.push_str("nw"),
                (_, "southeast") => short.push_str("se"),
                (_, "southwest") => short.push_str("sw"),
                (_, other) => short.extend(other.chars().take(1)),
            }
        }
        let letter = zone.chars().last().unwrap_or('a');
        format!("{short}-az{}", u32::from(letter).saturating_sub(u32::from('a')) + 1)
    }
}

fn condition(kind: &str, status: ConditionStatus, reason: &str, message: &str, since: Timestamp) -> Condition {
    Condition { kind: kind.into(), status, reason: reason.into(), message: message.into(), since: Some(since) }
}

/// A condition that is True since `at`, or Unknown with a reason since `otherwise`.
fn reached(kind: &str, at: Option<Timestamp>, reason: &str, message: &str, otherwise: Timestamp) -> Condition {
    match at {
        Some(at) => condition(kind, ConditionStatus::True, kind, "", at),
        None => condition(kind, ConditionStatus::Unknown, reason, message, otherwise),
    }
}

impl Instance {
    /// The node's name: in Auto Mode the instance ID, else the private DNS name.
    pub fn node_name(&self, site: &Site) -> Name {
        if site.auto_mode {
            return self.instance.clone();
        }
        let digits: Vec<u8> = self.instance.bytes().rev().take(2).collect();
        let (c, d) = (digits.first().copied().unwrap_or(1), digits.get(1).copied().unwrap_or(1));
        let third = self.instance.bytes().fold(0_u8, |sum, b| sum.wrapping_mul(31).wrapping_add(b));
        Name::from(format!("ip-192-168-{third}-{}.{}.compute.internal", c.wrapping_add(d), site.region))
    }

    /// The allocatable amounts of the node if it reports them, else of the claim.
    pub fn allocatable(&self) -> Resources {
        if let (Some(known), Some(_)) = (&self.node_allocatable, self.joined) {
            return known.clone();
        }
        self.kind.map(InstanceType::allocatable).unwrap_or_default()
    }

    /// Whether a pod with these requests fits besides the bound pods.
    pub fn fits(&self, requests: &Resources) -> bool {
        self.fits_beside(&self.requested, self.pods.len() as u64, requests)
    }

    /// Whether a pod with these requests fits besides the bound and nominated pods.
    pub fn has_free_capacity(&self, requests: &Resources) -> bool {
        let mut taken = self.requested.clone();
        taken.add(&self.reserved);
        self.fits_beside(&taken, self.pods.len() as u64 + self.reserved.pods, requests)
    }

    fn fits_beside(&self, taken: &Resources, pods: u64, requests: &Resources) -> bool {
        let allocatable = self.allocatable();
        taken.cpu_millicores + requests.cpu_millicores <= allocatable.cpu_millicores
            && taken.memory_bytes + requests.memory_bytes <= allocatable.memory_bytes
            && taken.ephemeral_storage_bytes + requests.ephemeral_storage_bytes <= allocatable.ephemeral_storage_bytes
            && pods < allocatable.pods
            && requests.extended.iter().all(|(name, amount)| {
                taken.extended.get(name).copied().unwrap_or(0) + amount
                    <= allocatable.extended.get(name).copied().unwrap_or(0)
            })
    }

    /// Whether the scheduler may bind workload pods to it.
    pub fn takes_pods(&self) -> bool {
        self.joined.is_some()
            && self.registered.is_some()
            && self.ready.is_some()
            && self.disrupted.is_none()
            && self.deleted.is_none()
            && !self.cordoned
            && !self.conditions.iter().any(|c| c.kind == "Ready" && c.status != ConditionStatus::True)
    }

    /// The deadline by which all its pods are deleted, if it is being deleted.
    pub fn deadline(&self) -> Option<Timestamp> {
        Some(later(self.deleted?, go_duration(&self.grace)?.saturating_mul(1000)))
    }

    /// `aws:///<zone>/<instance>`; empty before launch.
    pub fn provider_id(&self) -> Name {
        if self.launched.is_none() {
            return Name::default();
        }
        Name::from(format!("aws:///{}/{}", self.zone, self.instance))
    }

    /// The labels of the claim after launch, and of the node.
    fn launch_labels(&self, site: &Site) -> Vec<(Name, Name)> {
        let mut labels: Vec<(Name, Name)> = Vec::with_capacity(40);
        let mut put = |k: &str, v: &str| labels.push((k.into(), v.into()));
        let group = site.class_group();
        let hardware = |suffix: &str| format!("{group}/instance-{suffix}");
        put(key::NODEPOOL, &self.pool);
        let class_label = if site.auto_mode { "eks.amazonaws.com/nodeclass" } else { "karpenter.k8s.aws/ec2nodeclass" };
        put(class_label, "default");
        if site.auto_mode {
            put("app.kubernetes.io/managed-by", "eks");
            put(key::COMPUTE_TYPE, "auto");
        }
        if let Some(t) = self.kind.filter(|_| self.launched.is_some()) {
            put("karpenter.sh/capacity-type", self.capacity_type.name());
            put("node.kubernetes.io/instance-type", t.name);
            put("kubernetes.io/arch", t.arch);
            put("kubernetes.io/os", "linux");
            put("topology.kubernetes.io/region", &site.region);
            put("topology.kubernetes.io/zone", &self.zone);
            put("topology.k8s.aws/zone-id", &site.zone_id(&self.zone));
            put(&hardware("capability-flex"), "false");
            put(&hardware("category"), t.category());
            put(&hardware("family"), t.family());
            put(&hardware("generation"), &t.generation());
            put(&hardware("size"), t.size());
            put(&hardware("cpu"), &t.vcpu.to_string());
            put(&hardware("cpu-manufacturer"), t.cpu_manufacturer);
            put(&hardware("cpu-sustained-clock-speed-mhz"), &t.clock_mhz.to_string());
            put(&hardware("memory"), &t.memory_mib.to_string());
            put(&hardware("network-bandwidth"), &(t.vcpu * 312).to_string());
            put(&hardware("ebs-bandwidth"), "3170");
            put(&hardware("encryption-in-transit-supported"), "true");
            put(&hardware("hypervisor"), "nitro");
            if !site.auto_mode {
                put(key::TENANCY, "default");
            }
            if let Some((count, model)) = t.gpu {
                put(&hardware("gpu-count"), &count.to_string());
                put(&hardware("gpu-name"), model);
                put(&hardware("gpu-manufacturer"), "nvidia");
            }
        }
        labels
    }

    /// The NodeClaim as the API server returns it.
    pub fn to_claim(&self, site: &Site) -> NodeClaim {
        let launched = self.launched.is_some();
        let requirement = |key: &str, values: &[&str]| ClaimRequirement {
            key: key.into(),
            operator: "In".into(),
            values: values.iter().take(ClaimRequirement::VALUES_KEPT).map(|v| Name::from(*v)).collect(),
            count: values.len() as u32,
        };
        let types: Vec<&str> = self.allowed.iter().map(Name::as_str).collect();
        let mut requirements = vec![
            requirement("karpenter.sh/nodepool", &[&self.pool]),
            requirement("karpenter.sh/capacity-type", &[self.capacity_type.name()]),
            requirement("kubernetes.io/os", &["linux"]),
        ];
        if !types.is_empty() {
            requirements.push(requirement("node.kubernetes.io/instance-type", &types));
        }
        let claimed = || self.claimed_allocatable.clone().or_else(|| self.kind.map(InstanceType::allocatable));
        NodeClaim {
            name: self.claim.clone(),
            uid: self.claim_uid,
            created: self.created,
            deleted: self.deleted,
            labels: self.launch_labels(site).into_iter().collect(),
            termination_deadline: self.deadline(),
            reboot_pre_boot_id: Name::default(),
            do_not_repair: false,
            node_class_group: site.class_group().into(),
            node_class: "default".into(),
            requirements,
            requests: self.claim_requests.clone(),
            startup_taints: Vec::new(),
            expire_after_seconds: go_duration(&self.expire_after),
            termination_grace_seconds: go_duration(&self.grace),
            node_name: if self.registered.is_some() { self.node_name(site) } else { Name::default() },
            provider_id: self.provider_id(),
            capacity: self.kind.filter(|_| launched).map(InstanceType::capacity).unwrap_or_default(),
            allocatable: if launched { claimed().unwrap_or_default() } else { Resources::default() },
            last_pod_event: self.last_pod_event,
            conditions: self.claim_conditions(),
        }
    }

    fn claim_conditions(&self) -> Vec<Condition> {
        let waiting = if self.launched.is_some() {
            ("NodeNotFound", "Node not registered with cluster")
        } else {
            ("AwaitingReconciliation", "object is awaiting reconciliation")
        };
        let missing_device = self.kind.is_some_and(|t| t.gpu.is_some()) && !self.devices && self.ready.is_some();
        let uninitialized = match (self.registered, missing_device) {
            (None, _) => waiting,
            (Some(_), true) => {
                ("ResourceNotRegistered", "Resource \"nvidia.com/gpu\" was requested but not registered")
            }
            (Some(_), false) => ("NodeNotReady", "Node status is NotReady"),
        };
        let awaiting = ("AwaitingReconciliation", "object is awaiting reconciliation");
        let mut conditions = vec![
            reached("Launched", self.launched, awaiting.0, awaiting.1, self.created),
            reached("Registered", self.registered, waiting.0, waiting.1, self.created),
            reached("Initialized", self.initialized, uninitialized.0, uninitialized.1, self.created),
            reached("Ready", self.initialized, "UnhealthyDependents", "Initialized=Unknown", self.created),
        ];
        let mut also = |kind: &str, at: Option<Timestamp>| {
            if let Some(at) = at {
                conditions.push(condition(kind, ConditionStatus::True, kind, "", at));
            }
        };
        also("Consolidatable", self.consolidatable);
        also("InstanceTerminating", self.stopping);
        if let (Some(reason), Some(at)) = (&self.disruption_reason, self.disrupted) {
            conditions.push(condition("DisruptionReason", ConditionStatus::True, reason, reason, at));
        }
        if let Some(deleted) = self.deleted.filter(|_| self.joined.is_some()) {
            let drained = reached("Drained", self.drained, "Draining", "Draining", deleted);
            conditions.push(drained);
            if let Some(at) = self.drained {
                conditions.push(reached("VolumesDetached", self.stopping, "AwaitingVolumeDetachment", "", at));
            }
        }
        conditions
    }

    /// The Node as the API server returns it, if it has joined.
    pub fn to_node(&self, site: &Site) -> Option<Node> {
        let (joined, t) = (self.joined?, self.kind?);
        let name = self.node_name(site);
        let mut labels = self.launch_labels(site);
        let mut put = |k: &str, v: &str| labels.push((k.into(), v.into()));
        put("kubernetes.io/hostname", &name);
        put("k8s.io/cloud-provider-aws", &site.cluster_hash);
        put("karpenter.sh/do-not-sync-taints", "true");
        if site.auto_mode {
            put("beta.kubernetes.io/arch", t.arch);
            put("beta.kubernetes.io/instance-type", t.name);
            put("beta.kubernetes.io/os", "linux");
            put("failure-domain.beta.kubernetes.io/region", &site.region);
            put("failure-domain.beta.kubernetes.io/zone", &self.zone);
            put("topology.ebs.csi.eks.amazonaws.com/zone", &self.zone);
        }
        if self.registered.is_some() {
            put(key::REGISTERED, "true");
        }
        if self.initialized.is_some() {
            put(key::INITIALIZED, "true");
        }
        if self.deleted.is_some() {
            put("node.kubernetes.io/exclude-from-external-load-balancers", "karpenter");
        }
        labels.extend(self.labels.iter().cloned());
        let mut allocatable = self.node_allocatable.clone().unwrap_or_else(|| t.allocatable());
        let mut capacity = t.capacity();
        if t.gpu.is_some() && !self.devices {
            allocatable.extended.clear();
            capacity.extended.clear();
        }
        Some(Node {
            name,
            uid: self.node_uid,
            created: joined,
            deleted: self.deleted,
            labels: labels.into_iter().collect::<Labels>(),
            do_not_disrupt: self.do_not_disrupt,
            do_not_repair: false,
            machine_owner: Name::default(),
            boot_id: Name::default(),
            owner_claim: self.registered.map(|_| self.claim_uid),
            provider_id: self.provider_id(),
            unschedulable: self.cordoned,
            taints: self.node_taints(),
            conditions: self.node_conditions(joined),
            allocatable,
            capacity,
            kubelet_version: site.kubelet.clone(),
            os_image: "Bottlerocket (EKS Auto, Standard) 2026.10.2 (aws-k8s-1.36-standard)".into(),
            architecture: t.arch.into(),
            operating_system: "linux".into(),
        })
    }

    fn node_taints(&self) -> Vec<Taint> {
        let mut taints = Vec::new();
        let mut put = |key: &str, effect: TaintEffect| {
            taints.push(Taint { key: key.into(), value: Name::default(), effect });
        };
        if self.registered.is_none() {
            put(key::TAINT_UNREGISTERED, TaintEffect::NoExecute);
        }
        if self.ready.is_none() {
            put("node.kubernetes.io/not-ready", TaintEffect::NoSchedule);
            put("node.kubernetes.io/not-ready", TaintEffect::NoExecute);
        }
        if self.disrupted.is_some() || self.deleted.is_some() {
            put(key::TAINT_DISRUPTED, TaintEffect::NoSchedule);
        }
        if self.cordoned {
            put("node.kubernetes.io/unschedulable", TaintEffect::NoSchedule);
        }
        taints.extend(self.taints.iter().cloned());
        taints
    }

    fn node_conditions(&self, joined: Timestamp) -> Vec<Condition> {
        let mut conditions = match self.ready {
            Some(at) => {
                vec![condition("Ready", ConditionStatus::True, "KubeletReady", "kubelet is posting ready status", at)]
            }
            None => vec![condition(
                "Ready",
                ConditionStatus::False,
                "KubeletNotReady",
                "container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady",
                joined,
            )],
        };
        for (kind, reason, message) in [
            ("MemoryPressure", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
            ("DiskPressure", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
            ("PIDPressure", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
        ] {
            conditions.push(condition(kind, ConditionStatus::False, reason, message, joined));
        }
        for special in &self.conditions {
            conditions.retain(|c| c.kind != special.kind);
            conditions.push(special.clone());
        }
        conditions
    }
}
