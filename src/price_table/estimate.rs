//! Prices that no publication has: from another size of the family in the region, else from the family next to it.

use crate::rows::Row;
use crate::table_files::month_of;
use crate::tenancy::{Evidence, Ratio, Reference, dollars, family, is_metal, weight};
use nodeglass::units::Money;
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// AWS's prices have five decimals at most.
const DECIMALS: u32 = 5;

/// How AWS sets the prices of a family's sizes, as us-east-1 shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Shape<'a> {
    /// As multiples of the price of the smallest size, or of the next one.
    FromSmallest(&'a str),
    /// As fractions of the price of the largest size, rounded to this number of decimals.
    FromLargest(&'a str, u32),
    /// By no rule.
    Free,
}

/// Estimates prices.
pub struct Estimator<'a> {
    reference: &'a Reference,
    /// Virtual types of each family, the smallest first.
    sizes: BTreeMap<&'a str, Vec<&'a str>>,
    /// The figure of each region and family that stands for the family, with its instance type.
    best_figures: BTreeMap<(&'a str, &'a str), (&'a str, &'a Row)>,
    /// The ratios of each region's families.
    ratios: BTreeMap<&'a str, BTreeMap<&'a str, &'a Ratio>>,
}

impl<'a> Estimator<'a> {
    /// An estimator that uses us-east-1's prices and what is known about the other regions.
    pub fn new(reference: &'a Reference, evidence: &'a Evidence) -> Self {
        let mut sizes: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for name in reference.keys().filter(|name| !is_metal(name) && weight(name).is_some()) {
            sizes.entry(family(name)).or_default().push(name);
        }
        for names in sizes.values_mut() {
            names.sort_by_key(|name| weight(name));
        }
        let mut ratios: BTreeMap<&str, BTreeMap<&str, &Ratio>> = BTreeMap::new();
        for ((region, family), ratio) in &evidence.ratios {
            ratios.entry(region).or_default().insert(family, ratio);
        }
        let mut figures: BTreeMap<(&str, &str), Vec<(&str, &Row)>> = BTreeMap::new();
        for ((region, name), row) in evidence.figures.iter().filter(|((_, name), _)| reference.contains_key(name)) {
            figures.entry((region, family(name))).or_default().push((name, row));
        }
        let mut estimator = Self { reference, sizes, best_figures: BTreeMap::new(), ratios };
        for (group, figures) in figures {
            // The largest of those that most others follow from: its price has the most digits.
            let followers = |from: &str, known: &Row| {
                let follows = |(name, row): &&(&str, &Row)| estimator.scaled(known.amount, from, name) == row.amount;
                figures.iter().filter(follows).count()
            };
            let best =
                figures.iter().max_by_key(|(name, row)| (followers(name, row), weight(name).unwrap_or(0), *name));
            estimator.best_figures.extend(best.map(|best| (group, *best)));
        }
        estimator
    }

    /// The price of a pair that has no figure. `None` for types that us-east-1 lacks, and for regions without figures.
    pub fn estimate(&self, region: &str, name: &str) -> Option<Row> {
        let own = family(name);
        if !self.reference.contains_key(name) {
            return None;
        }
        let estimate =
            |amount: Money, by: &str, month: &str| Some(Row { amount, source: format!("estimated-by-{by}-{month}") });
        if let Some((size, row)) = self.best_figures.get(&(region, own)) {
            return estimate(self.by_size(row.amount, size, name), "size", month_of(&row.source)?);
        }
        let ratios = self.ratios.get(region)?;
        if let Some(ratio) = ratios.get(own) {
            return estimate(rounded(self.price(name) * ratio.value, DECIMALS), "family", &ratio.month);
        }
        let traits = Traits::parse(own);
        let distance = |other: &str| traits.distance(&Traits::parse(other));
        let order = |name: &'a str| (Reverse(Traits::parse(name).generation), name);
        let nearest = ratios
            .iter()
            .min_by(|(a, _), (b, _)| distance(a).total_cmp(&distance(b)).then_with(|| order(a).cmp(&order(b))));
        let (neighbour, ratio) = nearest?;
        estimate(self.by_family(name, neighbour, ratio.value), "family", &ratio.month)
    }

    /// The price in us-east-1.
    fn price(&self, name: &str) -> f64 {
        self.reference.get(name).map_or(f64::NAN, |money| dollars(*money))
    }

    /// The price of a type from that of another one of its family, in us-east-1's proportion.
    fn scaled(&self, known: Money, from: &str, name: &str) -> Money {
        rounded(dollars(known) * self.price(name) / self.price(from), DECIMALS)
    }

