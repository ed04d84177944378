//! EKS Hybrid Nodes: the user's own computers, for which EKS charges by vCPU.
//!
//! The price falls in tiers of the account's vCPU-hours of the month (EKS pricing page, "Amazon EKS Hybrid Nodes"), which only
//! the bill knows: the first tier is an upper bound. The computer itself has no price.

use super::origin::{AsOf, Origin, PriceSource};
use super::place::Partition;
use super::quote::{Amount, Basis, Component, Figure, Mark, Quote, Unknown};
use crate::units::{Currency, Money};

/// A vCPU-hour of the first tier in all commercial regions, by AWS's list of 2026-09.
const FIRST_TIER: Figure = Figure {
    amount: Money::from_nanos(20_000_000),
    estimated: false,
    origin: Origin { source: PriceSource::Embedded, as_of: AsOf::Month("2026-09") },
};

/// The upper bound of a hybrid node's price: the vCPU of its `status.capacity` at the fetched price of its region, else at the
/// embedded one.
pub fn quote(currency: Currency, region: Option<&str>, fetched: Option<Figure>, cpu_millicores: u64) -> Quote {
    let Some(region) = region else { return Quote::from_unknown(currency, Unknown::NoRegion) };
    let embedded = Some(FIRST_TIER).filter(|_| Partition::from_region(region) == Partition::Commercial);
    let vcpu = cpu_millicores.div_ceil(1_000);
    let Some(price) = fetched.or(embedded).filter(|_| vcpu > 0) else {
        return Quote::from_unknown(currency, Unknown::Hybrid);
    };
    let most = price.amount.times(i64::try_from(vcpu).unwrap_or(i64::MAX), 1);
    let instance = Component { amount: Amount::AtMost(most, Unknown::HybridTier), ..Component::from(price) };
    let basis = Basis::Hybrid { vcpu, vcpu_price: price.amount };
    Quote { basis: Some(basis), ..Quote::new(currency, instance, Mark::Bound) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use test_case::test_case;

    #[test_case(Some("eu-west-1"), 16_000 => ("≤0.3200".to_owned(), Some(Unknown::HybridTier)))]
    #[test_case(Some("eu-west-1"), 0 => ("—".to_owned(), Some(Unknown::Hybrid)) ; "of unknown size")]
    #[test_case(Some("us-gov-west-1"), 16_000 => ("—".to_owned(), Some(Unknown::Hybrid)) ; "another partition")]
    #[test_case(None, 16_000 => ("—".to_owned(), Some(Unknown::NoRegion)) ; "without a region")]
    #[test_case(Some("eu-west-1"), u64::MAX => ("≤9223372036.8547".to_owned(), Some(Unknown::HybridTier)) ; "absurd, but no panic")]
    fn the_first_tier_bounds_the_price(region: Option<&str>, cpu_millicores: u64) -> (String, Option<Unknown>) {
        let quote = quote(Currency::Usd, region, None, cpu_millicores);
        (quote.label(4), quote.unknown())
    }

    #[test]
    fn a_bound_adds_nothing_and_a_fetched_price_comes_first() {
        let origin = Origin::undated(PriceSource::EksList);
        let fetched = Figure { amount: "0.021".parse().unwrap(), estimated: false, origin };
        let quote = quote(Currency::Usd, Some("eu-west-1"), Some(fetched), 4_000);
        assert_eq!((quote.hourly(), quote.known().0), (None, Money::ZERO));
        assert_eq!((quote.label(3).as_str(), quote.instance.origin), ("≤0.084", origin));
        assert_eq!(quote.basis, Some(Basis::Hybrid { vcpu: 4, vcpu_price: fetched.amount }));
    }
}
