//! Which published prices are prices of shared tenancy.
//!
//! A dedicated instance costs 1.10 times the price of a shared one, or about 1.06 times in the Graviton families and some
//! others. Two of the publications mix the tenancies:
//!
//! * Karpenter's table has dedicated tenancy for bare metal (`pkg/providers/pricing/pricing.go` requests it): see [`set_back`]
//! * Apache Libcloud has shared tenancy, dedicated tenancy or 0 for each pair, and does not say which: see
//!   [`Evidence::gather`]

use crate::inputs::{List, Pair};
use crate::rows::Row;
use nodeglass::units::Money;
use std::collections::BTreeMap;
use std::ops::RangeInclusive;

/// The price of dedicated tenancy as a multiple of shared tenancy.
const DEDICATED: RangeInclusive<f64> = 1.05..=1.11;
/// The multiples that apply to whole families, the most frequent first.
const MARK_UPS: [f64; 2] = [1.10, 1.06];
/// How far the ratio of a size may be from the common ratio of its family and still be of the same tenancy: AWS rounds the
/// prices of small sizes (`t2.micro` in London is 1.5 % off), and dedicated tenancy begins well above.
const SAME_TENANCY: RangeInclusive<f64> = 0.955..=1.045;
/// Ratios of two families that differ by less are the same.
const SAME_RATIO: f64 = 0.0004;
/// The release of Libcloud that has shared tenancy alone: no zero and no mark-up.
const SHARED_ONLY: &str = "2022-03";
/// The region that all others are compared with, because its prices come from Karpenter.
pub const REFERENCE: &str = "us-east-1";

/// The prices of [`REFERENCE`] by instance type.
pub type Reference = BTreeMap<String, Money>;

/// Dollars as a number, for ratios.
pub fn dollars(money: Money) -> f64 {
    money.nanos() as f64 / 1e9
}

/// The family of an instance type.
pub fn family(instance_type: &str) -> &str {
    instance_type.split_once('.').map_or(instance_type, |(family, _)| family)
}

/// The size of an instance type in 32nds of an `xlarge`; `None` for `metal` without a number.
pub fn weight(instance_type: &str) -> Option<u32> {
    let (_, size) = instance_type.split_once('.')?;
    match size {
        "nano" => Some(1),
        "micro" => Some(2),
        "small" => Some(4),
        "medium" => Some(8),
        "large" => Some(16),
        "xlarge" => Some(32),
        // `24xlarge`, `metal-24xl`
        _ => {
            let metal = || size.strip_prefix("metal-").and_then(|size| size.strip_suffix("xl"));
            let multiple: u16 = size.strip_suffix("xlarge").or_else(metal)?.parse().ok()?;
            Some(u32::from(multiple) * 32)
        }
    }
}

/// Whether an instance type is bare metal.
pub fn is_metal(instance_type: &str) -> bool {
    instance_type.contains(".metal")
}

/// The largest instance type; the size of `metal` without a number is not known and counts as 0.
fn largest<'a>(types: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    types.into_iter().max_by_key(|name| (weight(name).unwrap_or(0), *name))
}

/// Replaces prices of bare metal on dedicated tenancy: where a price is the mark-up above the virtual type of the same size
/// (without a size, the largest), or above any other type of the family, the price of that type is the one on shared tenancy.
pub fn set_back(list: &List) -> List {
    let mut families: BTreeMap<(&str, &str), BTreeMap<&str, Money>> = BTreeMap::new();
    for ((region, name), amount) in &list.prices {
        families.entry((region, family(name))).or_default().insert(name, *amount);
    }
    let shared = |region: &str, name: &str, amount: Money| {
        let sizes = &families[&(region, family(name))];
        let mut virtual_sizes = sizes.iter().filter(|(other, _)| !is_metal(other));
        if !is_metal(name) || virtual_sizes.clone().any(|(_, price)| *price == amount) {
            return amount;
        }
        let same_size = match weight(name) {
            Some(size) => virtual_sizes.find(|(other, _)| weight(other) == Some(size)),
            None => virtual_sizes.max_by_key(|(other, _)| weight(other)),
        };
        let mut others: Vec<Money> = sizes.values().copied().collect();
        others.sort_unstable();
        let mut prices = same_size.map(|(_, price)| *price).into_iter().chain(others);
        prices.find(|price| DEDICATED.contains(&(dollars(amount) / dollars(*price)))).unwrap_or(amount)
    };
    let prices = list.prices.iter().map(|(pair, amount)| (pair.clone(), shared(&pair.0, &pair.1, *amount)));
    List { prices: prices.collect(), ..list.clone() }
}

