//! Costs besides those of instances, as serialisable data; null if they are switched off.

use crate::cluster::Row;
use crate::insight::PriceTotals;
use crate::model::Volume;
use crate::pricing::{ControlPlane, Figure, Unknown, VolumePart, VolumesQuote};
use crate::units::Money;
use serde::Serialize;
use std::collections::BTreeMap;

/// The hourly price of the EKS control plane, as decimal text.
#[derive(Clone, Debug, Serialize)]
pub struct ControlPlaneReport {
    /// ISO 4217 code.
    pub currency: &'static str,
    /// The known part of the price, without a possible surcharge for extended support; null if nothing is known.
    pub hourly: Option<String>,
    /// `hourly` × 730.
    pub monthly: Option<String>,
    /// `hourly` in case the version is in extended support; null if the support type is known, or extended support has no
    /// known price.
    pub hourly_if_extended: Option<String>,
    /// Whether `hourly` is a lower bound, because the price of the tier is unknown.
    pub lower_bound: bool,
    /// Whether a part is an estimate.
    pub estimated: bool,
    /// The price of a cluster in standard support.
    pub cluster: Option<String>,
    /// `yes`, `no`, or `perhaps` if the support type is unknown.
    pub in_extended_support: &'static str,
    /// The surcharge for extended support, whether it applies or not.
    pub extended_support: Option<String>,
    /// The tier of a provisioned control plane; null for the standard tier, and if the tier is unknown.
    pub tier: Option<String>,
    /// The surcharge for the tier.
    pub tier_price: Option<String>,
    /// Whether AWS has reported tier and support type.
    #[serde(rename = "told")]
    pub reported: bool,
}

impl From<&ControlPlane> for ControlPlaneReport {
    fn from(plane: &ControlPlane) -> Self {
        let text = |part: Option<Figure>| part.map(|part| decimal(part.amount));
        Self {
            currency: plane.currency.code(),
            hourly: plane.hourly().map(decimal),
            monthly: plane.hourly().map(|hourly| hourly.monthly().decimal(2)),
            hourly_if_extended: plane.if_extended().map(decimal),
            lower_bound: plane.is_lower_bound(),
            estimated: plane.is_estimated(),
            cluster: text(plane.cluster),
            in_extended_support: match plane.extended {
                Some(false) => "no",
                Some(true) => "yes",
                None => "perhaps",
            },
            extended_support: text(plane.extended_support),
            tier: plane.tier.as_ref().map(|(name, _)| name.to_string()),
            tier_price: plane.tier.as_ref().and_then(|(_, price)| text(*price)),
            reported: plane.reported,
        }
    }
}

/// The hourly cost of the EBS volumes of the reported nodes, as decimal text.
#[derive(Clone, Debug, Serialize)]
pub struct VolumeTotalReport {
    /// ISO 4217 code.
    pub currency: &'static str,
    /// Hourly cost; a lower bound if `unknown` is not 0, null if nothing is known.
    pub hourly: Option<String>,
    /// `hourly` × 730.
    pub monthly: Option<String>,
    /// Nodes whose volumes are not fully included.
    pub unknown: u64,
    /// The number of these nodes by reason.
    pub unknown_reasons: BTreeMap<&'static str, u64>,
    /// Nodes whose node class has changed since their launch.
    pub estimated: u64,
}

impl From<&PriceTotals> for VolumeTotalReport {
    fn from(totals: &PriceTotals) -> Self {
        let if_known = |text: String| (!totals.is_unknown()).then_some(text);
        Self {
            currency: totals.currency().code(),
            hourly: if_known(decimal(totals.hourly())),
            monthly: if_known(totals.hourly().monthly().decimal(2)),
            unknown: totals.unpriced,
            unknown_reasons: totals.unknown.iter().map(|(why, n)| (why.reason(), *n)).collect(),
            estimated: totals.estimated,
        }
    }
}

