use super::*;
use crate::model::{ClaimRequirement, Labels, Node, NodeClaim, Timestamp};
use crate::pricing::{AsOf, DiscountOn, EksPrices, Prices, SpotPrice};
use crate::units::Currency;
use test_case::test_case;

const TYPE: (&str, &str) = ("node.kubernetes.io/instance-type", "c5a.large");
const REGION: (&str, &str) = ("topology.kubernetes.io/region", "ap-northeast-2");
const ZONE: (&str, &str) = ("topology.kubernetes.io/zone", "ap-northeast-2b");
const ON_DEMAND: (&str, &str) = ("karpenter.sh/capacity-type", "on-demand");
const SPOT: (&str, &str) = ("karpenter.sh/capacity-type", "spot");
const RESERVED: (&str, &str) = ("karpenter.sh/capacity-type", "reserved");
const ODCR: (&str, &str) = ("karpenter.k8s.aws/capacity-reservation-type", "default");
const BLOCK: (&str, &str) = ("karpenter.k8s.aws/capacity-reservation-type", "capacity-block");
const AUTO: (&str, &str) = ("eks.amazonaws.com/compute-type", "auto");
const WINDOWS: (&str, &str) = ("kubernetes.io/os", "windows");
const DEDICATED: (&str, &str) = ("karpenter.k8s.aws/instance-tenancy", "dedicated");
const OUTPOST: (&str, &str) = ("topology.k8s.aws/outpost-id", "op-0123456789abcdef0");
const PRICE: (&str, &str) = ("eks-node-viewer/instance-price", "0.019003");

type Pairs<'a> = &'a [(&'a str, &'a str)];

fn labels(pairs: Pairs) -> Labels {
    pairs.iter().copied().collect()
}

/// A node with these labels alone.
fn node(pairs: Pairs) -> Node {
    Node { labels: labels(pairs), ..Node::default() }
}

/// An on-demand c5a.large in Seoul, with these labels on top.
fn seoul(pairs: Pairs) -> Node {
    node(&[&[TYPE, REGION, ZONE, ON_DEMAND], pairs].concat())
}

fn claim(provider_id: &str, pairs: Pairs) -> NodeClaim {
    NodeClaim { labels: labels(pairs), provider_id: provider_id.into(), ..NodeClaim::default() }
}

fn offer(node: &Node) -> Offer {
    Offer::read(Some(node), None).unwrap()
}

fn price(node: &Node) -> Quote {
    PriceBook::embedded().quote(&offer(node), &FargatePods::default())
}

/// The quote of a launched claim without its node.
fn quote_claim(book: &PriceBook, claim: &NodeClaim) -> Quote {
    book.quote(&Offer::read(None, Some(claim)).unwrap(), &FargatePods::default())
}

fn usd(text: &str) -> Money {
    text.parse().unwrap()
}

fn list(quote: &Quote) -> Option<Money> {
    quote.list.map(|list| list.amount)
}

/// The cell of the table and, for what has no price, the reason.
fn cell(quote: &Quote) -> (String, Option<Unknown>) {
    (quote.label(5), quote.unknown())
}

fn priced(label: &str) -> (String, Option<Unknown>) {
    (label.to_owned(), None)
}

fn unpriced(label: &str, why: Unknown) -> (String, Option<Unknown>) {
    (label.to_owned(), Some(why))
}

