//! The demo, folded into the state: its content without a network.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use nodeglass::cluster::Cluster;
use nodeglass::model::Timestamp;
use nodeglass::pricing::{ExtraCosts, PriceBook, Unknown};
use nodeglass::source::demo::{self, Fleet, Options};
use nodeglass::source::sim::Speed;
use nodeglass::units::Money;

fn start() -> Timestamp {
    "2026-11-24T09:00:00Z".parse().unwrap()
}

/// The state of the demo after this number of seconds.
fn state_after(nodes: Option<usize>, seconds: i64) -> Cluster {
    let extra_costs = ExtraCosts { control_plane: true, volumes: true };
    let mut cluster = Cluster::new(Some(PriceBook::embedded())).with_extra_costs(extra_costs);
    cluster.learn(demo::prices(start()));
    let mut fleet = Fleet::new(Options { seed: 3, nodes, speed: Speed::default() }, start());
    for second in 0..=seconds {
        let now = Timestamp::from_second(start().as_second() + second).unwrap();
        for change in fleet.step(now) {
            cluster.apply(change, now);
        }
    }
    cluster
}

#[test]
fn every_node_has_a_price_from_the_start() {
    for (nodes, seconds) in [(Some(400), 0), (None, 70)] {
        let cluster = state_after(nodes, seconds);
        let nodes_with_price = cluster.rows().filter(|row| row.counts());
        let quotes: Vec<_> =
            nodes_with_price.map(|row| (row.name(), row.offer().unwrap(), row.quote().unwrap())).collect();
        assert!(quotes.len() > 5, "{} nodes", quotes.len());
        for (name, offer, quote) in quotes {
            assert!(quote.hourly().is_some(), "{name}: {offer:?} {quote:?}");
        }
    }
}

#[test]
fn spot_nodes_have_savings() {
    let cluster = state_after(Some(100), 0);
    let saved: Vec<_> = cluster.rows().filter_map(|row| row.quote()?.spot_saves()).collect();
    assert!(saved.len() > 10, "{}", saved.len());
    assert!(saved.iter().all(|money| money.nanos() > 0));
}

/// The size of Auto Mode's system volume is not published; the data volume has a size and a price.
#[test]
fn extra_costs_have_a_price() {
    let cluster = state_after(Some(40), 0);
    let plane = cluster.control_plane().unwrap();
    let price = plane.hourly().unwrap().to_string();
    assert_eq!(
        (price.as_str(), plane.is_estimated(), plane.if_extended()),
        ("0.10", false, None),
        "in standard support"
    );
    let mut volumes = 0;
    for quote in cluster.rows().filter_map(|row| row.volumes_quote()) {
        assert_eq!(quote.parts.len(), 2, "{quote:?}");
        assert_eq!(quote.unknown, Some(Unknown::VolumeSize));
        assert!(quote.known > Money::ZERO, "{quote:?}");
        volumes += 1;
    }
    assert!(volumes >= 40, "{volumes} nodes");
}