    /// The price of a type from that of another one of its family, set as the family's prices are.
    fn by_size(&self, known: Money, from: &str, name: &str) -> Money {
        let Shape::FromLargest(_, decimals) = self.shape(family(name)) else { return self.scaled(known, from, name) };
        match (weight(from), weight(name)) {
            (Some(own), Some(wanted)) if !is_metal(from) && !is_metal(name) => {
                rounded(dollars(known) * f64::from(wanted) / f64::from(own), decimals)
            }
            (_, _) => rounded(dollars(known) * self.price(name) / self.price(from), decimals),
        }
    }

    /// The price of a type by the ratio of another family, set as the own family's prices are.
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

    /// A price in us-east-1 before it was rounded: a new family costs a round multiple of its predecessor, such as 1.05.
    fn uplifted(&self, size: &str, neighbour: &str) -> f64 {
        let price = self.price(size);
        let largest = self.sizes.get(neighbour).and_then(|names| names.last());
        let Some((largest, wanted)) = largest.zip(weight(size)) else { return price };
        let as_large = self.price(largest) * f64::from(wanted) / f64::from(weight(largest).unwrap_or(1));
        let multiples = [100.0, 1_000.0, 10_000.0].map(|steps| (price / as_large * steps).round() / steps);
        let fits = |multiple: &f64| rounded(as_large * multiple, DECIMALS) == rounded(price, DECIMALS);
        multiples.into_iter().find(fits).map_or(price, |multiple| as_large * multiple)
    }

    /// The shape of a family: the one that most sizes follow, if four of five do.
    fn shape(&self, family: &str) -> Shape<'_> {
        let Some(names) = self.sizes.get(family) else { return Shape::Free };
        let (Some(smallest), Some(largest)) = (names.first(), names.last()) else { return Shape::Free };
        // The number of sizes whose price is what that of `from` gives, to `within` of the last decimal.
        let followers = |from: &str, decimals: u32, within: f64| {
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
            (followers(smallest, DECIMALS, 0.0), Shape::FromSmallest(smallest)),
            (followers(second, DECIMALS, 1.0), Shape::FromSmallest(second)),
            (followers(largest, 4, 1.0), Shape::FromLargest(largest, 4)),
            (followers(largest, DECIMALS, 1.0), Shape::FromLargest(largest, DECIMALS)),
        ];
        let most = shapes.iter().map(|(followers, _)| *followers).max().unwrap_or(0);
        let shape = shapes.into_iter().find(|(followers, _)| *followers == most && followers * 5 >= names.len() * 4);
        shape.map_or(Shape::Free, |(_, shape)| shape)
    }
}

/// Dollars rounded half up.
fn rounded(dollars: f64, decimals: u32) -> Money {
    Money::from_nanos((dollars * 1e9).round() as i64).rounded(decimals)
}

/// The parts of a family's name: `m6idn` is series m, generation 6, Intel, with disks and a fast network.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Traits<'a> {
    series: &'a str,
    generation: u32,
    processor: char,
    /// The letters after that of the processor, without `-flex`.
    options: &'a str,
    flex: bool,
}

impl<'a> Traits<'a> {
    fn parse(family: &'a str) -> Self {
        let digits = family.find(|c: char| c.is_ascii_digit()).unwrap_or(family.len());
        let (series, rest) = family.split_at(digits);
        let letters = rest.trim_start_matches(|c: char| c.is_ascii_digit());
        let generation = rest.strip_suffix(letters).and_then(|number| number.parse().ok()).unwrap_or(0);
        let (letters, flex) = letters.strip_suffix("-flex").map_or((letters, false), |letters| (letters, true));
        let processor = match letters.chars().next() {
            _ if series == "a" || (series == "t" && generation == 4) => 'g',
            Some('g') if series != "g" => 'g',
            Some('a') if !matches!(series, "g" | "p") => 'a',
            _ => 'i',
        };
        let options = letters.strip_prefix(['a', 'g', 'i']).unwrap_or(letters);
        Self { series, generation, processor, options, flex }
    }

