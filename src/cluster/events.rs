//! The event log: a bounded ring, without repeats, newest last.
//!
//! An entry is one (component, type, object, reason, message); its count is the sum over the Event objects that say so,
//! so a list that is read again adds nothing. Entries that differ only in their object, also where its name stands in the
//! message, form a group: ninety-one pods waiting for the same reason are one line, and so are seven pods assigned to one
//! node. The log remembers longer than the API server's hour and forgets the oldest when it is full.

use super::{KarpenterMessage, Lane};
use crate::model::{Event, EventKind, Name, ObjectRef, PodKey, Timestamp, Uid};
use rustc_hash::{FxHashMap, FxHashSet};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// How many entries are kept.
const CAPACITY: usize = 5_000;
/// How many Event objects of one entry are counted apart; beyond, the largest count is kept.
const SOURCES: usize = 32;
/// How many pods of one failed launch are kept: more than fit on a node.
const PODS: usize = 1_000;

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct GroupKey {
    kind: EventKind,
    component: Name,
    reason: Name,
    object_kind: Name,
    /// The message with [`ELSE`] where it names the object.
    message: String,
}

/// Stands in a group's message where each of its events names its own object.
const ELSE: &str = "…";
/// A shorter name may stand in a message by chance.
const NAME_LENGTH: usize = 3;

/// A message without the name of its object: what the events of a group have in common.
fn common(message: &str, object: &ObjectRef) -> String {
    let message = without_hints(message);
    let message = message.as_ref();
    if object.name.len() < NAME_LENGTH || !message.contains(object.name.as_str()) {
        return message.to_owned();
    }
    let qualified = format!("{}/{}", object.namespace, object.name);
    message.replace(&qualified, ELSE).replace(object.name.as_str(), ELSE)
}

/// A message without Karpenter's guess at what a label was meant to be, ` (typo of "…"?)`: it differs from try to try
/// (`pkg/scheduling/requirements.go`, `labelHint`, goes over a map).
fn without_hints(message: &str) -> Cow<'_, str> {
    const HINT: &str = " (typo of \"";
    let mut parts = message.split(HINT);
    let first = parts.next().unwrap_or_default();
    let rest: Vec<&str> = parts.map(|part| part.split_once("\"?)").map_or("", |(_, after)| after)).collect();
    if rest.is_empty() { Cow::Borrowed(message) } else { Cow::Owned(format!("{first}{}", rest.concat())) }
}

/// A longer message is shortened.
const MESSAGE_BYTES: usize = 4096;
/// Of each error in it at least this is kept: room for the words that name a cause and a nodepool.
const ERROR_BYTES: usize = 120;
/// And no message is kept beyond this.
const MESSAGE_BYTES_AT_MOST: usize = 16 * 1024;

/// A message of bounded length. Karpenter joins an error for each nodepool by `; ` and cuts nothing (13 KB with 16
/// nodepools were seen): each error is shortened, so that none is lost.
fn bounded(message: String) -> String {
    if message.len() <= MESSAGE_BYTES {
        return message;
    }
    let errors = message.split("; ").count();
    let each = (MESSAGE_BYTES / errors).max(ERROR_BYTES);
    let short: Vec<Cow<'_, str>> = message.split("; ").map(|error| shortened(error, each)).collect();
    shortened(&short.join("; "), MESSAGE_BYTES_AT_MOST).into_owned()
}

/// The beginning of a text that is longer than `most` bytes, with a mark.
fn shortened(text: &str, most: usize) -> Cow<'_, str> {
    if text.len() <= most {
        return Cow::Borrowed(text);
    }
    let end = (0..=most.saturating_sub(ELSE.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    Cow::Owned(format!("{}{ELSE}", text.get(..end).unwrap_or_default()))
}

/// How much of a launch's error is compared: Karpenter cuts the whole message at 1024 bytes, and the two that tell of one
/// failure begin differently.
const LAUNCH_ERROR_BYTES: usize = 850;

/// A launch that failed for lack of capacity.
#[derive(Debug, PartialEq, Eq)]
struct LaunchFailure<'a> {
    claim: &'a str,
    error: &'a str,
    /// The pod that the claim was for, where the event is on it.
    pod: Option<PodKey>,
}

