//! The lines of the bill beside the machines, as serialisable data: null where they are off.

use crate::cluster::Row;
use crate::insight::VolumeTotals;
use crate::model::Volume;
use crate::pricing::{Component, ControlPlane, Extended, VolumePart, VolumeUnknown, VolumesQuote};
use crate::units::Money;
use serde::Serialize;
use std::collections::BTreeMap;

/// What EKS charges for the cluster itself, as decimal text by the hour.
#[derive(Clone, Debug, Serialize)]
pub struct ControlPlaneReport {
    /// ISO 4217 code.
    pub currency: &'static str,
    /// What is known of it, without what is only perhaps due; null when nothing is.
    pub hourly: Option<String>,
    /// `hourly` × 730.
    pub monthly: Option<String>,
    /// What `hourly` is if the version is in extended support; null where that is told, or has no price.
    pub hourly_if_extended: Option<String>,
    /// Whether `hourly` is a lower bound: its tier has no price.
    pub lower_bound: bool,
    /// Whether a figure is an estimate.
    pub estimated: bool,
    /// The cluster alone.
    pub cluster: Option<String>,
    /// `yes`, `no`, or `perhaps` where nobody has told which support the version is in.
    pub in_extended_support: &'static str,
    /// What extended support adds, whether it is due or not.
    pub extended_support: Option<String>,
    /// The tier of a provisioned control plane; null for the standard one, and where it was not told.
    pub tier: Option<String>,
    /// What the tier adds.
    pub tier_price: Option<String>,
    /// Whether AWS has told tier and support.
    pub told: bool,
}

impl From<&ControlPlane> for ControlPlaneReport {
    fn from(plane: &ControlPlane) -> Self {
        let text = |part: Option<Component>| part.and_then(|part| part.amount.known()).map(decimal);
        Self {
            currency: plane.currency.code(),
            hourly: plane.hourly().map(decimal),
            monthly: plane.hourly().map(|hourly| hourly.monthly().decimal(2)),
            hourly_if_extended: plane.if_extended().map(decimal),
            lower_bound: plane.is_lower_bound(),
            estimated: plane.is_estimated(),
            cluster: text(plane.base),
            in_extended_support: match plane.extended {
                Extended::No => "no",
                Extended::Yes => "yes",
                Extended::Perhaps => "perhaps",
            },
            extended_support: text(plane.extended_price),
            tier: plane.tier.as_ref().map(|(name, _)| name.to_string()),
            tier_price: plane.tier.as_ref().and_then(|(_, price)| text(*price)),
            told: plane.told,
        }
    }
}

/// What the EBS volumes of the reported nodes cost, as decimal text.
#[derive(Clone, Debug, Serialize)]
pub struct VolumeTotalReport {
    /// ISO 4217 code.
    pub currency: &'static str,
    /// By the hour: a lower bound while `unknown` is not 0; null when nothing is known.
    pub hourly: Option<String>,
    /// `hourly` × 730.
    pub monthly: Option<String>,
    /// Machines whose volumes are not, or not wholly, in the figure.
    pub unknown: u64,
    /// Why, by reason.
    pub unknown_reasons: BTreeMap<&'static str, u64>,
    /// Machines whose node class has changed since they were launched.
    pub estimated: u64,
}

impl From<&VolumeTotals> for VolumeTotalReport {
    fn from(totals: &VolumeTotals) -> Self {
        let known = |text: String| (!totals.is_unknown()).then_some(text);
        Self {
            currency: totals.currency().code(),
            hourly: known(decimal(totals.hourly())),
            monthly: known(totals.hourly().monthly().decimal(2)),
            unknown: totals.left_out(),
            unknown_reasons: totals.unknown.iter().map(|(why, n)| (why.reason(), *n)).collect(),
            estimated: totals.estimated,
        }
    }
}

/// The EBS volumes of one machine.
#[derive(Clone, Debug, Serialize)]
pub struct VolumesReport {
    /// ISO 4217 code.
    pub currency: &'static str,
    /// The whole by the hour; null when a part is not known.
    pub hourly: Option<String>,
    /// What is known of it.
    pub known: String,
    /// Why a part is not known.
    pub unknown: Option<&'static str>,
    /// Whether the node class has changed since the machine was launched.
    pub estimated: bool,
    /// Each volume.
    pub parts: Vec<VolumeReport>,
}

/// One EBS volume.
#[derive(Clone, Debug, Serialize)]
pub struct VolumeReport {
    /// `gp3`; null when the machine image tells it.
    pub volume_type: Option<String>,
    /// GiB; null when the machine image or a snapshot tells it.
    pub size_gib: Option<u64>,
    /// Provisioned I/O operations a second; null for the type's baseline.
    pub iops: Option<u64>,
    /// Provisioned MiB a second; null for the type's baseline.
    pub throughput: Option<u64>,
    /// Whether the operating system starts from it.
    pub root: bool,
    /// By the hour; null when a part is not known.
    pub hourly: Option<String>,
    /// Why a part is not known.
    pub unknown: Option<&'static str>,
}

/// The volumes of a row; null where that line is off, and for what has none.
pub(super) fn volumes(row: &Row) -> Option<VolumesReport> {
    let quote: &VolumesQuote = row.volumes_quote()?;
    Some(VolumesReport {
        currency: quote.currency.code(),
        hourly: quote.hourly().map(decimal),
        known: decimal(quote.known()),
        unknown: quote.unknown().map(VolumeUnknown::reason),
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
        unknown: part.unknown.map(VolumeUnknown::reason),
    }
}

/// The control plane in a line for reading.
pub(super) fn control_plane_line(plane: &ControlPlaneReport) -> String {
    let sign = sign(plane.currency);
    let Some(hourly) = &plane.hourly else { return "—/hour".to_owned() };
    let mark = marks(plane.lower_bound, plane.estimated);
    let extended = plane.hourly_if_extended.as_ref().map(|all| format!(" ({sign}{all} in extended support)"));
    format!("{mark}{sign}{hourly}/hour{}", extended.unwrap_or_default())
}

/// The volumes of all nodes in a line for reading.
pub(super) fn volumes_line(volumes: &VolumeTotalReport) -> String {
    let reasons: Vec<String> = volumes.unknown_reasons.iter().map(|(why, n)| format!("{n} {why}")).collect();
    let unknown = if reasons.is_empty() { String::new() } else { format!("  not known: {}", reasons.join(", ")) };
    let Some(hourly) = &volumes.hourly else { return format!("—/hour{unknown}") };
    let mark = marks(volumes.unknown > 0, volumes.estimated > 0);
    let wholly = unknown.replacen("not known", "not wholly known", 1);
    format!("{mark}{}{hourly}/hour{wholly}", sign(volumes.currency))
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