// One row per line of the decision, in its order; each row but the last also carries what a later line would match.
#[test_case(&[PRICE, SPOT, AUTO] => priced("0.01900*") ; "label before all else, no fee on it")]
#[test_case(&[("eks-node-viewer/instance-price", "inf")] => priced("0.08600") ; "a bad label is ignored")]
#[test_case(&[("eks.amazonaws.com/compute-type", "fargate"), SPOT] => unpriced("—", Unknown::FargateSize) ; "fargate")]
#[test_case(&[("eks.amazonaws.com/compute-type", "hybrid"), SPOT] => unpriced("—", Unknown::Hybrid) ; "hybrid")]
#[test_case(&[OUTPOST, SPOT] => priced("prepaid") ; "outpost")]
#[test_case(&[RESERVED, BLOCK] => priced("prepaid") ; "capacity block of karpenter")]
#[test_case(&[("karpenter.sh/capacity-type", ""), ("eks.amazonaws.com/capacityType", "CAPACITY_BLOCK")] => priced("prepaid") ; "capacity block of a node group")]
#[test_case(&[RESERVED, ODCR] => priced("0.08600R") ; "reserved")]
#[test_case(&[RESERVED, ("eks.amazonaws.com/capacity-reservation-type", "default")] => priced("0.08600R") ; "reserved in auto mode's words")]
#[test_case(&[RESERVED] => priced("0.08600R?") ; "reserved, of an unlabelled kind")]
#[test_case(&[SPOT] => unpriced("≤0.08600", Unknown::Spot) ; "spot")]
#[test_case(&[] => priced("0.08600") ; "on demand")]
#[test_case(&[("karpenter.sh/capacity-type", "")] => priced("0.08600?") ; "no capacity type")]
#[test_case(&[AUTO] => priced("0.09632") ; "auto on demand")]
#[test_case(&[AUTO, SPOT] => unpriced("≤0.09632", Unknown::Spot) ; "auto spot")]
#[test_case(&[AUTO, RESERVED, ODCR] => priced("0.09632R") ; "auto reserved")]
#[test_case(&[AUTO, RESERVED, BLOCK] => priced("prepaid+0.01032") ; "auto in a block")]
#[test_case(&[AUTO, OUTPOST] => unpriced("—", Unknown::Fee) ; "auto on an outpost")]
#[test_case(&[WINDOWS] => unpriced("—", Unknown::Windows) ; "windows")]
#[test_case(&[WINDOWS, RESERVED] => unpriced("—", Unknown::Windows) ; "windows reserved")]
#[test_case(&[WINDOWS, SPOT] => unpriced("—", Unknown::Spot) ; "windows spot")]
#[test_case(&[DEDICATED] => unpriced("—", Unknown::Tenancy) ; "dedicated")]
#[test_case(&[("karpenter.k8s.aws/instance-tenancy", "default")] => priced("0.08600") ; "shared tenancy by label")]
fn first_match_wins(pairs: Pairs) -> (String, Option<Unknown>) {
    cell(&price(&seoul(pairs)))
}

#[test_case(&[REGION, ZONE, ON_DEMAND] => unpriced("—", Unknown::NoInstanceType) ; "no type")]
#[test_case(&[TYPE, ON_DEMAND] => unpriced("—", Unknown::NoRegion) ; "no place")]
#[test_case(&[TYPE, REGION, ON_DEMAND] => priced("0.08600") ; "no zone")]
#[test_case(&[TYPE, ZONE, ON_DEMAND] => priced("0.08600") ; "region from the zone")]
#[test_case(&[TYPE, REGION, ZONE] => priced("0.08600?") ; "no capacity type")]
#[test_case(&[("beta.kubernetes.io/instance-type", "c5a.large"), ("failure-domain.beta.kubernetes.io/region", "ap-northeast-2"), ON_DEMAND] => priced("0.08600") ; "old type and region keys")]
#[test_case(&[TYPE, ("failure-domain.beta.kubernetes.io/zone", "ap-northeast-2a"), ON_DEMAND] => priced("0.08600") ; "old zone key")]
#[test_case(&[TYPE, REGION, ("beta.kubernetes.io/os", "windows"), ON_DEMAND] => unpriced("—", Unknown::Windows) ; "old os key")]
#[test_case(&[("node.kubernetes.io/instance-type", "m9x.large"), REGION, ON_DEMAND] => unpriced("—", Unknown::Type) ; "unknown type")]
#[test_case(&[TYPE, ("topology.kubernetes.io/region", "ap-east-2"), ON_DEMAND] => unpriced("—", Unknown::Region) ; "unknown region")]
#[test_case(&[TYPE, ("topology.kubernetes.io/zone", "test-zone-a"), ON_DEMAND] => unpriced("—", Unknown::NoRegion) ; "kwok")]
#[test_case(&[] => unpriced("—", Unknown::NoInstanceType) ; "no label at all")]
fn each_label_may_be_missing_or_spelled_the_old_way(pairs: Pairs) -> (String, Option<Unknown>) {
    cell(&price(&node(pairs)))
}

#[test_case("c5a.large" => ("0.086".to_owned(), "0.01032".to_owned(), "0.09632".to_owned()))]
#[test_case("c5a.2xlarge" => ("0.344".to_owned(), "0.04128".to_owned(), "0.38528".to_owned()))]
fn auto_mode_has_instance_price_and_fee(instance_type: &str) -> (String, String, String) {
    let quote = price(&seoul(&[("node.kubernetes.io/instance-type", instance_type), AUTO]));
    let (instance, fee) = quote.known();
    assert_eq!(
        (quote.mark, quote.source(), quote.instance.origin.as_of),
        (Mark::Exact, PriceSource::Embedded, AsOf::Month("2025-03"))
    );
    (instance.to_string(), fee.decimal(5), quote.hourly().unwrap().decimal(5))
}

