//! Discounts of the user that the cluster does not know: Savings Plans, reserved instances, private agreements.
//!
//! The first rule that matches a node lowers its on-demand or spot price. Prices that a label or the price file sets, and
//! prepaid instances, have no discount. A discount never raises a price.

use super::CapacityType;
use super::glob::Glob;
use super::offer::Offer;
use super::quote::{Amount, Component, Discount, Mark, Quote};
use crate::units::Money;
use std::fmt;
use std::str::FromStr;

/// The share of the list price that is paid, from 0 to 1 in millionths.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Factor(u32);

/// One in millionths.
const WHOLE: u32 = 1_000_000;

/// Why a text is not a discount. Completes "failed to read discount …".
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FactorError {
    /// It is not a finite number.
    #[error("it is neither a percentage such as `-28%` nor a factor from 0 to 1 such as `0.72`")]
    NotDiscount,
    /// A percentage without a sign is ambiguous.
    #[error(
        "a percentage without a sign may mean what is saved or what is paid: write `-28%` to save 28 %, or the factor `0.28` to pay 28 %"
    )]
    Unsigned,
    /// It is above 1 or below 0.
    #[error("a discount is from 0 % to 100 %: a factor from 0 to 1, or `-0%` to `-100%`")]
    Range,
    /// It has more decimals than millionths.
    #[error("it is finer than a millionth of the price (six decimals of a factor, four of a percentage)")]
    TooFine,
}

impl Factor {
    /// In millionths: 720,000 for `-28%`.
    pub const fn millionths(self) -> u32 {
        self.0
    }

    /// The paid share of an amount, rounded half up to a billionth.
    pub fn apply_to(self, amount: Money) -> Money {
        amount.times(i64::from(self.0), i64::from(WHOLE))
    }
}

impl FromStr for Factor {
    type Err = FactorError;

    /// `-28%` or `-28 %` (28 % less is paid), or `0.72` (72 % is paid).
    fn from_str(text: &str) -> Result<Self, FactorError> {
        let text = text.trim();
        let number = |text: &str| text.trim().parse::<Money>().ok().ok_or(FactorError::NotDiscount);
        // Billionths in whole steps of a millionth, or of a ten-thousandth of a percent.
        let steps = |amount: Money, step: i64| match (amount.nanos() / step, amount.nanos() % step) {
            (steps, 0) => u32::try_from(steps).ok().filter(|steps| *steps <= WHOLE).ok_or(FactorError::Range),
            (_, _) => Err(FactorError::TooFine),
        };
        let Some(percentage) = text.strip_suffix('%') else {
            return steps(number(text)?, 1_000).map(Self);
        };
        // A hyphen, or the typographic minus sign.
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

/// The components of a price that a rule applies to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum DiscountOn {
    /// The instance, as Savings Plans and reserved instances do.
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

    /// Its name in the settings file.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Instance => "instance",
            Self::Fee => "fee",
            Self::All => "all",
        }
    }
}

/// A discount. It matches the nodes that meet all its conditions; a missing condition is met by every node.
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
    /// Capacity type.
    pub capacity: Option<CapacityType>,
    /// Region; in a Local Zone also its group, `us-west-2-lax-1`.
    pub region: Option<Glob>,
    /// The share of the list price that is paid.
    pub factor: Factor,
    /// The components that it applies to. A rule on the fee matches only nodes with a fee.
    pub on: DiscountOn,
}

impl DiscountRule {
    /// A rule for every node.
    pub const fn new(factor: Factor) -> Self {
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

    /// Whether a node meets all conditions.
    pub fn matches(&self, offer: &Offer) -> bool {
        let holds = |glob: &Option<Glob>, name: Option<&str>| {
            glob.as_ref().is_none_or(|glob| name.is_some_and(|name| glob.matches(name)))
        };
        let instance_type = offer.instance_type.as_deref();
        let family = instance_type.and_then(|name| name.split_once('.')).map(|(family, _)| family);
        holds(&self.family, family)
            && holds(&self.instance_type, instance_type)
            && holds(&self.nodepool, offer.nodepool.as_deref())
            && holds(&self.nodegroup, offer.nodegroup.as_deref())
            && self.capacity.is_none_or(|capacity| capacity == offer.capacity_type)
            && (holds(&self.region, offer.region.as_deref()) || holds(&self.region, offer.price_region()))
    }
}

impl fmt::Display for DiscountRule {
    /// In one line: `family=m5* capacity=on-demand -28%`.
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
            DiscountOn::All => write!(f, "{} on instance and fee", self.factor),
        }
    }
}

