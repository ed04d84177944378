//! The decision: which price holds for a machine. First match wins, in the order of [`PriceBook::quote_node`]'s steps.

use super::auto_fee::FeeShare;
use super::facts::Facts;
use super::fargate::{self, FargatePods};
use super::hybrid;
use super::learned::{Learned, SpotFigure};
use super::offer::{ComputeType, Offer, Os, Tenancy};
use super::origin::{Origin, PriceSource};
use super::place::{Partition, ZoneKind};
use super::price_override;
use super::quote::{Amount, Component, Mark, Quote, Unknown};
use super::sheet::PriceSheet;
use super::table::{ListPrice, Missing, Size, embedded};
use super::terms::PriceTerms;
use super::{CapacityType, discount};
use crate::model::{Node, NodeClaim};
use crate::units::{Currency, Money};

/// Everything known of prices: the table in the program, and what sources have answered since.
///
/// It is a value without I/O: the same node and the same book give the same quote. Where prices are switched off
/// (`--disable-pricing`) there is no book at all (`Option<PriceBook>`) and therefore no quote: nothing is unpriced, because
/// nothing was asked.
#[derive(Clone, Debug, Default)]
pub struct PriceBook {
    learned: Learned,
    terms: PriceTerms,
}

impl PriceBook {
    /// The table in the program, unpacked at the first question.
    pub fn embedded() -> Self {
        Self::default()
    }

    /// With the user's own prices and discounts.
    #[must_use]
    pub fn with_terms(self, terms: PriceTerms) -> Self {
        Self { terms, ..self }
    }

    /// The user's own prices and discounts.
    pub const fn terms(&self) -> &PriceTerms {
        &self.terms
    }

    /// Takes in an answer of a source; true if any figure, or its date, changed. An answer in another currency than its
    /// region is billed in is refused: amounts of two currencies are never compared.
    pub fn learn(&mut self, sheet: &PriceSheet) -> bool {
        if sheet.currency != Partition::of(&sheet.region).currency() {
            tracing::warn!(region = %sheet.region, source = sheet.source.name(), "prices in a foreign currency are refused");
            return false;
        }
        self.learned.merge(sheet)
    }

    /// What sources have answered.
    pub(super) const fn learned(&self) -> &Learned {
        &self.learned
    }

    /// The price of a node; its claim, if any, tells what the node's labels do not (yet), and its pods how large a Fargate
    /// node is.
    ///
    /// 1. the user's price file, then the label `eks-node-viewer/instance-price`: for the whole machine, no fee added
    /// 2. Fargate by what its pod was given, a hybrid node by its vCPU
    /// 3. an Outpost or a capacity block: prepaid
    /// 4. reserved: the on-demand rate
    /// 5. spot: the price of its zone, else of its region, else no more than the on-demand rate
    /// 6. otherwise on-demand, also if no label says so
    ///
    /// On an Auto Mode node the fee comes on top of 3 to 6. The user's discounts come off last, but not off 1.
    pub fn quote_node(&self, node: &Node, claim: Option<&NodeClaim>, pods: &FargatePods) -> Quote {
        let size = Measured { cpu_millicores: node.capacity.cpu_millicores, pods: *pods };
        self.quote(&Offer::of_node(node, claim), &Facts::of_node(node, claim), &size)
    }

    /// The price of a claim whose node is not there (yet, or any more). None before it is launched: not billed.
    pub fn quote_claim(&self, claim: &NodeClaim) -> Option<Quote> {
        let launched = !claim.provider_id.is_empty();
        launched.then(|| self.quote(&Offer::of_claim(claim), &Facts::of_claim(claim), &Measured::default()))
    }