/// The failed launch that an event reports. Karpenter reports it on the claim and, since 1.15, on each pod the claim was for
/// (`pkg/controllers/nodeclaim/lifecycle/events.go`).
fn launch_failure(event: &Event) -> Option<LaunchFailure<'_>> {
    if event.reason != "InsufficientCapacityError" {
        return None;
    }
    let message = KarpenterMessage::parse(&event.message);
    let (_, claim) = message.object.filter(|(kind, _)| *kind == "NodeClaim")?;
    let object = &event.object;
    let pod = match (object.kind.as_str(), message.is_failed_nomination) {
        ("Pod", true) => Some(PodKey::new(&object.namespace, &object.name)),
        ("NodeClaim", false) if object.name == claim => None,
        _ => return None,
    };
    Some(LaunchFailure { claim, error: message.text, pod })
}

/// Place of an entry: the millisecond it last happened, then a number that no other entry has or had.
type Order = (i64, u64);

#[derive(Debug)]
struct Entry {
    group: u64,
    object: ObjectRef,
    message: String,
    counts: Vec<(Uid, u32)>,
    /// The pods that a failed launch was for, with the time of the newest event on each.
    pods: Vec<(PodKey, Timestamp)>,
    first: Timestamp,
    last: Timestamp,
    order: Order,
}

impl Entry {
    fn count(&self) -> u64 {
        let own: u64 = self.counts.iter().filter(|(uid, _)| !uid.is_none()).map(|(_, n)| u64::from(*n)).sum();
        // What came without a uid repeats what the Event objects say.
        self.counts.iter().filter(|(uid, _)| uid.is_none()).map(|(_, n)| u64::from(*n)).fold(own, u64::max)
    }

    /// Adds a pod that a failed launch was for; true if that is new.
    fn add_pod(&mut self, pod: PodKey, at: Timestamp) -> bool {
        let room = self.pods.len() < PODS;
        match self.pods.iter_mut().find(|(known, _)| *known == pod) {
            Some((_, known)) => at > std::mem::replace(known, at.max(*known)),
            None if room => {
                self.pods.push((pod, at));
                true
            }
            None => false,
        }
    }
}

#[derive(Debug)]
struct Group {
    key: GroupKey,
    lane: Lane,
    /// Entries by order; the last is the newest.
    members: BTreeMap<Order, u64>,
    count: u64,
    first: Timestamp,
}

/// A set of objects that events are about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ObjectSet {
    /// Names by namespace.
    pods: FxHashMap<Name, FxHashSet<Name>>,
    /// Names of objects without a namespace, by kind.
    others: FxHashMap<Name, FxHashSet<Name>>,
}

impl ObjectSet {
    /// Adds an object without a namespace.
    pub fn add(&mut self, kind: &str, name: &str) {
        self.others.entry(kind.into()).or_default().insert(name.into());
    }

    /// Adds a pod.
    pub fn add_pod(&mut self, namespace: &str, name: &str) {
        self.pods.entry(namespace.into()).or_default().insert(name.into());
    }

    fn has_pod(&self, namespace: &str, name: &str) -> bool {
        self.pods.get(namespace).is_some_and(|names| names.contains(name))
    }

    fn has(&self, object: &ObjectRef) -> bool {
        match object.kind.as_str() {
            "Pod" => self.has_pod(&object.namespace, &object.name),
            kind => self.others.get(kind).is_some_and(|names| names.contains(object.name.as_str())),
        }
    }
}

/// Which lines a reader wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventQuery {
    /// Only this lane; none is every lane but [`Lane::Chatter`].
    pub lane: Option<Lane>,
    /// One line for entries that differ only in their object.
    pub collapse: bool,
    /// Only events of these objects. A failed launch is an event of the claim and of each pod that it was for.
    pub objects: Option<ObjectSet>,
}

impl Default for EventQuery {
    fn default() -> Self {
        Self { lane: None, collapse: true, objects: None }
    }
}

impl EventQuery {
    fn wants(&self, lane: Lane, kind: EventKind) -> bool {
        match self.lane {
            None => lane != Lane::Chatter,
            Some(Lane::Warn) => lane == Lane::Warn || kind == EventKind::Warning,
            Some(wanted) => lane == wanted,
        }
    }

