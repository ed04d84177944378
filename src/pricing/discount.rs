//! Discounts the cluster knows nothing of: Savings Plans, reserved instances, private agreements, as the user states them.
//!
//! A rule takes its share off the list price of the machines it matches; the first rule that matches a machine is the
//! only one for it. What a label or the price file sets, and what is paid in advance, is left as it is. A discount never
//! raises a price.

use super::CapacityType;
use super::glob::Glob;
use super::offer::Offer;
use super::quote::{Amount, Component, Discount, Mark, Quote};
use crate::units::Money;
use std::fmt;
use std::str::FromStr;

/// What is paid of the list price: 0 (nothing) to 1 (all of it), to the millionth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Factor(u32);

/// Millionths of the list price that make all of it.
const WHOLE: u32 = 1_000_000;

/// Why a text is no discount. Completes "failed to read discount …".
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FactorError {
    /// Not a number at all, or not a finite one.
    #[error("it is neither a percentage such as `-28%` nor a factor from 0 to 1 such as `0.72`")]
    NotDiscount,
    /// A percentage without a sign may mean what is paid or what is not.
    #[error(
        "a percentage without a sign may mean what is saved or what is paid: write `-28%` to save 28 %, or the factor `0.28` to pay 28 %"
    )]
    Unsigned,
    /// More than the list price, or less than nothing.
    #[error("a discount is from 0 % to 100 %: a factor from 0 to 1, or `-0%` to `-100%`")]
    Range,
    /// Finer than a millionth.
    #[error("it is finer than a millionth of the price (six decimals of a factor, four of a percentage)")]
    TooFine,
}

impl Factor {
    /// In millionths: 720,000 for `-28%`.
    pub const fn millionths(self) -> u32 {
        self.0
    }

    /// What remains of an amount, to the billionth, half up.
    pub fn of(self, amount: Money) -> Money {
        amount.times(i64::from(self.0), i64::from(WHOLE))
    }
}

impl FromStr for Factor {
    type Err = FactorError;

    /// `-28%` or `-28 %` (28 % less is paid), or `0.72` (72 % is paid).
    fn from_str(text: &str) -> Result<Self, FactorError> {
        let text = text.trim();
        let number = |text: &str| text.trim().parse::<Money>().ok().ok_or(FactorError::NotDiscount);
        // A factor and a percentage in billionths, each down to its own finest step.
        let steps = |amount: Money, step: i64| match (amount.nanos() / step, amount.nanos() % step) {
            (steps, 0) => u32::try_from(steps).ok().filter(|steps| *steps <= WHOLE).ok_or(FactorError::Range),
            (_, _) => Err(FactorError::TooFine),
        };
        let Some(percentage) = text.strip_suffix('%') else {
            return steps(number(text)?, 1_000).map(Self);
        };
        // Both signs that people take for a minus: that of the keyboard and that of typesetters.
        match percentage.strip_prefix('-').or_else(|| percentage.strip_prefix('\u{2212}')) {
            Some(saved) => steps(number(saved)?, 100_000).map(|saved| Self(WHOLE - saved)),
            None if percentage.starts_with('+') => Err(FactorError::Range),
            None => number(percentage).and(Err(FactorError::Unsigned)),
        }
    }
}

impl fmt::Display for Factor {
    /// As a percentage off: `-28%`, `-12.5%`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let saved = WHOLE - self.0;
        let part = format!("{:04}", saved % 10_000);
        match part.trim_end_matches('0') {
            "" => write!(f, "-{}%", saved / 10_000),
            part => write!(f, "-{}.{part}%", saved / 10_000),
        }
    }
}

/// Which parts of a price a rule is about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum DiscountOn {
    /// The machine: what Savings Plans and reserved instances are for.
    #[default]
    Instance,
    /// The Auto Mode fee.
    Fee,
    /// Both.
    All,
}

impl DiscountOn {
    /// Every choice, in the order of documents.
    pub const ALL: [Self; 3] = [Self::Instance, Self::Fee, Self::All];

    /// Its name in the configuration.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Instance => "instance",
            Self::Fee => "fee",
            Self::All => "all",
        }
    }

    /// The choice with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|on| on.name() == name)
    }
}

/// One discount. What is not said matches every machine; what is said must hold altogether.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DiscountRule {
    /// Instance family: `m5*` (the part of the type before the point).
    pub family: Option<Glob>,
    /// Instance type: `*.metal`.
    pub instance_type: Option<Glob>,
    /// Karpenter nodepool.
    pub nodepool: Option<Glob>,
    /// Managed or eksctl node group.
    pub nodegroup: Option<Glob>,
    /// How the machine is bought.
    pub capacity: Option<CapacityType>,
    /// The machine's region; in a Local Zone its group, `us-west-2-lax-1`, as well.
    pub region: Option<Glob>,
    /// What is paid of the list price.
    pub factor: Factor,
    /// Of which part. A rule on the fee matches only machines that have one.
    pub on: DiscountOn,
}

