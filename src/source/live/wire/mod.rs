//! What is read of Kubernetes' JSON, and no more: fields that are not named here are skipped unread, above all
//! `managedFields`.
//!
//! Always true of these types: every field may be absent or `null`; a number where text is expected is text; an enum
//! value that is not known stays text; text has passed [`crate::units::text::clean`]. They live no longer than one
//! batch: the conversion to the model is next to each type.

pub(super) mod amounts;
pub(super) mod claim;
pub(super) mod class;
pub(super) mod event;
pub(super) mod meta;
pub(super) mod metrics;
pub(super) mod node;
pub(super) mod nodepool;
pub(super) mod pdb;
pub(super) mod pod;
