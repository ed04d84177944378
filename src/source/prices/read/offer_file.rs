//! AWS's price lists, as far as they are alike: products with attributes, terms with prices per unit.
//!
//! An offer file (`offers/v1.0/aws/<service>/current/<region>/index.json`) keeps products and terms apart, joined by
//! SKU; an item of `GetProducts` holds one product with its terms. Attributes and price dimensions are the same.
//! Source: AWS Billing user guide, "Reading the service price list file".

use super::price;
use super::slim::{Of, Show, Slim, Text, of, skip};
use crate::model::Timestamp;
use crate::units::{Currency, Money};
use compact_str::CompactString;
use rustc_hash::FxHashMap;
use serde::de::{DeserializeSeed, MapAccess};

/// What a product says of itself; the attributes that some reader here asks for.
#[derive(Debug, Default)]
pub(super) struct Attributes<'de> {
    pub usagetype: Text<'de>,
    pub operation: Text<'de>,
    /// EC2's spelling.
    pub instance_type: Text<'de>,
    /// EKS's spelling.
    pub eks_instance_type: Text<'de>,
    pub tier_type: Text<'de>,
    pub operating_system: Text<'de>,
    pub tenancy: Text<'de>,
    pub license_model: Text<'de>,
    pub pre_installed_software: Text<'de>,
    pub capacity_status: Text<'de>,
    pub market_option: Text<'de>,
    pub region_code: Text<'de>,
    pub vcpu: Text<'de>,
    pub memory: Text<'de>,
    pub volume_api_name: Text<'de>,
}

impl Attributes<'_> {
    /// The usage type without its region: `APN2-BoxUsage:c5a.large` is `BoxUsage:c5a.large`. us-east-1 has none, a Local
    /// Zone's has two parts (`USW2-LAX1-`).
    pub(super) fn usage(&self) -> &str {
        let mut rest = self.usagetype.get().unwrap_or("");
        while let Some((head, tail)) = rest.split_once('-') {
            if head.is_empty() || !head.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit()) {
                break;
            }
            rest = tail;
        }
        rest
    }
}

impl<'de> Slim<'de> for Attributes<'de> {
    fn entry<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        let field = match key {
            "usagetype" => &mut self.usagetype,
            "operation" => &mut self.operation,
            "instanceType" => &mut self.instance_type,
            "instancetype" => &mut self.eks_instance_type,
            "tiertype" => &mut self.tier_type,
            "operatingSystem" => &mut self.operating_system,
            "tenancy" => &mut self.tenancy,
            "licenseModel" => &mut self.license_model,
            "preInstalledSw" => &mut self.pre_installed_software,
            "capacitystatus" => &mut self.capacity_status,
            "marketoption" => &mut self.market_option,
            "regionCode" => &mut self.region_code,
            "vcpu" => &mut self.vcpu,
            "memory" => &mut self.memory,
            "volumeApiName" => &mut self.volume_api_name,
            _ => return skip(map),
        };
        *field = map.next_value()?;
        Ok(())
    }
}

/// A product: of interest are its attributes.
#[derive(Debug, Default)]
pub(super) struct Product<'de> {
    pub attributes: Attributes<'de>,
}

impl<'de> Slim<'de> for Product<'de> {
    fn entry<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        match key {
            "attributes" => self.attributes = of(map)?,
            _ => skip(map)?,
        }
        Ok(())
    }
}

/// A price in each currency it is given in; above zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct PerUnit {
    usd: Option<Money>,
    cny: Option<Money>,
}

impl PerUnit {
    /// The price in one currency.
    pub(super) const fn within(&self, currency: Currency) -> Option<Money> {
        match currency {
            Currency::Usd => self.usd,
            Currency::Cny => self.cny,
        }
    }
}

