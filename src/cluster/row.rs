//! One line of the node table: a node, a claim, or both joined.

use super::ids::{NO_POD, RowId};
use super::leaving::{LAUNCH_TIMEOUT, Leaving, REGISTRATION_TIMEOUT, Signals};
use super::leaving_taint::leaving_taint;
use super::sums::Sums;
use super::{CapacityType, RowState};
use crate::model::{ConditionStatus, Name, Node, NodeClaim, Resource, Resources, Timestamp, Uid, Usage, key};
use crate::pricing::{BadOverride, ComputeType, Offer, PriceBook, Quote, VolumesQuote};
use crate::units::natural::NaturalKey;

/// A spot instance is taken this many seconds after the warning (Amazon EC2 user guide, spot interruption notices).
const SPOT_NOTICE_SECONDS: i64 = 120;

/// Who made the node.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ManagedBy {
    /// EKS Auto Mode.
    AutoMode,
    /// AWS Fargate.
    Fargate,
    /// EKS hybrid nodes.
    Hybrid,
    /// A node played by kwok.
    Kwok,
    /// Self-hosted Karpenter.
    Karpenter,
    /// An EKS managed (or eksctl) node group.
    NodeGroup,
    /// Anything else.
    #[default]
    SelfManaged,
}

impl ManagedBy {
    /// First match. Auto Mode nodes have Karpenter's labels as well, so the offer decides before them.
    fn read(offer: &Offer, node: Option<&Node>, claim: Option<&NodeClaim>) -> Self {
        let label = |key: &str| node.and_then(|n| n.labels.get(key)).or_else(|| claim.and_then(|c| c.labels.get(key)));
        let provider = node.map_or("", |n| n.provider_id.as_str());
        match offer.compute_type {
            ComputeType::Fargate => return Self::Fargate,
            ComputeType::Hybrid => return Self::Hybrid,
            ComputeType::Auto => return Self::AutoMode,
            ComputeType::Instance => {}
        }
        if label(key::KWOK).is_some()
            || provider.starts_with("kwok://")
            || claim.is_some_and(|c| c.node_class_group == "karpenter.kwok.sh")
        {
            Self::Kwok
        } else if label(key::NODEPOOL).is_some() || label(key::PROVISIONER).is_some() || claim.is_some() {
            Self::Karpenter
        } else if key::NODEGROUP.iter().any(|k| label(k).is_some()) {
            Self::NodeGroup
        } else {
            Self::SelfManaged
        }
    }

    /// Its name on the screen.
    pub const fn name(self) -> &'static str {
        match self {
            Self::AutoMode => "EKS Auto Mode",
            Self::Fargate => "Fargate",
            Self::Hybrid => "hybrid",
            Self::Kwok => "kwok",
            Self::Karpenter => "Karpenter",
            Self::NodeGroup => "node group",
            Self::SelfManaged => "self-managed",
        }
    }
}

/// One line of the node table.
#[derive(Clone, Debug)]
pub struct Row {
    pub(super) id: RowId,
    pub(super) node: Option<Box<Node>>,
    pub(super) claim: Option<Box<NodeClaim>>,
    /// The node name this row is found by; none for a claim's own row.
    pub(super) node_name: Option<Name>,
    pub(super) name: Name,
    pub(super) order: NaturalKey,
    pub(super) sums: Sums,
    pub(super) first_pod: u32,
    pub(super) usage: Option<Usage>,
    pub(super) quote: Option<Quote>,
    /// The price of its volumes, where that line is on.
    pub(super) volumes: Option<Box<VolumesQuote>>,
    /// What a node that is not initialized yet will offer, where that is more than it says; none for others.
    pub(super) completed: Option<Box<Resources>>,
    pub(super) state: RowState,
    /// What it is to the bill; `None` while only a name is known.
    offer: Option<Box<Offer>>,
    pub(super) managed_by: ManagedBy,
    pub(super) leaving: Option<Leaving>,
    pub(super) gone: Option<Timestamp>,
    pub(super) interrupted: Option<Timestamp>,
    /// When Karpenter last reported that the node holds placeholders of a capacity buffer.
    pub(super) buffered: Option<Timestamp>,
    /// The claim that was initialized, and when for the first time: a reboot in place initializes it again.
    pub(super) initialized: Option<(Uid, Timestamp)>,
    pub(super) seen: Timestamp,
    /// Since when its node is missing: mentioned and not there, or gone.
    pub(super) missing_since: Timestamp,
    pub(super) appeared: Option<Timestamp>,
    /// Rows that became this one: whoever held on to them finds it here.
    pub(super) aliases: Vec<RowId>,
    pub(super) node_generation: u32,
    pub(super) claim_generation: u32,
    pub(super) touched: bool,
}