    fn names(&self, entry: &Entry) -> bool {
        let pod_is_in = |set: &ObjectSet| entry.pods.iter().any(|(pod, _)| set.has_pod(&pod.namespace, &pod.name));
        self.objects.as_ref().is_none_or(|set| set.has(&entry.object) || pod_is_in(set))
    }
}

/// One line of the pane.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventLine<'a> {
    /// Stable identity of the line (of its group, or of its entry when not collapsed).
    pub id: u64,
    /// Normal or Warning.
    pub kind: EventKind,
    /// Topic.
    pub lane: Lane,
    /// Reason, may be empty.
    pub reason: &'a str,
    /// Full message.
    pub message: &'a str,
    /// Who says so.
    pub component: &'a str,
    /// The (newest) object.
    pub object: &'a ObjectRef,
    /// How many objects the line stands for.
    pub objects: usize,
    /// The pods that a failed launch was for, with the time of the newest event on each (Karpenter since 1.15). Of the
    /// newest object alone.
    pub pods: &'a [(PodKey, Timestamp)],
    /// How often it happened in all.
    pub count: u64,
    /// First time.
    pub first: Timestamp,
    /// Last time.
    pub last: Timestamp,
}

impl<'a> EventLine<'a> {
    fn new(id: u64, group: &'a Group, newest: &'a Entry) -> Self {
        Self {
            id,
            kind: group.key.kind,
            lane: group.lane,
            reason: &group.key.reason,
            message: &newest.message,
            component: &group.key.component,
            object: &newest.object,
            objects: 1,
            pods: &newest.pods,
            count: newest.count(),
            first: newest.first,
            last: newest.last,
        }
    }
}

/// The ring of events.
#[derive(Debug, Default)]
pub struct EventLog {
    entries: FxHashMap<u64, Entry>,
    by_key: FxHashMap<(u64, ObjectRef), u64>,
    /// The entry that each Event object speaks for.
    by_uid: FxHashMap<Uid, u64>,
    groups: FxHashMap<u64, Group>,
    group_by_key: FxHashMap<GroupKey, u64>,
    order: BTreeMap<Order, u64>,
    group_order: BTreeMap<Order, u64>,
    next: u64,
    arrivals: u64,
}

