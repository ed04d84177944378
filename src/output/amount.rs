//! Formats amounts and shares for the table format.

use crate::cluster::share;
use crate::model::Resource;

/// An amount of a resource: cores, Gi, or units.
pub(super) fn amount(resource: &Resource, amount: u64) -> String {
    match resource {
        Resource::Cpu => cores(amount),
        Resource::Memory | Resource::EphemeralStorage => format!("{}Gi", gibibytes(amount)),
        Resource::Pods | Resource::Extended(_) => amount.to_string(),
    }
}

/// `part / whole` in percent: `88%`; `4/0` if only `whole` is zero, `None` if both are.
pub(super) fn share_text(resource: &Resource, part: u64, whole: u64) -> Option<String> {
    if whole == 0 && part > 0 {
        return Some(format!("{}/0", amount(resource, part)));
    }
    // Rounded once, from the amounts: 49.45 % is not 50 %.
    share(part, whole, 100).map(|percent| format!("{percent}%"))
}

/// Millicores as cores.
pub(super) fn cores(millis: u64) -> String {
    let tenths = millis.saturating_add(50) / 100;
    format!("{}.{}", tenths / 10, tenths % 10)
}

/// Bytes as Gi.
pub(super) fn gibibytes(bytes: u64) -> String {
    let tenths = (u128::from(bytes) * 10 + (1 << 29)) >> 30;
    format!("{}.{}", tenths / 10, tenths % 10)
}
