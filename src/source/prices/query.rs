//! What can be asked of the price sources, and what they answer.

use super::http::Validators;
use crate::model::Name;
use crate::pricing::{ClusterSupport, OnDemandKey, Os, PriceSheet, PriceSource, Prices};
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// The maximum age of on-demand prices and of the charges of EKS, which hardly ever change.
pub(super) const SLOW: SignedDuration = SignedDuration::from_hours(12);
/// The maximum age of spot prices.
pub(super) const QUICK: SignedDuration = SignedDuration::from_mins(15);
/// What a source does not know, or does not permit, is asked again after this time.
pub(super) const NEGATIVE: SignedDuration = SignedDuration::from_hours(1);
/// Cached prices of this age are still used if no source confirms them.
pub(super) const MONTH: SignedDuration = SignedDuration::from_hours(30 * 24);

/// A cluster in EKS.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClusterId {
    /// Its region.
    pub region: Name,
    /// Its name in EKS.
    pub name: Name,
}

/// A request for a set of names: instance types, volume types, regions or a cluster.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Query {
    /// Without credentials. The names are regions.
    File(PublicFile),
    /// With credentials. The names are types, or the cluster's.
    Call(AwsCall),
}

/// A public file with prices.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum PublicFile {
    /// The on-demand prices of all types of a region.
    PricePage { region: Name, os: Os },
    /// The AmazonEKS price list of a region.
    EksList { region: Name },
    /// The file behind the spot price page: all regions.
    SpotFeed,
    /// The spot advisor's file: all regions.
    SpotAdvisor,
}

/// A call to AWS that needs credentials.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AwsCall {
    /// `ec2:DescribeSpotPriceHistory`: spot prices by type and zone.
    SpotHistory {
        /// The region.
        region: Name,
        /// The operating system.
        os: Os,
    },
    /// `pricing:GetProducts`: on-demand prices by type.
    OnDemand(OnDemandKey),
    /// `pricing:GetProducts`: prices of EBS volumes by type.
    Volumes {
        /// The region.
        region: Name,
    },
    /// `eks:DescribeCluster`: the support of a cluster.
    Cluster(ClusterId),
}

/// An answer of a price source, and what the cache keeps of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// The prices: of a file all that it has.
    pub(super) sheets: Vec<PriceSheet>,
    /// The address of a file.
    pub(super) url: String,
    /// The version of a file.
    pub(super) validators: Validators,
    /// The answer to [`AwsCall::Cluster`].
    #[serde(skip)]
    pub(super) support: Option<ClusterSupport>,
}

impl From<Vec<PriceSheet>> for Answer {
    fn from(sheets: Vec<PriceSheet>) -> Self {
        Self { sheets, ..Self::default() }
    }
}

impl Query {
    /// The price source; `None` for what is no price.
    pub(super) const fn source(&self) -> Option<PriceSource> {
        match self {
            Self::File(PublicFile::PricePage { .. }) => Some(PriceSource::PricePage),
            Self::File(PublicFile::EksList { .. }) => Some(PriceSource::EksList),
            Self::File(PublicFile::SpotFeed) => Some(PriceSource::SpotFeed),
            Self::File(PublicFile::SpotAdvisor) => Some(PriceSource::SpotAdvisor),
            Self::Call(AwsCall::SpotHistory { .. }) => Some(PriceSource::SpotHistory),
            Self::Call(AwsCall::OnDemand(_) | AwsCall::Volumes { .. }) => Some(PriceSource::GetProducts),
            Self::Call(AwsCall::Cluster(_)) => None,
        }
    }

    /// The region of the answer; `None` for a file of all regions.
    pub(super) const fn region(&self) -> Option<&Name> {
        match self {
            Self::File(PublicFile::PricePage { region, .. } | PublicFile::EksList { region }) => Some(region),
            Self::File(PublicFile::SpotFeed | PublicFile::SpotAdvisor) => None,
            Self::Call(AwsCall::SpotHistory { region, .. } | AwsCall::Volumes { region }) => Some(region),
            Self::Call(AwsCall::OnDemand(OnDemandKey { region, .. })) => Some(region),
            Self::Call(AwsCall::Cluster(ClusterId { region, .. })) => Some(region),
        }
    }

    /// The age at which an answer is requested again.
    pub(super) const fn max_age(&self) -> SignedDuration {
        match self {
            Self::Call(AwsCall::SpotHistory { .. }) | Self::File(PublicFile::SpotFeed) => QUICK,
            // The advisor's savings are means of a month.
            Self::File(_) | Self::Call(AwsCall::OnDemand(_) | AwsCall::Volumes { .. }) => SLOW,
            // A cluster that is upgraded leaves extended support.
            Self::Call(AwsCall::Cluster(_)) => NEGATIVE,
        }
    }

    /// The age at which a cached answer is of no use.
    pub(super) fn max_cached_age(&self) -> SignedDuration {
        if self.max_age() == SLOW { MONTH } else { self.max_age() }
    }

    /// Whether it is a call to AWS.
    pub(super) const fn is_call(&self) -> bool {
        matches!(self, Self::Call(_))
    }

    /// The names that a sheet of the answer is about.
    pub(super) fn names(&self, sheet: &PriceSheet) -> BTreeSet<Name> {
        match (self, &sheet.prices) {
            (Self::Call(_), Prices::OnDemand { prices, .. }) => {
                prices.iter().map(|p| p.instance_type.clone()).collect()
            }
            (Self::Call(_), Prices::Spot(prices)) => prices.iter().map(|p| p.instance_type.clone()).collect(),
            (Self::Call(_), Prices::Volumes(prices)) => prices.iter().map(|p| p.volume_type.clone()).collect(),
            _ => BTreeSet::from([sheet.region.clone()]),
        }
    }

    /// The last answer with a new one: a file is replaced, answers to calls are about different names.
    pub(super) fn merge(&self, last: &Answer, new: Answer) -> Answer {
        let Some(new_sheet) = new.sheets.first().filter(|_| self.is_call()) else { return new };
        let figures = figures(new_sheet);
        let is_kept = |old: &&PriceSheet| {
            new_sheet.fetched.duration_since(old.fetched) < self.max_cached_age()
                && !self::figures(old).is_subset(&figures)
        };
        let mut sheets: Vec<PriceSheet> = last.sheets.iter().filter(is_kept).cloned().collect();
        sheets.extend(new.sheets);
        sheets.into()
    }
}

/// Type and zone of each price of a call's answer.
fn figures(sheet: &PriceSheet) -> BTreeSet<(&str, Option<&str>)> {
    match &sheet.prices {
        Prices::OnDemand { prices, .. } => prices.iter().map(|p| (p.instance_type.as_str(), None)).collect(),
        Prices::Spot(prices) => prices.iter().map(|p| (p.instance_type.as_str(), p.zone.as_deref())).collect(),
        Prices::Volumes(prices) => prices.iter().map(|p| (p.volume_type.as_str(), None)).collect(),
        Prices::Eks(_) | Prices::SpotSavings(_) => BTreeSet::new(),
    }
}