impl DiscountRule {
    /// A rule for every machine.
    pub const fn of(factor: Factor) -> Self {
        Self {
            family: None,
            instance_type: None,
            nodepool: None,
            nodegroup: None,
            capacity: None,
            region: None,
            factor,
            on: DiscountOn::Instance,
        }
    }

    /// Whether all it says holds of a machine.
    pub fn matches(&self, offer: &Offer<'_>) -> bool {
        let holds = |glob: &Option<Glob>, name: Option<&str>| {
            glob.as_ref().is_none_or(|glob| name.is_some_and(|name| glob.matches(name)))
        };
        let family = offer.instance_type.and_then(|name| name.split_once('.')).map(|(family, _)| family);
        holds(&self.family, family)
            && holds(&self.instance_type, offer.instance_type)
            && holds(&self.nodepool, offer.nodepool)
            && holds(&self.nodegroup, offer.nodegroup)
            && self.capacity.is_none_or(|capacity| capacity == offer.capacity_type)
            && (holds(&self.region, offer.region) || holds(&self.region, offer.price_region()))
    }
}

impl fmt::Display for DiscountRule {
    /// As it would be told in one line: `family=m5* capacity=on-demand -28%`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let globs = [
            ("family", &self.family),
            ("type", &self.instance_type),
            ("nodepool", &self.nodepool),
            ("nodegroup", &self.nodegroup),
            ("region", &self.region),
        ];
        for (name, glob) in globs {
            if let Some(glob) = glob {
                write!(f, "{name}={glob} ")?;
            }
        }
        if let Some(capacity) = self.capacity {
            write!(f, "capacity={capacity} ")?;
        }
        match self.on {
            DiscountOn::Instance => write!(f, "{}", self.factor),
            DiscountOn::Fee => write!(f, "{} on the fee", self.factor),
            DiscountOn::All => write!(f, "{} on machine and fee", self.factor),
        }
    }
}

/// Applies the first rule that matches, if any.
pub fn apply(rules: &[DiscountRule], offer: &Offer<'_>, quote: &mut Quote) {
    // What was paid in advance has no price by the hour to take something off.
    let machine = quote.mark != Mark::Prepaid;
    let has_part = |on| match on {
        DiscountOn::Instance => machine,
        DiscountOn::Fee => quote.fee.is_some(),
        DiscountOn::All => machine || quote.fee.is_some(),
    };
    let first = rules.iter().enumerate().find(|(_, rule)| has_part(rule.on) && rule.matches(offer));
    let Some((at, rule)) = first else { return };
    let instance_before = match rule.on {
        DiscountOn::Instance | DiscountOn::All if machine => reduce(&mut quote.instance, rule.factor),
        DiscountOn::Instance | DiscountOn::Fee | DiscountOn::All => None,
    };
    let fee_before = match (&mut quote.fee, rule.on) {
        (Some(fee), DiscountOn::Fee | DiscountOn::All) => reduce(fee, rule.factor),
        (Some(_) | None, _) => None,
    };
    if instance_before.or(fee_before).is_some() {
        quote.mark = quote.mark.max(Mark::Override);
    }
    quote.discount =
        Some(Discount { rule: at, factor_millionths: rule.factor.millionths(), instance_before, fee_before });
}