/// The EBS volumes of a node.
#[derive(Clone, Debug, Serialize)]
pub struct VolumesReport {
    /// ISO 4217 code.
    pub currency: &'static str,
    /// Hourly cost of all volumes; null if a part is unknown.
    pub hourly: Option<String>,
    /// The known part of it.
    pub known: String,
    /// Why a part is unknown.
    pub unknown: Option<&'static str>,
    /// Whether the node class has changed since the node's launch.
    pub estimated: bool,
    /// The volumes.
    pub parts: Vec<VolumeReport>,
}

/// An EBS volume.
#[derive(Clone, Debug, Serialize)]
pub struct VolumeReport {
    /// `gp3`; null if the AMI decides.
    pub volume_type: Option<String>,
    /// GiB; null if the AMI or a snapshot decides.
    pub size_gib: Option<u64>,
    /// Provisioned IOPS; null for the baseline of the type.
    pub iops: Option<u64>,
    /// Provisioned throughput in MiB/s; null for the baseline of the type.
    pub throughput: Option<u64>,
    /// Whether it is the root volume.
    pub root: bool,
    /// Hourly cost; null if a part is unknown.
    pub hourly: Option<String>,
    /// Why a part is unknown.
    pub unknown: Option<&'static str>,
}

/// The volumes of a row; `None` if the cost of volumes is switched off, or the row has no volumes.
pub(super) fn volumes(row: &Row) -> Option<VolumesReport> {
    let quote: &VolumesQuote = row.volumes_quote()?;
    Some(VolumesReport {
        currency: quote.currency.code(),
        hourly: quote.unknown.is_none().then(|| decimal(quote.known)),
        known: decimal(quote.known),
        unknown: quote.unknown.map(Unknown::reason),
        estimated: quote.estimated,
        parts: quote.parts.iter().map(volume).collect(),
    })
}

fn volume(part: &VolumePart) -> VolumeReport {
    let Volume { volume_type, size_gib, iops, throughput, root } = &part.volume;
    VolumeReport {
        volume_type: Some(volume_type.to_string()).filter(|kind| !kind.is_empty()),
        size_gib: *size_gib,
        iops: *iops,
        throughput: *throughput,
        root: *root,
        hourly: part.unknown.is_none().then(|| decimal(part.known)),
        unknown: part.unknown.map(Unknown::reason),
    }
}

/// The control plane as a line of the table format.
pub(super) fn control_plane_line(plane: &ControlPlaneReport) -> String {
    let sign = sign(plane.currency);
    let Some(hourly) = &plane.hourly else { return "—/hour".to_owned() };
    let mark = marks(plane.lower_bound, plane.estimated);
    let extended = plane.hourly_if_extended.as_ref().map(|hourly| format!(" ({sign}{hourly} in extended support)"));
    format!("{mark}{sign}{hourly}/hour{}", extended.unwrap_or_default())
}

/// The volumes of all nodes as a line of the table format.
pub(super) fn volumes_line(volumes: &VolumeTotalReport) -> String {
    let reasons: Vec<String> = volumes.unknown_reasons.iter().map(|(why, n)| format!("{n} {why}")).collect();
    let unknown = |label| if reasons.is_empty() { String::new() } else { format!("  {label}: {}", reasons.join(", ")) };
    let Some(hourly) = &volumes.hourly else { return format!("—/hour{}", unknown("unknown")) };
    let mark = marks(volumes.unknown > 0, volumes.estimated > 0);
    format!("{mark}{}{hourly}/hour{}", sign(volumes.currency), unknown("partly unknown"))
}

fn marks(least: bool, estimated: bool) -> String {
    format!("{}{}", if least { "≥ " } else { "" }, if estimated { "~" } else { "" })
}

fn sign(code: &str) -> &'static str {
    if code == "CNY" { "¥" } else { "$" }
}

fn decimal(money: Money) -> String {
    money.decimal(5)
}
