//! The amounts that bars show, and the titles of their columns.

use super::bar::Share;
use super::scene::Scene;
use super::state::{Bars, Seen};
use crate::cluster::{Cluster, Row, permille};
use crate::insight::{ExtraColumn, Totals, View, amount_text, extra_titles, resource_titles, share_text};
use crate::model::{Name, Resource, Resources, Stream, Timestamp, Usage};
use std::collections::BTreeSet;

/// Accelerators that a shown node offers, or that its pods still hold although the node does not offer them any more. Each
/// has a bar of its own.
pub(super) fn devices(view: &View) -> impl Iterator<Item = Resource> {
    let totals = view.totals();
    let amounts = totals.allocatable.extended.iter().chain(&totals.requests.extended).filter(|(_, n)| **n > 0);
    let names: BTreeSet<&Name> = amounts.map(|(name, _)| name).collect();
    names.into_iter().cloned().map(Resource::Extended).filter(Resource::is_accelerator)
}

/// The choices that the key `v` goes through.
pub(super) fn bar_choices(view: &View) -> Vec<Bars> {
    let fixed = [Bars::Requests, Bars::Usage, Bars::Limits, Bars::Dominant];
    let further = [Resource::EphemeralStorage].into_iter().chain(devices(view)).map(Bars::Only);
    fixed.into_iter().chain(further).collect()
}

/// The resources with a bar, in order.
pub(super) fn barred(scene: &Scene<'_>) -> Vec<Resource> {
    if let Bars::Only(resource) = &scene.ui.bars {
        return vec![resource.clone()];
    }
    let mut resources = scene.ui.options.resources.clone();
    for device in devices(scene.view) {
        if !resources.contains(&device) {
            resources.push(device);
        }
    }
    resources
}

/// Where measured usage comes from.
enum Used<'a> {
    Row(Option<&'a Usage>),
    Totals(&'a Totals),
}

/// The amounts of resources that bars show, of one row or of the sum of several.
pub(super) struct Amounts<'a> {
    allocatable: Option<&'a Resources>,
    pub(super) requests: &'a Resources,
    pub(super) limits: &'a Resources,
    /// Devices that pods get by resource claims.
    claimed: &'a Resources,
    used: Used<'a>,
    /// Whether pods are known. If not, sums are unknown rather than 0.
    pods_known: bool,
    /// The current time; `None` for sums, which have no single age.
    now: Option<Timestamp>,
}

impl<'a> Amounts<'a> {
    pub(super) fn of_row(row: &'a Row) -> Self {
        Self {
            allocatable: row.allocatable(),
            requests: &row.sums().requests,
            limits: &row.sums().limits,
            claimed: &row.sums().claimed,
            used: Used::Row(row.usage()),
            pods_known: true,
            now: None,
        }
    }

    pub(super) fn of_totals(totals: &'a Totals) -> Self {
        Self {
            allocatable: Some(&totals.allocatable),
            requests: &totals.requests,
            limits: &totals.limits,
            claimed: &totals.claimed,
            used: Used::Totals(totals),
            pods_known: true,
            now: None,
        }
    }

    /// Marks sums as unknown if the cluster's pods are.
    #[must_use]
    pub(super) const fn seen_in(mut self, cluster: &Cluster) -> Self {
        self.pods_known = cluster.knows(Stream::Pods);
        self
    }

    /// Marks usage that is too old to be current at `now`.
    #[must_use]
    pub(super) fn at(mut self, now: Timestamp, seen: &mut Seen) -> Self {
        self.now = Some(now);
        if let Used::Row(Some(usage)) = &self.used
            && usage.fresh_seconds(now) > 0
        {
            seen.changes_in(usage.fresh_seconds(now), now);
        }
        self
    }

    fn is_stale(&self) -> bool {
        match (&self.used, self.now) {
            (Used::Row(Some(usage)), Some(now)) => usage.fresh_seconds(now) <= 0,
            (Used::Row(_) | Used::Totals(_), _) => false,
        }
    }

    fn used(&self, resource: &Resource) -> Option<u64> {
        match &self.used {
            Used::Row(usage) => usage.and_then(|u| u.get(resource)),
            Used::Totals(totals) => totals.used(resource),
        }
    }

    /// The amount that a bar of a resource shows; `None` if it is not measured, or if pods are not known.
    pub(super) fn amount(&self, resource: &Resource, bars: &Bars) -> Option<u64> {
        match bars {
            Bars::Requests | Bars::Dominant | Bars::Only(_) => self.pods_known.then(|| self.requests.get(resource)),
            Bars::Limits => self.pods_known.then(|| self.limits.get(resource)),
            Bars::Usage => self.used(resource),
        }
    }

    /// What that amount is a share of: allocatable, and for usage the allocatable of measured nodes. `None` if it is not
    /// known, or if pods get the resource by resource claims alone; 0 means that there is none.
    pub(super) fn whole(&self, resource: &Resource, bars: &Bars) -> Option<u64> {
        match (&self.used, bars) {
            (Used::Totals(totals), Bars::Usage) => Some(totals.measured_allocatable.get(resource)),
            (Used::Totals(totals), _) => totals.offer_of(resource),
            (Used::Row(_), _) => {
                let offered = self.allocatable.map(|allocatable| allocatable.get(resource));
                offered.filter(|offered| *offered > 0 || self.claimed.get(resource) == 0)
            }
        }
    }

    /// The share as text: `88%`, or `4/0` if the node has none of it. For devices that pods get by resource claims, the
    /// amount alone.
    pub(super) fn percent(&self, resource: &Resource, bars: &Bars) -> Option<String> {
        let part = self.amount(resource, bars)?;
        let Some(whole) = self.whole(resource, bars) else {
            return (self.claimed.get(resource) > 0).then(|| amount_text(resource, part));
        };
        share_text(resource, part, whole)
    }

    pub(super) fn share(&self, resource: &Resource, bars: &Bars) -> Share {
        let part = self.amount(resource, bars).zip(self.whole(resource, bars));
        let used = match bars {
            Bars::Usage => None,
            Bars::Requests | Bars::Limits | Bars::Dominant | Bars::Only(_) => {
                self.used(resource).zip(self.whole(resource, &Bars::Usage))
            }
        };
        let share = |amounts: Option<(u64, u64)>| amounts.and_then(|(part, whole)| permille(part, whole));
        Share { fill: share(part), used: share(used), stale: self.is_stale() }
    }

    /// The resource with the largest requested share, and that share in permille.
    pub(super) fn dominant(&self, among: &[Resource]) -> Option<(Resource, u64)> {
        let share = |r: &Resource| permille(self.amount(r, &Bars::Dominant)?, self.whole(r, &Bars::Dominant)?);
        let shares = among.iter().filter_map(|r| Some((r.clone(), share(r)?)));
        shares.max_by_key(|(_, share)| *share)
    }
}

/// Titles of the fixed columns.
const FIXED: [&str; 11] =
    ["NODE", "NODEPOOL", "DOMINANT", "PODS", "TYPE", "$/HOUR", "IDLE", "BUY", "ZONE", "AGE", "STATUS"];

/// Titles of the resource columns, different from those of all other columns.
pub(super) fn bar_titles(barred: &[Resource]) -> Vec<String> {
    resource_titles(&barred.iter().collect::<Vec<_>>(), FIXED.map(str::to_owned))
}

/// Titles of the extra columns, different from those of all other columns.
pub(super) fn column_titles(columns: &[ExtraColumn], barred: &[Resource]) -> Vec<String> {
    extra_titles(columns, FIXED.map(str::to_owned).into_iter().chain(bar_titles(barred)))
}
