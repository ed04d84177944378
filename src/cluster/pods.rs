//! Pods as compact rows; each remembers exactly what it contributed to its node.

use super::ids::{NO_POD, RowId};
use super::intern::{Interner, hash_of};
use super::pod_counts::PodState;
use super::sums::Sums;
use crate::model::{
    Name, Owner, Placement, Pod, PodClass, PodKey, PodPhase, Resources, Scheduling, Timestamp, Uid, Usage,
};
use hashbrown::HashTable;
use rustc_hash::FxHashMap;

/// What a pod asks for, shared by all pods of one shape.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Shape {
    requests: Resources,
    limits: Resources,
    /// The extended resources among the requests that it gets by a resource claim.
    claimed: Resources,
    /// What Fargate gave it; nothing elsewhere.
    provisioned: Resources,
    /// It says what Fargate gave it, in a form that is not understood.
    unread_provision: bool,
}

/// One pod, about 120 bytes.
#[derive(Debug)]
pub(super) struct Stored {
    pub(super) name: Name,
    pub(super) uid: Uid,
    pub(super) namespace: u32,
    pub(super) owner: u32,
    pub(super) shape: u32,
    /// Scheduling message or waiting reason.
    pub(super) note: u32,
    pub(super) row: Option<RowId>,
    /// Chain of the pods of one row, or of all unscheduled pods.
    pub(super) next: u32,
    pub(super) prev: u32,
    pub(super) generation: u32,
    created: i64,
    deleted: i64,
    pub(super) state: PodState,
    class: PodClass,
    unscheduled_reason: Option<UnscheduledReason>,
    preempted: bool,
}

/// Why a pod has no node; the text is [`PodRow::note`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum UnscheduledReason {
    /// No scheduler has looked at it.
    Unseen,
    /// Its group keeps it back: not all of it can be placed at once.
    Group,
    /// Scheduling gates hold it back.
    Gated,
    /// The scheduler found no place.
    Unschedulable,
    /// The scheduler failed.
    SchedulerError,
    /// A scheduler has chosen a node, which the note names: pods are removed there for it, or what it needs is bound.
    Nominated,
}

impl UnscheduledReason {
    /// A few words for the screen.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unseen => "waiting for scheduler",
            Self::Group => "held back by its group",
            Self::Gated => "held by scheduling gates",
            Self::Unschedulable => "unschedulable",
            Self::SchedulerError => "scheduler error",
            Self::Nominated => "nominated",
        }
    }
}

const NEVER: i64 = i64::MIN;

/// All pods that have not ended.
#[derive(Debug, Default)]
pub(super) struct Pods {
    slots: Vec<Option<Stored>>,
    free: Vec<u32>,
    index: HashTable<u32>,
    pub(super) namespaces: Interner<Name>,
    owners: Interner<Option<Owner>>,
    notes: Interner<Name>,
    shapes: Interner<Shape>,
    placements: Interner<Placement>,
    /// What the pods without a node demand of one, by slot.
    placement_of: FxHashMap<u32, u32>,
    /// First pod without a node, or [`NO_POD`].
    pub(super) unscheduled: u32,
    pub(super) usage: FxHashMap<PodKey, Usage>,
    pub(super) len: usize,
}

/// A pod as a reader sees it: borrowed from the state.
#[derive(Clone, Debug)]
pub struct PodRow<'a> {
    /// Namespace.
    pub namespace: &'a str,
    /// Name.
    pub name: &'a str,
    /// What it is doing.
    pub state: PodState,
    /// What kind of pod it is.
    pub class: PodClass,
    /// Its controller.
    pub owner: Option<&'a Owner>,
    /// The row of its node.
    pub row: Option<RowId>,
    /// `metadata.creationTimestamp`.
    pub created: Timestamp,
    /// End of its grace period, once deletion was asked.
    pub deleted: Option<Timestamp>,
    /// Why it has no node.
    pub unscheduled_reason: Option<UnscheduledReason>,
    /// Effective requests (`pods` is 1).
    pub requests: Resources,
    /// Effective limits.
    pub limits: Resources,
    /// Measured usage, while pod metrics are polled.
    pub usage: Option<Usage>,
    /// Why it is unscheduled: the scheduler's text or the container's waiting reason; may be empty.
    pub note: &'a str,
    /// What it demands of a node, while it has none.
    pub placement: Option<&'a Placement>,
    /// The scheduler removes it to make room for another pod.
    pub preempted: bool,
}

impl Pods {
    pub(super) fn new() -> Self {
        Self { unscheduled: NO_POD, ..Self::default() }
    }

