//! Which published figures are prices of shared tenancy.
//!
//! A dedicated instance costs 1.10 times the shared price, one of the Graviton families and of some others about 1.06. Two of
//! the publications mix the tenancies up:
//!
//! * Karpenter's table has dedicated tenancy for bare metal (`pkg/providers/pricing/pricing.go` asks for it): see [`set_back`]
//! * Apache Libcloud has, cell by cell, shared tenancy, dedicated tenancy or 0, and does not say which: see
//!   [`Evidence::gather`]

use crate::figures::{List, Pair, Prices};
use nodeglass::units::Money;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

/// What dedicated tenancy costs, as a multiple of shared tenancy.
const DEDICATED: RangeInclusive<f64> = 1.05..=1.11;
/// The same, as far as it is the same for a whole family, the most frequent first.
const MARK_UPS: [f64; 2] = [1.10, 1.06];
/// How far a size may be from the family's common ratio and still be of the same tenancy: AWS's prices of small sizes are
/// rounded (`t2.micro` in London is 1.5 % off), and dedicated tenancy begins well above.
const SAME_TENANCY: RangeInclusive<f64> = 0.955..=1.045;
/// Ratios of two families that differ by less are the same.
const SAME_RATIO: f64 = 0.0004;
/// The release of Libcloud in which tenancies are not mixed yet: it has no zero and no mark-up.
const SHARED_ALONE: &str = "2022-03";
/// The region that every other is compared with, because its prices come from Karpenter.
pub const REFERENCE: &str = "us-east-1";

/// Dollars, for ratios alone.
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

/// Whether a type is bare metal.
pub fn is_metal(instance_type: &str) -> bool {
    instance_type.contains(".metal")
}

/// The largest of some types; of `metal` without a number it is not known how large it is.
pub fn largest<'a>(types: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    types.into_iter().max_by_key(|name| (weight(name).unwrap_or(0), *name))
}

/// Sets bare metal back to shared tenancy: where a figure is the mark-up above the virtual size as large, the largest one,
/// or any other size of the family, it is that size's price.
pub fn set_back(prices: &Prices) -> Prices {
    let mut families: BTreeMap<(&str, &str), BTreeMap<&str, Money>> = BTreeMap::new();
    for ((region, name), amount) in prices {
        families.entry((region, family(name))).or_default().insert(name, *amount);
    }
    let shared = |region: &str, name: &str, amount: Money| {
        let sizes = &families[&(region, family(name))];
        let is_virtual = |(other, _): &(&&str, &Money)| !is_metal(other);
        if !is_metal(name) || sizes.iter().filter(is_virtual).any(|(_, price)| *price == amount) {
            return amount;
        }
        let as_large = match weight(name) {
            Some(size) => sizes.iter().filter(is_virtual).find(|(other, _)| weight(other) == Some(size)),
            None => sizes.iter().filter(is_virtual).max_by_key(|(other, _)| weight(other)),
        };
        let mut others: Vec<Money> = sizes.values().copied().collect();
        others.sort_unstable();
        let found = as_large.map(|(_, price)| *price).into_iter().chain(others);
        found.into_iter().find(|price| DEDICATED.contains(&(dollars(amount) / dollars(*price)))).unwrap_or(amount)
    };
    prices.iter().map(|(pair, amount)| (pair.clone(), shared(&pair.0, &pair.1, *amount))).collect()
}

/// Who published a figure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Publisher {
    /// AWS's price list.
    List,
    /// A release of Libcloud that holds this figure.
    Libcloud,
    /// A release of Libcloud before the newest; figures of the newest for other sizes follow from it by us-east-1's
    /// proportions.
    Confirmed,
}

/// A published price of shared tenancy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Figure {
    /// Dollars an hour.
    pub amount: Money,
    /// By whom.
    pub publisher: Publisher,
    /// The newest month in which the figure, or what confirms it, was published.
    pub month: String,
}

/// What a family costs in a region, as a multiple of what it costs in us-east-1.
#[derive(Clone, Debug, PartialEq)]
pub struct Ratio {
    /// The multiple.
    pub value: f64,
    /// The month of the figures it was taken from.
    pub month: String,
}

/// A region's family.
type Group = (String, String);

/// What the publications say of the regions beside us-east-1 and GovCloud.
#[derive(Clone, Debug, Default)]
pub struct Evidence {
    /// Prices of shared tenancy.
    pub figures: BTreeMap<Pair, Figure>,
    /// Ratios, also of families that have no figure of shared tenancy but one of which the tenancy is known.
    pub ratios: BTreeMap<Group, Ratio>,
}