impl<'de> Slim<'de> for PerUnit {
    fn entry<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        let field = match key {
            "USD" => &mut self.usd,
            "CNY" => &mut self.cny,
            _ => return skip(map),
        };
        *field = map.next_value::<Text>()?.get().and_then(price);
        Ok(())
    }
}

/// What a list is priced in: it has one currency, but only its prices tell which.
pub(super) fn currency<'a>(prices: impl IntoIterator<Item = &'a PerUnit>) -> Currency {
    let mut found = Currency::Usd;
    for price in prices {
        if price.usd.is_some() {
            return Currency::Usd;
        }
        if price.cny.is_some() {
            found = Currency::Cny;
        }
    }
    found
}

/// One price of a product.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Dimension {
    pub unit: CompactString,
    pub price: PerUnit,
    /// The amount from which on it holds.
    begin: Money,
}

impl Dimension {
    /// Whether it is a price by the hour: AWS writes `Hrs` and `hours`.
    pub(super) fn hourly(&self) -> bool {
        self.unit.eq_ignore_ascii_case("Hrs") || self.unit.eq_ignore_ascii_case("hours")
    }
}

impl<'de> Slim<'de> for Dimension {
    fn entry<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        match key {
            "unit" => self.unit = map.next_value::<Text>()?.get().unwrap_or("").into(),
            "beginRange" => {
                let begin = map.next_value::<Text>()?;
                let last = Money::from_nanos(i64::MAX);
                self.begin = begin.get().map_or(Money::ZERO, |begin| begin.parse().unwrap_or(last));
            }
            "pricePerUnit" => self.price = of(map)?,
            _ => skip(map)?,
        }
        Ok(())
    }
}

/// The first-tier prices of one product's on-demand terms: `{term: {priceDimensions: {rate: …}}}`.
#[derive(Debug, Default)]
pub(super) struct OnDemand(pub Vec<Dimension>);

impl<'de> Slim<'de> for OnDemand {
    fn entry<A: MapAccess<'de>>(&mut self, _: &str, map: &mut A) -> Result<(), A::Error> {
        map.next_value_seed(Show(&mut Term(&mut self.0)))
    }
}

struct Term<'a>(&'a mut Vec<Dimension>);

impl<'de> Slim<'de> for Term<'_> {
    fn entry<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        match key {
            "priceDimensions" => {
                let mut tiers = Vec::new();
                map.next_value_seed(Show(&mut Dimensions(&mut tiers)))?;
                // The first tier that costs something: some begin where what is included ends.
                let first = tiers.iter().map(|tier| tier.begin).min();
                self.0.extend(tiers.into_iter().filter(|tier| Some(tier.begin) == first));
                Ok(())
            }
            _ => skip(map),
        }
    }
}

struct Dimensions<'a>(&'a mut Vec<Dimension>);

impl<'de> Slim<'de> for Dimensions<'_> {
    fn entry<A: MapAccess<'de>>(&mut self, _: &str, map: &mut A) -> Result<(), A::Error> {
        let dimension: Dimension = of(map)?;
        let sold = dimension.price != PerUnit::default();
        self.0.extend(Some(dimension).filter(|_| sold));
        Ok(())
    }
}

/// An offer file as it comes by: products of which `choose` makes something are kept, with their on-demand prices.
pub(super) struct OfferFile<K, F> {
    choose: F,
    /// What was kept, each with its prices.
    pub kept: Vec<(K, Vec<Dimension>)>,
    by_sku: FxHashMap<CompactString, usize>,
    /// When AWS published the file.
    pub published: Option<Timestamp>,
    /// Products were there.
    pub products: bool,
    /// Terms were there.
    pub terms: bool,
    /// Terms came by before the products that tell which of them matter.
    pub terms_first: bool,
}

impl<K, F: FnMut(&Attributes<'_>) -> Option<K>> OfferFile<K, F> {
    pub(super) fn new(choose: F) -> Self {
        Self {
            choose,
            kept: Vec::new(),
            by_sku: FxHashMap::default(),
            published: None,
            products: false,
            terms: false,
            terms_first: false,
        }
    }
}

