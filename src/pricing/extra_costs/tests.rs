use super::*;
use crate::model::{Labels, Name, Node, Uid, key};
use crate::pricing::{EksPrices, PriceSheet, PriceSource, Prices, VolumePrice};
use test_case::test_case;

fn money(text: &str) -> Money {
    text.parse().unwrap()
}

/// Published prices of Seoul's gp3 and io2; of io1 the GiB alone.
fn book() -> PriceBook {
    let price = |kind: &str, gib: &str, iops: Option<&str>, mibps: Option<&str>| VolumePrice {
        volume_type: kind.into(),
        gib_month: money(gib),
        iops_month: iops.map(money),
        mibps_month: mibps.map(money),
    };
    let mut book = PriceBook::embedded();
    assert!(book.learn(&PriceSheet {
        source: PriceSource::GetProducts,
        region: "ap-northeast-2".into(),
        currency: Currency::Usd,
        fetched: "2026-11-24T08:00:00Z".parse().unwrap(),
        cached: false,
        prices: Prices::Volumes(vec![
            price("gp3", "0.0912", Some("0.0057"), Some("0.0456")),
            price("io2", "0.1278", Some("0.0666"), None),
            price("io1", "0.1278", None, None),
            price("standard", "0.08", None, None),
        ]),
    }));
    book
}

fn class(provisioner: Provisioner, volumes: Vec<Volume>) -> NodeClass {
    NodeClass { name: "default".into(), uid: Uid::new("u"), provisioner, volumes }
}

fn quote(region: &str, volume: Volume) -> VolumesQuote {
    let labels: Labels = [(key::REGION[0], region)].into_iter().collect();
    let node = Node { labels, ..Node::default() };
    let class = class(Provisioner::Karpenter, vec![volume]);
    book().quote_volumes(&Offer::read(Some(&node), None).unwrap(), Ok(&class), None).unwrap()
}

fn volume(kind: &str, size: u64, iops: u64, throughput: u64) -> Volume {
    let some = |n| Some(n).filter(|n| *n > 0);
    Volume {
        volume_type: Name::from(kind),
        size_gib: some(size),
        iops: some(iops),
        throughput: some(throughput),
        root: true,
    }
}

// 20 × 0.0912 ÷ 730; (80 × 0.0912 + 7,000 × 0.0057 + 125 × 0.0456) ÷ 730; (100 × 0.1278 + 4,000 × 0.0666) ÷ 730.
#[test_case(volume("gp3", 20, 0, 0) => "0.002498630")]
#[test_case(volume("gp3", 20, 3_000, 125) => "0.002498630" ; "the free baseline of gp3")]
#[test_case(volume("gp3", 80, 10_000, 250) => "0.072460274" ; "above the baseline")]
#[test_case(volume("io2", 100, 4_000, 0) => "0.382438356" ; "every operation of io2")]
fn a_volume_costs_its_size_and_performance(volume: Volume) -> String {
    let quote = quote("ap-northeast-2", volume);
    assert_eq!(quote.unknown, None);
    quote.known.decimal(9)
}

#[test_case("ap-northeast-2", volume("io2", 100, 64_000, 0) => (Some(Unknown::VolumePerformance), "2.936958904".into()) ;
    "above the first price of io2")]
#[test_case("ap-northeast-2", volume("io1", 100, 4_000, 0) => (Some(Unknown::VolumePerformance), "0.017506849".into()) ;
    "operations without a price")]
#[test_case("ap-northeast-2", volume("standard", 100, 0, 0) => (Some(Unknown::VolumeRequests), "0.010958904".into()) ;
    "billed by request")]
#[test_case("ap-northeast-2", volume("gp3", 0, 0, 0) => (Some(Unknown::VolumeSize), "0.000000000".into()) ; "no size")]
#[test_case("ap-northeast-2", volume("", 20, 0, 0) => (Some(Unknown::VolumeSize), "0.000000000".into()) ; "no type")]
#[test_case("ap-northeast-2", volume("gp2", 20, 0, 0) => (Some(Unknown::VolumeType), "0.000000000".into()) ; "no price")]
#[test_case("eu-west-1", volume("gp3", 20, 0, 0) => (Some(Unknown::VolumeType), "0.000000000".into()) ;
    "never another region's price")]
#[test_case("", volume("gp3", 20, 0, 0) => (Some(Unknown::NoRegion), "0.000000000".into()) ; "no region")]
fn unknown_is_not_zero(region: &str, volume: Volume) -> (Option<Unknown>, String) {
    let quote = quote(region, volume);
    (quote.unknown, quote.known.decimal(9))
}

