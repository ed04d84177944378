//! What rows and pods are referred to by.

/// Identity of a row for as long as the program runs; never used again. A claim's row that joins a node's row
/// becomes that row: ask [`super::Cluster::resolve`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RowId(pub(super) u32);

/// The end of a chain of pods: no slot has this number.
pub(super) const NO_POD: u32 = u32::MAX;