    /// The on-demand list price of Linux on shared tenancy; a Local Zone group (`us-west-2-lax-1`) is a price region of
    /// its own.
    ///
    /// # Errors
    /// No source has the region, or the type in it.
    pub fn on_demand(&self, price_region: &str, instance_type: &str) -> Result<ListPrice, Missing> {
        let learned = self.learned.on_demand(price_region, Os::Linux, Tenancy::Shared, instance_type);
        // A stand-in for the figure itself does not take the place of a published figure.
        let own = learned.filter(|price| !price.estimated);
        own.map_or_else(
            || match (embedded().on_demand(price_region, instance_type), learned) {
                (Ok(table), Some(learned)) if table.estimated => Ok(learned),
                (Ok(table), _) => Ok(table),
                (Err(_), Some(learned)) => Ok(learned),
                (Err(Missing::Region), None) if self.learned.knows(price_region, Os::Linux, Tenancy::Shared) => {
                    Err(Missing::Type)
                }
                (Err(missing), None) => Err(missing),
            },
            Ok,
        )
    }

    /// How often spot capacity of a machine's kind is taken back, as the spot advisor's band: 0 (<5 %) to 4 (>20 %). None of
    /// machines that are not spot, and where nobody has told.
    pub fn interruption_band(&self, offer: &Offer<'_>) -> Option<u8> {
        let spot = offer.capacity_type == CapacityType::Spot;
        let (region, instance_type) = offer.region.zip(offer.instance_type).filter(|_| spot)?;
        self.learned.interruption_band(region, offer.os, instance_type)
    }

    /// What an instance type is made of, if the table says.
    pub fn size(&self, instance_type: &str) -> Option<Size> {
        embedded().size(instance_type)
    }

    fn quote(&self, offer: &Offer<'_>, facts: &Facts<'_>, size: &Measured) -> Quote {
        let currency = offer.partition().currency();
        if let Some((at, row)) = self.terms.file.as_ref().and_then(|file| file.find(offer)) {
            let set = Component::known(row.amount, Origin::of(PriceSource::PriceFile));
            return Quote { price_row: Some(at), ..Quote::of(currency, set, Mark::Override) };
        }
        // A bad label is ignored here and told by price_override().
        if let Ok(Some(price)) = price_override::read(facts) {
            let label = Component::known(price, Origin::of(PriceSource::Label));
            return Quote::of(currency, label, Mark::Override);
        }
        let mut quote = self.list(currency, offer, size);
        discount::apply(&self.terms.rules, offer, &mut quote);
        quote
    }

    /// The price before discounts.
    fn list(&self, currency: Currency, offer: &Offer<'_>, size: &Measured) -> Quote {
        match offer.compute_type {
            ComputeType::Fargate => {
                let learned = offer.region.and_then(|region| self.learned.fargate(region));
                return fargate::quote(currency, offer.region, learned, &size.pods);
            }
            ComputeType::Hybrid => {
                let learned = offer.region.and_then(|region| self.learned.hybrid(region));
                return hybrid::quote(currency, offer.region, learned, size.cpu_millicores);
            }
            ComputeType::Instance | ComputeType::Auto => {}
        }
        let list = if offer.outpost { None } else { Some(self.list_price(offer)) };
        let mut quote = match list {
            // An Outpost has no on-demand price: the rack is paid for as a whole.
            None => Quote::of(currency, Component::known(Money::ZERO, Origin::default()), Mark::Prepaid),
            Some(list) if offer.capacity_type == CapacityType::Spot => self.spot(currency, offer, list),
            Some(list) => instance(currency, offer, list),
        };
        if offer.compute_type == ComputeType::Auto {
            self.add_fee(&mut quote, offer, list.and_then(Result::ok));
        }
        quote
    }

    /// The on-demand price that is this machine's own, or why there is none.
    fn list_price(&self, offer: &Offer<'_>) -> Result<ListPrice, Unknown> {
        let instance_type = offer.instance_type.ok_or(Unknown::NoInstanceType)?;
        let region = offer.price_region().ok_or(Unknown::NoRegion)?;
        if (offer.os, offer.tenancy) != (Os::Linux, Tenancy::Shared) {
            let learned = self.learned.on_demand(region, offer.os, offer.tenancy, instance_type);
            let why = if offer.os == Os::Windows { Unknown::Windows } else { Unknown::Tenancy };
            return learned.ok_or(why);
        }
        self.on_demand(region, instance_type).map_err(|missing| match (missing, offer.zone_kind) {
            (Missing::Region, ZoneKind::Standard) => Unknown::Region,
            (Missing::Region, ZoneKind::Local | ZoneKind::Wavelength) => Unknown::Zone,
            (Missing::Type, _) => Unknown::Type,
        })
    }