impl Row {
    pub(super) fn new(id: RowId, name: Name, seen: Timestamp) -> Self {
        Self {
            id,
            node: None,
            claim: None,
            node_name: None,
            order: NaturalKey::new(&name),
            name,
            sums: Sums::default(),
            first_pod: NO_POD,
            usage: None,
            offer: None,
            quote: None,
            volumes: None,
            completed: None,
            state: RowState::Mentioned,
            managed_by: ManagedBy::SelfManaged,
            leaving: None,
            gone: None,
            interrupted: None,
            buffered: None,
            initialized: None,
            seen,
            missing_since: seen,
            appeared: None,
            aliases: Vec::new(),
            node_generation: 0,
            claim_generation: 0,
            touched: false,
        }
    }

    /// Recomputes what follows from the row's objects: pure in them, so the order of arrival cannot matter.
    pub(super) fn derive(&mut self, book: Option<&PriceBook>, signals: &Signals, now: Timestamp) {
        let (node, claim) = (self.node.as_deref(), self.claim.as_deref());
        self.state = match (self.gone, node, claim) {
            (Some(_), ..) => RowState::Gone,
            (None, None, None) => RowState::Mentioned,
            (None, node, claim) => RowState::of(node, claim),
        };
        self.completed = match (node, claim) {
            (Some(node), Some(claim)) if !claim.is("Initialized") => completed(&node.allocatable, &claim.allocatable),
            (Some(_) | None, _) => None,
        };
        self.offer = Offer::read(node, claim).map(Box::new);
        self.managed_by =
            self.offer.as_deref().map_or(ManagedBy::SelfManaged, |offer| ManagedBy::read(offer, node, claim));
        if let Some(shown) = shown_name(self.node_name.as_ref(), claim)
            && self.name != shown
        {
            self.order = NaturalKey::new(&shown);
            self.name = shown;
        }
        self.interrupted = signals.interrupted(node, claim);
        self.buffered = node.and_then(|node| signals.buffered(node));
        let initialized = claim.and_then(|claim| {
            let condition = claim.condition("Initialized").filter(|c| c.status == ConditionStatus::True)?;
            Some((claim.uid, condition.since?))
        });
        if let Some((claim, _)) = initialized
            && self.initialized.is_none_or(|(known, _)| known != claim)
        {
            self.initialized = initialized;
        }
        let leaves = self.gone.is_some()
            || node.is_some_and(|n| n.deleted.is_some())
            || claim.is_some_and(|c| c.deleted.is_some())
            || node.is_some_and(|n| leaving_taint(n).is_some());
        self.leaving = leaves.then(|| Leaving::of(node, claim, signals, self.leaving.as_ref(), now));
        self.price(book);
    }

    /// Quotes its price again; true if the quote differs.
    pub(super) fn price(&mut self, book: Option<&PriceBook>) -> bool {
        let quote = self.billed_offer().zip(book).map(|(offer, book)| book.quote(offer, &self.sums.fargate()));
        let differs = self.quote != quote;
        self.quote = quote;
        differs
    }

    /// The offer, if its instance is billed: it was launched, its launch did not fail, and it is not gone.
    pub(super) fn billed_offer(&self) -> Option<&Offer> {
        let is_billed = !matches!(self.state, RowState::Gone | RowState::LaunchFailed | RowState::Mentioned);
        self.offer().filter(|_| is_billed && self.counts())
    }

    /// Whether its pods decide its price: a Fargate node.
    pub(super) fn is_priced_by_pods(&self) -> bool {
        self.node.is_some() && self.offer().is_some_and(|offer| offer.compute_type == ComputeType::Fargate)
    }

    /// Its identity.
    pub const fn id(&self) -> RowId {
        self.id
    }

    /// Node name, or the claim's while there is no node.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Sort key of the name.
    pub const fn natural_key(&self) -> &NaturalKey {
        &self.order
    }

    /// The node as last seen; kept on a tombstone.
    pub fn node(&self) -> Option<&Node> {
        self.node.as_deref()
    }

    /// The joined claim as last seen; kept on a tombstone.
    pub fn claim(&self) -> Option<&NodeClaim> {
        self.claim.as_deref()
    }

    /// Where it stands.
    pub const fn state(&self) -> &RowState {
        &self.state
    }

    /// What its pods ask for.
    pub const fn sums(&self) -> &Sums {
        &self.sums
    }

    /// What was measured, if metrics are there. Unknown is not zero.
    pub const fn usage(&self) -> Option<&Usage> {
        self.usage.as_ref()
    }

    /// Its price; none for what is not billed (a claim before launch, a failed launch, a row that is gone).
    pub const fn quote(&self) -> Option<&Quote> {
        self.quote.as_ref()
    }

