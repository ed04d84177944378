//! Costs besides those of nodes: the volumes of each row, and the control plane of the cluster.

use super::classes::NodeClasses;
use super::{Cluster, ManagedBy, Row};
use crate::model::{Name, key};
use crate::pricing::{ControlPlane, Demand, Offer, PriceBook, Unknown, VolumesQuote, region_of_endpoint};
use std::collections::BTreeMap;

impl Row {
    /// Quotes its volumes again; true if the quote differs.
    pub(super) fn price_volumes(&mut self, book: Option<&PriceBook>, classes: &NodeClasses) -> bool {
        let quote = book.and_then(|book| self.quote_volumes(book, classes)).map(Box::new);
        let differs = self.volumes != quote;
        self.volumes = quote;
        differs
    }

    fn quote_volumes(&self, book: &PriceBook, classes: &NodeClasses) -> Option<VolumesQuote> {
        let class = self.node_class().ok_or(Unknown::NoNodeClass);
        let class =
            class.and_then(|(provisioner, name)| classes.get(provisioner, name).ok_or(Unknown::NodeClassNotRead));
        let local_disks = self.label(key::AUTO_LOCAL_NVME).and_then(|gib| gib.parse().ok());
        let quote = book.quote_volumes(self.billed_offer()?, class, local_disks)?;
        Some(VolumesQuote { estimated: class.is_ok() && self.has_older_class(), ..quote })
    }

    /// Whether its node class has changed since its launch, which is drift to Karpenter.
    fn has_older_class(&self) -> bool {
        let drifted = self.claim().filter(|claim| claim.is("Drifted")).and_then(|claim| claim.condition("Drifted"));
        drifted.is_some_and(|condition| condition.reason == "NodeClassDrift")
    }
}

impl Cluster {
    /// The hourly price of the control plane. `None` if it or prices are switched off, and if the cluster does not appear to be
    /// EKS's.
    pub fn control_plane(&self) -> Option<ControlPlane> {
        let book = self.prices.book().filter(|_| self.extra_costs.control_plane)?;
        let region = self.control_plane_region()?;
        Some(book.control_plane(region, self.prices.cluster_support().map(|(_, support)| support)))
    }

    /// The region of the control plane: from AWS's report, else from the server's address, else that of most EKS nodes.
    fn control_plane_region(&self) -> Option<&str> {
        let reported = self.prices.cluster_support().map(|(region, _)| region);
        reported.or_else(|| region_of_endpoint(&self.about.server)).or_else(|| {
            let mut nodes: BTreeMap<&str, usize> = BTreeMap::new();
            let regions = self.rows.values().filter(|row| row.counts() && is_of_eks(row)).filter_map(Row::region);
            regions.for_each(|region| *nodes.entry(region).or_default() += 1);
            nodes.into_iter().max_by_key(|(_, count)| *count).map(|(region, _)| region)
        })
    }

    /// Adds the prices that these costs need.
    pub(super) fn demand_of_extra_costs(&self, demand: &mut Demand) {
        if self.extra_costs.control_plane
            && let Some(region) = self.control_plane_region()
        {
            demand.eks.insert(region.into());
        }
        for row in self.rows.values().filter(|row| row.counts()) {
            let Some(quote) = row.volumes_quote() else { continue };
            let Some(region) = row.offer().and_then(Offer::price_region).map(Name::from) else { continue };
            let types = quote.parts.iter().map(|part| &part.volume.volume_type).filter(|kind| !kind.is_empty());
            types.for_each(|kind| _ = demand.volumes.entry(region.clone()).or_default().insert(kind.clone()));
        }
    }
}

/// Whether only EKS has such nodes.
fn is_of_eks(row: &Row) -> bool {
    match row.managed_by() {
        ManagedBy::AutoMode | ManagedBy::Fargate | ManagedBy::Hybrid => true,
        ManagedBy::NodeGroup => row.label("eks.amazonaws.com/nodegroup").is_some(),
        ManagedBy::Kwok | ManagedBy::Karpenter | ManagedBy::SelfManaged => false,
    }
}