impl<'de, K, F: FnMut(&Attributes<'_>) -> Option<K>> Slim<'de> for OfferFile<K, F> {
    fn entry<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        match key {
            "publicationDate" => {
                self.published = map.next_value::<Text>()?.get().and_then(|at| at.parse().ok());
                Ok(())
            }
            // Seen before: this is the second look, for terms that came first.
            "products" if self.products => skip(map),
            "products" => {
                self.products = true;
                map.next_value_seed(Show(&mut Products(self)))
            }
            "terms" => {
                self.terms = true;
                self.terms_first = !self.products;
                map.next_value_seed(Show(&mut Terms(self)))
            }
            _ => skip(map),
        }
    }
}

struct Products<'a, K, F>(&'a mut OfferFile<K, F>);

impl<'de, K, F: FnMut(&Attributes<'_>) -> Option<K>> Slim<'de> for Products<'_, K, F> {
    fn entry<A: MapAccess<'de>>(&mut self, sku: &str, map: &mut A) -> Result<(), A::Error> {
        let product: Product = of(map)?;
        if let Some(kept) = (self.0.choose)(&product.attributes) {
            self.0.by_sku.insert(sku.into(), self.0.kept.len());
            self.0.kept.push((kept, Vec::new()));
        }
        Ok(())
    }
}

struct Terms<'a, K, F>(&'a mut OfferFile<K, F>);

impl<'de, K, F: FnMut(&Attributes<'_>) -> Option<K>> Slim<'de> for Terms<'_, K, F> {
    fn entry<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        match key {
            "OnDemand" if !self.0.terms_first => map.next_value_seed(Show(&mut TermsBySku(self.0))),
            _ => skip(map),
        }
    }
}

struct TermsBySku<'a, K, F>(&'a mut OfferFile<K, F>);

impl<'de, K, F> Slim<'de> for TermsBySku<'_, K, F> {
    fn entry<A: MapAccess<'de>>(&mut self, sku: &str, map: &mut A) -> Result<(), A::Error> {
        let Some((_, prices)) = self.0.by_sku.get(sku).and_then(|at| self.0.kept.get_mut(*at)) else {
            return skip(map);
        };
        let Of(OnDemand(found)) = map.next_value()?;
        prices.extend(found);
        Ok(())
    }
}

/// Shows an offer file to a deserializer of any kind; one that reads a stream needs no memory for the whole.
pub(super) fn show<'de, D, K, F>(deserializer: D, file: &mut OfferFile<K, F>) -> Result<(), D::Error>
where
    D: serde::Deserializer<'de>,
    F: FnMut(&Attributes<'_>) -> Option<K>,
{
    Show(file).deserialize(deserializer)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::prices::read::slim;
    use test_case::test_case;

    #[test_case("APN2-BoxUsage:c5a.large" => "BoxUsage:c5a.large")]
    #[test_case("BoxUsage:m5.large" => "BoxUsage:m5.large" ; "us-east-1 has no prefix")]
    #[test_case("USW2-LAX1-BoxUsage:c5.2xlarge" => "BoxUsage:c5.2xlarge" ; "a Local Zone")]
    #[test_case("EU-HostBoxUsage:mac1.metal" => "HostBoxUsage:mac1.metal")]
    #[test_case("USE1-SpotUsage-Fargate-GB-Hours" => "SpotUsage-Fargate-GB-Hours")]
    #[test_case("-BoxUsage" => "-BoxUsage")]
    #[test_case("" => "")]
    fn a_usage_type_without_its_region(usagetype: &str) -> String {
        let text = format!(r#"{{"usagetype": "{usagetype}"}}"#);
        let mut attributes = Attributes::default();
        slim::show(text.as_bytes(), &mut attributes).unwrap();
        attributes.usage().to_owned()
    }
}