/// What is published of one pair.
#[derive(Clone, Debug)]
struct Cell {
    /// The lowest price: the other tenancies cost more, and a family whose price was cut is left out.
    amount: Money,
    /// The newest month with that price.
    month: String,
    /// In a price list.
    listed: bool,
    /// How many releases have that price.
    releases: usize,
    /// Whether the release has it that knows shared tenancy alone.
    shared_alone: bool,
    /// Whether a release has a price above it that dedicated tenancy explains.
    marked_up: bool,
}

impl Cell {
    fn new(listed: Option<(Money, &str)>, releases: &[(Money, &str)]) -> Option<Self> {
        if let Some((amount, month)) = listed {
            let month = month.to_owned();
            return Some(Self { amount, month, listed: true, releases: 0, shared_alone: true, marked_up: true });
        }
        let lowest = releases.iter().map(|(amount, _)| *amount).min()?;
        // Some releases round to four decimals.
        let same = |amount: Money| dollars(amount) - dollars(lowest) <= (2e-4 * dollars(lowest)).max(1.1e-4);
        let with_it: Vec<&(Money, &str)> = releases.iter().filter(|(amount, _)| same(*amount)).collect();
        let (amount, month) = with_it.last()?;
        Some(Self {
            amount: *amount,
            month: (*month).to_owned(),
            listed: false,
            releases: with_it.len(),
            shared_alone: with_it.iter().any(|(_, month)| *month == SHARED_ALONE),
            marked_up: releases.iter().any(|(other, _)| DEDICATED.contains(&(dollars(*other) / dollars(lowest)))),
        })
    }
}

/// The sizes of a region's family, judged together.
#[derive(Clone, Debug)]
struct Judged<'a> {
    /// Sizes that have one ratio to us-east-1, the most there are, at the lowest level.
    common: Vec<&'a str>,
    ratio: f64,
    /// Sizes of the same tenancy as those.
    same_tenancy: Vec<&'a str>,
    /// Whether prices of dedicated tenancy are there as well, so that the lowest level is not theirs.
    marked_up: bool,
}

/// The reference's prices by type.
pub type Reference = BTreeMap<String, Money>;

impl Evidence {
    /// Judges the figures of price lists and of Libcloud's releases, the oldest first, against us-east-1's prices.
    ///
    /// AWS sets the sizes of a family in proportion, and the proportions are the same in every region to the last decimals.
    /// So the sizes of one tenancy have one ratio to us-east-1, and those of dedicated tenancy a ratio 6 to 10 % above.
    /// A size is a figure of shared tenancy if it is at the lowest level and
    ///
    /// * the mark-up is seen on another size, or on the same one in another release, or
    /// * the release that knows shared tenancy alone has it, or two releases agree, or
    /// * four sizes agree, or another family of the region has the same ratio,
    ///
    /// unless the level is 1.10 or 1.06 times the one of many families of the region while few are at this level: then all of
    /// it is dedicated tenancy. So it is with whole families in Ohio and Oregon, which cost what us-east-1 does.
    ///
    /// Families whose price in us-east-1 has changed since Libcloud's releases have no figure, only the ratio of then.
    pub fn gather(reference: &Reference, libcloud: &[List], price_lists: &[&List]) -> Self {
        let cells = cells(libcloud, price_lists);
        let changed = changed(reference, libcloud);
        let mut groups: BTreeMap<(&str, &str), BTreeMap<&str, &Cell>> = BTreeMap::new();
        for ((region, name), cell) in &cells {
            let stale = changed.contains_key(family(name)) && !cell.listed;
            if region != REFERENCE && reference.contains_key(name) && !stale {
                groups.entry((region, family(name))).or_default().insert(name, cell);
            }
        }
        let judged: BTreeMap<(&str, &str), Judged> =
            groups.iter().filter_map(|(group, sizes)| Some((*group, judge(reference, sizes)?))).collect();
        let mut levels: BTreeMap<&str, Vec<(&str, f64)>> = BTreeMap::new();
        for ((region, family), judged) in &judged {
            if (judged.marked_up && judged.common.len() >= 2) || judged.common.len() >= 5 {
                levels.entry(region).or_default().push((family, judged.ratio));
            }
        }

        let newest = libcloud.last().map_or("", |list| list.month.as_str());
        let mut evidence = Self::default();
        for ((region, family), judged) in &judged {
            let sizes = &groups[&(*region, *family)];
            let levels = levels.get(region).map_or(&[][..], Vec::as_slice);
            let sure = judged.same_tenancy.iter().any(|name| sizes[name].shared_alone);
            let mark_up = mark_up_of(judged, family, levels).filter(|_| !judged.marked_up && !sure);
            let agreed = judged.same_tenancy.iter().any(|name| sizes[name].releases >= 2);
            let neighbour = at_level(levels, family, judged.ratio) > 0;
            let shared = judged.marked_up || sure || agreed || judged.common.len() >= 4 || neighbour;
            if mark_up.is_none() && !shared {
                continue;
            }
            let month = judged.common.iter().map(|name| sizes[name].month.as_str()).max().unwrap_or_default();
            let ratio = Ratio { value: judged.ratio / mark_up.unwrap_or(1.0), month: month.to_owned() };
            evidence.ratios.insert(((*region).to_owned(), (*family).to_owned()), ratio);
            if mark_up.is_some() {
                continue;
            }
            for name in &judged.same_tenancy {
                let cell = sizes[name];
                let publisher = match cell.listed {
                    true => Publisher::List,
                    false if cell.month == newest || month != newest => Publisher::Libcloud,
                    false => Publisher::Confirmed,
                };
                let month = if publisher == Publisher::Confirmed { newest } else { cell.month.as_str() };
                let figure = Figure { amount: cell.amount, publisher, month: month.to_owned() };
                evidence.figures.insert(((*region).to_owned(), (*name).to_owned()), figure);
            }
        }
        // Types that us-east-1 does not have cannot be judged; a price list needs no judge.
        for (pair, cell) in cells.iter().filter(|(_, cell)| cell.listed) {
            let figure = Figure { amount: cell.amount, publisher: Publisher::List, month: cell.month.clone() };
            evidence.figures.insert(pair.clone(), figure);
        }
        evidence.ratios_of_then(&cells, &changed, &levels);
        evidence
    }