#[test]
fn an_unknown_region_takes_no_price_of_another() {
    for region in ["ap-east-2", "ap-southeast-6", "cn-north-1", "us-iso-east-1", "mars-north-1", ""] {
        let quote = price(&node(&[
            ("node.kubernetes.io/instance-type", "m5.large"),
            ("topology.kubernetes.io/region", region),
        ]));
        assert_eq!((quote.hourly(), quote.known()), (None, (Money::ZERO, Money::ZERO)), "{region}");
        assert_eq!((quote.mark, quote.source()), (Mark::Unknown, PriceSource::None), "{region}");
    }
    // A type that only other regions have is as unknown as one that none has.
    let elsewhere =
        node(&[("node.kubernetes.io/instance-type", "p5.48xlarge"), ("topology.kubernetes.io/region", "me-south-1")]);
    assert_eq!(cell(&price(&elsewhere)), unpriced("—", Unknown::Type));
}

#[test]
fn region_comes_from_the_node() {
    let m5 = |region, zone, provider_id: &str| {
        let pairs = [
            ("node.kubernetes.io/instance-type", "m5.large"),
            ("topology.kubernetes.io/region", region),
            ("topology.kubernetes.io/zone", zone),
            ON_DEMAND,
        ];
        let node = Node { provider_id: provider_id.into(), ..node(&pairs) };
        price(&node).label(3)
    };
    // Two regions in one cluster, each with its own price.
    assert_eq!(m5("us-east-1", "us-east-1a", ""), "0.096");
    assert_eq!(m5("ap-northeast-1", "ap-northeast-1a", ""), "0.124");
    // Label, else zone, else provider id.
    assert_eq!(m5("", "ap-northeast-1a", "aws:///us-east-1a/i-0"), "0.124");
    assert_eq!(m5("", "", "aws:///us-east-1a/i-0"), "0.096");
    assert_eq!(m5("", "", "aws:////i-0"), "—");
}

#[test]
fn spot_zone_without_price_is_unknown() {
    let quote = price(&seoul(&[SPOT]));
    assert_eq!(quote.instance.amount, Amount::AtMost(usd("0.086"), Unknown::Spot));
    assert_eq!((quote.hourly(), quote.known(), list(&quote)), (None, (Money::ZERO, Money::ZERO), Some(usd("0.086"))));
    assert_eq!((quote.mark, quote.unknown()), (Mark::Bound, Some(Unknown::Spot)));
    // Where not even the bound is known.
    let quote = price(&seoul(&[SPOT, ("node.kubernetes.io/instance-type", "m9x.large")]));
    assert_eq!((quote.instance.amount, quote.list), (Amount::Unknown(Unknown::Spot), None));
}

#[test]
fn the_fee_in_a_local_zone_is_an_estimate() {
    let lax = [
        ("node.kubernetes.io/instance-type", "c5.12xlarge"),
        ("topology.kubernetes.io/zone", "us-west-2-lax-1a"),
        ON_DEMAND,
        AUTO,
    ];
    assert_eq!(cell(&price(&node(&lax))), priced("~2.74176"), "2.448 and 12 % of it, not of the parent region's price");
}

#[test]
fn the_fee_of_a_spot_node_without_a_price_is_known() {
    let quote = price(&seoul(&[SPOT, AUTO]));
    assert_eq!(quote.known(), (Money::ZERO, usd("0.01032")));
    assert_eq!(quote.hourly(), None);
}

#[test]
fn auto_fee_uses_the_nodes_region() {
    let fee = |region| price(&seoul(&[AUTO, ("topology.kubernetes.io/region", region)])).known().1.to_string();
    assert_eq!(fee("ap-northeast-2"), "0.01032");
    assert_eq!(fee("us-east-1"), "0.00924");
    assert_eq!(fee("ap-northeast-1"), "0.01152");
    assert_eq!(fee("cn-north-1"), "0.00", "not known there");
}

#[test]
fn an_unknown_fee_leaves_the_instance_price_as_a_lower_bound() {
    // Auto Mode has no fee for types this small.
    let quote = price(&seoul(&[AUTO, ("node.kubernetes.io/instance-type", "t3.micro")]));
    assert_eq!(
        (quote.instance.amount, quote.fee.map(|fee| fee.amount)),
        (Amount::Known(usd("0.013")), Some(Amount::Unknown(Unknown::Fee)))
    );
    assert_eq!((quote.hourly(), quote.known()), (None, (usd("0.013"), Money::ZERO)));
    assert_eq!((quote.label(4).as_str(), quote.mark), ("≥0.0130", Mark::Unknown));
}

