//! Where a price comes from, and its date.

use crate::model::Timestamp;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The source of a price, in the order from best to least exact.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum PriceSource {
    /// No source has the price.
    #[default]
    None,
    /// The label `eks-node-viewer/instance-price`.
    Label,
    /// A row of the user's price file.
    PriceFile,
    /// The simulated market of the demo.
    Simulated,
    /// EC2 `DescribeSpotPriceHistory`: spot by zone.
    SpotHistory,
    /// AWS Price List `GetProducts`.
    GetProducts,
    /// The files of AWS's on-demand price page: without credentials, undocumented.
    PricePage,
    /// The public AmazonEKS price list: Auto Mode fees, Fargate, hybrid nodes, control plane.
    EksList,
    /// The file of AWS's spot price page: spot by region, without credentials, undocumented.
    SpotFeed,
    /// The spot advisor's savings in percent: estimates of spot by region, without credentials, undocumented.
    SpotAdvisor,
    /// The table in the program: a published price.
    Embedded,
    /// The table in the program: an estimate from published prices of another region or time.
    EmbeddedEstimate,
}

impl PriceSource {
    /// Its name in JSON and in the detail view.
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Label => "label",
            Self::PriceFile => "price-file",
            Self::Simulated => "simulated",
            Self::SpotHistory => "spot-history",
            Self::GetProducts => "get-products",
            Self::PricePage => "price-page",
            Self::EksList => "eks-price-list",
            Self::SpotFeed => "spot-feed",
            Self::SpotAdvisor => "spot-advisor",
            Self::Embedded => "embedded",
            Self::EmbeddedEstimate => "embedded-estimate",
        }
    }
}

/// The date of a price.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AsOf {
    /// It has no date: a label, a rule, no price.
    #[default]
    Always,
    /// Published in this month (`2026-07`).
    Month(&'static str),
    /// Fetched from AWS, or confirmed by it.
    Fetched {
        /// When.
        at: Timestamp,
        /// Whether an earlier run fetched it, and this one has not confirmed it (yet).
        cached: bool,
    },
}

impl AsOf {
    /// Its age in calendar months; `None` unless it is a month.
    pub fn months_old(self, now: Timestamp) -> Option<i64> {
        let Self::Month(published) = self else { return None };
        let (year, month) = published.split_once('-')?;
        let months = |year: i64, month: i64| year * 12 + month;
        let today = now.to_zoned(jiff::tz::TimeZone::UTC);
        Some(months(today.year().into(), today.month().into()) - months(year.parse().ok()?, month.parse().ok()?))
    }
}

impl fmt::Display for AsOf {
    /// The month, or the moment in RFC 3339 to the second; empty for [`AsOf::Always`].
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Always => Ok(()),
            Self::Month(month) => f.write_str(month),
            Self::Fetched { at, .. } => write!(f, "{at:.0}"),
        }
    }
}

/// The source and date of a price.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Origin {
    /// The source.
    pub source: PriceSource,
    /// The date.
    pub as_of: AsOf,
}

impl Origin {
    /// Of a source without dates.
    pub const fn undated(source: PriceSource) -> Self {
        Self { source, as_of: AsOf::Always }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use test_case::test_case;

    #[test_case(AsOf::Month("2025-03"), "2026-11-29T12:00:00Z" => Some(20))]
    #[test_case(AsOf::Month("2025-10"), "2026-11-01T00:00:00Z" => Some(13))]
    #[test_case(AsOf::Month("2025-11"), "2026-11-30T23:59:59Z" => Some(12))]
    #[test_case(AsOf::Month("2026-07"), "2025-07-01T00:00:00Z" => Some(-12) ; "a clock that is behind")]
    #[test_case(AsOf::Always, "2026-11-29T12:00:00Z" => None)]
    #[test_case(AsOf::Fetched { at: Timestamp::UNIX_EPOCH, cached: true }, "2026-11-29T12:00:00Z" => None ; "it has a moment")]
    fn calendar_months_are_counted(as_of: AsOf, now: &str) -> Option<i64> {
        as_of.months_old(now.parse().unwrap())
    }

    #[test]
    fn a_date_is_a_month_or_a_moment() {
        let at: Timestamp = "2026-11-24T09:30:12.5Z".parse().unwrap();
        assert_eq!(AsOf::Fetched { at, cached: true }.to_string(), "2026-11-24T09:30:12Z");
        assert_eq!(AsOf::Month("2026-07").to_string(), "2026-07");
        assert_eq!(AsOf::Always.to_string(), "");
    }
}
