//! Decides the price of a node: the first match wins, in the order of [`PriceBook::quote`].

use super::answers::{Answers, Item, PriceSheet};
use super::discount::{self, DiscountRule};
use super::embedded;
use super::fargate::{FargatePods, FargateSize};
use super::offer::{ComputeType, Offer, Os, Tenancy};
use super::origin::{Origin, PriceSource};
use super::place::{Partition, ZoneKind};
use super::price_file::PriceFile;
use super::quote::{Amount, Basis, Component, Figure, Mark, Quote, Unknown};
use super::{CapacityType, auto_fee};
use crate::units::Money;

/// The user's own prices and discounts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PriceTerms {
    /// Prices that come before all others.
    pub file: Option<PriceFile>,
    /// Discounts; the first rule that matches a node is the only one for it.
    pub rules: Vec<DiscountRule>,
}

/// All known prices: the built-in ones, the answers of price sources, and the user's own.
///
/// It is a value without I/O: the same offer and the same book give the same quote. If prices are switched off
/// (`--disable-pricing`) there is no book (`Option<PriceBook>`), and no node is counted as unpriced.
#[derive(Clone, Debug, Default)]
pub struct PriceBook {
    answers: Answers,
    terms: PriceTerms,
}

impl PriceBook {
    /// A book of the built-in prices alone.
    pub fn embedded() -> Self {
        Self::default()
    }

    /// The book with the user's own prices and discounts.
    #[must_use]
    pub fn with_terms(self, terms: PriceTerms) -> Self {
        Self { terms, ..self }
    }

    /// The user's own prices and discounts.
    pub const fn terms(&self) -> &PriceTerms {
        &self.terms
    }

    /// Adds the answer of a source; true if any figure, or its date, changed. An answer in another currency than that of its
    /// region is ignored.
    pub fn learn(&mut self, sheet: &PriceSheet) -> bool {
        if sheet.currency != Partition::from_region(&sheet.region).currency() {
            tracing::warn!(region = %sheet.region, source = sheet.source.name(), "ignored prices in a foreign currency");
            return false;
        }
        self.answers.merge(sheet)
    }

    /// The figure of an item in a price region: fetched, else embedded. An estimate does not replace a published price.
    pub(super) fn figure(&self, price_region: &str, item: &Item) -> Option<Figure> {
        let known = [self.answers.get(price_region, item), embedded::figure(price_region, item)];
        known.into_iter().flatten().min_by_key(|figure| figure.estimated)
    }

    /// The on-demand price of Linux on shared tenancy. A Local Zone group (`us-west-2-lax-1`) is a price region of its own.
    ///
    /// # Errors
    /// [`Unknown::Region`] or [`Unknown::Type`]: no source has the region, or the type in it.
    pub fn on_demand(&self, price_region: &str, instance_type: &str) -> Result<Figure, Unknown> {
        let (os, tenancy) = (Os::Linux, Tenancy::Shared);
        self.figure(price_region, &Item::OnDemand(os, tenancy, instance_type.into())).ok_or_else(|| {
            let has_region =
                embedded::table().has_region(price_region) || self.answers.has_on_demand(price_region, os, tenancy);
            if has_region { Unknown::Type } else { Unknown::Region }
        })
    }

    /// How often spot nodes of this type are interrupted, as the spot advisor's band: 0 (<5 %) to 4 (>20 %). `None` for other
    /// capacity types, and without an answer of the advisor.
    pub fn interruption_band(&self, offer: &Offer) -> Option<u8> {
        self.answers.interruption_band(offer).filter(|_| offer.capacity_type == CapacityType::Spot)
    }