/// The price of a family in a region as a multiple of its price in [`REFERENCE`].
#[derive(Clone, Debug, PartialEq)]
pub struct Ratio {
    /// The multiple.
    pub value: f64,
    /// The month of the prices that it was taken from.
    pub month: String,
}

/// What the publications show about the regions without a table of Karpenter.
#[derive(Clone, Debug, Default)]
pub struct Evidence {
    /// Prices of shared tenancy.
    pub figures: BTreeMap<Pair, Row>,
    /// Ratios by region and family, also of families whose prices are all of dedicated tenancy.
    pub ratios: BTreeMap<(String, String), Ratio>,
}

/// The published price of a pair.
#[derive(Clone, Debug)]
struct PublishedPrice<'a> {
    /// The lowest price: other tenancies cost more, and families whose price was cut are left out.
    amount: Money,
    /// The newest publication with this price.
    list: &'a List,
    /// Whether it is a price list, so that its tenancy is known.
    is_listed: bool,
    /// Number of releases with this price.
    releases: usize,
    /// Whether one of them is [`SHARED_ONLY`].
    is_shared: bool,
    /// Whether a release has a price above it that dedicated tenancy explains.
    is_marked_up: bool,
}

impl<'a> PublishedPrice<'a> {
    fn from_price_list(amount: Money, list: &'a List) -> Self {
        Self { amount, list, is_listed: true, releases: 0, is_shared: true, is_marked_up: true }
    }

