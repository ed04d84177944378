//! Prices that no publication has, from those that are known: by another size of the family in the region, else by the
//! family next to it.

use crate::tenancy::{Evidence, Ratio, Reference, dollars, family, is_metal, weight};
use nodeglass::units::Money;
use std::collections::BTreeMap;

/// AWS's prices have five decimals at most.
const DECIMALS: u32 = 5;

/// What an estimate rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// Another size of the family in the region, in us-east-1's proportion.
    Size,
    /// What the family, or the one next to it, costs in the region compared with us-east-1.
    Family,
}

/// An estimated price.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Estimate {
    /// Dollars an hour.
    pub amount: Money,
    /// What it rests on.
    pub by: By,
    /// The month of the region's figure that it rests on.
    pub month: String,
}

/// How the sizes of a family are set in us-east-1.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Shape<'a> {
    /// As multiples of the price of the smallest size, or of the one above it.
    FromSmallest(&'a str),
    /// As fractions of the largest size's price, rounded to so many decimals.
    FromLargest(&'a str, u32),
    /// Otherwise.
    Free,
}

/// Makes estimates.
pub struct Estimator<'a> {
    reference: &'a Reference,
    evidence: &'a Evidence,
    /// Virtual sizes by family, the smallest first.
    sizes: BTreeMap<&'a str, Vec<&'a str>>,
    /// By region and family: the size whose figure stands for the family.
    best_sizes: BTreeMap<(&'a str, &'a str), &'a str>,
    /// By region: the ratios of its families.
    ratios: BTreeMap<&'a str, Vec<(&'a str, &'a Ratio)>>,
}

impl<'a> Estimator<'a> {
    /// From us-east-1's prices, and what is known of the other regions.
    pub fn new(reference: &'a Reference, evidence: &'a Evidence) -> Self {
        let mut sizes: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for name in reference.keys().filter(|name| !is_metal(name) && weight(name).is_some()) {
            sizes.entry(family(name)).or_default().push(name);
        }
        for names in sizes.values_mut() {
            names.sort_by_key(|name| weight(name));
        }
        let mut known: BTreeMap<(&str, &str), Vec<&str>> = BTreeMap::new();
        for (region, name) in evidence.figures.keys().filter(|(_, name)| reference.contains_key(name)) {
            known.entry((region, family(name))).or_default().push(name);
        }
        let mut ratios: BTreeMap<&str, Vec<(&str, &Ratio)>> = BTreeMap::new();
        for ((region, family), ratio) in &evidence.ratios {
            ratios.entry(region).or_default().push((family, ratio));
        }
        let mut estimator = Self { reference, evidence, sizes, best_sizes: BTreeMap::new(), ratios };
        for (group, names) in known {
            // The largest of those that the others follow from: its price has the most digits.
            let followers = |size: &str| names.iter().filter(|name| estimator.follows(group.0, size, name)).count();
            let best = names.iter().max_by_key(|size| (followers(size), weight(size).unwrap_or(0), **size));
            estimator.best_sizes.extend(best.map(|size| (group, *size)));
        }
        estimator
    }

    fn price(&self, name: &str) -> f64 {
        self.reference.get(name).map_or(f64::NAN, |money| dollars(*money))
    }

    fn figure(&self, region: &str, name: &str) -> Option<Money> {
        self.evidence.figures.get(&(region.to_owned(), name.to_owned())).map(|figure| figure.amount)
    }

    /// Whether one size's figure is what another's makes it.
    fn follows(&self, region: &str, from: &str, name: &str) -> bool {
        let (Some(known), Some(price)) = (self.figure(region, from), self.figure(region, name)) else { return false };
        rounded(dollars(known) * self.price(name) / self.price(from), DECIMALS) == price
    }