    /// The price of a node or of a launched claim; `pods` has the size of a Fargate node.
    ///
    /// 1. the user's price file, then the label `eks-node-viewer/instance-price`: for the whole node, without a fee
    /// 2. Fargate by the size of its pod, a hybrid node by its vCPU
    /// 3. an Outpost or a capacity block: prepaid
    /// 4. reserved: the on-demand price
    /// 5. spot: the price of its zone, else of its region, else the on-demand price as an upper bound
    /// 6. otherwise the on-demand price, also without a label of the capacity type
    ///
    /// On an Auto Mode node the fee is added to 3 to 6. The user's discounts apply to all but 1.
    pub fn quote(&self, offer: &Offer, pods: &FargatePods) -> Quote {
        let currency = offer.partition().currency();
        if let Some((at, row)) = self.terms.file.as_ref().and_then(|file| file.find(offer)) {
            let price = Component::known(row.amount, Origin::undated(PriceSource::PriceFile));
            return Quote { price_row: Some(at), ..Quote::new(currency, price, Mark::Override) };
        }
        // An invalid label is ignored here, and reported as an alert.
        if let Ok(Some(price)) = offer.price_override() {
            let label = Component::known(price, Origin::undated(PriceSource::Label));
            return Quote::new(currency, label, Mark::Override);
        }
        let quote = match offer.compute_type {
            ComputeType::Fargate => self.fargate(offer, pods),
            ComputeType::Hybrid => self.hybrid(offer),
            ComputeType::Instance => Ok(self.instance(offer, self.list_price(offer))),
            ComputeType::Auto => {
                let list = self.list_price(offer);
                let mut quote = self.instance(offer, list);
                self.add_fee(&mut quote, offer, list.ok());
                Ok(quote)
            }
        };
        let mut quote = quote.unwrap_or_else(|why| Quote::from_unknown(currency, why));
        discount::apply(&self.terms.rules, offer, &mut quote);
        quote
    }

    /// A Fargate node: the vCPU and the memory of its size.
    fn fargate(&self, offer: &Offer, pods: &FargatePods) -> Result<Quote, Unknown> {
        let region = offer.region.as_deref().ok_or(Unknown::NoRegion)?;
        let price = |item| self.figure(region, &item).ok_or(Unknown::Fargate);
        let (vcpu, gb) = (price(Item::FargateVcpu)?, price(Item::FargateGb)?);
        let FargateSize { vcpu_milli, memory_mib, annotated } = pods.size().ok_or(Unknown::FargateSize)?;
        let figure = Figure {
            // A valid size fits into an i64.
            amount: vcpu.amount.times(vcpu_milli as i64, 1_000) + gb.amount.times(memory_mib as i64, 1_024),
            estimated: !annotated || vcpu.estimated || gb.estimated,
            origin: if vcpu.origin.as_of <= gb.origin.as_of { vcpu.origin } else { gb.origin },
        };
        let basis = Basis::Fargate { vcpu_milli, memory_mib, vcpu_price: vcpu.amount, gb_price: gb.amount, annotated };
        Ok(Quote { basis: Some(basis), ..Quote::from_figure(offer.partition().currency(), figure) })
    }

    /// EKS Hybrid Nodes: the user's own computers, for which EKS charges by vCPU.
    ///
    /// The price falls in tiers of the account's vCPU-hours of the month (EKS pricing page, "Amazon EKS Hybrid Nodes"), which
    /// only the bill knows: the first tier is an upper bound. The computer itself has no price.
    fn hybrid(&self, offer: &Offer) -> Result<Quote, Unknown> {
        let region = offer.region.as_deref().ok_or(Unknown::NoRegion)?;
        let vcpu = offer.cpu_millicores.div_ceil(1_000);
        let price = self.figure(region, &Item::HybridVcpu).filter(|_| vcpu > 0).ok_or(Unknown::Hybrid)?;
        let most = price.amount.times(i64::try_from(vcpu).unwrap_or(i64::MAX), 1);
        let instance = Component { amount: Amount::AtMost(most, Unknown::HybridTier), ..price.into() };
        let basis = Basis::Hybrid { vcpu, vcpu_price: price.amount };
        Ok(Quote { basis: Some(basis), ..Quote::new(offer.partition().currency(), instance, Mark::Bound) })
    }