    /// The lowest of the prices in releases of Libcloud, the oldest first.
    fn from_releases(prices: &[(Money, &'a List)]) -> Option<Self> {
        let lowest = prices.iter().map(|(amount, _)| dollars(*amount)).min_by(f64::total_cmp)?;
        // Some releases round to four decimals.
        let is_lowest = |amount: Money| dollars(amount) - lowest <= (2e-4 * lowest).max(1.1e-4);
        let releases: Vec<&(Money, &List)> = prices.iter().filter(|(amount, _)| is_lowest(*amount)).collect();
        let (amount, list) = releases.last()?;
        Some(Self {
            amount: *amount,
            list,
            is_listed: false,
            releases: releases.len(),
            is_shared: releases.iter().any(|(_, list)| list.month() == SHARED_ONLY),
            is_marked_up: prices.iter().any(|(amount, _)| DEDICATED.contains(&(dollars(*amount) / lowest))),
        })
    }
}

/// The published prices of all pairs; those of price lists take precedence.
fn published_prices<'a>(libcloud: &'a [List], price_lists: &[&'a List]) -> BTreeMap<&'a Pair, PublishedPrice<'a>> {
    let mut releases: BTreeMap<&Pair, Vec<(Money, &List)>> = BTreeMap::new();
    for list in libcloud {
        for (pair, amount) in &list.prices {
            releases.entry(pair).or_default().push((*amount, list));
        }
    }
    let price =
        |(pair, prices): (&'a Pair, Vec<(Money, &'a List)>)| Some((pair, PublishedPrice::from_releases(&prices)?));
    let mut published: BTreeMap<&Pair, PublishedPrice> = releases.into_iter().filter_map(price).collect();
    for list in price_lists {
        published
            .extend(list.prices.iter().map(|(pair, amount)| (pair, PublishedPrice::from_price_list(*amount, list))));
    }
    published
}

/// A region and a family.
type Group<'a> = (&'a str, &'a str);

/// The sizes of a family in a region.
type Sizes<'a> = BTreeMap<&'a str, &'a PublishedPrice<'a>>;

/// The ratios of families by region, of those that enough sizes confirm.
#[derive(Debug, Default)]
struct RegionRatios<'a>(BTreeMap<&'a str, Vec<(&'a str, f64)>>);

impl RegionRatios<'_> {
    /// How many other families of a region have a ratio.
    fn count(&self, (region, family): Group<'_>, ratio: f64) -> usize {
        let region_ratios = self.0.get(region).into_iter().flatten();
        region_ratios.filter(|(other, level)| *other != family && (level / ratio - 1.0).abs() < SAME_RATIO).count()
    }

    /// The mark-up of a family whose ratio is that multiple of the ratio of many others. A few sizes of dedicated tenancy
    /// may be chance; more than four are a family of dedicated tenancy only if most families of the region show it.
    fn mark_up(&self, group: Group<'_>, ratio: f64, sizes: usize) -> Option<f64> {
        let all = self.0.get(group.0).map_or(0, Vec::len);
        MARK_UPS.into_iter().find(|mark_up| {
            let others = self.count(group, ratio / mark_up);
            others > (3 * self.count(group, ratio)).max(2) && (sizes <= 4 || others * 2 > all)
        })
    }
}

impl Evidence {
    /// Analyses the prices of Libcloud's releases and of the price lists, each the oldest first, by us-east-1's prices.
    ///
    /// AWS sets the sizes of a family in proportion, and in every region in the same one to the last decimals. So the sizes
    /// of one tenancy have the same ratio to us-east-1, and those of dedicated tenancy a ratio that is 6 to 10 % higher. A
    /// price at the lowest ratio of its family is one of shared tenancy if
    ///
    /// * the mark-up is seen on another size, or on the same one in another release, or
    /// * the release that has shared tenancy alone has it, or two releases have it, or
    /// * four sizes have the ratio, or another family of the region has it,
    ///
    /// unless the ratio is 1.10 or 1.06 times that of many families of the region, and few families have it: then the whole
    /// family is of dedicated tenancy. Ohio and Oregon, which cost as much as us-east-1, have such families.
    ///
    /// Families whose price in us-east-1 has changed since Libcloud's releases have no figures, only the ratio at that time.
    pub fn gather(reference: &Reference, libcloud: &[List], price_lists: &[&List]) -> Self {
        let published = published_prices(libcloud, price_lists);
        let changed = changed(reference, libcloud);
        let mut groups: BTreeMap<Group, Sizes> = BTreeMap::new();
        let mut old_groups: BTreeMap<Group, Sizes> = BTreeMap::new();
        for ((region, name), price) in &published {
            let old = changed.get(family(name)).filter(|_| !price.is_listed);
            let (groups, prices) = old.map_or((&mut groups, reference), |then| (&mut old_groups, then));
            if region != REFERENCE && prices.contains_key(name) {
                groups.entry((region, family(name))).or_default().insert(name, price);
            }
        }
        let analyses =
            groups.iter().filter_map(|(group, sizes)| Some((*group, sizes, FamilyAnalysis::new(reference, sizes)?)));
        let analyses: Vec<(Group, &Sizes, FamilyAnalysis)> = analyses.collect();
        let mut region_ratios = RegionRatios::default();
        for ((region, family), _, analysis) in &analyses {
            if analysis.common.len() >= if analysis.is_marked_up { 2 } else { 5 } {
                region_ratios.0.entry(region).or_default().push((family, analysis.ratio));
            }
        }

        let mut evidence = Self::default();
        for (group, sizes, analysis) in &analyses {
            evidence.add(*group, sizes, analysis, &region_ratios, libcloud.last());
        }
        // Price lists need no analysis, and have types that us-east-1 lacks.
        for (pair, price) in published.iter().filter(|(_, price)| price.is_listed) {
            let row = Row { amount: price.amount, source: price.list.source.clone() };
            evidence.figures.insert((*pair).clone(), row);
        }
        for (group, sizes) in old_groups {
            let Some(name) = largest(sizes.keys().copied()) else { continue };
            let then = dollars(sizes[name].amount) / dollars(changed[group.1][name]);
            let value = then / region_ratios.mark_up(group, then, 1).unwrap_or(1.0);
            let ratio = Ratio { value, month: sizes[name].list.month().to_owned() };
            evidence.ratios.entry((group.0.to_owned(), group.1.to_owned())).or_insert(ratio);
        }
        evidence
    }