/// Applies the first rule that matches, if any.
pub fn apply(rules: &[DiscountRule], offer: &Offer, quote: &mut Quote) {
    // What is prepaid has no hourly price.
    let has_instance_price = quote.mark != Mark::Prepaid;
    let has_fee = quote.fee.is_some();
    let is_on_instance = |rule: &DiscountRule| has_instance_price && rule.on != DiscountOn::Fee;
    let is_on_fee = |rule: &DiscountRule| has_fee && rule.on != DiscountOn::Instance;
    let applies = |rule: &DiscountRule| (is_on_instance(rule) || is_on_fee(rule)) && rule.matches(offer);
    let Some((at, rule)) = rules.iter().enumerate().find(|(_, rule)| applies(rule)) else { return };
    let instance_before = if is_on_instance(rule) { reduce(&mut quote.instance, rule.factor) } else { None };
    let fee = quote.fee.as_mut().filter(|_| is_on_fee(rule));
    let fee_before = fee.and_then(|fee| reduce(fee, rule.factor));
    if instance_before.or(fee_before).is_some() {
        quote.mark = quote.mark.max(Mark::Override);
    }
    quote.discount =
        Some(Discount { rule: at, factor_millionths: rule.factor.millionths(), instance_before, fee_before });
}

/// Applies the discount to a component and returns the amount before it. An upper bound is lowered like a price.
fn reduce(part: &mut Component, factor: Factor) -> Option<Money> {
    match &mut part.amount {
        Amount::Known(amount) | Amount::AtMost(amount, _) => {
            let before = *amount;
            *amount = factor.apply_to(before);
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
    #[test_case("-0%" => Ok(1_000_000) ; "the list price")]
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
    fn its_text_is_a_percentage(millionths: u32) -> String {
        Factor(millionths).to_string()
    }

    fn rule(edit: impl FnOnce(&mut DiscountRule)) -> DiscountRule {
        let mut rule = DiscountRule::new(Factor(720_000));
        edit(&mut rule);
        rule
    }

    fn glob(text: &str) -> Glob {
        text.parse().unwrap()
    }

    #[test_case(&rule(|_| ()) => true ; "no condition")]
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
    fn all_conditions_must_be_met(rule: &DiscountRule) -> bool {
        rule.matches(&Offer {
            instance_type: Some("c5a.large".into()),
            region: Some("us-west-2".into()),
            zone: Some("us-west-2-lax-1a".into()),
            zone_kind: crate::pricing::ZoneKind::Local,
            capacity_type: CapacityType::Spot,
            nodepool: Some("general".into()),
            ..Offer::default()
        })
    }

    #[test]
    fn a_rule_is_one_line() {
        let rule = rule(|r| {
            (r.family, r.region) = (Some(glob("m5*")), Some(glob("eu-*")));
            (r.capacity, r.on) = (Some(CapacityType::OnDemand), DiscountOn::All);
        });
        assert_eq!(rule.to_string(), "family=m5* region=eu-* capacity=on-demand -28% on instance and fee");
        assert_eq!(DiscountRule::new(Factor(0)).to_string(), "-100%");
    }

    proptest::proptest! {
        #[test]
        fn a_discount_never_raises_a_price(millionths in 0_u32..=WHOLE, nanos in 0_i64..=i64::MAX) {
            let paid = Factor(millionths).apply_to(Money::from_nanos(nanos));
            proptest::prop_assert!(paid >= Money::ZERO && paid <= Money::from_nanos(nanos));
        }

        #[test]
        fn a_factor_is_parsed_back_from_its_text(millionths in 0_u32..=WHOLE) {
            let factor = Factor(millionths);
            proptest::prop_assert_eq!(factor.to_string().parse(), Ok(factor));
        }
    }
}