    pub(super) fn find(&self, key: &PodKey) -> Option<u32> {
        let namespace = self.namespaces.find(&key.namespace)?;
        let hash = hash_of((namespace, key.name.as_str()));
        self.index
            .find(hash, |slot| {
                self.slots[*slot as usize].as_ref().is_some_and(|p| p.namespace == namespace && p.name == key.name)
            })
            .copied()
    }

    pub(super) fn get(&self, slot: u32) -> Option<&Stored> {
        self.slots.get(slot as usize).and_then(Option::as_ref)
    }

    pub(super) fn get_mut(&mut self, slot: u32) -> Option<&mut Stored> {
        self.slots.get_mut(slot as usize).and_then(Option::as_mut)
    }

    /// Stores a pod that is not there yet, outside every chain. The caller links it and adds its sums.
    pub(super) fn insert(&mut self, mut pod: Pod, generation: u32) -> u32 {
        let placement = wanted(&mut pod);
        let grouped = placement.as_ref().is_some_and(|p| !p.group.is_empty());
        let stored = self.stored(pod, grouped, generation);
        let hash = hash_of((stored.namespace, stored.name.as_str()));
        let slot = self.free.pop().unwrap_or_else(|| {
            self.slots.push(None);
            self.slots.len() as u32 - 1
        });
        self.slots[slot as usize] = Some(stored);
        let slots = &self.slots;
        self.index.insert_unique(hash, slot, |s| {
            slots[*s as usize].as_ref().map_or(0, |p| hash_of((p.namespace, p.name.as_str())))
        });
        self.len += 1;
        self.place(slot, placement);
        slot
    }

    /// Notes what a pod demands of a node; none for a bound pod.
    fn place(&mut self, slot: u32, placement: Option<Placement>) {
        let id = placement.map(|placement| self.placements.take(placement));
        let old = match id {
            Some(id) => self.placement_of.insert(slot, id),
            None if self.placement_of.is_empty() => None,
            None => self.placement_of.remove(&slot),
        };
        if let Some(old) = old {
            self.placements.release(old);
        }
    }

    /// Takes a pod out. The caller has unlinked it and taken its sums back.
    pub(super) fn remove(&mut self, slot: u32) {
        let Some(pod) = self.slots[slot as usize].take() else { return };
        let hash = hash_of((pod.namespace, pod.name.as_str()));
        if let Ok(entry) = self.index.find_entry(hash, |s| *s == slot) {
            entry.remove();
        }
        self.release(&pod);
        self.place(slot, None);
        self.free.push(slot);
        self.len -= 1;
        self.give_back();
    }

    /// Once most pods are gone, their room is given back.
    fn give_back(&mut self) {
        if self.len == 0 && self.slots.len() > 1024 {
            self.slots = Vec::new();
            self.free = Vec::new();
            self.index = HashTable::new();
            self.placement_of = FxHashMap::default();
        }
    }

    fn release(&mut self, pod: &Stored) {
        self.namespaces.release(pod.namespace);
        self.owners.release(pod.owner);
        self.notes.release(pod.note);
        self.shapes.release(pod.shape);
    }

    /// Replaces a pod's facts in place; chains and row are kept for the caller to mend.
    pub(super) fn replace(&mut self, slot: u32, mut pod: Pod, generation: u32) {
        let placement = wanted(&mut pod);
        let grouped = placement.as_ref().is_some_and(|p| !p.group.is_empty());
        self.place(slot, placement);
        let mut new = self.stored(pod, grouped, generation);
        let Some(old) = self.slots[slot as usize].take() else { return };
        (new.next, new.prev, new.row) = (old.next, old.prev, old.row);
        self.release(&old);
        self.slots[slot as usize] = Some(new);
    }