#[test_case(None, 80 => 80)]
#[test_case(Some(75), 80 => 80 ; "its disks are smaller")]
#[test_case(Some(80), 80 => 80 ; "and as large")]
#[test_case(Some(1_900), 80 => 20 ; "its disks are larger")]
fn auto_mode_gives_a_small_volume_beside_large_local_disks(local: Option<u64>, size: u64) -> u64 {
    let volumes = vec![volume("gp3", 4, 0, 0), Volume { root: false, ..volume("gp3", size, 0, 0) }];
    let sizes = |provisioner| -> Vec<Option<u64>> {
        let class = class(provisioner, volumes.clone());
        class.volumes.iter().map(|volume| launched(volume, &class, local).size_gib).collect()
    };
    assert_eq!(sizes(Provisioner::Karpenter), [Some(4), Some(size)], "Karpenter's are those of the class");
    let sizes = sizes(Provisioner::AutoMode);
    assert_eq!(sizes[0], Some(4));
    sizes[1].unwrap()
}

fn support(tier: &str, support: SupportType, phase: Option<SupportPhase>) -> ClusterSupport {
    ClusterSupport { version: "1.33".into(), tier: Some(tier.into()), support: Some(support), phase }
}

fn text(plane: &ControlPlane) -> String {
    let Some(hourly) = plane.hourly() else { return "—".to_owned() };
    let least = if plane.is_lower_bound() { "≥" } else { "" };
    let estimate = if plane.is_estimated() { "~" } else { "" };
    let extended = plane.if_extended().map(|extended| format!(" ({extended} in extended support)"));
    format!("{least}{estimate}{hourly}{}", extended.unwrap_or_default())
}

fn control_plane(region: &str, support: Option<&ClusterSupport>) -> String {
    text(&PriceBook::embedded().control_plane(region, support))
}

use SupportPhase as Phase;
use SupportType::{Extended as Stays, Standard as Upgraded};

#[test_case("us-east-1", None => "0.10 (0.60 in extended support)" ; "nothing is reported")]
#[test_case("ap-southeast-5", None => "0.10 (0.60 in extended support)" ; "another region whose list was read")]
#[test_case("eu-west-1", None => "~0.10 (0.60 in extended support)" ; "a region whose list was not read")]
#[test_case("us-east-1", Some(&support("standard", Upgraded, None)) => "0.10" ; "upgraded in time")]
#[test_case("us-east-1", Some(&support("standard", Stays, None)) => "0.10 (0.60 in extended support)" ;
    "which support depends on the date")]
#[test_case("us-east-1", Some(&support("standard", Stays, Some(Phase::Standard))) => "0.10" ; "not yet")]
#[test_case("us-east-1", Some(&support("standard", Stays, Some(Phase::Extended))) => "0.60" ; "by now")]
#[test_case("us-east-1", Some(&support("tier-xl", Upgraded, None)) => "1.75")]
#[test_case("us-east-1", Some(&support("tier-2xl", Upgraded, None)) => "3.50")]
#[test_case("us-east-1", Some(&support("tier-4xl", Upgraded, None)) => "7.00")]
#[test_case("us-east-1", Some(&support("tier-8xl", Stays, Some(Phase::Extended))) => "14.50" ; "all three")]
#[test_case("us-east-1", Some(&support("tier-16xl", Upgraded, None)) => "≥0.10" ; "a tier without a price")]
#[test_case("us-gov-west-1", Some(&support("standard", Upgraded, None)) => "~0.10" ; "GovCloud")]
#[test_case("cn-north-1", None => "—" ; "dollars are not yuan")]
#[test_case("us-east-1", Some(&ClusterSupport::default()) => "0.10 (0.60 in extended support)" ; "an empty answer")]
fn the_price_of_a_control_plane(region: &str, support: Option<&ClusterSupport>) -> String {
    control_plane(region, support)
}

#[test]
fn the_price_list_comes_before_embedded_figures() {
    let mut book = PriceBook::embedded();
    let eks = EksPrices {
        cluster: Some(money("0.12")),
        extended_support: Some(money("0.48")),
        tiers: vec![("16XL".into(), money("27.80"))],
        ..EksPrices::default()
    };
    assert!(book.learn(&PriceSheet {
        source: PriceSource::EksList,
        region: "eu-west-1".into(),
        currency: Currency::Usd,
        fetched: "2026-11-24T08:00:00Z".parse().unwrap(),
        cached: false,
        prices: Prices::Eks(eks),
    }));
    assert_eq!(text(&book.control_plane("eu-west-1", None)), "0.12 (0.60 in extended support)");
    let wide = support("tier-16xl", Stays, Some(Phase::Extended));
    assert_eq!(text(&book.control_plane("eu-west-1", Some(&wide))), "28.40");
    let source = book.control_plane("eu-west-1", None).cluster.unwrap().origin.source;
    assert_eq!(source, PriceSource::EksList);
    assert_eq!(text(&book.control_plane("eu-central-1", None)), "~0.10 (0.60 in extended support)");
}