/// Takes the discount off a part; what it was before. An upper bound is lowered like a price; unknown stays unknown.
fn reduce(part: &mut Component, factor: Factor) -> Option<Money> {
    match &mut part.amount {
        Amount::Known(amount) | Amount::AtMost(amount, _) => {
            let before = *amount;
            *amount = factor.of(before);
            Some(before)
        }
        Amount::Unknown(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use test_case::test_case;

    #[test_case("-28%" => Ok(720_000))]
    #[test_case(" -28 % " => Ok(720_000) ; "with blanks")]
    #[test_case("\u{2212}28%" => Ok(720_000) ; "with a typographic minus")]
    #[test_case("-12.5%" => Ok(875_000))]
    #[test_case("-33.3333%" => Ok(666_667))]
    #[test_case("-0%" => Ok(1_000_000) ; "the list price, said")]
    #[test_case("-100%" => Ok(0))]
    #[test_case("0.72" => Ok(720_000))]
    #[test_case(".72" => Ok(720_000) ; "without a zero")]
    #[test_case("1" => Ok(1_000_000))]
    #[test_case("0" => Ok(0))]
    #[test_case("0.000001" => Ok(1))]
    #[test_case("28%" => Err(FactorError::Unsigned))]
    #[test_case("28 %" => Err(FactorError::Unsigned) ; "unsigned with a blank")]
    #[test_case("+28%" => Err(FactorError::Range))]
    #[test_case("-100.1%" => Err(FactorError::Range))]
    #[test_case("--28%" => Err(FactorError::Range) ; "negative twice")]
    #[test_case("1.01" => Err(FactorError::Range))]
    #[test_case("28" => Err(FactorError::Range))]
    #[test_case("-0.28" => Err(FactorError::Range))]
    #[test_case("0.0000001" => Err(FactorError::TooFine))]
    #[test_case("-33.33333%" => Err(FactorError::TooFine))]
    #[test_case("nan" => Err(FactorError::NotDiscount))]
    #[test_case("inf" => Err(FactorError::NotDiscount))]
    #[test_case("-inf%" => Err(FactorError::NotDiscount))]
    #[test_case("%" => Err(FactorError::NotDiscount))]
    #[test_case("-%" => Err(FactorError::NotDiscount))]
    #[test_case("" => Err(FactorError::NotDiscount))]
    #[test_case("7.2e-1" => Err(FactorError::NotDiscount))]
    #[test_case("99999999999" => Err(FactorError::NotDiscount))]
    fn a_discount_is_a_signed_percentage_or_a_factor(text: &str) -> Result<u32, FactorError> {
        text.parse().map(Factor::millionths)
    }

    #[test_case(720_000 => "-28%")]
    #[test_case(875_000 => "-12.5%")]
    #[test_case(666_667 => "-33.3333%")]
    #[test_case(1_000_000 => "-0%")]
    #[test_case(0 => "-100%")]
    fn it_reads_as_a_percentage_off(millionths: u32) -> String {
        Factor(millionths).to_string()
    }

    fn rule(edit: impl FnOnce(&mut DiscountRule)) -> DiscountRule {
        let mut rule = DiscountRule::of(Factor(720_000));
        edit(&mut rule);
        rule
    }

    fn glob(text: &str) -> Glob {
        text.parse().unwrap()
    }

    #[test_case(&rule(|_| ()) => true ; "nothing said")]
    #[test_case(&rule(|r| r.family = Some(glob("c5*"))) => true ; "family")]
    #[test_case(&rule(|r| r.family = Some(glob("c5"))) => false ; "another family")]
    #[test_case(&rule(|r| r.instance_type = Some(glob("*.large"))) => true ; "type")]
    #[test_case(&rule(|r| r.instance_type = Some(glob("c5a"))) => false ; "a type is not its family")]
    #[test_case(&rule(|r| r.nodepool = Some(glob("general"))) => true ; "nodepool")]
    #[test_case(&rule(|r| r.nodepool = Some(glob("gpu-*"))) => false ; "another nodepool")]
    #[test_case(&rule(|r| r.nodegroup = Some(glob("*"))) => false ; "no node group at all")]
    #[test_case(&rule(|r| r.capacity = Some(CapacityType::Spot)) => true ; "capacity type")]
    #[test_case(&rule(|r| r.capacity = Some(CapacityType::OnDemand)) => false ; "another capacity type")]
    #[test_case(&rule(|r| r.region = Some(glob("us-west-*"))) => true ; "region")]
    #[test_case(&rule(|r| r.region = Some(glob("us-west-2-lax-1"))) => true ; "group of the local zone")]
    #[test_case(&rule(|r| r.region = Some(glob("eu-*"))) => false ; "another region")]
    #[test_case(&rule(|r| { r.family = Some(glob("c5a")); r.region = Some(glob("eu-*")); }) => false ; "one of two holds")]
    fn all_that_a_rule_says_must_hold(rule: &DiscountRule) -> bool {
        rule.matches(&Offer {
            instance_type: Some("c5a.large"),
            region: Some("us-west-2"),
            zone: Some("us-west-2-lax-1a"),
            zone_kind: crate::pricing::ZoneKind::Local,
            capacity_type: CapacityType::Spot,
            nodepool: Some("general"),
            ..Offer::default()
        })
    }

    #[test]
    fn a_rule_reads_in_one_line() {
        let rule = rule(|r| {
            (r.family, r.region) = (Some(glob("m5*")), Some(glob("eu-*")));
            (r.capacity, r.on) = (Some(CapacityType::OnDemand), DiscountOn::All);
        });
        assert_eq!(rule.to_string(), "family=m5* region=eu-* capacity=on-demand -28% on machine and fee");
        assert_eq!(DiscountRule::of(Factor(0)).to_string(), "-100%");
    }

    proptest::proptest! {
        #[test]
        fn a_discount_never_raises_a_price(millionths in 0_u32..=WHOLE, nanos in 0_i64..=i64::MAX) {
            let paid = Factor(millionths).of(Money::from_nanos(nanos));
            proptest::prop_assert!(paid >= Money::ZERO && paid <= Money::from_nanos(nanos));
        }

        #[test]
        fn a_factor_reads_back_as_it_is_told(millionths in 0_u32..=WHOLE) {
            let factor = Factor(millionths);
            proptest::prop_assert_eq!(factor.to_string().parse(), Ok(factor));
        }
    }
}