#[test]
fn a_fee_on_an_estimate_or_by_an_unverified_share_is_an_estimate() {
    let book = PriceBook::embedded();
    assert!(book.on_demand("ap-northeast-2", "c8g.large").is_ok_and(|price| price.estimated), "the test's premise");
    let quote = price(&seoul(&[("node.kubernetes.io/instance-type", "c8g.large"), AUTO]));
    assert_eq!((quote.mark, quote.source()), (Mark::Estimated, PriceSource::EmbeddedEstimate));
    assert!(quote.label(4).starts_with('~'));
    // The price of the instance is published, the share of its fee is unverified.
    let quote = price(&seoul(&[("node.kubernetes.io/instance-type", "inf1.xlarge"), AUTO]));
    assert_eq!((quote.mark, quote.source()), (Mark::Estimated, PriceSource::Embedded));
}

#[test]
fn every_capacity_type_is_priced_or_explained() {
    for capacity_type in CapacityType::ALL {
        let pairs: Pairs = match capacity_type {
            CapacityType::OnDemand => &[],
            CapacityType::Spot => &[SPOT],
            CapacityType::Reserved => &[RESERVED],
            CapacityType::CapacityBlock => &[RESERVED, BLOCK],
            CapacityType::Fargate => &[("eks.amazonaws.com/compute-type", "fargate")],
            CapacityType::Unknown => &[("karpenter.sh/capacity-type", "")],
        };
        let node = seoul(pairs);
        assert_eq!(offer(&node).capacity_type, capacity_type);
        let quote = price(&node);
        assert_eq!(quote.hourly().is_none(), quote.unknown().is_some(), "{capacity_type}: priced or explained");
    }
    let block = price(&seoul(&[RESERVED, BLOCK]));
    assert_eq!((block.hourly(), list(&block), block.mark), (Some(Money::ZERO), Some(usd("0.086")), Mark::Prepaid));
    // A capacity block is prepaid even if its on-demand price is unknown.
    let block = price(&seoul(&[RESERVED, BLOCK, ("node.kubernetes.io/instance-type", "m9x.large")]));
    assert_eq!((block.hourly(), block.list, block.label(4).as_str()), (Some(Money::ZERO), None, "prepaid"));
}

#[test]
fn windows_node_is_not_priced_as_linux() {
    assert_eq!(cell(&price(&seoul(&[WINDOWS]))), unpriced("—", Unknown::Windows));
    // Before the label is there, the kubelet's own report counts.
    let reported = Node { operating_system: "windows".into(), ..seoul(&[]) };
    assert_eq!(cell(&price(&reported)), unpriced("—", Unknown::Windows));
    assert_eq!(cell(&price(&seoul(&[DEDICATED]))), unpriced("—", Unknown::Tenancy));
}

#[test_case("us-west-2-lax-1a", "c5.12xlarge" => priced("~2.44800") ; "los angeles, in the table")]
#[test_case("us-west-2-lax-1b", "c5.12xlarge" => priced("~2.44800") ; "in all of its zones")]
#[test_case("us-west-2-lax-1a", "c5a.large" => unpriced("—", Unknown::Type) ; "but not of every type")]
#[test_case("us-west-2-phx-2a", "c5.12xlarge" => unpriced("—", Unknown::Zone) ; "phoenix has none")]
#[test_case("us-west-2-wl1-las-wlz-1", "t3.medium" => unpriced("—", Unknown::Zone) ; "wavelength")]
#[test_case("us-west-2a", "c5.12xlarge" => priced("2.04000") ; "the region's own zone")]
fn local_zone_is_not_priced_as_its_region(zone: &str, instance_type: &str) -> (String, Option<Unknown>) {
    let place = [
        ("topology.kubernetes.io/region", "us-west-2"),
        ON_DEMAND,
        ("node.kubernetes.io/instance-type", instance_type),
    ];
    let labelled = price(&node(&[&place[..], &[("topology.kubernetes.io/zone", zone)]].concat()));
    let by_provider_id = Node { provider_id: format!("aws:///{zone}/i-0").into(), ..node(&place) };
    assert_eq!(price(&by_provider_id), labelled, "the zone may also come from the provider id");
    cell(&labelled)
}