    /// A spot machine alone. The on-demand price is only ever an upper bound.
    fn spot(&self, currency: Currency, offer: &Offer<'_>, list: Result<ListPrice, Unknown>) -> Quote {
        // Spot capacity of dedicated tenancy has prices of its own, which no source tells.
        let asked = offer.instance_type.zip(offer.region).filter(|_| offer.tenancy == Tenancy::Shared);
        let figure = asked.and_then(|(instance_type, region)| {
            self.learned.spot(region, offer.zone, offer.zone_kind, offer.os, instance_type)
        });
        let listed = list.ok();
        let (part, mark) = match (figure, listed) {
            (Some(SpotFigure::Own(figure)), _) => (Component::known(figure.amount, figure.origin), Mark::Exact),
            (Some(SpotFigure::OtherZones(figure)), _) => {
                (Component { estimated: true, ..Component::known(figure.amount, figure.origin) }, Mark::Estimated)
            }
            (Some(SpotFigure::Saving(percent, origin)), Some(list)) => {
                let amount = list.amount.times(i64::from(100 - percent), 100);
                (Component { estimated: true, ..Component::known(amount, origin) }, Mark::Estimated)
            }
            (Some(SpotFigure::Saving(..)) | None, None) => (Component::unknown(Unknown::Spot), Mark::Unknown),
            (None, Some(list)) => {
                let amount = Amount::AtMost(list.amount, Unknown::Spot);
                (Component { amount, origin: list.origin, estimated: list.estimated }, Mark::Bound)
            }
        };
        Quote { list: listed, ..Quote::of(currency, part, mark) }
    }

    /// Adds the Auto Mode fee: the listed one of the region, else its share of the on-demand price, whatever the
    /// purchase option.
    fn add_fee(&self, quote: &mut Quote, offer: &Offer<'_>, list: Option<ListPrice>) {
        let asked = offer.instance_type.zip(offer.price_region());
        let listed = asked.and_then(|(instance_type, region)| self.learned.auto_fee(region, instance_type));
        let share = offer.instance_type.and_then(|name| FeeShare::of(name, self.size(name)));
        let fee = match (listed, list, share) {
            (Some(figure), ..) => Component::known(figure.amount, figure.origin),
            (None, Some(list), Some(share)) => Component {
                amount: Amount::Known(share.on(list.amount)),
                origin: list.origin,
                // Where AWS has published fees, the share holds; of zones with prices of their own it has published none.
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

/// What prices by size go by.
#[derive(Clone, Copy, Debug, Default)]
struct Measured {
    /// `status.capacity.cpu` of the node.
    cpu_millicores: u64,
    pods: FargatePods,
}

/// The machine alone, by the way it is bought; spot is decided elsewhere.
fn instance(currency: Currency, offer: &Offer<'_>, list: Result<ListPrice, Unknown>) -> Quote {
    if offer.capacity_type == CapacityType::CapacityBlock {
        let origin = list.map_or_else(|_| Origin::default(), |list| list.origin);
        let prepaid = Quote::of(currency, Component::known(Money::ZERO, origin), Mark::Prepaid);
        return Quote { list: list.ok(), ..prepaid };
    }
    let list = match list {
        Ok(list) => list,
        Err(why) => return Quote::unknown_because(currency, why),
    };
    let mark = match offer.capacity_type {
        CapacityType::OnDemand => Mark::Exact,
        CapacityType::Reserved if offer.reservation.is_some() => Mark::Reserved,
        // Taken for an on-demand capacity reservation, the usual kind.
        CapacityType::Reserved => Mark::ReservedAssumed,
        CapacityType::Unknown => Mark::Assumed,
        CapacityType::Spot | CapacityType::CapacityBlock | CapacityType::Fargate => {
            return Quote::unknown_because(currency, Unknown::Type);
        }
    };
    let mark = if list.estimated { mark.max(Mark::Estimated) } else { mark };
    let part = Component { amount: Amount::Known(list.amount), origin: list.origin, estimated: list.estimated };
    Quote::of(currency, part, mark)
}

#[cfg(test)]
mod tests;
