use super::*;
use crate::model::{Stream, key};
use crate::source::sim::fold::PlainFold;
use crate::source::sim::later;
use proptest::prelude::*;

fn start() -> Timestamp {
    "2026-11-24T09:00:00Z".parse().unwrap()
}

fn options(seed: u64, nodes: Option<usize>) -> Options {
    Options { seed, nodes, speed: Speed::default() }
}

/// Plays a number of seconds in steps of half a second, and calls `look` after each.
fn watch(options: Options, seconds: i64, mut look: impl FnMut(i64, &PlainFold)) -> PlainFold {
    let mut fleet = Fleet::new(options, start());
    let mut fold = PlainFold::default();
    for tick in 0..=seconds * 2 {
        fold.apply(&fleet.step(later(start(), tick * 500)));
        fold.check_capacity();
        look(tick / 2, &fold);
    }
    fold
}

#[test]
fn the_same_seed_gives_the_same_changes() {
    for nodes in [None, Some(5)] {
        let play = |seed| {
            let mut fleet = Fleet::new(options(seed, nodes), start());
            (0..150).map(|s| fleet.step(later(start(), s * 1000))).collect::<Vec<_>>()
        };
        assert_eq!(play(3), play(3));
        assert_ne!(play(3), play(4));
    }
}

#[test]
fn the_size_of_a_step_does_not_matter() {
    let mut one = Fleet::new(options(3, None), start());
    let mut many = Fleet::new(options(3, None), start());
    let whole = one.step(later(start(), 90_000));
    let parts: Vec<Change> = (0..=900).flat_map(|t| many.step(later(start(), t * 100))).collect();
    assert_eq!(whole, parts);
}

/// When the parts of the story happened, in seconds.
#[derive(Debug, Default)]
struct Seen {
    first_pod: Option<i64>,
    first_node: Option<i64>,
    limit: Option<i64>,
    most_nodes: usize,
    empty_again: Option<i64>,
    again: Option<i64>,
}

#[test]
fn the_story_is_complete_for_every_seed() {
    for seed in 0..6 {
        let mut seen = Seen::default();
        let fold = watch(options(seed, None), 310, |second, p| {
            if !p.pods.is_empty() {
                seen.first_pod.get_or_insert(second);
            }
            if !p.nodes.is_empty() {
                seen.first_node.get_or_insert(second);
            }
            if p.events_with_reason("InsufficientCapacityError").next().is_some() {
                seen.limit.get_or_insert(second);
            }
            seen.most_nodes = seen.most_nodes.max(p.nodes.len());
            if second > 182 && p.nodes.is_empty() && p.claims.is_empty() {
                seen.empty_again.get_or_insert(second);
            }
            if seen.empty_again.is_some() && !p.nodes.is_empty() {
                seen.again.get_or_insert(second);
            }
        });
        assert_eq!(fold.context, "demo");
        assert!(seen.first_pod.is_some_and(|s| s <= 2), "seed {seed}: {seen:?}");
        assert!(seen.first_node.is_some_and(|s| s <= 10), "seed {seed}: {seen:?}");
        assert!(seen.limit.is_some_and(|s| (78..100).contains(&s)), "seed {seed}: {seen:?}");
        assert!(seen.most_nodes >= 6, "seed {seed}: {seen:?}");
        assert!(seen.empty_again.is_some_and(|s| s < 270) && seen.again.is_some(), "seed {seed}: {seen:?}");
        let limit = fold.events_with_reason("InsufficientCapacityError").next().unwrap();
        assert!(limit.message.contains("VcpuLimitExceeded") && limit.message.contains("limit of 32 allows"));
        for reason in [
            "FailedScheduling",
            "Nominated",
            "Scheduled",
            "Launched",
            "Registered",
            "Initialized",
            "Ready",
            "Pulled",
            "Started",
            "SpotInterrupted",
            "TerminatingOnInterruption",
            "DisruptionTerminating",
            "Evicted",
            "Finalized",
            "NodeReady",
            "TerminationGracePeriodExpiring",
        ] {
            assert!(fold.events_with_reason(reason).next().is_some(), "seed {seed}: no event {reason}");
        }
        let disrupted: Vec<&str> =
            fold.events_with_reason("DisruptionTerminating").map(|e| e.message.as_str()).collect();
        assert!(disrupted.contains(&"Disrupting Node: Empty"), "seed {seed}: {disrupted:?}");
        assert!(disrupted.contains(&"Disrupting Node: Underutilized"), "seed {seed}: {disrupted:?}");
    }
}

#[test]
fn usage_is_below_requests() {
    let mut last = PlainFold::default().usage;
    let mut before = std::collections::BTreeMap::new();
    let mut most = 0;
    watch(options(1, None), 180, |_, p| {
        let requested: std::collections::BTreeMap<_, _> =
            p.nodes.keys().map(|node| (node.clone(), p.requested(node))).collect();
        if p.usage != last {
            last.clone_from(&p.usage);
            most = most.max(last.len());
            for (node, usage) in &last {
                // Pods may have changed within the half second; the node's agents are added.
                let both =
                    [&before, &requested].map(|r| r.get(node).map_or((0, 0), |r| (r.cpu_millicores, r.memory_bytes)));
                assert!(usage.cpu_millicores <= both[0].0.max(both[1].0) + 50, "{node}");
                assert!(usage.memory_bytes <= both[0].1.max(both[1].1) + (430 << 20), "{node}");
            }
        }
        before = requested;
    });
    assert!(most >= 4, "{most}");
}