    /// Adds the ratio and the figures of a family that are certain enough.
    fn add(
        &mut self,
        group: Group<'_>,
        sizes: &Sizes,
        analysis: &FamilyAnalysis,
        region_ratios: &RegionRatios,
        newest: Option<&List>,
    ) {
        let any = |is: fn(&PublishedPrice) -> bool| analysis.same_tenancy.iter().any(|name| is(sizes[name]));
        let is_certain = analysis.is_marked_up || any(|price| price.is_shared);
        let mark_up = region_ratios.mark_up(group, analysis.ratio, analysis.common.len()).filter(|_| !is_certain);
        let is_shared = is_certain
            || any(|price| price.releases >= 2)
            || analysis.common.len() >= 4
            || region_ratios.count(group, analysis.ratio) > 0;
        if mark_up.is_none() && !is_shared {
            return;
        }
        let month = analysis.common.iter().map(|name| sizes[name].list.month()).max().unwrap_or_default();
        let ratio = Ratio { value: analysis.ratio / mark_up.unwrap_or(1.0), month: month.to_owned() };
        self.ratios.insert((group.0.to_owned(), group.1.to_owned()), ratio);
        for name in analysis.same_tenancy.iter().filter(|_| mark_up.is_none()) {
            let PublishedPrice { amount, list, .. } = sizes[name];
            // A price that is only in older releases is confirmed if the newest has its ratio on other sizes.
            let source = match newest.filter(|newest| list.month() != newest.month() && month == newest.month()) {
                Some(newest) => format!("{}-confirmed", newest.source),
                None => list.source.clone(),
            };
            self.figures.insert((group.0.to_owned(), (*name).to_owned()), Row { amount: *amount, source });
        }
    }
}

/// Families none of whose sizes costs in us-east-1 what Libcloud has for it, with Libcloud's lowest prices.
fn changed<'a>(reference: &Reference, libcloud: &'a [List]) -> BTreeMap<&'a str, Reference> {
    let mut families: BTreeMap<&str, Reference> = BTreeMap::new();
    for ((region, name), amount) in libcloud.iter().flat_map(|list| &list.prices) {
        if region == REFERENCE && reference.contains_key(name) {
            let lowest = families.entry(family(name)).or_default().entry(name.clone()).or_insert(*amount);
            *lowest = (*lowest).min(*amount);
        }
    }
    let is_same = |(name, then): (&String, &Money)| (dollars(*then) / dollars(reference[name]) - 1.0).abs() < 0.002;
    families.retain(|_, prices| !prices.iter().any(is_same));
    families
}

/// The sizes of a family in a region, analysed together.
#[derive(Clone, Debug)]
struct FamilyAnalysis<'a> {
    /// The sizes that have the most frequent ratio to us-east-1 at the lowest level.
    common: Vec<&'a str>,
    /// That ratio.
    ratio: f64,
    /// The sizes of the same tenancy.
    same_tenancy: Vec<&'a str>,
    /// Whether there are prices of dedicated tenancy as well, so that the lowest level is shared tenancy.
    is_marked_up: bool,
}

