//! EKS Hybrid Nodes: machines of one's own, for which EKS charges by vCPU.
//!
//! The charge falls in tiers by the vCPU-hours of the account's whole month (EKS pricing page, "Amazon EKS Hybrid Nodes"),
//! which nobody but the bill knows: the first tier is the most it can be. The machine itself is not AWS's to price.

use super::learned::Figure;
use super::origin::{AsOf, Origin, PriceSource};
use super::place::Partition;
use super::quote::{Amount, Basis, Component, Mark, Quote, Unknown};
use crate::units::{Currency, Money};

/// A vCPU-hour of the first tier, the same in all commercial regions: 0.020 dollars.
const FIRST_TIER: Money = Money::from_nanos(20_000_000);
/// The month it was read in AWS's list.
const MONTH: &str = "2026-09";

/// The most a hybrid node can cost: the vCPU of its `status.capacity` at what was learned of its region, else at what the
/// program carries.
pub fn quote(currency: Currency, region: Option<&str>, learned: Option<Figure>, cpu_millicores: u64) -> Quote {
    let Some(region) = region else { return Quote::unknown_because(currency, Unknown::NoRegion) };
    let carried = || {
        let origin = Origin { source: PriceSource::Embedded, as_of: AsOf::Month(MONTH) };
        (Partition::of(region) == Partition::Commercial).then_some(Figure { amount: FIRST_TIER, origin })
    };
    let vcpu = cpu_millicores.div_ceil(1_000);
    let Some(price) = learned.or_else(carried).filter(|_| vcpu > 0) else {
        return Quote::unknown_because(currency, Unknown::Hybrid);
    };
    let most = price.amount.times(i64::try_from(vcpu).unwrap_or(i64::MAX), 1);
    let part = Component { amount: Amount::AtMost(most, Unknown::HybridTier), ..Component::known(most, price.origin) };
    let basis = Basis::Hybrid { vcpu, vcpu_price: price.amount };
    Quote { basis: Some(basis), ..Quote::of(currency, part, Mark::Bound) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use test_case::test_case;

    #[test_case(Some("eu-west-1"), 16_000 => ("≤0.3200".to_owned(), Some(Unknown::HybridTier)))]
    #[test_case(Some("eu-west-1"), 0 => ("—".to_owned(), Some(Unknown::Hybrid)) ; "of unknown size")]
    #[test_case(Some("us-gov-west-1"), 16_000 => ("—".to_owned(), Some(Unknown::Hybrid)) ; "another partition")]
    #[test_case(None, 16_000 => ("—".to_owned(), Some(Unknown::NoRegion)) ; "nowhere")]
    #[test_case(Some("eu-west-1"), u64::MAX => ("≤9223372036.8547".to_owned(), Some(Unknown::HybridTier)) ; "absurd, but no panic")]
    fn the_first_tier_bounds_the_price(region: Option<&str>, cpu_millicores: u64) -> (String, Option<Unknown>) {
        let quote = quote(Currency::Usd, region, None, cpu_millicores);
        (quote.label(4), quote.unknown())
    }

    #[test]
    fn a_bound_adds_nothing_and_what_was_learned_goes_first() {
        let origin = Origin::of(PriceSource::EksList);
        let learned = Figure { amount: "0.021".parse().unwrap(), origin };
        let quote = quote(Currency::Usd, Some("eu-west-1"), Some(learned), 4_000);
        assert_eq!((quote.hourly(), quote.known().0), (None, Money::ZERO));
        assert_eq!((quote.label(3).as_str(), quote.instance.origin), ("≤0.084", origin));
        assert_eq!(quote.basis, Some(Basis::Hybrid { vcpu: 4, vcpu_price: learned.amount }));
    }
}
