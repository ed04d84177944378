//! Decides the price of a node: the first match wins, in the order of [`PriceBook::quote_node`].

use super::answers::{Answers, Item, PriceSheet, SpotFigure};
use super::auto_fee::FeeShare;
use super::discount::DiscountRule;
use super::fargate::{self, FargatePods};
use super::hybrid;
use super::offer::{ComputeType, Facts, Offer, Os, Tenancy};
use super::origin::{Origin, PriceSource};
use super::place::{Partition, ZoneKind};
use super::price_file::PriceFile;
use super::quote::{Amount, Component, Figure, Mark, Quote, Unknown};
use super::table::{Missing, Size, embedded};
use super::{CapacityType, discount};
use crate::model::{Node, NodeClaim};
use crate::units::{Currency, Money};

/// The user's own prices and discounts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PriceTerms {
    /// Prices that come before all others.
    pub file: Option<PriceFile>,
    /// Discounts; the first rule that matches a node is the only one for it.
    pub rules: Vec<DiscountRule>,
}

/// All known prices: the built-in table, the answers of price sources, and the user's own.
///
/// It is a value without I/O: the same node and the same book give the same quote. If prices are switched off
/// (`--disable-pricing`) there is no book (`Option<PriceBook>`), and no node is counted as unpriced.
#[derive(Clone, Debug, Default)]
pub struct PriceBook {
    answers: Answers,
    terms: PriceTerms,
}

impl PriceBook {
    /// A book of the built-in table alone.
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

    pub(super) const fn answers(&self) -> &Answers {
        &self.answers
    }

    /// The price of a node, with its claim for labels that it does not have (yet), and its pods for the size of a Fargate node.
    ///
    /// 1. the user's price file, then the label `eks-node-viewer/instance-price`: for the whole node, without a fee
    /// 2. Fargate by the size of its pod, a hybrid node by its vCPU
    /// 3. an Outpost or a capacity block: prepaid
    /// 4. reserved: the on-demand price
    /// 5. spot: the price of its zone, else of its region, else the on-demand price as an upper bound
    /// 6. otherwise the on-demand price, also without a label of the capacity type
    ///
    /// On an Auto Mode node the fee is added to 3 to 6. The user's discounts apply to all but 1.
    pub fn quote_node(&self, node: &Node, claim: Option<&NodeClaim>, pods: &FargatePods) -> Quote {
        let size = Measured { cpu_millicores: node.capacity.cpu_millicores, pods: *pods };
        self.quote(&Offer::from_node(node, claim), &Facts::from_node(node, claim), &size)
    }

    /// The price of a claim without its node; `None` before it is launched and billed.
    pub fn quote_claim(&self, claim: &NodeClaim) -> Option<Quote> {
        let launched = !claim.provider_id.is_empty();
        launched.then(|| self.quote(&Offer::from_claim(claim), &Facts::from_claim(claim), &Measured::default()))
    }

    /// The on-demand price of Linux on shared tenancy. A Local Zone group (`us-west-2-lax-1`) is a price region of its own.
    ///
    /// # Errors
    /// No source has the region, or the type in it.
    pub fn on_demand(&self, price_region: &str, instance_type: &str) -> Result<Figure, Missing> {
        let (os, tenancy) = (Os::Linux, Tenancy::Shared);
        let fetched = self.answers.get(price_region, &Item::OnDemand(os, tenancy, instance_type.into()));
        match (fetched, embedded().on_demand(price_region, instance_type)) {
            // An estimate does not replace a published price.
            (Some(fetched), Ok(table)) if fetched.estimated && !table.estimated => Ok(table),
            (Some(fetched), _) => Ok(fetched),
            (None, Err(Missing::Region)) if self.answers.has_on_demand(price_region, os, tenancy) => Err(Missing::Type),
            (None, table) => table,
        }
    }

