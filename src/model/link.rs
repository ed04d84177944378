use super::Timestamp;
use serde::{Deserialize, Serialize};
use std::fmt;

/// One stream of a source: a watched kind, or a polled one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stream {
    /// Nodes.
    Nodes,
    /// Pods that have not ended.
    Pods,
    /// core/v1 events of all namespaces.
    Events,
    /// Karpenter NodeClaims.
    NodeClaims,
    /// Karpenter NodePools.
    NodePools,
    /// PodDisruptionBudgets.
    Pdbs,
    /// Node metrics, polled.
    NodeMetrics,
    /// Pod metrics, polled while something shows them.
    PodMetrics,
    /// Node classes of a self-hosted Karpenter on AWS, watched while volumes are priced.
    Ec2NodeClasses,
    /// Node classes of EKS Auto Mode, watched while volumes are priced.
    NodeClasses,
}

impl Stream {
    /// Every stream, in the order of the status line.
    pub const ALL: [Self; 10] = [
        Self::Nodes,
        Self::Pods,
        Self::Events,
        Self::NodeClaims,
        Self::NodePools,
        Self::Pdbs,
        Self::NodeMetrics,
        Self::PodMetrics,
        Self::Ec2NodeClasses,
        Self::NodeClasses,
    ];

    /// The name on the screen and in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Nodes => "nodes",
            Self::Pods => "pods",
            Self::Events => "events",
            Self::NodeClaims => "nodeclaims",
            Self::NodePools => "nodepools",
            Self::Pdbs => "pdbs",
            Self::NodeMetrics => "nodemetrics",
            Self::PodMetrics => "podmetrics",
            Self::Ec2NodeClasses => "ec2nodeclasses",
            Self::NodeClasses => "nodeclasses",
        }
    }

    /// Whether it serves one optional line alone: it is not asked for unless that line is, and the line tells its trouble.
    pub const fn is_optional(self) -> bool {
        matches!(self, Self::Ec2NodeClasses | Self::NodeClasses)
    }

    /// Position in [`Self::ALL`].
    pub const fn index(self) -> usize {
        self as usize
    }
}

impl fmt::Display for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The health of one stream: trouble with the connection is data on the screen, never an exit.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum LinkState {
    /// Not asked for by anything on screen.
    #[default]
    Off,
    /// The first request is under way.
    Connecting,
    /// A list is coming in; objects so far.
    Syncing {
        /// Objects received of this list.
        seen: u64,
    },
    /// In step with the server.
    Live,
    /// The server does not know the kind; asked again now and then.
    Absent,
    /// May be listed and not watched: listed again and again, so the picture is complete, and some time behind.
    Polled {
        /// The server's message about the watch.
        message: String,
    },
    /// Forbidden: the server's words. Asked again every few minutes (roles change).
    Denied {
        /// The server's message.
        message: String,
    },
    /// Trouble; the next try is under way at `at`. The old picture stays.
    Retrying {
        /// When it is tried again.
        at: Timestamp,
        /// What went wrong, in one sentence.
        why: String,
    },
}

impl LinkState {
    /// One word for a state: JSON's `streams`, the doctor.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Connecting => "connecting",
            Self::Syncing { .. } => "syncing",
            Self::Live => "live",
            Self::Absent => "absent",
            Self::Polled { .. } => "polled",
            Self::Denied { .. } => "denied",
            Self::Retrying { .. } => "retrying",
        }
    }

    /// What went wrong, if something did.
    pub fn trouble(&self) -> Option<&str> {
        match self {
            Self::Denied { message } => Some(message),
            Self::Retrying { why, .. } => Some(why),
            Self::Off | Self::Connecting | Self::Syncing { .. } | Self::Live | Self::Polled { .. } | Self::Absent => {
                None
            }
        }
    }

    /// Whether there is nothing more to wait for: in step, or known not to come.
    pub const fn is_settled(&self) -> bool {
        matches!(self, Self::Off | Self::Live | Self::Absent | Self::Polled { .. } | Self::Denied { .. })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_stream_is_listed_at_its_index() {
        for (i, stream) in Stream::ALL.into_iter().enumerate() {
            assert_eq!(stream.index(), i);
        }
    }
}