impl<'a> FamilyAnalysis<'a> {
    fn new(reference: &Reference, sizes: &Sizes<'a>) -> Option<Self> {
        let price = |name: &str| dollars(sizes[name].amount);
        let ratio = |name: &str| price(name) / dollars(reference[name]);
        let mut names: Vec<&str> = sizes.keys().copied().collect();
        names.sort_by(|a, b| ratio(a).total_cmp(&ratio(b)));
        let mut clusters: Vec<Vec<&str>> = Vec::new();
        for name in names {
            // Whether the ratio of the other size gives this price, to the fourth decimal.
            let has_ratio_of = |other: &&str| {
                let expected = dollars(reference[name]) * ratio(other);
                (price(name) - expected).abs() <= (0.0006 * expected).max(0.00011)
            };
            match clusters.iter_mut().find(|cluster| cluster.iter().any(has_ratio_of)) {
                Some(cluster) => cluster.push(name),
                None => clusters.push(vec![name]),
            }
        }
        let level = |cluster: &[&str]| largest(cluster.iter().copied()).map_or(f64::MAX, ratio);
        let lowest = clusters.iter().map(|cluster| level(cluster)).fold(f64::MAX, f64::min);
        clusters.retain(|cluster| level(cluster) <= lowest * SAME_TENANCY.end());
        let common =
            clusters.into_iter().max_by(|a, b| a.len().cmp(&b.len()).then_with(|| level(b).total_cmp(&level(a))))?;
        let common_ratio = level(&common);
        let (same_tenancy, others): (Vec<&str>, Vec<&str>) = sizes
            .keys()
            .partition(|name| sizes[*name].is_listed || SAME_TENANCY.contains(&(ratio(name) / common_ratio)));
        let is_marked_up = common.iter().any(|name| sizes[name].is_marked_up)
            || others.iter().any(|name| DEDICATED.contains(&(ratio(name) / common_ratio)));
        Some(Self { common, ratio: common_ratio, same_tenancy, is_marked_up })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inputs::Prices;
    use test_case::test_case;

    fn prices(rows: &[(&str, &str, &str)]) -> Prices {
        rows.iter()
            .map(|(region, name, amount)| (((*region).into(), (*name).into()), amount.parse().unwrap()))
            .collect()
    }

    fn list(kind: &str, month: &str, rows: &[(&str, &str, &str)]) -> List {
        List { source: format!("{kind}-{month}"), prices: prices(rows) }
    }

    fn libcloud(month: &str, rows: &[(&str, &str, &str)]) -> List {
        list("libcloud", month, rows)
    }

    /// us-east-1, as Karpenter has it.
    fn reference() -> Reference {
        let rows = [
            ("m5zn.large", "0.1652"),
            ("m5zn.xlarge", "0.3303"),
            ("m5zn.12xlarge", "3.9641"),
            ("f2.6xlarge", "1.98"),
            ("f2.12xlarge", "3.96"),
            ("c5.large", "0.085"),
            ("c5.xlarge", "0.17"),
            ("c5.9xlarge", "1.53"),
            ("m5.large", "0.096"),
            ("m5.xlarge", "0.192"),
            ("r5.large", "0.126"),
            ("r5.xlarge", "0.252"),
            ("p5.48xlarge", "55.04"),
        ];
        rows.into_iter().map(|(name, amount)| (name.to_owned(), amount.parse().unwrap())).collect()
    }

    fn figures(evidence: &Evidence) -> Vec<String> {
        let text =
            |((region, name), row): (&Pair, &Row)| format!("{region} {name} {} {}", row.amount.decimal(5), row.source);
        evidence.figures.iter().map(text).collect()
    }

    // Karpenter's figures of July 2026, and AWS's price list of February 2026.
    #[test_case(&[("c6g.16xlarge", "2.176"), ("c6g.metal", "2.3066")], "c6g.metal" => "2.17600" ; "as the largest size")]
    #[test_case(&[("m7i.24xlarge", "4.8384"), ("m7i.48xlarge", "9.6768"), ("m7i.metal-24xl", "5.32224")], "m7i.metal-24xl" => "4.83840" ; "as the size of the same number")]
    #[test_case(&[("r8gb.24xlarge", "8.74464"), ("r8gb.metal-24xl", "18.53864"), ("r8gb.metal-48xl", "17.48928")], "r8gb.metal-24xl" => "17.48928" ; "as bare metal twice its size")]
    #[test_case(&[("x8i.48xlarge", "21.00768"), ("x8i.96xlarge", "48.74438"), ("x8i.metal-48xl", "23.10845")], "x8i.metal-48xl" => "21.00768" ; "whatever the larger sizes cost")]
    #[test_case(&[("g4dn.12xlarge", "3.912"), ("g4dn.16xlarge", "4.352"), ("g4dn.metal", "7.824")], "g4dn.metal" => "7.82400" ; "two machines in one")]
    #[test_case(&[("c5.24xlarge", "4.08"), ("c5.metal", "4.08")], "c5.metal" => "4.08000" ; "shared already")]
    fn bare_metal_gets_its_shared_price(sizes: &[(&str, &str)], wanted: &str) -> String {
        let rows: Vec<_> = sizes.iter().map(|(name, amount)| ("us-east-1", *name, *amount)).collect();
        set_back(&list("karpenter", "2026-07", &rows)).prices[&("us-east-1".to_owned(), wanted.to_owned())].decimal(5)
    }

    /// Three families of Ohio at us-east-1's prices, for the others to be compared with.
    const OHIO: [(&str, &str, &str); 8] = [
        ("us-east-2", "c5.large", "0.085"),
        ("us-east-2", "c5.xlarge", "0.17"),
        ("us-east-2", "c5.9xlarge", "1.683"),
        ("us-east-2", "m5.large", "0.096"),
        ("us-east-2", "m5.xlarge", "0.2112"),
        ("us-east-2", "r5.large", "0.126"),
        ("us-east-2", "r5.xlarge", "0.2772"),
        ("us-east-2", "p5.48xlarge", "98.32"),
    ];

    #[test]
    fn a_whole_family_of_dedicated_tenancy_is_no_figure() {
        let dedicated = [
            ("us-east-2", "m5zn.large", "0.18172"),
            ("us-east-2", "m5zn.xlarge", "0.36333"),
            ("us-east-2", "m5zn.12xlarge", "4.36051"),
            ("us-east-2", "f2.6xlarge", "2.178"),
        ];
        let both = [OHIO.to_vec(), dedicated.to_vec()].concat();
        // m5 and r5 count once a second release shows that their other size is at the same level.
        let older = libcloud("2023-08", &[("us-east-2", "m5.xlarge", "0.192"), ("us-east-2", "r5.xlarge", "0.252")]);
        let releases = [older, libcloud("2025-03", &both)];
        let evidence = Evidence::gather(&reference(), &releases, &[]);
        assert_eq!(
            figures(&evidence),
            [
                "us-east-2 c5.large 0.08500 libcloud-2025-03",
                "us-east-2 c5.xlarge 0.17000 libcloud-2025-03",
                "us-east-2 m5.large 0.09600 libcloud-2025-03",
                "us-east-2 m5.xlarge 0.19200 libcloud-2025-03-confirmed",
                "us-east-2 r5.large 0.12600 libcloud-2025-03",
                "us-east-2 r5.xlarge 0.25200 libcloud-2025-03-confirmed",
            ]
        );
        let ratio = |family: &str| evidence.ratios.get(&("us-east-2".into(), family.into())).map(|ratio| ratio.value);
        assert!((ratio("m5zn").unwrap() - 1.0).abs() < 1e-4, "the mark-up is taken off: {:?}", ratio("m5zn"));
        assert!((ratio("f2").unwrap() - 1.0).abs() < 1e-9);
    }

    #[test]
    fn prices_of_a_price_list_are_taken_as_they_are() {
        let listed = list(
            "price-list",
            "2026-02",
            &[("us-east-2", "m5zn.large", "0.1652"), ("us-east-2", "hpc7a.96xlarge", "7.2")],
        );
        let prices = [("us-east-2", "m5zn.large", "0.18172"), ("us-east-2", "m5zn.xlarge", "0.3303")];
        let evidence = Evidence::gather(&reference(), &[libcloud("2025-03", &prices)], &[&listed]);
        assert_eq!(
            figures(&evidence),
            [
                "us-east-2 hpc7a.96xlarge 7.20000 price-list-2026-02",
                "us-east-2 m5zn.large 0.16520 price-list-2026-02",
                "us-east-2 m5zn.xlarge 0.33030 libcloud-2025-03",
            ]
        );
    }

    /// AWS cut P5 by 44 % in June 2025: what was published before is no price of today, but its ratio holds.
    #[test]
    fn a_family_whose_price_was_cut_has_a_ratio_alone() {
        let then = [("us-east-1", "p5.48xlarge", "98.32"), ("eu-north-1", "p5.48xlarge", "122.9")];
        let evidence = Evidence::gather(&reference(), &[libcloud("2025-03", &then)], &[]);
        assert_eq!(figures(&evidence), Vec::<String>::new());
        let ratio = &evidence.ratios[&("eu-north-1".to_owned(), "p5".to_owned())];
        assert!((ratio.value - 1.25).abs() < 1e-4, "{ratio:?}");
    }

    #[test_case(&[("2025-03", "0.1652")] => 0 ; "one size in one release may be of any tenancy")]
    #[test_case(&[("2023-08", "0.1652"), ("2025-03", "0.1652")] => 1 ; "two releases agree")]
    #[test_case(&[("2022-03", "0.1652"), ("2025-03", "0.1652")] => 1 ; "the release without other tenancies")]
    #[test_case(&[("2023-08", "0.18172"), ("2025-03", "0.1652")] => 1 ; "the mark-up is seen in another release")]
    fn a_single_size_needs_confirmation(releases: &[(&str, &str)]) -> usize {
        let lists: Vec<List> =
            releases.iter().map(|(month, amount)| libcloud(month, &[("eu-west-3", "m5zn.large", amount)])).collect();
        Evidence::gather(&reference(), &lists, &[]).figures.len()
    }
}