    /// Adds the ratios of families whose price has changed since: old figures compared with old figures.
    fn ratios_of_then(
        &mut self,
        cells: &BTreeMap<Pair, Cell>,
        changed: &BTreeMap<String, Reference>,
        levels: &BTreeMap<&str, Vec<(&str, f64)>>,
    ) {
        let mut old: BTreeMap<Group, Vec<(&str, &Cell)>> = BTreeMap::new();
        for ((region, name), cell) in cells {
            let known = changed.get(family(name)).is_some_and(|then| then.contains_key(name));
            if known && !cell.listed && region != REFERENCE {
                old.entry((region.clone(), family(name).to_owned())).or_default().push((name, cell));
            }
        }
        for (group, sizes) in old {
            let Some(name) = largest(sizes.iter().map(|(name, _)| *name)) else { continue };
            let Some((_, cell)) = sizes.iter().find(|(size, _)| *size == name) else { continue };
            let then = dollars(cell.amount) / dollars(changed[&group.1][name]);
            let levels = levels.get(group.0.as_str()).map_or(&[][..], Vec::as_slice);
            let here = at_level(levels, &group.1, then);
            let many = |mark_up: &f64| at_level(levels, &group.1, then / mark_up) > (3 * here).max(2);
            let value = then / MARK_UPS.into_iter().find(many).unwrap_or(1.0);
            self.ratios.entry(group).or_insert(Ratio { value, month: cell.month.clone() });
        }
    }
}

/// Everything published of each pair.
fn cells(libcloud: &[List], price_lists: &[&List]) -> BTreeMap<Pair, Cell> {
    let mut releases: BTreeMap<&Pair, Vec<(Money, &str)>> = BTreeMap::new();
    let mut listed: BTreeMap<&Pair, (Money, &str)> = BTreeMap::new();
    for list in libcloud {
        for (pair, amount) in &list.prices {
            releases.entry(pair).or_default().push((*amount, &list.month));
        }
    }
    for list in price_lists {
        listed.extend(list.prices.iter().map(|(pair, amount)| (pair, (*amount, list.month.as_str()))));
    }
    let pairs: BTreeSet<&Pair> = releases.keys().chain(listed.keys()).copied().collect();
    let cell = |pair: &Pair| Cell::new(listed.get(pair).copied(), releases.get(pair).map_or(&[], Vec::as_slice));
    pairs.into_iter().filter_map(|pair| Some((pair.clone(), cell(pair)?))).collect()
}