#[test]
fn yuan_is_never_shown_as_dollar() {
    let china = ("topology.kubernetes.io/region", "cn-northwest-1");
    assert_eq!(price(&seoul(&[china])).currency, Currency::Cny);
    let set = price(&seoul(&[china, PRICE]));
    assert_eq!((set.currency, set.hourly()), (Currency::Cny, Some(usd("0.019003"))));
    assert_eq!(price(&seoul(&[PRICE])).currency, Currency::Usd);
}

#[test_case("us-east-1" => (Currency::Usd, priced("0.09600")) ; "commercial")]
#[test_case("us-gov-west-1" => (Currency::Usd, priced("0.12100")) ; "govcloud")]
#[test_case("cn-north-1" => (Currency::Cny, unpriced("—", Unknown::Region)) ; "china")]
#[test_case("us-iso-east-1" => (Currency::Usd, unpriced("—", Unknown::Region)) ; "isolated")]
#[test_case("us-isob-east-1" => (Currency::Usd, unpriced("—", Unknown::Region)) ; "isolated b")]
#[test_case("eu-isoe-west-1" => (Currency::Usd, unpriced("—", Unknown::Region)) ; "isolated e")]
#[test_case("eusc-de-east-1" => (Currency::Usd, unpriced("—", Unknown::Region)) ; "european sovereign cloud")]
fn every_partition_has_a_price_rule(region: &str) -> (Currency, (String, Option<Unknown>)) {
    let quote = price(&node(&[
        ("node.kubernetes.io/instance-type", "m5.large"),
        ("topology.kubernetes.io/region", region),
        ON_DEMAND,
    ]));
    (quote.currency, cell(&quote))
}

/// A price is a function of the node and the book: quoted again it is the same, and while labels arrive one by one
/// it never passes through "unknown" once it was known.
#[test]
fn a_known_price_never_becomes_unknown_while_labels_arrive() {
    let arriving = [TYPE, REGION, ZONE, ON_DEMAND, ("karpenter.sh/initialized", "true")];
    let mut was_known = false;
    for count in 0..=arriving.len() {
        let node = node(&arriving[..count]);
        let quote = price(&node);
        assert_eq!(price(&node), quote);
        assert!(quote.hourly().is_some() || !was_known, "known, then unknown at {count} labels");
        was_known |= quote.hourly().is_some();
    }
    assert!(was_known);
    // A reservation that ends on a live node: one price, then the other.
    assert_eq!(price(&seoul(&[RESERVED, ODCR])).label(4), "0.0860R");
    assert_eq!(price(&seoul(&[ON_DEMAND])).label(4), "0.0860");
}

#[test]
fn the_node_class_of_a_launched_claim_decides_the_fee() {
    let book = PriceBook::embedded();
    let launched = NodeClaim {
        node_class_group: "eks.amazonaws.com".into(),
        ..claim("aws:///ap-northeast-2b/i-0088a4e1b9e73a3c1", &[TYPE, ON_DEMAND])
    };
    // The API group of its node class identifies an Auto Mode claim before any label of a node does.
    assert_eq!(quote_claim(&book, &launched).known(), (usd("0.086"), usd("0.01032")));
    let own = NodeClaim { node_class_group: "karpenter.k8s.aws".into(), ..launched };
    assert_eq!(quote_claim(&book, &own).fee, None);
}

#[test]
fn a_requirement_with_one_value_counts_as_a_label() {
    let require = |key: &str, values: &[&str]| ClaimRequirement {
        key: key.into(),
        operator: "In".into(),
        values: values.iter().map(|value| (*value).into()).collect(),
        count: values.len() as u32,
    };
    let id = "aws:///ap-northeast-2b/i-0088a4e1b9e73a3c1";
    let spot = require("karpenter.sh/capacity-type", &["spot"]);
    let either = require("karpenter.sh/capacity-type", &["spot", "on-demand"]);
    let quote = |requirement| {
        let claim = NodeClaim { requirements: vec![requirement], ..claim(id, &[TYPE]) };
        quote_claim(&PriceBook::embedded(), &claim).label(4)
    };
    assert_eq!((quote(spot), quote(either)), ("≤0.0860".to_owned(), "0.0860?".to_owned()));
}

#[test]
fn a_claim_has_the_labels_that_its_node_does_not_have_yet() {
    let claim = claim("aws:///ap-northeast-2b/i-0088a4e1b9e73a3c1", &[TYPE, ZONE, SPOT, AUTO]);
    let book = PriceBook::embedded();
    let bare = node(&[]);
    let joined = |node| book.quote(&Offer::read(Some(node), Some(&claim)).unwrap(), &FargatePods::default());
    assert_eq!(joined(&bare), quote_claim(&book, &claim));
    // The node's own labels come first: its reservation or spot label may have changed since.
    assert_eq!(joined(&seoul(&[])).label(5), "0.09632");
}

