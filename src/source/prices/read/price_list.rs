//! What AWS's price lists have in common: products with attributes, terms with prices per unit.
//!
//! A price list file (`offers/v1.0/aws/<service>/current/<region>/index.json`) holds products and terms apart, joined by
//! SKU; an item of `GetProducts` is one product with its terms. Source: AWS Billing user guide, "Reading the service price
//! list file".

use super::{Price, ValidEntries};
use crate::model::Name;
use crate::pricing::{Os, Tenancy};
use crate::source::json::{Text, Time};
use crate::units::{Currency, Money};
use rustc_hash::FxHashMap;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::collections::BTreeMap;

/// A product.
#[derive(Debug, Deserialize)]
pub(super) struct Product {
    pub attributes: Attributes,
}

/// The attributes of a product that the readers use; those it does not have are empty.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Attributes {
    pub usagetype: Text,
    pub operation: Text,
    /// EC2's spelling.
    pub instance_type: Text,
    /// EKS's spelling.
    #[serde(rename = "instancetype")]
    pub eks_instance_type: Text,
    #[serde(rename = "tiertype")]
    pub tier_type: Text,
    pub operating_system: Text,
    pub license_model: Text,
    #[serde(rename = "preInstalledSw")]
    pub pre_installed_software: Text,
    #[serde(rename = "capacitystatus")]
    pub capacity_status: Text,
    #[serde(rename = "marketoption")]
    pub market_option: Text,
    pub region_code: Text,
    pub vcpu: Text,
    pub memory: Text,
    pub volume_api_name: Text,
}

impl Attributes {
    /// The usage type without its region prefix: `APN2-BoxUsage:c5a.large` is `BoxUsage:c5a.large`. us-east-1 has no
    /// prefix, a Local Zone has two (`USW2-LAX1-`).
    pub(super) fn usage(&self) -> &str {
        let mut rest: &str = &self.usagetype;
        while let Some((head, tail)) = rest.split_once('-') {
            if head.is_empty() || !head.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit()) {
                break;
            }
            rest = tail;
        }
        rest
    }

    /// Whether the price of this product is an estimate of the on-demand price of its instance type; `None` if it is not
    /// a price of such an instance at all.
    ///
    /// Only the Dedicated price of a bare metal type is an estimate: bare metal on shared tenancy is sold at the Shared
    /// price, and not every type has one.
    pub(super) fn is_estimate(&self, os: Os, tenancy: Tenancy) -> Option<bool> {
        let is_plain = self.operating_system.is_or_empty(os.as_aws())
            && self.license_model.is_or_empty("No License required")
            && self.pre_installed_software.is_or_empty("NA")
            && self.capacity_status.is_or_empty("Used")
            && self.market_option.is_or_empty("OnDemand");
        match (tenancy, self.usage().split(':').next()) {
            _ if !is_plain => None,
            (Tenancy::Shared, Some("BoxUsage")) | (Tenancy::Dedicated, Some("DedicatedUsage")) => Some(false),
            (Tenancy::Shared, Some("DedicatedUsage")) if self.instance_type.contains(".metal") => Some(true),
            _ => None,
        }
    }
}

/// A price in each currency that the list states.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "UPPERCASE")]
pub(super) struct PricePerUnit {
    usd: Price,
    cny: Price,
}

impl PricePerUnit {
    /// The price of one of so many units.
    pub(super) fn divided_by(self, units: i64) -> Self {
        let divided = |price: Price| Price(price.0.map(|price| price.times(1, units)));
        Self { usd: divided(self.usd), cny: divided(self.cny) }
    }

    /// The price in one currency.
    const fn in_currency(&self, currency: Currency) -> Option<Money> {
        match currency {
            Currency::Usd => self.usd.0,
            Currency::Cny => self.cny.0,
        }
    }
}

