//! Prices of the simulated fleet that the price table does not have: constant spot prices by zone below the on-demand
//! price, and the published prices of volumes and the control plane.

use super::catalog::CATALOG;
use crate::model::{Name, Timestamp};
use crate::pricing::{
    EksPrices, Os, Partition, PriceBook, PriceSheet, PriceSource, Prices, SpotPrice, SpotSaving, VolumePrice,
};
use crate::units::Money;

/// Spot prices in permille of the on-demand price.
const SHARE: std::ops::RangeInclusive<i64> = 260..=470;

/// Spot prices of all types of the catalogue that the region has, by zone; the same in every run.
pub fn spot_prices(region: &str, zones: &[&str], now: Timestamp) -> PriceSheet {
    let book = PriceBook::embedded();
    let mut prices = Vec::new();
    for kind in CATALOG {
        let Ok(list) = book.on_demand(region, kind.name) else { continue };
        for zone in zones {
            // Seeded by names, so that the order of the catalogue and the zones does not matter.
            let seed =
                kind.name.bytes().chain(zone.bytes()).fold(7_u64, |seed, b| seed * 31 % 1_000_003 + u64::from(b));
            let share = fastrand::Rng::with_seed(seed).i64(SHARE);
            prices.push(SpotPrice {
                instance_type: kind.name.into(),
                zone: Some(Name::from(*zone)),
                os: Os::Linux,
                amount: list.amount.times(share, 1000).rounded(4),
            });
        }
    }
    sheet(region, now, Prices::Spot(prices))
}

/// Spot savings and interruption rates, as the spot advisor publishes them.
pub fn spot_savings(region: &str, now: Timestamp) -> PriceSheet {
    let savings = CATALOG.iter().map(|kind| SpotSaving {
        instance_type: kind.name.into(),
        os: Os::Linux,
        // The middle of the range of spot prices; prices by zone take precedence.
        percent: 100 - (SHARE.start() + SHARE.end()).div_euclid(20) as u8,
        interruption_band: match (kind.gpu, kind.vcpu) {
            (Some(_), _) => 4,
            (None, 16..) => 2,
            (None, 8..) => 1,
            (None, _) => 0,
        },
    });
    sheet(region, now, Prices::SpotSavings(savings.collect()))
}

/// Monthly prices of gp3 volumes in Seoul: per GiB, per IOPS and per MiB/s (Amazon EBS pricing).
pub fn volume_prices(region: &str, now: Timestamp) -> PriceSheet {
    let gp3 = VolumePrice {
        volume_type: Name::const_new("gp3"),
        gib_month: Money::from_nanos(91_200_000),
        iops_month: Some(Money::from_nanos(5_700_000)),
        mibps_month: Some(Money::from_nanos(45_600_000)),
    };
    sheet(region, now, Prices::Volumes(vec![gp3]))
}

/// The hourly price of an EKS cluster, and the surcharge for extended support (Amazon EKS pricing).
pub fn cluster_prices(region: &str, now: Timestamp) -> PriceSheet {
    let eks = EksPrices {
        cluster: Some(Money::from_nanos(100_000_000)),
        extended_support: Some(Money::from_nanos(500_000_000)),
        ..EksPrices::default()
    };
    sheet(region, now, Prices::Eks(eks))
}

fn sheet(region: &str, now: Timestamp, prices: Prices) -> PriceSheet {
    let currency = Partition::from_region(region).currency();
    PriceSheet { source: PriceSource::Simulated, region: region.into(), currency, fetched: now, cached: false, prices }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spot_prices_are_constant_and_below_on_demand() {
        let (region, zones) = ("ap-northeast-2", ["ap-northeast-2a", "ap-northeast-2b"]);
        let sheet = spot_prices(region, &zones, Timestamp::UNIX_EPOCH);
        assert_eq!(sheet, spot_prices(region, &zones, Timestamp::UNIX_EPOCH));
        let Prices::Spot(prices) = &sheet.prices else { panic!("not spot prices") };
        assert!(prices.len() > 40, "{}", prices.len());
        for price in prices {
            let list = PriceBook::embedded().on_demand(region, &price.instance_type).unwrap().amount;
            assert!(price.amount > Money::ZERO && price.amount < list.times(1, 2), "{price:?} of {list}");
        }
    }
}