    /// The price of a pair that has no figure; none of a type that us-east-1 lacks, and of a region without any figure.
    pub fn estimate(&self, region: &str, name: &str) -> Option<Estimate> {
        let own = family(name);
        if !self.reference.contains_key(name) {
            return None;
        }
        if let Some(size) = self.best_sizes.get(&(region, own)) {
            let figure = self.evidence.figures.get(&(region.to_owned(), (*size).to_owned()))?;
            let amount = self.by_size(dollars(figure.amount), size, name);
            return Some(Estimate { amount, by: By::Size, month: figure.month.clone() });
        }
        let ratios = self.ratios.get(region)?;
        if let Some((_, ratio)) = ratios.iter().find(|(family, _)| *family == own) {
            let amount = rounded(self.price(name) * ratio.value, DECIMALS);
            return Some(Estimate { amount, by: By::Family, month: ratio.month.clone() });
        }
        let own_traits = Traits::of_family(own);
        let distance = |other: &str| own_traits.distance(&Traits::of_family(other));
        let nearest = ratios.iter().min_by(|(a, _), (b, _)| {
            let newer = |name: &str| std::cmp::Reverse(Traits::of_family(name).generation);
            distance(a).total_cmp(&distance(b)).then_with(|| (newer(a), *a).cmp(&(newer(b), *b)))
        });
        let (neighbour, ratio) = nearest?;
        Some(Estimate {
            amount: self.by_family(name, neighbour, ratio.value),
            by: By::Family,
            month: ratio.month.clone(),
        })
    }

    /// A size from another one of the same family.
    fn by_size(&self, known: f64, from: &str, name: &str) -> Money {
        let in_proportion = known * self.price(name) / self.price(from);
        match (self.shape(family(name)), weight(from), weight(name)) {
            (Shape::FromLargest(_, decimals), Some(own), Some(wanted)) if !is_metal(from) && !is_metal(name) => {
                rounded(known * f64::from(wanted) / f64::from(own), decimals)
            }
            (Shape::FromLargest(_, decimals), ..) => rounded(in_proportion, decimals),
            (Shape::FromSmallest(_) | Shape::Free, ..) => rounded(in_proportion, DECIMALS),
        }
    }

    /// A price by another family's ratio, set the way the family's own prices are.
    fn by_family(&self, name: &str, neighbour: &str, ratio: f64) -> Money {
        let (from, decimals) = match self.shape(family(name)) {
            Shape::FromSmallest(size) => (size, DECIMALS),
            Shape::FromLargest(size, decimals) => (size, decimals),
            Shape::Free => return rounded(self.price(name) * ratio, DECIMALS),
        };
        let known = dollars(rounded(self.uplifted(from, neighbour) * ratio, decimals));
        match weight(name).zip(weight(from)) {
            Some((wanted, own)) if !is_metal(name) => rounded(known * f64::from(wanted) / f64::from(own), decimals),
            _ => rounded(known * self.price(name) / self.price(from), decimals),
        }
    }

    /// A size's price in us-east-1 before it was rounded: a new family costs a round multiple of the one it succeeds, such
    /// as 1.05 times.
    fn uplifted(&self, size: &str, neighbour: &str) -> f64 {
        let price = self.price(size);
        let largest = self.sizes.get(neighbour).and_then(|names| names.last());
        let Some((largest, wanted)) = largest.zip(weight(size)) else { return price };
        let as_large = self.price(largest) * f64::from(wanted) / f64::from(weight(largest).unwrap_or(1));
        let multiples = [100.0, 1_000.0, 10_000.0].map(|steps| (price / as_large * steps).round() / steps);
        let fits = |multiple: &f64| rounded(as_large * multiple, DECIMALS) == rounded(price, DECIMALS);
        multiples.into_iter().find(fits).map_or(price, |multiple| as_large * multiple)
    }

    /// How the sizes of a family are set: what four of five of them follow.
    fn shape(&self, family: &str) -> Shape<'_> {
        let Some(names) = self.sizes.get(family) else { return Shape::Free };
        let (Some(smallest), Some(largest)) = (names.first(), names.last()) else { return Shape::Free };
        // Whether a size is what another one's price makes it, to `within` of the last decimal.
        let set_from = |from: &str, decimals: u32, within: f64| {
            let step = 10_f64.powi(-(decimals as i32));
            let fits = |name: &&&str| {
                let share = f64::from(weight(name).unwrap_or(0)) / f64::from(weight(from).unwrap_or(1));
                let expected = dollars(rounded(self.price(from) * share, decimals));
                let price = self.price(name);
                let whole = dollars(rounded(price, decimals));
                (price - expected).abs() < (within + 0.01) * step && (price - whole).abs() < step / 100.0
            };
            names.iter().filter(fits).count()
        };
        // A `medium` may be half a `large`, rounded.
        let second = names.get(1).unwrap_or(smallest);
        let shapes = [
            (set_from(smallest, DECIMALS, 0.0), Shape::FromSmallest(smallest)),
            (set_from(second, DECIMALS, 1.0), Shape::FromSmallest(second)),
            (set_from(largest, 4, 1.0), Shape::FromLargest(largest, 4)),
            (set_from(largest, DECIMALS, 1.0), Shape::FromLargest(largest, DECIMALS)),
        ];
        let most = shapes.iter().map(|(fitting, _)| *fitting).max().unwrap_or(0);
        let found = shapes.into_iter().find(|(fitting, _)| *fitting == most && fitting * 5 >= names.len() * 4);
        found.map_or(Shape::Free, |(_, shape)| shape)
    }
}