impl EventLog {
    /// Files an event; true when the picture changed (a list read again changes nothing).
    pub(super) fn add(&mut self, mut event: Event) -> bool {
        let mut pod = None;
        if let Some(failure) = launch_failure(&event) {
            let claim = Name::from(failure.claim);
            let message = format!("NodeClaim {claim} event: {}", shortened(failure.error, LAUNCH_ERROR_BYTES));
            pod = failure.pod;
            event.message = message;
            if pod.is_some() {
                // A pod's copy counts with the claim's event. All copies share the place of an object without a uid.
                event.object = ObjectRef { kind: "NodeClaim".into(), namespace: Name::default(), name: claim };
                (event.uid, event.count) = (Uid::default(), 1);
            }
        }
        event.message = bounded(event.message);
        let lane = Lane::of(&event);
        let key = GroupKey {
            kind: event.kind,
            component: event.component,
            reason: event.reason,
            object_kind: event.object.kind.clone(),
            message: common(&event.message, &event.object),
        };
        let group_id = match self.group_by_key.get(&key) {
            Some(id) => *id,
            None => {
                let id = self.fresh();
                self.group_by_key.insert(key.clone(), id);
                self.groups.insert(id, Group { key, lane, members: BTreeMap::new(), count: 0, first: event.first });
                id
            }
        };
        let count = event.count.max(1);
        let known = self.by_key.get(&(group_id, event.object.clone())).copied();
        self.take_over(event.uid, known);
        let Some(entry_id) = known else {
            let id = self.fresh();
            if !event.uid.is_none() {
                self.by_uid.insert(event.uid, id);
            }
            let order = (event.last.as_millisecond(), id);
            let entry = Entry {
                group: group_id,
                object: event.object.clone(),
                message: event.message,
                counts: vec![(event.uid, count)],
                pods: pod.map(|pod| (pod, event.last)).into_iter().collect(),
                first: event.first,
                last: event.last,
                order,
            };
            self.by_key.insert((group_id, event.object), id);
            self.order.insert(order, id);
            self.entries.insert(id, entry);
            self.regroup(group_id, |group| {
                group.members.insert(order, id);
                group.count += u64::from(count);
                group.first = group.first.min(event.first);
            });
            self.arrivals += 1;
            self.evict();
            return true;
        };
        let fresh = self.fresh();
        let Some(entry) = self.entries.get_mut(&entry_id) else { return false };
        let before = (entry.count(), entry.last, entry.first);
        match entry.counts.iter().position(|(uid, _)| *uid == event.uid) {
            Some(at) => entry.counts[at].1 = entry.counts[at].1.max(count),
            None if entry.counts.len() < SOURCES => {
                entry.counts.push((event.uid, count));
                if !event.uid.is_none() {
                    self.by_uid.insert(event.uid, entry_id);
                }
            }
            None => {
                if let Some((_, last)) = entry.counts.last_mut() {
                    *last = (*last).max(count);
                }
            }
        }
        let new_pod = pod.is_some_and(|pod| entry.add_pod(pod, event.last));
        entry.last = entry.last.max(event.last);
        entry.first = entry.first.min(event.first);
        let after = (entry.count(), entry.last, entry.first);
        if before == after {
            return new_pod;
        }
        let old = entry.order;
        entry.order = (entry.last.as_millisecond(), if entry.last == before.1 { old.1 } else { fresh });
        let (new, first) = (entry.order, entry.first);
        self.order.remove(&old);
        self.order.insert(new, entry_id);
        self.regroup(group_id, |group| {
            group.members.remove(&old);
            group.members.insert(new, entry_id);
            group.count = group.count + after.0 - before.0;
            group.first = group.first.min(first);
        });
        self.arrivals += u64::from(after.0 > before.0);
        true
    }

    /// An Event object that says something else than before no longer says what it said: the API server folds similar
    /// events into one object, whose message is the newest and whose count is that of all (client-go
    /// `tools/record/events_cache.go`).
    fn take_over(&mut self, uid: Uid, by: Option<u64>) {
        let Some(id) = self.by_uid.get(&uid).copied().filter(|id| Some(*id) != by) else { return };
        self.by_uid.remove(&uid);
        let Some(entry) = self.entries.get_mut(&id) else { return };
        let before = entry.count();
        entry.counts.retain(|(source, _)| *source != uid);
        let (taken, group, order) = (before - entry.count(), entry.group, entry.order);
        let gone = if entry.counts.is_empty() { self.entries.remove(&id) } else { None };
        if let Some(entry) = &gone {
            self.by_key.remove(&(entry.group, entry.object.clone()));
            self.order.remove(&order);
        }
        self.regroup(group, |group| {
            group.count = group.count.saturating_sub(taken);
            if gone.is_some() {
                group.members.remove(&order);
            }
        });
    }

    fn fresh(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    /// Changes a group and keeps its place in the order of groups, which is that of its newest member.
    fn regroup(&mut self, id: u64, change: impl FnOnce(&mut Group)) {
        let Some(group) = self.groups.get_mut(&id) else { return };
        if let Some((order, _)) = group.members.last_key_value() {
            self.group_order.remove(order);
        }
        change(group);
        match group.members.last_key_value() {
            Some((order, _)) => {
                self.group_order.insert(*order, id);
            }
            None => {
                if let Some(group) = self.groups.remove(&id) {
                    self.group_by_key.remove(&group.key);
                }
            }
        }
    }

    fn evict(&mut self) {
        while self.entries.len() > CAPACITY {
            let Some((order, id)) = self.order.pop_first() else { return };
            let Some(entry) = self.entries.remove(&id) else { return };
            let count = entry.count();
            for (uid, _) in &entry.counts {
                self.by_uid.remove(uid);
            }
            self.by_key.remove(&(entry.group, entry.object));
            self.regroup(entry.group, |group| {
                group.members.remove(&order);
                group.count = group.count.saturating_sub(count);
            });
        }
    }

    /// How many times anything was added: "12 new" is the difference of two readings.
    pub const fn arrivals(&self) -> u64 {
        self.arrivals
    }

    /// Entries kept.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether nothing has happened yet.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The lines a query wants, newest first. Lazy: taking a screenful costs a screenful.
    pub fn lines<'a>(&'a self, query: &'a EventQuery) -> Box<dyn Iterator<Item = EventLine<'a>> + 'a> {
        if query.collapse && query.objects.is_none() {
            Box::new(self.group_order.values().rev().filter_map(move |id| self.group_line(*id, query)))
        } else if query.collapse {
            // Groups narrowed to some objects: the newest matching entry speaks for its group.
            let mut groups = FxHashSet::default();
            Box::new(self.order.values().rev().filter_map(move |id| {
                let entry = self.entries.get(id)?;
                if !query.names(entry) || !groups.insert(entry.group) {
                    return None;
                }
                self.narrowed_line(entry.group, query)
            }))
        } else {
            Box::new(self.order.values().rev().filter_map(move |id| self.entry_line(*id, query)))
        }
    }