    /// The difference between two families. The weights were chosen by leaving AWS's price list out of the table and
    /// comparing the estimates with it (`price-table measure`).
    fn distance(&self, other: &Self) -> f64 {
        let is_general = |traits: &Self| matches!(traits.series, "c" | "m" | "r");
        let series = match self.series == other.series {
            true => 0.0,
            false if is_general(self) && is_general(other) => 1.5,
            false => 6.0,
        };
        let generation = 0.7 * f64::from(self.generation.abs_diff(other.generation));
        let processor = if self.processor == other.processor { 0.0 } else { 2.0 };
        let flex = if self.flex == other.flex { 0.0 } else { 0.3 };
        let lacking = |a: &Self, b: &Self| -> f64 {
            let letters: std::collections::BTreeSet<char> =
                a.options.chars().filter(|letter| !b.options.contains(*letter)).collect();
            let weight = |letter: char| match letter {
                'n' => 1.7,
                'e' => 3.0,
                'z' => 2.0,
                _ => 1.0,
            };
            letters.into_iter().map(weight).sum()
        };
        series + generation + processor + flex + lacking(self, other) + lacking(other, self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rows::Row;
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
        let figure = |amount: &str| Row { amount: amount.parse().unwrap(), source: "libcloud-2025-03".into() };
        let ratio = |value| Ratio { value, month: "2025-03".into() };
        Evidence {
            figures: figures.iter().map(|(name, amount)| ((region.into(), (*name).into()), figure(amount))).collect(),
            ratios: ratios.iter().map(|(name, value)| ((region.into(), (*name).into()), ratio(*value))).collect(),
        }
    }

    fn estimated(evidence: &Evidence, name: &str) -> Option<(String, String)> {
        let reference = reference();
        let estimate = Estimator::new(&reference, evidence).estimate("eu-west-2", name)?;
        assert!(crate::table_files::is_estimated(&estimate.source));
        Some((estimate.amount.decimal(5), estimate.source))
    }

    // Right are AWS's prices of February 2026 in London.
    #[test_case("c7g.medium", &[("c7g.large", "0.0859"), ("c7g.16xlarge", "2.7475")] => Some(("0.04290".into(), "estimated-by-size-2025-03".into())) ; "from the largest size to four decimals as the family has them")]
    #[test_case("c5.24xlarge", &[("c5.large", "0.101")] => Some(("4.84800".into(), "estimated-by-size-2025-03".into())))]
    #[test_case("c5.metal", &[("c5.large", "0.101"), ("c5.24xlarge", "4.848")] => Some(("4.84800".into(), "estimated-by-size-2025-03".into())) ; "bare metal")]
    #[test_case("m9x.large", &[("c5.large", "0.101")] => None ; "us-east-1 has no such type")]
    fn a_size_follows_from_the_largest_known(name: &str, figures: &[(&str, &str)]) -> Option<(String, String)> {
        estimated(&evidence(figures, &[("c5", 1.18824)]), name)
    }

    // r8i is 1.05 times r7i before it is rounded, c8g 1.10 times c7g: the ratio of rounded prices misses the fifth decimal.
    #[test_case("r8i.large", &[("r7i", 0.1554 / 0.1323)] => Some(("0.16317".into(), "estimated-by-family-2025-03".into())))]
    #[test_case("r8i.96xlarge", &[("r7i", 0.1554 / 0.1323), ("c5", 1.18824)] => Some(("31.32864".into(), "estimated-by-family-2025-03".into())))]
    #[test_case("c8g.medium", &[("c7g", 2.7475 / 2.32), ("r7i", 1.1746)] => Some(("0.04722".into(), "estimated-by-family-2025-03".into())))]
    #[test_case("c8g.48xlarge", &[("c7g", 2.7475 / 2.32)] => Some(("9.06624".into(), "estimated-by-family-2025-03".into())))]
    #[test_case("c8g.large", &[] => None ; "nothing is known of the region")]
    fn a_family_follows_from_the_one_next_to_it(name: &str, ratios: &[(&str, f64)]) -> Option<(String, String)> {
        estimated(&evidence(&[], ratios), name)
    }

    #[test_case("m8g", &["m7g", "m6g", "c8g", "m7i", "m7gd"] => "m7g")]
    #[test_case("r8i-flex", &["c7i-flex", "r7i", "r7g", "r6i"] => "r7i")]
    #[test_case("i7ie", &["i3en", "i4i", "i3", "c7i"] => "i3en")]
    #[test_case("c8gn", &["c7g", "c6gn", "c6in", "m8g"] => "c6gn")]
    #[test_case("g6", &["g5", "g5g", "g4dn", "p4d"] => "g5")]
    #[test_case("u7i-12tb", &["u-6tb1", "x2idn", "m7i"] => "u-6tb1")]
    fn the_nearest_family(name: &str, others: &[&'static str]) -> &'static str {
        let own = Traits::parse(name);
        let distance = |other: &str| own.distance(&Traits::parse(other));
        others.iter().min_by(|a, b| distance(a).total_cmp(&distance(b))).unwrap()
    }
}