#[test]
fn a_fargate_node_is_identified_by_its_name_until_it_has_labels() {
    let early = Node { name: "fargate-ip-10-0-0-3.ap-northeast-2.compute.internal".into(), ..node(&[REGION]) };
    assert_eq!(cell(&price(&early)), unpriced("—", Unknown::FargateSize));
    assert_eq!(offer(&early).capacity_type, CapacityType::Fargate);
    let named_so = Node { name: "fargate-like".into(), ..seoul(&[]) };
    assert_eq!(cell(&price(&named_so)), priced("0.08600"));
}

#[test]
fn a_node_priced_by_size_needs_no_type() {
    let pods = FargatePods {
        given: 1,
        given_cpu_millicores: 250,
        given_memory_bytes: 512 << 20,
        pods: 1,
        ..FargatePods::default()
    };
    let mut node = node(&[REGION, ("eks.amazonaws.com/compute-type", "fargate")]);
    assert_eq!(cell(&PriceBook::embedded().quote(&offer(&node), &pods)), priced("0.01420"));
    node.labels = labels(&[REGION, ("eks.amazonaws.com/compute-type", "hybrid")]);
    node.capacity.cpu_millicores = 15_500;
    let quote = PriceBook::embedded().quote(&offer(&node), &pods);
    assert_eq!(cell(&quote), unpriced("≤0.32000", Unknown::HybridTier));
    assert_eq!((quote.mark, quote.known()), (Mark::Bound, (Money::ZERO, Money::ZERO)));
}

#[test]
fn a_hybrid_node_is_identified_by_its_provider_id() {
    let hybrid = Node { provider_id: "eks-hybrid:///cn-north-1/demo/edge-1".into(), ..node(&[]) };
    let quote = price(&hybrid);
    assert_eq!((cell(&quote), quote.currency), (unpriced("—", Unknown::Hybrid), Currency::Cny));
    assert_eq!(offer(&hybrid).region.as_deref(), Some("cn-north-1"));
}

/// A hybrid node, with the first tier's price of a vCPU-hour if it was fetched.
fn hybrid(region: Option<&str>, fetched: Option<&str>, cpu_millicores: u64) -> Quote {
    let mut book = PriceBook::embedded();
    book.learn(&PriceSheet {
        source: PriceSource::EksList,
        region: "eu-west-1".into(),
        currency: Currency::Usd,
        fetched: Timestamp::UNIX_EPOCH,
        cached: false,
        prices: Prices::Eks(EksPrices { hybrid_vcpu: fetched.map(usd), ..EksPrices::default() }),
    });
    let compute_type = ComputeType::Hybrid;
    let offer = Offer { region: region.map(Into::into), compute_type, cpu_millicores, ..Offer::default() };
    book.quote(&offer, &FargatePods::default())
}

#[test_case(Some("eu-west-1"), 16_000 => unpriced("≤0.32000", Unknown::HybridTier))]
#[test_case(Some("eu-west-1"), 0 => unpriced("—", Unknown::Hybrid) ; "of unknown size")]
#[test_case(Some("us-gov-west-1"), 16_000 => unpriced("—", Unknown::Hybrid) ; "another partition")]
#[test_case(None, 16_000 => unpriced("—", Unknown::NoRegion) ; "without a region")]
#[test_case(Some("eu-west-1"), u64::MAX => unpriced("≤9223372036.85477", Unknown::HybridTier) ; "absurd, but no panic")]
fn the_first_tier_bounds_the_price(region: Option<&str>, cpu_millicores: u64) -> (String, Option<Unknown>) {
    cell(&hybrid(region, None, cpu_millicores))
}

#[test]
fn a_bound_adds_nothing_and_a_fetched_price_comes_first() {
    let quote = hybrid(Some("eu-west-1"), Some("0.021"), 4_000);
    assert_eq!((quote.hourly(), quote.known().0), (None, Money::ZERO));
    assert_eq!((quote.label(3).as_str(), quote.source()), ("≤0.084", PriceSource::EksList));
    assert_eq!(quote.basis, Some(Basis::Hybrid { vcpu: 4, vcpu_price: usd("0.021") }));
}

// === the user's own terms ===

const RULE: &str = "-28%";

/// A book with discounts: each an `on` and an edit of a rule of 28 % off.
fn discounted(rules: &[DiscountRule]) -> PriceBook {
    PriceBook::embedded().with_terms(PriceTerms { file: None, rules: rules.to_vec() })
}