    /// The on-demand price of this node, or why it is unknown. An Outpost has none.
    fn list_price(&self, offer: &Offer) -> Result<Figure, Unknown> {
        let instance_type = offer.instance_type.as_ref().ok_or(Unknown::NoInstanceType)?;
        let region = offer.price_region().ok_or(Unknown::NoRegion)?;
        if offer.outpost {
            return Err(Unknown::Region);
        }
        if (offer.os, offer.tenancy) != (Os::Linux, Tenancy::Shared) {
            let why = if offer.os == Os::Windows { Unknown::Windows } else { Unknown::Tenancy };
            return self.figure(region, &Item::OnDemand(offer.os, offer.tenancy, instance_type.clone())).ok_or(why);
        }
        self.on_demand(region, instance_type).map_err(|why| match (why, offer.zone_kind) {
            (Unknown::Region, ZoneKind::Local | ZoneKind::Wavelength) => Unknown::Zone,
            (why, _) => why,
        })
    }

    /// The price of an instance by its capacity type; `list` is its on-demand price.
    fn instance(&self, offer: &Offer, list: Result<Figure, Unknown>) -> Quote {
        let currency = offer.partition().currency();
        if offer.outpost || offer.capacity_type == CapacityType::CapacityBlock {
            let origin = list.map_or_else(|_| Origin::default(), |list| list.origin);
            let prepaid = Quote::new(currency, Component::known(Money::ZERO, origin), Mark::Prepaid);
            return Quote { list: list.ok(), ..prepaid };
        }
        if offer.capacity_type == CapacityType::Spot {
            return self.spot(offer, list.ok());
        }
        let list = match list {
            Ok(list) => list,
            Err(why) => return Quote::from_unknown(currency, why),
        };
        let mark = match offer.capacity_type {
            CapacityType::Reserved if offer.has_reservation_type => Mark::Reserved,
            // Assumed to be an on-demand capacity reservation, the usual kind.
            CapacityType::Reserved => Mark::ReservedAssumed,
            CapacityType::Unknown => Mark::Assumed,
            CapacityType::OnDemand | CapacityType::Spot | CapacityType::CapacityBlock | CapacityType::Fargate => {
                Mark::Exact
            }
        };
        let quote = Quote::from_figure(currency, list);
        Quote { mark: quote.mark.max(mark), ..quote }
    }

    /// The price of a spot instance. The on-demand price is only its upper bound.
    fn spot(&self, offer: &Offer, list: Option<Figure>) -> Quote {
        let currency = offer.partition().currency();
        let quote = match (self.answers.spot(offer, list), list) {
            (Some(figure), _) => Quote::from_figure(currency, figure),
            (None, Some(list)) => {
                let bound = Component { amount: Amount::AtMost(list.amount, Unknown::Spot), ..list.into() };
                Quote::new(currency, bound, Mark::Bound)
            }
            (None, None) => Quote::from_unknown(currency, Unknown::Spot),
        };
        Quote { list, ..quote }
    }

    /// Adds the Auto Mode fee: the listed one of the region, else its share of the on-demand price, for every capacity type.
    fn add_fee(&self, quote: &mut Quote, offer: &Offer, list: Option<Figure>) {
        let key = offer.instance_type.as_ref().zip(offer.price_region());
        let listed = key.and_then(|(name, region)| self.figure(region, &Item::AutoFee(name.clone())));
        let share = || {
            let (instance_type, list) = offer.instance_type.as_deref().zip(list)?;
            let fee = auto_fee::on(list, instance_type)?;
            // AWS has published no fees of zones with prices of their own.
            Some(Figure { estimated: fee.estimated || offer.zone_kind != ZoneKind::Standard, ..fee })
        };
        let fee = listed.or_else(share).map_or(Component::unknown(Unknown::Fee), Component::from);
        quote.mark = quote.mark.max(match fee.amount {
            Amount::Unknown(_) => Mark::Unknown,
            Amount::Known(_) | Amount::AtMost(..) if fee.estimated => Mark::Estimated,
            Amount::Known(_) | Amount::AtMost(..) => Mark::Exact,
        });
        quote.fee = Some(fee);
    }
}

#[cfg(test)]
mod tests;
