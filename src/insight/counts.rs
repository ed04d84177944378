//! Counts by key.

use std::collections::BTreeMap;

/// Subtracts counts from counts; what becomes 0 is removed.
pub(super) fn subtract_counts<K: Ord>(counts: &mut BTreeMap<K, u64>, subtracted: &BTreeMap<K, u64>) {
    for (key, n) in subtracted {
        if let Some(count) = counts.get_mut(key) {
            *count = count.saturating_sub(*n);
        }
    }
    counts.retain(|_, n| *n > 0);
}