    fn stored(&mut self, pod: Pod, grouped: bool, generation: u32) -> Stored {
        let provisioned = if pod.capacity_provisioned.is_empty() { None } else { pod.provisioned() };
        let bound = !pod.node.is_empty();
        let state = match pod.phase {
            _ if pod.deleted.is_some() => PodState::Terminating,
            _ if !bound => PodState::Unscheduled,
            PodPhase::Pending => PodState::Starting,
            PodPhase::Unknown => PodState::Unknown,
            PodPhase::Running | PodPhase::Succeeded | PodPhase::Failed => PodState::Running,
        };
        let (unscheduled_reason, note) = match pod.scheduling {
            _ if bound => (None, pod.waiting),
            Scheduling::Scheduled => (None, pod.waiting),
            Scheduling::Gated => (Some(UnscheduledReason::Gated), Name::default()),
            Scheduling::Error(text) => (Some(UnscheduledReason::SchedulerError), text),
            Scheduling::Group(text) => (Some(UnscheduledReason::Group), text),
            Scheduling::Unseen | Scheduling::Unschedulable(_) if !pod.nominated_node.is_empty() => {
                (Some(UnscheduledReason::Nominated), pod.nominated_node)
            }
            Scheduling::Unseen if grouped => (Some(UnscheduledReason::Group), Name::default()),
            Scheduling::Unseen => (Some(UnscheduledReason::Unseen), Name::default()),
            Scheduling::Unschedulable(text) => (Some(UnscheduledReason::Unschedulable), text),
        };
        let requests = Resources { pods: 1, ..pod.requests.capped() };
        let is_claimed = |(name, _): &(&Name, &u64)| pod.by_claim.contains(name);
        let claimed = requests.extended.iter().filter(is_claimed).map(|(name, amount)| (name.clone(), *amount));
        let shape = Shape {
            claimed: Resources { extended: claimed.collect(), ..Resources::default() },
            requests,
            limits: Resources { pods: 0, ..pod.limits.capped() },
            unread_provision: provisioned.is_none() && !pod.capacity_provisioned.is_empty(),
            provisioned: provisioned.map(|r| r.capped()).unwrap_or_default(),
        };
        Stored {
            name: pod.key.name,
            uid: pod.uid,
            namespace: self.namespaces.take(pod.key.namespace),
            owner: self.owners.take(pod.owner),
            shape: self.shapes.take(shape),
            note: self.notes.take(note),
            row: None,
            next: NO_POD,
            prev: NO_POD,
            generation,
            created: pod.created.as_second(),
            deleted: pod.deleted.map_or(NEVER, Timestamp::as_second),
            state,
            class: pod.class,
            unscheduled_reason,
            preempted: pod.preempted,
        }
    }

    /// (requests with `pods` 1, limits) of a pod in the state's own form.
    pub(super) fn amounts(&self, pod: &Stored) -> (Resources, Resources) {
        let shape = self.shapes.get(pod.shape);
        (shape.requests.clone(), shape.limits.clone())
    }

    pub(super) fn shape(&self, pod: &Stored) -> &Shape {
        self.shapes.get(pod.shape)
    }

    pub(super) fn is_overhead(pod: &Stored) -> bool {
        matches!(pod.class, PodClass::DaemonSet | PodClass::Static)
    }

    pub(super) fn view(&self, slot: u32) -> Option<PodRow<'_>> {
        let pod = self.get(slot)?;
        let namespace = self.namespaces.get(pod.namespace);
        let (requests, limits) = self.amounts(pod);
        // A key is made only where there is something to look up: readings come while a detail shows them.
        let key = || PodKey { namespace: namespace.clone(), name: pod.name.clone() };
        let usage = if self.usage.is_empty() { None } else { self.usage.get(&key()).copied() };
        Some(PodRow {
            namespace,
            name: &pod.name,
            state: pod.state,
            class: pod.class,
            owner: self.owners.get(pod.owner).as_ref(),
            row: pod.row,
            created: Timestamp::from_second(pod.created).unwrap_or_default(),
            deleted: (pod.deleted != NEVER).then(|| Timestamp::from_second(pod.deleted).unwrap_or_default()),
            unscheduled_reason: pod.unscheduled_reason,
            requests,
            limits,
            usage,
            note: self.notes.get(pod.note),
            placement: self.placement_of.get(&slot).map(|id| self.placements.get(*id)),
            preempted: pod.preempted,
        })
    }

    pub(super) fn slots(&self) -> impl Iterator<Item = u32> {
        self.slots.iter().enumerate().filter(|(_, p)| p.is_some()).map(|(i, _)| i as u32)
    }
}

/// Takes out what a pod without a node demands of one.
fn wanted(pod: &mut Pod) -> Option<Placement> {
    pod.placement.take().filter(|_| pod.node.is_empty()).map(|placement| *placement)
}

impl Shape {
    /// Adds the shape into a node's sums.
    pub(super) fn add_to(&self, sums: &mut Sums) {
        sums.requests.add(&self.requests);
        sums.limits.add(&self.limits);
        sums.claimed.add(&self.claimed);
        sums.provisioned.add(&self.provisioned);
        sums.unread_provisions += u64::from(self.unread_provision);
    }

    /// Takes exactly that back.
    pub(super) fn take_from(&self, sums: &mut Sums) {
        sums.requests.subtract(&self.requests);
        sums.limits.subtract(&self.limits);
        sums.claimed.subtract(&self.claimed);
        sums.provisioned.subtract(&self.provisioned);
        sums.unread_provisions = sums.unread_provisions.saturating_sub(u64::from(self.unread_provision));
    }

    /// Adds only the requests (a node's overhead share).
    pub(super) fn add_requests(&self, requests: &mut Resources) {
        requests.add(&self.requests);
    }

    /// Takes only the requests back.
    pub(super) fn take_requests(&self, requests: &mut Resources) {
        requests.subtract(&self.requests);
    }
}