    /// The price of its EBS volumes, which [`Self::quote`] does not contain. None where that line is off, where nothing is
    /// billed, and for what has no such volumes (Fargate, hybrid nodes).
    pub fn volumes_quote(&self) -> Option<&VolumesQuote> {
        self.volumes.as_deref()
    }

    /// Why its price label is ignored, if it is.
    pub fn bad_price_label(&self) -> Option<BadOverride> {
        self.node()?;
        self.offer()?.price_override().err()
    }

    /// How it is bought.
    pub fn capacity_type(&self) -> CapacityType {
        self.offer().map_or(CapacityType::Unknown, |offer| offer.capacity_type)
    }

    /// Who made it.
    pub const fn managed_by(&self) -> ManagedBy {
        self.managed_by
    }

    /// Why it leaves or left.
    pub const fn leaving(&self) -> Option<&Leaving> {
        self.leaving.as_ref()
    }

    /// When it disappeared: a tombstone, counted nowhere.
    pub const fn gone(&self) -> Option<Timestamp> {
        self.gone
    }

    /// When a spot or reservation interruption was announced (two minutes' notice).
    pub const fn interrupted(&self) -> Option<Timestamp> {
        self.interrupted
    }

    /// When an announced interruption takes the instance.
    pub fn interruption_due(&self) -> Option<Timestamp> {
        let announced = self.interrupted?.as_second();
        Timestamp::from_second(announced.saturating_add(SPOT_NOTICE_SECONDS)).ok()
    }

    /// Whether it is a claim without a node that never had an instance.
    pub fn never_launched(&self) -> bool {
        self.node.is_none() && self.claim.as_ref().is_some_and(|claim| claim.provider_id.is_empty())
    }

    /// When its claim was initialized for the first time, as far as that was seen.
    pub fn initialized(&self) -> Option<Timestamp> {
        self.initialized.map(|(_, at)| at)
    }

    /// When this row appeared after the first picture was complete; marked as new for some seconds.
    pub const fn appeared(&self) -> Option<Timestamp> {
        self.appeared
    }

    /// Whether it is a node (or was one): claims without a node are rows, too.
    pub const fn is_node(&self) -> bool {
        self.node.is_some()
    }

    /// Whether the row adds to the fleet's totals: a machine that is there or starting, and so is paid for.
    pub fn counts(&self) -> bool {
        let machine = self.node.is_some() || self.claim.as_ref().is_some_and(|c| !c.provider_id.is_empty());
        machine && self.gone.is_none()
    }

    /// A label of the node, else of the claim.
    pub fn label(&self, key: &str) -> Option<&str> {
        let of_node = self.node.as_ref().and_then(|n| n.labels.get(key));
        of_node.or_else(|| self.claim.as_ref().and_then(|c| c.labels.get(key)))
    }

    fn first_label(&self, keys: &[&str]) -> Option<&str> {
        keys.iter().find_map(|k| self.label(k))
    }

    /// Instance type.
    pub fn instance_type(&self) -> Option<&str> {
        self.first_label(key::INSTANCE_TYPE)
    }

    /// Availability zone.
    pub fn zone(&self) -> Option<&str> {
        self.first_label(key::ZONE)
    }

    /// Region, by the rule that prices go by: label, else zone, else provider id.
    pub fn region(&self) -> Option<&str> {
        self.offer()?.region.as_deref()
    }

    /// What its instance is to the bill; `None` while only a name is known.
    pub fn offer(&self) -> Option<&Offer> {
        self.offer.as_deref()
    }

    /// Karpenter nodepool, else the node group.
    pub fn pool(&self) -> Option<&str> {
        let group = || self.first_label(key::NODEGROUP).or_else(|| self.machine_set());
        self.label(key::NODEPOOL).or_else(|| self.label(key::PROVISIONER)).or_else(group)
    }

    /// The `MachineSet` of a node that Cluster API made and that has no label of a group.
    fn machine_set(&self) -> Option<&str> {
        self.node.as_deref().map(|node| node.machine_owner.as_str()).filter(|name| !name.is_empty())
    }

    /// Processor architecture (`amd64`, `arm64`).
    pub fn arch(&self) -> Option<&str> {
        let of_info = || self.node.as_ref().map(|n| n.architecture.as_str()).filter(|a| !a.is_empty());
        self.first_label(key::ARCH).or_else(of_info)
    }

    /// When it came to be: the claim's creation if there is one, else the node's.
    pub fn created(&self) -> Timestamp {
        let node = self.node.as_ref().map(|n| n.created);
        let claim = self.claim.as_ref().map(|c| c.created);
        match (node, claim) {
            (Some(n), Some(c)) => n.min(c),
            (Some(t), None) | (None, Some(t)) => t,
            (None, None) => self.seen,
        }
    }

