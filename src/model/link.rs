use super::Timestamp;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A stream of a source: the list and watch of one kind, or polled metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stream {
    /// Nodes.
    Nodes,
    /// Pods that have not terminated.
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
    /// Pod metrics, polled while a detail view shows them.
    PodMetrics,
    /// Node classes of a self-hosted Karpenter on AWS, watched while volumes are priced.
    Ec2NodeClasses,
    /// Node classes of EKS Auto Mode, watched while volumes are priced.
    NodeClasses,
}

impl Stream {
    /// All streams, in the order of the status line.
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

    /// Whether the stream serves an optional cost line only: it is off unless that line is shown, and the line shows its
    /// errors.
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

/// The state of a stream. Connection errors are shown on the screen and do not end the program.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum LinkState {
    /// Not needed.
    #[default]
    Off,
    /// The first request was sent.
    Connecting,
    /// A list is being received.
    Syncing {
        /// Objects received of this list.
        seen: u64,
    },
    /// Synced with the server.
    Live,
    /// The server does not have this kind; retried from time to time.
    Absent,
    /// List is allowed and watch is forbidden: listed repeatedly, so the data is complete and delayed.
    Polled {
        /// The server's message about the watch.
        message: String,
    },
    /// Forbidden. Retried every few minutes, since roles may change.
    Denied {
        /// The server's message.
        message: String,
    },
    /// An error; retried at `at`. The last state is kept.
    Retrying {
        /// When it is retried.
        at: Timestamp,
        /// The error, in one sentence.
        why: String,
    },
}

impl LinkState {
    /// The name of the state in JSON's `streams` and in `doctor`.
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

    /// The error, if there is one.
    pub fn trouble(&self) -> Option<&str> {
        match self {
            Self::Denied { message } => Some(message),
            Self::Retrying { why, .. } => Some(why),
            Self::Off | Self::Connecting | Self::Syncing { .. } | Self::Live | Self::Polled { .. } | Self::Absent => {
                None
            }
        }
    }

    /// Whether there is nothing to wait for: synced, or unavailable.
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
