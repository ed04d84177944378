//! What price sources report while they work.

use super::control_plane::ClusterSupport;
use super::origin::PriceSource;
use super::sheet::PriceSheet;
use crate::model::{Name, Timestamp};

/// One thing a price source has to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PriceNews {
    /// An answer: to be taken in at once, whatever else is still being asked.
    Sheet(PriceSheet),
    /// How a source is doing.
    State {
        /// Which.
        source: PriceSource,
        /// For which region.
        region: Name,
        /// How.
        state: SourceState,
    },
    /// What AWS says of the cluster's control plane.
    ClusterSupport {
        /// The region it runs in.
        region: Name,
        /// What it says.
        support: ClusterSupport,
    },
    /// Everything that is needed was answered, or was given up for now.
    Settled,
}

/// How a price source is doing for one region.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SourceState {
    /// Asked, no answer yet.
    Asking,
    /// It answered, or confirmed what the disk had.
    Answered {
        /// When.
        at: Timestamp,
    },
    /// It cannot be asked, and that is no fault: no credentials, no such file for this region.
    Off {
        /// Why, in a few words.
        why: String,
    },
    /// It could not be asked, or its answer not be used. What was known stays.
    Failed {
        /// Why, for people.
        why: String,
        /// When it is asked again.
        retry: Timestamp,
    },
}