#[test]
fn a_fleet_keeps_about_its_size() {
    for size in [1, 3, 60] {
        let mut first = None;
        let fold = watch(options(9, Some(size)), 150, |_, p| {
            first.get_or_insert((p.nodes.len(), p.pods.len()));
        });
        let (nodes, pods) = first.unwrap();
        assert_eq!(nodes, size);
        assert!(pods >= size * 10, "{pods} pods on {size} nodes");
        assert!(Stream::ALL[..6].iter().all(|s| fold.synced.contains(s)));
        assert!(fold.nodes.len() * 2 >= size && fold.nodes.len() <= size * 2 + 4, "{}", fold.nodes.len());
    }
}

#[test]
fn a_fleet_keeps_changing() {
    let fold = watch(options(2, Some(40)), 400, |_, _| {});
    for reason in ["Launched", "SpotInterrupted", "DisruptionTerminating"] {
        assert!(fold.events_with_reason(reason).next().is_some(), "no event {reason}");
    }
    assert!((32..=50).contains(&fold.nodes.len()), "{}", fold.nodes.len());
}

#[test]
fn an_instance_waits_for_its_replacement_before_it_drains() {
    let mut waited = 0;
    let fold = watch(options(8, Some(8)), 300, |_, p| {
        let has_condition = |name: &str, condition| p.claims.get(name).is_some_and(|c| c.is(condition));
        let coming = p.events_with_reason("DisruptionLaunching").any(|e| !has_condition(&e.object.name, "Initialized"));
        let chosen = p.claims.values().any(|c| c.is("DisruptionReason") && c.deleted.is_none());
        waited += usize::from(coming && chosen);
    });
    let announced = fold.events_with_reason("DisruptionLaunching").next().unwrap();
    assert_eq!(announced.message, "Launching NodeClaim: Underutilized");
    assert!(fold.events_with_reason("Initialized").any(|e| e.object == announced.object));
    // Two steps per second: a replacement is initialized after more than five seconds.
    assert!(waited > 10, "{waited}");
}

#[test]
fn a_large_fleet_is_varied() {
    let mut fleet = Fleet::new(options(9, Some(200)), start());
    let mut fold = PlainFold::default();
    fold.apply(&fleet.step(start()));
    let values = |key: &[&str]| {
        let set: std::collections::BTreeSet<_> = fold.nodes.values().filter_map(|n| n.labels.first(key)).collect();
        set.len()
    };
    assert!(values(key::INSTANCE_TYPE) >= 12);
    assert_eq!((values(key::ZONE), values(&[key::NODEPOOL]), values(&[key::CAPACITY_TYPE])), (3, 4, 2));
    assert!(fold.pods.len() > 200 * 27, "{}", fold.pods.len());
}

#[test]
fn a_faster_demo_has_the_same_story() {
    let fast = Options { speed: Speed::times(10.0), ..options(1, None) };
    let fold = watch(fast, 20, |_, _| {});
    assert!(fold.events_with_reason("SpotInterrupted").next().is_some());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20))]

    /// The fold checks for every change that a pod keeps its node, events regard existing objects, and nodes drain first.
    #[test]
    fn every_seed_keeps_the_invariants(seed: u64, nodes in prop_oneof![Just(None), (1_usize..12).prop_map(Some)]) {
        let fold = watch(options(seed, nodes), 240, |_, _| {});
        let failed: std::collections::BTreeSet<_> =
            fold.events_with_reason("InsufficientCapacityError").map(|e| e.object.name.clone()).collect();
        prop_assert!(fold.ended.0.is_subset(&failed), "{:?} were removed without a node or a failure", fold.ended.0);
        for claim in fold.claims.values().filter(|c| c.node_name.is_empty()) {
            let age = later(start(), 240_000).duration_since(claim.created).as_secs();
            prop_assert!(age < 30, "{} is launching for {age}s", claim.name);
        }
        // Times are by the simulated clock.
        prop_assert!(fold.events.iter().all(|e| e.first >= start() && e.last <= later(start(), 240_000)));
    }
}

#[tokio::test(start_paused = true)]
async fn the_player_keeps_time_and_can_be_cancelled() {
    let (sender, mut receiver) = mpsc::channel(64);
    let cancel = CancellationToken::new();
    let begun = tokio::time::Instant::now();
    let mut tasks = super::start(options(1, None), start(), sender, cancel.clone());
    let mut fold = PlainFold::default();
    while fold.nodes.is_empty() {
        let batch = receiver.recv().await.unwrap();
        assert!(batch.len() <= crate::source::sim::play::BATCH);
        fold.apply(&batch);
    }
    let mut pure = Fleet::new(options(1, None), start());
    let mut expected = PlainFold::default();
    let passed = i64::try_from(begun.elapsed().as_millis()).unwrap();
    expected.apply(&pure.step(later(start(), passed)));
    assert_eq!(fold.nodes, expected.nodes);
    assert!((5_000..=10_000).contains(&passed), "{passed}");
    cancel.cancel();
    tasks.join_next().await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_player_ends_without_a_receiver() {
    let (sender, receiver) = mpsc::channel(1);
    drop(receiver);
    let mut tasks = super::start(options(1, Some(3)), start(), sender, CancellationToken::new());
    tasks.join_next().await.unwrap().unwrap();
}
