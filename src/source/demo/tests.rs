use super::*;
use crate::model::{Stream, key};
use crate::source::sim::later;
use crate::source::sim::picture::Picture;
use proptest::prelude::*;

fn start() -> Timestamp {
    "2026-11-24T09:00:00Z".parse().unwrap()
}

fn options(seed: u64, nodes: Option<usize>) -> Options {
    Options { seed, nodes, speed: Speed::default() }
}

/// Plays so many seconds, half a second a step, looking after each.
fn watch(options: Options, seconds: i64, mut look: impl FnMut(i64, &Picture)) -> Picture {
    let mut fleet = Fleet::new(options, start());
    let mut picture = Picture::default();
    for tick in 0..=seconds * 2 {
        picture.apply(&fleet.step(later(start(), tick * 500)));
        picture.check_room();
        look(tick / 2, &picture);
    }
    picture
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

/// Moments of the story, in seconds.
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
fn the_story_has_all_that_it_promises_whatever_the_seed() {
    for seed in 0..6 {
        let mut seen = Seen::default();
        let picture = watch(options(seed, None), 310, |second, p| {
            if !p.pods.is_empty() {
                seen.first_pod.get_or_insert(second);
            }
            if !p.nodes.is_empty() {
                seen.first_node.get_or_insert(second);
            }
            if p.said("InsufficientCapacityError").next().is_some() {
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
        assert_eq!(picture.context, "demo");
        assert!(seen.first_pod.is_some_and(|s| s <= 2), "seed {seed}: {seen:?}");
        assert!(seen.first_node.is_some_and(|s| s <= 10), "seed {seed}: {seen:?}");
        assert!(seen.limit.is_some_and(|s| (78..100).contains(&s)), "seed {seed}: {seen:?}");
        assert!(seen.most_nodes >= 6, "seed {seed}: {seen:?}");
        assert!(seen.empty_again.is_some_and(|s| s < 270) && seen.again.is_some(), "seed {seed}: {seen:?}");
        let limit = picture.said("InsufficientCapacityError").next().unwrap();
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
            assert!(picture.said(reason).next().is_some(), "seed {seed}: nothing said {reason}");
        }
        let disrupted: Vec<&str> = picture.said("DisruptionTerminating").map(|e| e.message.as_str()).collect();
        assert!(disrupted.contains(&"Disrupting Node: Empty"), "seed {seed}: {disrupted:?}");
        assert!(disrupted.contains(&"Disrupting Node: Underutilized"), "seed {seed}: {disrupted:?}");
    }
}

#[test]
fn usage_stays_below_what_is_requested() {
    let mut last = Picture::default().usage;
    let mut before = std::collections::BTreeMap::new();
    let mut most = 0;
    watch(options(1, None), 180, |_, p| {
        let requested: std::collections::BTreeMap<_, _> =
            p.nodes.keys().map(|node| (node.clone(), p.requested(node))).collect();
        if p.usage != last {
            last.clone_from(&p.usage);
            most = most.max(last.len());
            for (node, usage) in &last {
                // Pods may have come or gone within the half second; the node's own agents come on top.
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
fn a_fleet_begins_with_its_nodes_and_stays_about_them() {
    for size in [1, 3, 60] {
        let mut first = None;
        let picture = watch(options(9, Some(size)), 150, |_, p| {
            first.get_or_insert((p.nodes.len(), p.pods.len()));
        });
        let (nodes, pods) = first.unwrap();
        assert_eq!(nodes, size);
        assert!(pods >= size * 10, "{pods} pods on {size} nodes");
        assert!(Stream::ALL[..6].iter().all(|s| picture.synced.contains(s)));
        assert!(picture.nodes.len() * 2 >= size && picture.nodes.len() <= size * 2 + 4, "{}", picture.nodes.len());
    }
}

#[test]
fn a_fleet_goes_on_living() {
    let picture = watch(options(2, Some(40)), 400, |_, _| {});
    for reason in ["Launched", "SpotInterrupted", "DisruptionTerminating"] {
        assert!(picture.said(reason).next().is_some(), "nothing said {reason}");
    }
    assert!((32..=50).contains(&picture.nodes.len()), "{}", picture.nodes.len());
}

#[test]
fn a_machine_waits_for_its_replacement_before_it_drains() {
    let mut waited = 0;
    let picture = watch(options(8, Some(8)), 300, |_, p| {
        let is = |name: &str, condition| p.claims.get(name).is_some_and(|c| c.is(condition));
        let coming = p.said("DisruptionLaunching").any(|e| !is(&e.object.name, "Initialized"));
        let chosen = p.claims.values().any(|c| c.is("DisruptionReason") && c.deleted.is_none());
        waited += usize::from(coming && chosen);
    });
    let announced = picture.said("DisruptionLaunching").next().unwrap();
    assert_eq!(announced.message, "Launching NodeClaim: Underutilized");
    assert!(picture.said("Initialized").any(|e| e.object == announced.object));
    // Two looks a second: a replacement takes more than five to be initialized.
    assert!(waited > 10, "{waited}");
}

#[test]
fn a_large_fleet_is_varied() {
    let mut fleet = Fleet::new(options(9, Some(200)), start());
    let mut picture = Picture::default();
    picture.apply(&fleet.step(start()));
    let values = |key: &[&str]| {
        let set: std::collections::BTreeSet<_> = picture.nodes.values().filter_map(|n| n.labels.first(key)).collect();
        set.len()
    };
    assert!(values(key::INSTANCE_TYPE) >= 12);
    assert_eq!((values(key::ZONE), values(&[key::NODEPOOL]), values(&[key::CAPACITY_TYPE])), (3, 4, 2));
    assert!(picture.pods.len() > 200 * 27, "{}", picture.pods.len());
}

#[test]
fn faster_is_the_same_story_in_less_time() {
    let fast = Options { speed: Speed::times(10.0), ..options(1, None) };
    let picture = watch(fast, 20, |_, _| {});
    assert!(picture.said("SpotInterrupted").next().is_some());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20))]

    /// The picture checks on every change that a pod keeps its node, events name what was, and nodes drain first.
    #[test]
    fn every_seed_keeps_the_rules_of_a_cluster(seed: u64, nodes in prop_oneof![Just(None), (1_usize..12).prop_map(Some)]) {
        let picture = watch(options(seed, nodes), 240, |_, _| {});
        let failed: std::collections::BTreeSet<_> =
            picture.said("InsufficientCapacityError").map(|e| e.object.name.clone()).collect();
        prop_assert!(picture.ended.0.is_subset(&failed), "{:?} ended as neither node nor failure", picture.ended.0);
        for claim in picture.claims.values().filter(|c| c.node_name.is_empty()) {
            let age = later(start(), 240_000).duration_since(claim.created).as_secs();
            prop_assert!(age < 30, "{} has waited {age}s", claim.name);
        }
        // Times and messages come from the fleet's own clock.
        prop_assert!(picture.events.iter().all(|e| e.first >= start() && e.last <= later(start(), 240_000)));
    }
}

#[tokio::test(start_paused = true)]
async fn the_player_keeps_time_and_ends_when_told() {
    let (sender, mut receiver) = mpsc::channel(64);
    let cancel = CancellationToken::new();
    let begun = tokio::time::Instant::now();
    let mut tasks = super::start(options(1, None), start(), sender, cancel.clone());
    let mut picture = Picture::default();
    while picture.nodes.is_empty() {
        let batch = receiver.recv().await.unwrap();
        assert!(batch.len() <= crate::source::sim::play::BATCH);
        picture.apply(&batch);
    }
    let mut pure = Fleet::new(options(1, None), start());
    let mut expected = Picture::default();
    let passed = i64::try_from(begun.elapsed().as_millis()).unwrap();
    expected.apply(&pure.step(later(start(), passed)));
    assert_eq!(picture.nodes, expected.nodes);
    assert!((5_000..=10_000).contains(&passed), "{passed}");
    cancel.cancel();
    tasks.join_next().await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_player_nobody_listens_to_ends() {
    let (sender, receiver) = mpsc::channel(1);
    drop(receiver);
    let mut tasks = super::start(options(1, Some(3)), start(), sender, CancellationToken::new());
    tasks.join_next().await.unwrap().unwrap();
}