    /// Seconds until Karpenter deletes its claim for want of a machine (5 minutes) or of a registered node (15 minutes;
    /// `pkg/controllers/nodeclaim/lifecycle/liveness.go`). None where neither is waited for, and once the time is over.
    pub fn deletion_due(&self, now: Timestamp) -> Option<i64> {
        let claim = self.claim().filter(|claim| claim.deleted.is_none() && self.gone.is_none())?;
        let limit = match (claim.is("Launched"), claim.is("Registered")) {
            (_, true) => return None,
            (true, false) => REGISTRATION_TIMEOUT,
            (false, false) => LAUNCH_TIMEOUT,
        };
        Some(claim.created.as_second() + limit - now.as_second()).filter(|left| *left > 0)
    }

    /// Seconds since [`Self::created`].
    pub fn age_seconds(&self, now: Timestamp) -> i64 {
        now.as_second() - self.created().as_second()
    }

    /// What pods may ask for here. A node that is not initialized yet is completed from its claim (extended resources
    /// are zero until a device plugin registers); a launched claim answers for itself. The Node of a Fargate pod reports
    /// the larger machine behind it, so what the pod was given holds there. None: not known.
    pub fn allocatable(&self) -> Option<&Resources> {
        if self.managed_by == ManagedBy::Fargate {
            return Some(&self.sums.provisioned).filter(|given| !given.is_zero());
        }
        if let Some(completed) = &self.completed {
            return Some(completed);
        }
        match (&self.node, &self.claim) {
            (Some(node), _) if !node.allocatable.is_zero() => Some(&node.allocatable),
            (_, Some(claim)) if !claim.allocatable.is_zero() => Some(&claim.allocatable),
            (Some(_) | None, _) => None,
        }
    }

    /// Requested share of a resource in thousandths of allocatable, by the rule of [`permille`]; none where nothing is
    /// known of what the node offers, and of devices that pods get by resource claims.
    pub fn requested_permille(&self, resource: &Resource) -> Option<u64> {
        let all = self.allocatable()?.get(resource);
        if all == 0 && self.sums.claimed.get(resource) > 0 {
            return None;
        }
        permille(self.sums.requests.get(resource), all)
    }
}

/// What a node says it offers, with what its claim promises where the node says nothing (yet). None where that changes
/// nothing.
fn completed(says: &Resources, promised: &Resources) -> Option<Box<Resources>> {
    let or = |says: u64, promised: u64| if says == 0 { promised } else { says };
    let mut all = Resources {
        cpu_millicores: or(says.cpu_millicores, promised.cpu_millicores),
        memory_bytes: or(says.memory_bytes, promised.memory_bytes),
        ephemeral_storage_bytes: or(says.ephemeral_storage_bytes, promised.ephemeral_storage_bytes),
        pods: or(says.pods, promised.pods),
        extended: says.extended.clone(),
    };
    for (name, promised) in promised.extended.iter().filter(|(_, amount)| **amount > 0) {
        let offered = all.extended.entry(name.clone()).or_default();
        *offered = or(*offered, *promised);
    }
    (all != *says).then(|| Box::new(all))
}

/// The name a row goes by. A launched claim is called by its instance, which on EKS Auto Mode is the node's name as well.
fn shown_name(node: Option<&Name>, claim: Option<&NodeClaim>) -> Option<Name> {
    match (node, claim) {
        (Some(node), _) => Some(node.clone()),
        (None, Some(claim)) => {
            let instance = claim.provider_id.rsplit('/').next().filter(|id| id.starts_with("i-"));
            Some(instance.map_or_else(|| claim.name.clone(), Name::from))
        }
        (None, None) => None,
    }
}

/// `part` of `whole` in thousandths, by the rule of [`share`].
pub fn permille(part: u64, whole: u64) -> Option<u64> {
    share(part, whole, 1000)
}

/// `part` of `whole` in parts of `of` (100: per cent), rounded half up, once. Something of nothing is full: pods that hold
/// devices which failed still hold all there is (kube-scheduler `NodeInfo.Requested` counts them whatever allocatable says).
/// Nothing of nothing is no share.
pub fn share(part: u64, whole: u64, of: u32) -> Option<u64> {
    if whole == 0 {
        return (part > 0).then_some(u64::from(of));
    }
    let (part, whole) = (u128::from(part), u128::from(whole));
    Some(u64::try_from((part * u128::from(of) + whole / 2) / whole).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use test_case::test_case;

    #[test_case(0, 4 => Some(0))]
    #[test_case(1, 3 => Some(333))]
    #[test_case(4, 3 => Some(1333) ; "more than there is")]
    #[test_case(4, 0 => Some(1000) ; "something of nothing is full")]
    #[test_case(0, 0 => None ; "nothing of nothing is no share")]
    fn shares(part: u64, whole: u64) -> Option<u64> {
        permille(part, whole)
    }
}