/// Families none of whose sizes costs in us-east-1 what Libcloud has for it, with what it has.
fn changed(reference: &Reference, libcloud: &[List]) -> BTreeMap<String, Reference> {
    let mut families: BTreeMap<&str, Reference> = BTreeMap::new();
    for ((region, name), amount) in libcloud.iter().flat_map(|list| &list.prices) {
        if region == REFERENCE && reference.contains_key(name) {
            let lowest = families.entry(family(name)).or_default().entry(name.clone()).or_insert(*amount);
            *lowest = (*lowest).min(*amount);
        }
    }
    let kept = |then: &Reference| {
        then.iter().any(|(name, amount)| (dollars(*amount) / dollars(reference[name]) - 1.0).abs() < 0.002)
    };
    families.into_iter().filter(|(_, then)| !kept(then)).map(|(name, then)| (name.to_owned(), then)).collect()
}

/// Finds the common ratio of a family's sizes at the lowest level.
fn judge<'a>(reference: &Reference, sizes: &BTreeMap<&'a str, &Cell>) -> Option<Judged<'a>> {
    let price = |name: &str| dollars(sizes[name].amount);
    let ratio = |name: &str| price(name) / dollars(reference[name]);
    let mut names: Vec<&str> = sizes.keys().copied().collect();
    names.sort_by(|a, b| ratio(a).total_cmp(&ratio(b)));
    let mut clusters: Vec<Vec<&str>> = Vec::new();
    for name in names {
        // What the other size's ratio makes of this one, to the fourth decimal.
        let follows = |other: &&str| {
            let expected = dollars(reference[name]) * ratio(other);
            (price(name) - expected).abs() <= (0.0006 * expected).max(0.00011)
        };
        match clusters.iter_mut().find(|cluster| cluster.iter().any(follows)) {
            Some(cluster) => cluster.push(name),
            None => clusters.push(vec![name]),
        }
    }
    let level = |cluster: &[&str]| largest(cluster.iter().copied()).map_or(f64::MAX, ratio);
    let lowest = clusters.iter().map(|cluster| level(cluster)).fold(f64::MAX, f64::min);
    let low = clusters.iter().filter(|cluster| level(cluster) <= lowest * SAME_TENANCY.end());
    let common = low.max_by(|a, b| a.len().cmp(&b.len()).then_with(|| level(b).total_cmp(&level(a))))?.clone();
    let common_ratio = level(&common);
    let (same_tenancy, others): (Vec<&str>, Vec<&str>) =
        sizes.keys().partition(|name| sizes[**name].listed || SAME_TENANCY.contains(&(ratio(name) / common_ratio)));
    let marked_up = common.iter().any(|name| sizes[name].marked_up)
        || others.iter().any(|name| DEDICATED.contains(&(ratio(name) / common_ratio)));
    Some(Judged { common, ratio: common_ratio, same_tenancy, marked_up })
}

/// How many other families are at a level.
fn at_level(levels: &[(&str, f64)], family: &str, ratio: f64) -> usize {
    levels.iter().filter(|(other, level)| *other != family && (level / ratio - 1.0).abs() < SAME_RATIO).count()
}