fn off(on: DiscountOn, edit: impl FnOnce(&mut DiscountRule)) -> DiscountRule {
    let mut rule = DiscountRule { on, ..DiscountRule::new(RULE.parse().unwrap()) };
    edit(&mut rule);
    rule
}

fn with_file(text: &str) -> PriceBook {
    let file = PriceFile::parse("prices.csv", text).unwrap();
    PriceBook::embedded().with_terms(PriceTerms { file: Some(file), rules: vec![off(DiscountOn::All, |_| ())] })
}

fn ask(book: &PriceBook, node: &Node) -> Quote {
    book.quote(&offer(node), &FargatePods::default())
}

// 0.086 × 0.72 = 0.06192; the fee is 0.01032, 28 % off it 0.0074304.
#[test_case(&[], DiscountOn::Instance => ("0.06192*".to_owned(), Some("0.086".to_owned()), None) ; "on demand")]
#[test_case(&[AUTO], DiscountOn::Instance => ("0.07224*".to_owned(), Some("0.086".to_owned()), None) ; "the fee is left")]
#[test_case(&[AUTO], DiscountOn::Fee => ("0.09343*".to_owned(), None, Some("0.01032".to_owned())) ; "the fee alone")]
#[test_case(&[AUTO], DiscountOn::All => ("0.06935*".to_owned(), Some("0.086".to_owned()), Some("0.01032".to_owned())) ; "both")]
#[test_case(&[RESERVED, ODCR], DiscountOn::Instance => ("0.06192R".to_owned(), Some("0.086".to_owned()), None) ; "reserved")]
#[test_case(&[SPOT], DiscountOn::Instance => ("≤0.06192*".to_owned(), Some("0.086".to_owned()), None) ; "a bound is lowered")]
#[test_case(&[WINDOWS], DiscountOn::Instance => ("—".to_owned(), None, None) ; "unknown stays unknown")]
#[test_case(&[RESERVED, BLOCK], DiscountOn::All => ("prepaid".to_owned(), None, None) ; "prepaid is left")]
#[test_case(&[RESERVED, BLOCK, AUTO], DiscountOn::All => ("prepaid+0.00743".to_owned(), None, Some("0.01032".to_owned())) ; "the fee of what is prepaid")]
#[test_case(&[PRICE], DiscountOn::All => ("0.01900*".to_owned(), None, None) ; "a label is left")]
#[test_case(&[("node.kubernetes.io/instance-type", "c8g.large")], DiscountOn::Instance => ("~0.06463*".to_owned(), Some("0.08976".to_owned()), None) ; "an estimate stays one")]
fn a_discount_lowers_list_prices_only(pairs: Pairs, on: DiscountOn) -> (String, Option<String>, Option<String>) {
    let list = price(&seoul(pairs));
    let quote = ask(&discounted(&[off(on, |_| ())]), &seoul(pairs));
    assert!(quote.known().0 <= list.known().0 && quote.known().1 <= list.known().1);
    let before = |part: fn(&crate::pricing::Discount) -> Option<Money>| {
        quote.discount.as_ref().and_then(part).map(|money| money.to_string())
    };
    (quote.label(5), before(|d| d.instance_before), before(|d| d.fee_before))
}

#[test]
fn the_first_rule_that_matches_is_the_only_one() {
    let rules = [
        off(DiscountOn::Fee, |rule| rule.factor = "0.5".parse().unwrap()),
        off(DiscountOn::Instance, |rule| rule.family = Some("m5*".parse().unwrap())),
        off(DiscountOn::Instance, |rule| rule.capacity = Some(CapacityType::OnDemand)),
        off(DiscountOn::Instance, |rule| rule.factor = "0".parse().unwrap()),
    ];
    let book = discounted(&rules);
    let applied = |pairs| ask(&book, &seoul(pairs)).discount.map(|d| (d.rule, d.factor_millionths));
    assert_eq!(applied(&[]), Some((2, 720_000)), "a rule on the fee does not match a node without one");
    assert_eq!(applied(&[AUTO]), Some((0, 500_000)));
    assert_eq!(applied(&[("node.kubernetes.io/instance-type", "m5d.large")]), Some((1, 720_000)));
    assert_eq!(applied(&[RESERVED]), Some((3, 0)));
    assert_eq!(ask(&book, &seoul(&[RESERVED, ODCR])).label(4), "0.0000R");
    assert_eq!(applied(&[PRICE]), None);
}