/// The currency of a list, which only its prices state, and the lowest price of each key in it.
pub(super) fn lowest<K: Ord>(prices: Vec<(K, PricePerUnit)>) -> (Currency, BTreeMap<K, Money>) {
    let is_in = |currency| prices.iter().any(|(_, price)| price.in_currency(currency).is_some());
    let currency = if is_in(Currency::Cny) && !is_in(Currency::Usd) { Currency::Cny } else { Currency::Usd };
    let mut lowest = BTreeMap::new();
    for (key, price) in prices {
        let Some(amount) = price.in_currency(currency) else { continue };
        lowest.entry(key).and_modify(|known: &mut Money| *known = amount.min(*known)).or_insert(amount);
    }
    (currency, lowest)
}

/// A price of a product.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Dimension {
    pub unit: Text,
    /// The quantity from which the price applies.
    begin_range: Text,
    #[serde(rename = "pricePerUnit")]
    pub price: PricePerUnit,
}

impl Dimension {
    /// Whether it is a price per hour: AWS writes `Hrs` and `hours`.
    pub(super) fn is_hourly(&self) -> bool {
        self.unit.is("Hrs") || self.unit.is("hours")
    }

    fn begin(&self) -> Money {
        if self.begin_range.is_empty() {
            return Money::ZERO;
        }
        self.begin_range.parse().unwrap_or(Money::from_nanos(i64::MAX))
    }
}

/// The on-demand terms of a product.
#[derive(Default, Deserialize)]
#[serde(transparent)]
pub(super) struct OnDemand(ValidEntries<Term>);

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Term {
    price_dimensions: ValidEntries<Dimension>,
}

impl OnDemand {
    /// The prices of each term's first tier that costs something: some begin where a free quantity ends.
    pub(super) fn first_tier(self) -> Vec<Dimension> {
        let mut prices = Vec::new();
        for (_, term) in self.0.0 {
            let tiers = term.price_dimensions.0.into_iter().map(|(_, tier)| tier);
            let tiers: Vec<Dimension> = tiers.filter(|tier| tier.price != PricePerUnit::default()).collect();
            let first = tiers.iter().map(Dimension::begin).min();
            prices.extend(tiers.into_iter().filter(|tier| Some(tier.begin()) == first));
        }
        prices
    }
}

/// A price list file. Products and terms are read when they are selected: most of a list is of no use here.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PriceList<'a> {
    /// When AWS published it.
    #[serde(default)]
    pub publication_date: Time,
    #[serde(borrow)]
    products: FxHashMap<Name, &'a RawValue>,
    #[serde(borrow)]
    terms: Terms<'a>,
}

#[derive(Deserialize)]
struct Terms<'a> {
    #[serde(borrow, default, rename = "OnDemand")]
    on_demand: FxHashMap<Name, &'a RawValue>,
}

impl PriceList<'_> {
    /// The on-demand prices of the products for which `select` returns a value.
    pub(super) fn select<T: Clone>(&self, select: impl Fn(&Attributes) -> Option<T>) -> Vec<(T, Dimension)> {
        let selected = self.products.iter().filter_map(|(sku, product)| {
            let product: Product = serde_json::from_str(product.get()).ok()?;
            let selected = select(&product.attributes)?;
            let terms: OnDemand = serde_json::from_str(self.terms.on_demand.get(sku)?.get()).ok()?;
            Some(terms.first_tier().into_iter().map(move |price| (selected.clone(), price)))
        });
        selected.flatten().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use test_case::test_case;

    #[test_case("APN2-BoxUsage:c5a.large" => "BoxUsage:c5a.large")]
    #[test_case("BoxUsage:m5.large" => "BoxUsage:m5.large" ; "us-east-1 has no prefix")]
    #[test_case("USW2-LAX1-BoxUsage:c5.2xlarge" => "BoxUsage:c5.2xlarge" ; "a Local Zone")]
    #[test_case("EU-HostBoxUsage:mac1.metal" => "HostBoxUsage:mac1.metal")]
    #[test_case("USE1-SpotUsage-Fargate-GB-Hours" => "SpotUsage-Fargate-GB-Hours")]
    #[test_case("-BoxUsage" => "-BoxUsage")]
    #[test_case("" => "")]
    fn a_usage_type_without_its_region(usagetype: &str) -> String {
        let attributes = Attributes { usagetype: Text(usagetype.into()), ..Attributes::default() };
        attributes.usage().to_owned()
    }
}