/// Dollars rounded half up.
fn rounded(dollars: f64, decimals: u32) -> Money {
    Money::from_nanos((dollars * 1e9).round() as i64).rounded(decimals)
}

/// What a family's name says: `m6idn` is series m, generation 6, Intel, with disks and a fast network.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Traits<'a> {
    series: &'a str,
    generation: u32,
    processor: char,
    /// Letters behind the processor's, without `-flex`.
    options: String,
    flex: bool,
}

impl<'a> Traits<'a> {
    fn of_family(name: &'a str) -> Self {
        let digits = name.find(|c: char| c.is_ascii_digit()).unwrap_or(name.len());
        let (series, rest) = name.split_at(digits);
        let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let (number, rest) = rest.split_at(end);
        let generation = number.parse().unwrap_or(0);
        let (rest, flex) = rest.strip_suffix("-flex").map_or((rest, false), |rest| (rest, true));
        let accelerated = matches!(series, "g" | "p");
        let (processor, options) = match rest.chars().next() {
            Some('g') if series != "g" => ('g', rest.get(1..)),
            Some('a') => (if accelerated { 'i' } else { 'a' }, rest.get(1..)),
            Some('i') => ('i', rest.get(1..)),
            Some('g') => ('i', rest.get(1..)),
            _ => ('i', Some(rest)),
        };
        let graviton = series == "a" || (series == "t" && generation == 4);
        let processor = if graviton { 'g' } else { processor };
        Self { series, generation, processor, options: options.unwrap_or_default().to_owned(), flex }
    }