#[test]
fn spot_savings_do_not_depend_on_the_discount() {
    let pool = ("karpenter.sh/nodepool", "general");
    let rule = off(DiscountOn::Instance, |rule| rule.nodepool = Some("gen*".parse().unwrap()));
    let mut book = discounted(std::slice::from_ref(&rule));
    let quote = ask(&book, &seoul(&[SPOT, pool]));
    assert_eq!((list(&quote), quote.discount.map(|d| d.rule)), (Some(usd("0.086")), Some(0)));
    // On-demand price = spot savings + discount + price: nothing is counted twice.
    let spot = SpotPrice { instance_type: "c5a.large".into(), zone: None, os: Os::Linux, amount: usd("0.0369") };
    book.learn(&PriceSheet {
        source: PriceSource::SpotFeed,
        region: "ap-northeast-2".into(),
        currency: Currency::Usd,
        fetched: Timestamp::UNIX_EPOCH,
        cached: false,
        prices: Prices::Spot(vec![spot]),
    });
    let quote = ask(&book, &seoul(&[SPOT, pool]));
    let (saves, discount) = (quote.spot_saves().unwrap(), quote.discount.unwrap());
    assert_eq!((quote.hourly(), saves), (Some(usd("0.026568")), usd("0.0491")));
    assert_eq!(saves + (discount.instance_before.unwrap() - usd("0.026568")) + usd("0.026568"), usd("0.086"));
    assert_eq!(ask(&discounted(&[rule]), &seoul(&[SPOT])).discount, None, "another nodepool, or none");
}

#[test]
fn a_row_of_the_price_file_comes_before_all_other_prices() {
    let book = with_file("region,instance_type,capacity,usd_per_hour\n,c5a.large,,0.05\n,,spot,0.01\n");
    for pairs in [&[][..], &[PRICE], &[AUTO], &[WINDOWS], &[OUTPOST], &[RESERVED, BLOCK], &[DEDICATED]] {
        let quote = ask(&book, &seoul(pairs));
        assert_eq!((quote.label(4).as_str(), quote.mark), ("0.0500*", Mark::Override), "{pairs:?}");
        assert_eq!((quote.price_row, quote.source()), (Some(0), PriceSource::PriceFile));
        assert_eq!((quote.fee, quote.discount), (None, None), "for the whole node, without a discount");
    }
    let other = [("node.kubernetes.io/instance-type", "m5.large")];
    assert_eq!(ask(&book, &seoul(&[&other[..], &[SPOT]].concat())).price_row, Some(1));
    assert_eq!(ask(&book, &seoul(&other)).price_row, None);
    let china = seoul(&[("topology.kubernetes.io/region", "cn-north-1"), ("topology.kubernetes.io/zone", "")]);
    assert_eq!(ask(&book, &china).currency, Currency::Cny, "the amount is in what the region is billed in");
}

proptest::proptest! {
    /// For any rules the price is not above the list price, and quoted again it is the same.
    #[test]
    fn no_set_of_rules_raises_a_price(
        rules in proptest::collection::vec((0_u32..=1_000_000, 0_usize..3, 0_usize..4), 0..6),
        kind in 0_usize..8,
    ) {
        let kinds: [Pairs; 8] =
            [&[], &[AUTO], &[SPOT], &[SPOT, AUTO], &[RESERVED], &[RESERVED, BLOCK, AUTO], &[OUTPOST], &[PRICE]];
        let rules: Vec<DiscountRule> = rules
            .into_iter()
            .map(|(millionths, on, family)| {
                let factor = format!("{}.{:06}", millionths / 1_000_000, millionths % 1_000_000);
                off(DiscountOn::ALL[on], |rule| {
                    rule.factor = factor.parse().unwrap();
                    rule.family = ["c5*", "m5", "*"].get(family).map(|glob| glob.parse().unwrap());
                })
            })
            .collect();
        let book = discounted(&rules);
        let (list, quote) = (price(&seoul(kinds[kind])), ask(&book, &seoul(kinds[kind])));
        proptest::prop_assert_eq!(&ask(&book, &seoul(kinds[kind])), &quote);
        proptest::prop_assert!(quote.known().0 <= list.known().0 && quote.known().1 <= list.known().1);
        proptest::prop_assert_eq!(quote.hourly().is_some(), list.hourly().is_some());
        if let Some(discount) = quote.discount {
            let before = discount.instance_before;
            let is_list = before.is_none_or(|before| match list.instance.amount {
                Amount::Known(amount) | Amount::AtMost(amount, _) => amount == before,
                Amount::Unknown(_) => false,
            });
            proptest::prop_assert!(is_list);
        }
    }
}