    /// How often spot nodes of this type are interrupted, as the spot advisor's band: 0 (<5 %) to 4 (>20 %). `None` for other
    /// capacity types, and without an answer of the advisor.
    pub fn interruption_band(&self, offer: &Offer<'_>) -> Option<u8> {
        let spot = offer.capacity_type == CapacityType::Spot;
        let (region, instance_type) = offer.region.zip(offer.instance_type).filter(|_| spot)?;
        self.answers.interruption_band(region, offer.os, instance_type)
    }

    /// The size of an instance type, if the built-in table has it.
    pub fn size(&self, instance_type: &str) -> Option<Size> {
        embedded().size(instance_type)
    }

    fn quote(&self, offer: &Offer<'_>, facts: &Facts<'_>, size: &Measured) -> Quote {
        let currency = offer.partition().currency();
        if let Some((at, row)) = self.terms.file.as_ref().and_then(|file| file.find(offer)) {
            let price = Component::known(row.amount, Origin::undated(PriceSource::PriceFile));
            return Quote { price_row: Some(at), ..Quote::new(currency, price, Mark::Override) };
        }
        // An invalid label is ignored here; price_override() reports it.
        if let Ok(Some(price)) = facts.price_override() {
            let label = Component::known(price, Origin::undated(PriceSource::Label));
            return Quote::new(currency, label, Mark::Override);
        }
        let mut quote = self.list(currency, offer, size);
        discount::apply(&self.terms.rules, offer, &mut quote);
        quote
    }

    /// The price before discounts.
    fn list(&self, currency: Currency, offer: &Offer<'_>, size: &Measured) -> Quote {
        match offer.compute_type {
            ComputeType::Fargate => {
                let get = |item| offer.region.and_then(|region| self.answers.get(region, &item));
                let fetched = get(Item::FargateVcpu).zip(get(Item::FargateGb)).map(<[Figure; 2]>::from);
                return fargate::quote(currency, offer.region, fetched, &size.pods);
            }
            ComputeType::Hybrid => {
                let fetched = offer.region.and_then(|region| self.answers.get(region, &Item::HybridVcpu));
                return hybrid::quote(currency, offer.region, fetched, size.cpu_millicores);
            }
            ComputeType::Instance | ComputeType::Auto => {}
        }
        let list = if offer.outpost { None } else { Some(self.list_price(offer)) };
        let mut quote = match list {
            // An Outpost has no on-demand price.
            None => Quote::new(currency, Component::known(Money::ZERO, Origin::default()), Mark::Prepaid),
            Some(list) if offer.capacity_type == CapacityType::Spot => self.spot(currency, offer, list),
            Some(list) => instance(currency, offer, list),
        };
        if offer.compute_type == ComputeType::Auto {
            self.add_fee(&mut quote, offer, list.and_then(Result::ok));
        }
        quote
    }

    /// The on-demand price of this node, or why it is unknown.
    fn list_price(&self, offer: &Offer<'_>) -> Result<Figure, Unknown> {
        let instance_type = offer.instance_type.ok_or(Unknown::NoInstanceType)?;
        let region = offer.price_region().ok_or(Unknown::NoRegion)?;
        if (offer.os, offer.tenancy) != (Os::Linux, Tenancy::Shared) {
            let fetched = self.answers.get(region, &Item::OnDemand(offer.os, offer.tenancy, instance_type.into()));
            let why = if offer.os == Os::Windows { Unknown::Windows } else { Unknown::Tenancy };
            return fetched.ok_or(why);
        }
        self.on_demand(region, instance_type).map_err(|missing| match (missing, offer.zone_kind) {
            (Missing::Region, ZoneKind::Standard) => Unknown::Region,
            (Missing::Region, ZoneKind::Local | ZoneKind::Wavelength) => Unknown::Zone,
            (Missing::Type, _) => Unknown::Type,
        })
    }