/// The mark-up that a family's level is above the one of many others, if it is. Few dedicated sizes happen by chance; of many
/// it takes a region in which most families are at that level.
fn mark_up_of(judged: &Judged, family: &str, levels: &[(&str, f64)]) -> Option<f64> {
    let here = at_level(levels, family, judged.ratio);
    MARK_UPS.into_iter().find(|mark_up| {
        let below = at_level(levels, family, judged.ratio / mark_up);
        below > (3 * here).max(2) && (judged.common.len() <= 4 || below * 2 > levels.len())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use test_case::test_case;

    fn prices(rows: &[(&str, &str, &str)]) -> Prices {
        rows.iter()
            .map(|(region, name, amount)| (((*region).into(), (*name).into()), amount.parse().unwrap()))
            .collect()
    }

    fn list(month: &str, rows: &[(&str, &str, &str)]) -> List {
        List { month: month.into(), prices: prices(rows) }
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
        let text = |((region, name), figure): (&Pair, &Figure)| {
            format!("{region} {name} {} {:?} {}", figure.amount.decimal(5), figure.publisher, figure.month)
        };
        evidence.figures.iter().map(text).collect()
    }

    // Karpenter's figures of July 2026, and AWS's price list of February 2026.
    #[test_case(&[("c6g.16xlarge", "2.176"), ("c6g.metal", "2.3066")], "c6g.metal" => "2.17600" ; "as the largest size")]
    #[test_case(&[("m7i.24xlarge", "4.8384"), ("m7i.48xlarge", "9.6768"), ("m7i.metal-24xl", "5.32224")], "m7i.metal-24xl" => "4.83840" ; "as the size of the same number")]
    #[test_case(&[("r8gb.24xlarge", "8.74464"), ("r8gb.metal-24xl", "18.53864"), ("r8gb.metal-48xl", "17.48928")], "r8gb.metal-24xl" => "17.48928" ; "as bare metal twice its size")]
    #[test_case(&[("x8i.48xlarge", "21.00768"), ("x8i.96xlarge", "48.74438"), ("x8i.metal-48xl", "23.10845")], "x8i.metal-48xl" => "21.00768" ; "whatever the larger sizes cost")]
    #[test_case(&[("g4dn.12xlarge", "3.912"), ("g4dn.16xlarge", "4.352"), ("g4dn.metal", "7.824")], "g4dn.metal" => "7.82400" ; "two machines in one")]
    #[test_case(&[("c5.24xlarge", "4.08"), ("c5.metal", "4.08")], "c5.metal" => "4.08000" ; "shared already")]
    fn bare_metal_is_set_back(sizes: &[(&str, &str)], wanted: &str) -> String {
        let rows: Vec<_> = sizes.iter().map(|(name, amount)| ("us-east-1", *name, *amount)).collect();
        set_back(&prices(&rows))[&("us-east-1".to_owned(), wanted.to_owned())].decimal(5)
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
        let older = list("2023-08", &[("us-east-2", "m5.xlarge", "0.192"), ("us-east-2", "r5.xlarge", "0.252")]);
        let libcloud = [older, list("2025-03", &both)];
        let evidence = Evidence::gather(&reference(), &libcloud, &[]);
        assert_eq!(
            figures(&evidence),
            [
                "us-east-2 c5.large 0.08500 Libcloud 2025-03",
                "us-east-2 c5.xlarge 0.17000 Libcloud 2025-03",
                "us-east-2 m5.large 0.09600 Libcloud 2025-03",
                "us-east-2 m5.xlarge 0.19200 Confirmed 2025-03",
                "us-east-2 r5.large 0.12600 Libcloud 2025-03",
                "us-east-2 r5.xlarge 0.25200 Confirmed 2025-03",
            ]
        );
        let ratio = |family: &str| evidence.ratios.get(&("us-east-2".into(), family.into())).map(|ratio| ratio.value);
        assert!((ratio("m5zn").unwrap() - 1.0).abs() < 1e-4, "the mark-up is taken off: {:?}", ratio("m5zn"));
        assert!((ratio("f2").unwrap() - 1.0).abs() < 1e-9);
    }

    #[test]
    fn a_price_list_needs_no_judge() {
        let listed = list("2026-02", &[("us-east-2", "m5zn.large", "0.1652"), ("us-east-2", "hpc7a.96xlarge", "7.2")]);
        let libcloud =
            [list("2025-03", &[("us-east-2", "m5zn.large", "0.18172"), ("us-east-2", "m5zn.xlarge", "0.3303")])];
        let evidence = Evidence::gather(&reference(), &libcloud, &[&listed]);
        assert_eq!(
            figures(&evidence),
            [
                "us-east-2 hpc7a.96xlarge 7.20000 List 2026-02",
                "us-east-2 m5zn.large 0.16520 List 2026-02",
                "us-east-2 m5zn.xlarge 0.33030 Libcloud 2025-03",
            ]
        );
    }

    /// AWS cut P5 by 44 % in June 2025: what was published before is no price of today, but its ratio holds.
    #[test]
    fn a_family_whose_price_was_cut_has_a_ratio_alone() {
        let then = [("us-east-1", "p5.48xlarge", "98.32"), ("eu-north-1", "p5.48xlarge", "122.9")];
        let evidence = Evidence::gather(&reference(), &[list("2025-03", &then)], &[]);
        assert_eq!(figures(&evidence), Vec::<String>::new());
        let ratio = &evidence.ratios[&("eu-north-1".to_owned(), "p5".to_owned())];
        assert!((ratio.value - 1.25).abs() < 1e-4, "{ratio:?}");
    }

    #[test_case(&[("2025-03", "0.1652")] => 0 ; "one size in one release may be of any tenancy")]
    #[test_case(&[("2023-08", "0.1652"), ("2025-03", "0.1652")] => 1 ; "two releases agree")]
    #[test_case(&[("2022-03", "0.1652"), ("2025-03", "0.1652")] => 1 ; "the release without other tenancies")]
    #[test_case(&[("2023-08", "0.18172"), ("2025-03", "0.1652")] => 1 ; "the mark-up is seen in another release")]
    fn a_lone_size_needs_a_witness(releases: &[(&str, &str)]) -> usize {
        let lists: Vec<List> =
            releases.iter().map(|(month, amount)| list(month, &[("eu-west-3", "m5zn.large", amount)])).collect();
        Evidence::gather(&reference(), &lists, &[]).figures.len()
    }
}