    fn group_line<'a>(&'a self, id: u64, query: &EventQuery) -> Option<EventLine<'a>> {
        let group = self.groups.get(&id).filter(|g| query.wants(g.lane, g.key.kind))?;
        let newest = self.entries.get(group.members.last_key_value()?.1)?;
        let line = EventLine::new(id, group, newest);
        let objects = group.members.len();
        let message = if objects > 1 { &group.key.message } else { line.message };
        Some(EventLine { objects, message, count: group.count, first: group.first, ..line })
    }

    fn narrowed_line<'a>(&'a self, id: u64, query: &EventQuery) -> Option<EventLine<'a>> {
        let group = self.groups.get(&id).filter(|g| query.wants(g.lane, g.key.kind))?;
        let mut line: Option<EventLine<'a>> = None;
        for entry in group.members.values().rev().filter_map(|e| self.entries.get(e)) {
            if !query.names(entry) {
                continue;
            }
            match &mut line {
                None => line = Some(EventLine::new(id, group, entry)),
                Some(line) => {
                    line.objects += 1;
                    line.message = &group.key.message;
                    line.count += entry.count();
                    line.first = line.first.min(entry.first);
                }
            }
        }
        line
    }

    fn entry_line<'a>(&'a self, id: u64, query: &EventQuery) -> Option<EventLine<'a>> {
        let entry = self.entries.get(&id)?;
        let group = self.groups.get(&entry.group).filter(|g| query.wants(g.lane, g.key.kind))?;
        query.names(entry).then(|| EventLine::new(id, group, entry))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(uid: u128, pod: &str, message: &str, at: i64, count: u32) -> Event {
        let t = Timestamp::from_second(at).unwrap();
        Event {
            uid: Uid::new(&format!("{uid:032x}")),
            kind: EventKind::Warning,
            reason: "FailedScheduling".into(),
            message: message.into(),
            component: "default-scheduler".into(),
            object: ObjectRef { kind: "Pod".into(), namespace: "default".into(), name: pod.into() },
            first: t,
            last: t,
            count,
        }
    }

    fn shown(log: &EventLog, query: &EventQuery) -> Vec<(String, u64, usize)> {
        log.lines(query).map(|l| (format!("{} {}", l.object.name, l.message), l.count, l.objects)).collect()
    }

    #[test]
    fn repeats_are_one_line_and_a_second_reading_adds_nothing() {
        let mut log = EventLog::default();
        assert!(log.add(event(1, "a", "no cpu", 10, 1)));
        assert!(log.add(event(1, "a", "no cpu", 12, 3)), "the same object counts on");
        assert!(!log.add(event(1, "a", "no cpu", 12, 3)), "read again");
        assert!(log.add(event(2, "a", "no cpu", 20, 2)), "another Event object of the same kind");
        assert_eq!(shown(&log, &EventQuery::default()), [("a no cpu".into(), 5, 1)]);
    }

    #[test]
    fn lines_that_differ_only_in_their_object_collapse() {
        let mut log = EventLog::default();
        for (i, pod) in ["a", "b", "c"].into_iter().enumerate() {
            log.add(event(i as u128 + 1, pod, "no cpu", 10 + i as i64, 1));
        }
        log.add(event(9, "a", "no memory", 11, 1));
        assert_eq!(shown(&log, &EventQuery::default()), [("c no cpu".into(), 3, 3), ("a no memory".into(), 1, 1)]);
        let plain = EventQuery { collapse: false, ..EventQuery::default() };
        assert_eq!(shown(&log, &plain).len(), 4);
        let mut objects = ObjectSet::default();
        objects.add_pod("default", "a");
        let of_a = EventQuery { objects: Some(objects), ..EventQuery::default() };
        assert_eq!(shown(&log, &of_a), [("a no memory".into(), 1, 1), ("a no cpu".into(), 1, 1)]);
    }

    #[test]
    fn a_repeat_in_the_second_of_another_event_hides_neither() {
        let mut log = EventLog::default();
        log.add(event(1, "a", "no cpu", 10, 1));
        log.add(event(2, "b", "no disk", 20, 1));
        log.add(event(1, "a", "no cpu", 20, 2));
        for collapse in [true, false] {
            let query = EventQuery { collapse, ..EventQuery::default() };
            assert_eq!(shown(&log, &query), [("a no cpu".into(), 2, 1), ("b no disk".into(), 1, 1)]);
        }
    }

    #[test]
    fn an_event_object_whose_message_changes_stays_one_line() {
        let mut log = EventLog::default();
        log.add(event(1, "web", "Created pod: web-a", 10, 1));
        log.add(event(2, "web", "Created pod: web-b", 11, 1));
        for n in 2..12 {
            let message = format!("(combined from similar events): Created pod: web-{n}");
            assert!(log.add(event(2, "web", &message, 10 + i64::from(n), n)));
        }
        let lines = shown(&log, &EventQuery::default());
        assert_eq!(lines.len(), 2, "{lines:?}");
        assert_eq!((lines[0].1, lines[1].1), (11, 1), "{lines:?}");
        assert_eq!((log.len(), log.groups.len(), log.by_uid.len()), (2, 2, 2));
    }

    #[test]
    fn the_name_of_the_object_in_a_message_does_not_keep_lines_apart() {
        let mut log = EventLog::default();
        for (i, pod) in ["web-1", "web-2"].into_iter().enumerate() {
            let message = format!("Successfully assigned default/{pod} to node-a");
            log.add(event(i as u128 + 1, pod, &message, 10 + i as i64, 1));
        }
        assert_eq!(shown(&log, &EventQuery::default()), [("web-2 Successfully assigned … to node-a".into(), 2, 2)]);
        let plain = EventQuery { collapse: false, ..EventQuery::default() };
        assert_eq!(shown(&log, &plain)[0].0, "web-2 Successfully assigned default/web-2 to node-a");
    }

    fn launch(uid: u128, kind: &str, name: &str, message: &str, at: i64) -> Event {
        let namespace = if kind == "Pod" { "default" } else { "" };
        let object = ObjectRef { kind: kind.into(), namespace: namespace.into(), name: name.into() };
        Event { reason: "InsufficientCapacityError".into(), object, ..event(uid, name, message, at, 1) }
    }

    #[test]
    fn a_failed_launch_is_one_line_and_one_count() {
        let error = format!("insufficient capacity, {}", "x".repeat(2000));
        let cut = |text: String| format!("{}...", text.chars().take(1021).collect::<String>());
        let of_claim = launch(1, "NodeClaim", "web-1", &cut(format!("NodeClaim web-1 event: {error}")), 10);
        let of_pod = |uid, pod: &str| {
            let text = format!("NodeClaim web-1 nominated for this pod failed to launch: {error}");
            launch(uid, "Pod", pod, &cut(text), 11)
        };
        let events = [of_claim, of_pod(2, "a"), of_pod(3, "b")];
        for order in [[0, 1, 2], [1, 0, 2], [2, 1, 0]] {
            let mut log = EventLog::default();
            for i in order {
                log.add(events[i].clone());
            }
            let query = EventQuery::default();
            let lines: Vec<EventLine<'_>> = log.lines(&query).collect();
            assert_eq!(lines.len(), 1, "{lines:?}");
            assert_eq!((lines[0].object.kind.as_str(), lines[0].object.name.as_str()), ("NodeClaim", "web-1"));
            assert_eq!((lines[0].count, lines[0].objects), (1, 1));
            assert!(lines[0].message.starts_with("NodeClaim web-1 event: insufficient capacity, xxx"));
        }
    }

    #[test]
    fn a_failed_launch_is_an_event_of_the_pods_it_was_for() {
        let text = "NodeClaim web-1 nominated for this pod failed to launch: insufficient capacity";
        let mut log = EventLog::default();
        assert!(log.add(launch(1, "NodeClaim", "web-1", "NodeClaim web-1 event: insufficient capacity", 12)));
        for (uid, pod) in [(2, "a"), (3, "b")] {
            assert!(log.add(launch(uid, "Pod", pod, text, 11)), "another pod");
            assert!(!log.add(launch(uid, "Pod", pod, text, 11)), "read again");
        }
        let lines = |pod: &str, collapse| {
            let mut objects = ObjectSet::default();
            objects.add_pod("default", pod);
            let query = EventQuery { objects: Some(objects), collapse, ..EventQuery::default() };
            shown(&log, &query)
        };
        for collapse in [true, false] {
            let line = ("web-1 NodeClaim web-1 event: insufficient capacity".into(), 1, 1);
            assert_eq!((lines("b", collapse), lines("c", collapse)), (vec![line], vec![]));
        }
    }

    #[test]
    fn event_objects_beyond_those_told_apart_leave_nothing_behind() {
        let mut log = EventLog::default();
        for uid in 1..=1_000 {
            log.add(event(uid, "a", "no cpu", 10, 1));
        }
        assert_eq!(log.by_uid.len(), SOURCES);
        for i in 0..CAPACITY {
            log.add(event(0, &format!("p{i}"), "x", 20 + i as i64, 1));
        }
        assert!(log.by_uid.is_empty(), "{} are kept", log.by_uid.len());
    }

    #[test]
    fn a_guess_at_a_label_does_not_keep_lines_apart() {
        let mut log = EventLog::default();
        for (i, hint) in
            [" (typo of \"kubernetes.io/os\"?)", "", " (typo of \"topology.kubernetes.io/zone\"?)"].iter().enumerate()
        {
            let text =
                format!("Failed to schedule pod, label \"s\" does not have known values{hint}; no instance type fits");
            log.add(event(i as u128 + 1, "a", &text, 10 + i as i64, 1));
        }
        let query = EventQuery::default();
        let lines: Vec<_> = log.lines(&query).map(|line| (line.count, line.objects)).collect();
        assert_eq!(lines, [(3, 1)]);
        assert_eq!(without_hints("a (typo of \"b\"?) c (typo of \"d\"?)"), "a c");
    }

    #[test]
    fn a_long_message_keeps_the_beginning_of_each_error() {
        let error = |n| format!("no instance type met all requirements (pool {n}: {})", "é".repeat(400));
        let text = (0..16).map(error).collect::<Vec<_>>().join("; ");
        assert!(text.len() > 12_000);
        let kept = bounded(text);
        assert!(kept.len() <= MESSAGE_BYTES + 2 * 16, "{}", kept.len());
        assert!((0..16).all(|n| kept.contains(&format!("(pool {n}: "))));
        assert!(bounded("x; ".repeat(1 << 20)).len() <= MESSAGE_BYTES_AT_MOST);
        assert_eq!(bounded("short; text".into()), "short; text");
    }

    #[test]
    fn a_full_log_forgets_the_oldest() {
        let mut log = EventLog::default();
        for i in 0..CAPACITY + 10 {
            log.add(event(i as u128 + 1, &format!("p{i}"), "x", i as i64, 1));
        }
        assert_eq!(log.len(), CAPACITY);
        let query = EventQuery::default();
        let line = log.lines(&query).next().unwrap();
        assert_eq!((line.objects, line.count), (CAPACITY, CAPACITY as u64));
        assert_eq!(log.by_key.len(), CAPACITY);
        assert_eq!(log.groups.len(), 1);
    }
}