    /// How unlike two families are. The weights were chosen by leaving AWS's price list out of the table and comparing the
    /// estimates with it (`price-table measure`).
    fn distance(&self, other: &Self) -> f64 {
        let general = |traits: &Self| matches!(traits.series, "c" | "m" | "r");
        let mut distance = match self.series == other.series {
            true => 0.0,
            false if general(self) && general(other) => 1.5,
            false => 6.0,
        };
        distance += 0.7 * f64::from(self.generation.abs_diff(other.generation));
        distance += if self.processor == other.processor { 0.0 } else { 2.0 };
        distance += if self.flex == other.flex { 0.0 } else { 0.3 };
        let apart = |a: &Self, b: &Self| -> f64 {
            let mut letters: Vec<char> = a.options.chars().filter(|letter| !b.options.contains(*letter)).collect();
            letters.sort_unstable();
            letters.dedup();
            let weight = |letter: char| match letter {
                'n' => 1.7,
                'e' => 3.0,
                'z' => 2.0,
                _ => 1.0,
            };
            letters.into_iter().map(weight).sum()
        };
        distance + apart(self, other) + apart(other, self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tenancy::{Figure, Publisher};
    use test_case::test_case;

    /// us-east-1, from Karpenter's table of July 2026.
    fn reference() -> Reference {
        let rows = [
            ("c5.metal", "4.08"),
            ("c5.24xlarge", "4.08"),
            ("c5.large", "0.085"),
            ("c7g.medium", "0.0363"),
            ("c7g.large", "0.0725"),
            ("c7g.xlarge", "0.145"),
            ("c7g.16xlarge", "2.32"),
            ("c8g.medium", "0.03988"),
            ("c8g.large", "0.07976"),
            ("c8g.48xlarge", "7.65696"),
            ("r7i.large", "0.1323"),
            ("r7i.xlarge", "0.2646"),
            ("r7i.48xlarge", "12.7008"),
            ("r8i.large", "0.13892"),
            ("r8i.xlarge", "0.27784"),
            ("r8i.96xlarge", "26.67264"),
        ];
        rows.into_iter().map(|(name, amount)| (name.to_owned(), amount.parse().unwrap())).collect()
    }

    fn evidence(figures: &[(&str, &str)], ratios: &[(&str, f64)]) -> Evidence {
        let region = "eu-west-2";
        let figure = |amount: &str| Figure {
            amount: amount.parse().unwrap(),
            publisher: Publisher::Libcloud,
            month: "2025-03".into(),
        };
        let ratio = |value| Ratio { value, month: "2025-03".into() };
        Evidence {
            figures: figures.iter().map(|(name, amount)| ((region.into(), (*name).into()), figure(amount))).collect(),
            ratios: ratios.iter().map(|(name, value)| ((region.into(), (*name).into()), ratio(*value))).collect(),
        }
    }

    fn estimated(evidence: &Evidence, name: &str) -> Option<(String, By)> {
        let reference = reference();
        let estimate = Estimator::new(&reference, evidence).estimate("eu-west-2", name)?;
        Some((estimate.amount.decimal(5), estimate.by))
    }

    // Right are AWS's prices of February 2026 in London.
    #[test_case("c7g.medium", &[("c7g.large", "0.0859"), ("c7g.16xlarge", "2.7475")] => Some(("0.04290".into(), By::Size)) ; "from the largest size to four decimals as the family has them")]
    #[test_case("c5.24xlarge", &[("c5.large", "0.101")] => Some(("4.84800".into(), By::Size)))]
    #[test_case("c5.metal", &[("c5.large", "0.101"), ("c5.24xlarge", "4.848")] => Some(("4.84800".into(), By::Size)) ; "bare metal")]
    #[test_case("m9x.large", &[("c5.large", "0.101")] => None ; "us-east-1 has no such type")]
    fn a_size_follows_from_the_largest_known(name: &str, figures: &[(&str, &str)]) -> Option<(String, By)> {
        estimated(&evidence(figures, &[("c5", 1.18824)]), name)
    }

    // r8i is 1.05 times r7i before it is rounded, c8g 1.10 times c7g: the ratio of rounded prices misses the fifth decimal.
    #[test_case("r8i.large", &[("r7i", 0.1554 / 0.1323)] => Some(("0.16317".into(), By::Family)))]
    #[test_case("r8i.96xlarge", &[("r7i", 0.1554 / 0.1323), ("c5", 1.18824)] => Some(("31.32864".into(), By::Family)))]
    #[test_case("c8g.medium", &[("c7g", 2.7475 / 2.32), ("r7i", 1.1746)] => Some(("0.04722".into(), By::Family)))]
    #[test_case("c8g.48xlarge", &[("c7g", 2.7475 / 2.32)] => Some(("9.06624".into(), By::Family)))]
    #[test_case("c8g.large", &[] => None ; "nothing is known of the region")]
    fn a_family_follows_from_the_one_next_to_it(name: &str, ratios: &[(&str, f64)]) -> Option<(String, By)> {
        estimated(&evidence(&[], ratios), name)
    }

    #[test_case("m8g", &["m7g", "m6g", "c8g", "m7i", "m7gd"] => "m7g")]
    #[test_case("r8i-flex", &["c7i-flex", "r7i", "r7g", "r6i"] => "r7i")]
    #[test_case("i7ie", &["i3en", "i4i", "i3", "c7i"] => "i3en")]
    #[test_case("c8gn", &["c7g", "c6gn", "c6in", "m8g"] => "c6gn")]
    #[test_case("g6", &["g5", "g5g", "g4dn", "p4d"] => "g5")]
    #[test_case("u7i-12tb", &["u-6tb1", "x2idn", "m7i"] => "u-6tb1")]
    fn the_nearest_family(name: &str, others: &[&'static str]) -> &'static str {
        let own = Traits::of_family(name);
        let distance = |other: &str| own.distance(&Traits::of_family(other));
        others.iter().min_by(|a, b| distance(a).total_cmp(&distance(b))).unwrap()
    }
}
