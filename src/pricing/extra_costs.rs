//! Lines of the bill beside the machines: what of them is asked for.

/// Which lines beside the machines are shown, each a sum of its own that no other sum contains. None is, unless asked
/// for: a price per node should be the price of the node.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ExtraCosts {
    /// What EKS charges for the cluster itself.
    pub control_plane: bool,
    /// The EBS volumes that machines of a `NodeClass` are launched with.
    pub volumes: bool,
}

impl ExtraCosts {
    /// Whether any line is on.
    pub const fn any(self) -> bool {
        self.control_plane || self.volumes
    }
}