    /// The price of a spot instance. The on-demand price is only its upper bound.
    fn spot(&self, currency: Currency, offer: &Offer<'_>, list: Result<Figure, Unknown>) -> Quote {
        // Spot capacity of dedicated tenancy has prices of its own, which no source has.
        let key = offer.instance_type.zip(offer.region).filter(|_| offer.tenancy == Tenancy::Shared);
        let figure = key.and_then(|(instance_type, region)| {
            self.answers.spot(region, offer.zone, offer.zone_kind, offer.os, instance_type)
        });
        let listed = list.ok();
        let (part, mark) = match (figure, listed) {
            (Some(SpotFigure::Own(figure)), _) => (Component::from(figure), Mark::Exact),
            (Some(SpotFigure::OtherZones(figure)), _) => {
                (Component { estimated: true, ..Component::from(figure) }, Mark::Estimated)
            }
            (Some(SpotFigure::Saving(percent, origin)), Some(list)) => {
                let amount = list.amount.times(i64::from(100 - percent), 100);
                (Component::from(Figure { amount, estimated: true, origin }), Mark::Estimated)
            }
            (Some(SpotFigure::Saving(..)) | None, None) => (Component::unknown(Unknown::Spot), Mark::Unknown),
            (None, Some(list)) => {
                (Component { amount: Amount::AtMost(list.amount, Unknown::Spot), ..Component::from(list) }, Mark::Bound)
            }
        };
        Quote { list: listed, ..Quote::new(currency, part, mark) }
    }

    /// Adds the Auto Mode fee: the listed one of the region, else its share of the on-demand price, for every capacity type.
    fn add_fee(&self, quote: &mut Quote, offer: &Offer<'_>, list: Option<Figure>) {
        let key = offer.instance_type.zip(offer.price_region());
        let listed =
            key.and_then(|(instance_type, region)| self.answers.get(region, &Item::AutoFee(instance_type.into())));
        let share = offer.instance_type.and_then(|name| FeeShare::from_type(name, self.size(name)));
        let fee = match (listed, list, share) {
            (Some(figure), ..) => Component::from(figure),
            (None, Some(list), Some(share)) => Component {
                amount: Amount::Known(share.on(list.amount)),
                origin: list.origin,
                // AWS has published no fees of zones with prices of their own.
                estimated: list.estimated || !share.verified || offer.zone_kind != ZoneKind::Standard,
            },
            (None, ..) => Component::unknown(Unknown::Fee),
        };
        quote.mark = quote.mark.max(match fee.amount {
            Amount::Unknown(_) => Mark::Unknown,
            Amount::Known(_) | Amount::AtMost(..) if fee.estimated => Mark::Estimated,
            Amount::Known(_) | Amount::AtMost(..) => Mark::Exact,
        });
        quote.fee = Some(fee);
    }
}

/// The size of a node, for prices by size.
#[derive(Clone, Copy, Debug, Default)]
struct Measured {
    /// `status.capacity.cpu` of the node.
    cpu_millicores: u64,
    pods: FargatePods,
}

/// The price of an instance by its capacity type, except spot.
fn instance(currency: Currency, offer: &Offer<'_>, list: Result<Figure, Unknown>) -> Quote {
    if offer.capacity_type == CapacityType::CapacityBlock {
        let origin = list.map_or_else(|_| Origin::default(), |list| list.origin);
        let prepaid = Quote::new(currency, Component::known(Money::ZERO, origin), Mark::Prepaid);
        return Quote { list: list.ok(), ..prepaid };
    }
    let list = match list {
        Ok(list) => list,
        Err(why) => return Quote::from_unknown(currency, why),
    };
    let mark = match offer.capacity_type {
        CapacityType::OnDemand => Mark::Exact,
        CapacityType::Reserved if offer.reservation.is_some() => Mark::Reserved,
        // Assumed to be an on-demand capacity reservation, the usual kind.
        CapacityType::Reserved => Mark::ReservedAssumed,
        CapacityType::Unknown => Mark::Assumed,
        CapacityType::Spot | CapacityType::CapacityBlock | CapacityType::Fargate => {
            return Quote::from_unknown(currency, Unknown::Type);
        }
    };
    let mark = if list.estimated { mark.max(Mark::Estimated) } else { mark };
    Quote::new(currency, Component::from(list), mark)
}

#[cfg(test)]
mod tests;
