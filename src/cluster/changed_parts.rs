//! Which parts of the picture a change touched.

use std::ops::{BitOr, BitOrAssign};

/// Which parts of a picture may differ after a change.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ChangedParts(u8);

impl ChangedParts {
    /// Nothing.
    pub const NONE: Self = Self(0);
    /// Rows: see [`super::Cluster::take_changed`].
    pub const ROWS: Self = Self(1);
    /// Pods without a node.
    pub const PENDING: Self = Self(2);
    /// The event log.
    pub const EVENTS: Self = Self(4);
    /// Health of streams and price sources, or what is known of the cluster.
    pub const STREAMS: Self = Self(8);
    /// Nodepools or budgets.
    pub const NODEPOOLS: Self = Self(16);

    /// Whether anything may differ.
    pub const fn any(self) -> bool {
        self.0 != 0
    }

    /// Whether a part may differ.
    pub const fn has(self, part: Self) -> bool {
        self.0 & part.0 != 0
    }
}

impl BitOr for ChangedParts {
    type Output = Self;
    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl BitOrAssign for ChangedParts {
    fn bitor_assign(&mut self, other: Self) {
        self.0 |= other.0;
    }
}
