//! What is paid for and not asked for.
//!
//! A machine's price is divided by its dominant shares, each the largest over the resources it sells (cpu, memory and
//! accelerators, by [`Resource::is_accelerator`]): a machine whose memory is all requested has no room to sell, however
//! idle its cpu. A resource that is requested of nothing is full; one that pods get by resource claims, and that the machine
//! does not offer by its name, is not sold by it.
//!
//! ```text
//! price = requested + unrequested       requested   = price × dominant requested share
//!         requested ⊇ overhead          overhead    = price × dominant share that DaemonSet and static pods request
//!         requested ⊇ unused            unused      = requested − price × dominant used share, not below 0
//! ```
//!
//! Shares stop at 1, so each part lies between nothing and the price. All is integers: the ratio of two amounts is
//! applied to the price at once and rounded in favour of what is requested by less than a billionth, so that sums by
//! difference equal a rebuild. Only the known part of a price is divided; what is not known is not wasted.

use crate::cluster::Row;
use crate::model::{Name, Resource, Resources, Usage};
use crate::units::Money;
use std::collections::BTreeSet;

/// What of a machine's price by the hour is not put to use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Waste {
    /// Of what no pod requests.
    pub unrequested: Money,
    /// Of what DaemonSet and static pods request: paid once for every machine, so fewer and larger ones pay less.
    pub overhead: Money,
    /// Of what is requested and not used. None where nothing is measured, or where an accelerator is requested, whose
    /// use metrics do not tell.
    pub unused: Option<Money>,
}

impl Waste {
    /// The waste of a machine; none where nothing of its price is known, or what it offers is not. Pods that may not be
    /// read are no empty machine: ask [`crate::cluster::Cluster::knows`] before showing it.
    pub fn of(row: &Row) -> Option<Self> {
        let quote = row.quote().filter(|_| row.counts())?;
        let (instance, fee) = quote.known();
        let price = instance + fee;
        if price == Money::ZERO && quote.unknown().is_some() {
            return None;
        }
        let offered = row.allocatable().filter(|all| all.cpu_millicores > 0 || all.memory_bytes > 0)?;
        let sums = row.sums();
        if sums.claimed.is_zero() {
            return Some(Self::divide(price, offered, &sums.requests, &sums.overhead, row.usage()));
        }
        let (mut requests, mut overhead) = (sums.requests.clone(), sums.overhead.clone());
        let mut usage = row.usage();
        for name in sums.claimed.extended.keys() {
            let resource = Resource::Extended(name.clone());
            if offered.get(&resource) == 0 {
                requests.extended.remove(name);
                overhead.extended.remove(name);
                usage = usage.filter(|_| !resource.is_accelerator());
            }
        }
        Some(Self::divide(price, offered, &requests, &overhead, usage))
    }

    fn divide(
        price: Money,
        offered: &Resources,
        requests: &Resources,
        overhead: &Resources,
        usage: Option<&Usage>,
    ) -> Self {
        let mut sold = vec![Resource::Cpu, Resource::Memory];
        // One that is requested and no longer offered is sold out, not unknown.
        let extended: BTreeSet<&Name> = offered.extended.keys().chain(requests.extended.keys()).collect();
        sold.extend(extended.into_iter().cloned().map(Resource::Extended).filter(Resource::is_accelerator));
        let dominant = |part: &dyn Fn(&Resource) -> u64| {
            let share = |resource: &Resource| portion(price, part(resource), offered.get(resource));
            sold.iter().map(share).max().unwrap_or_default()
        };
        let requested = dominant(&|resource| requests.get(resource));
        let unmeasured = |resource: &Resource| matches!(resource, Resource::Extended(_)) && requests.get(resource) > 0;
        let usage = usage.filter(|_| !sold.iter().any(unmeasured));
        let unused = usage.map(|usage| {
            let used = dominant(&|resource| usage.get(resource).unwrap_or(0));
            (requested - used).max(Money::ZERO)
        });
        Self {
            unrequested: price.max(Money::ZERO) - requested,
            overhead: dominant(&|resource| overhead.get(resource)),
            unused,
        }
    }
}

/// `price × part ÷ whole`, from nothing to the price; all of it where something is requested of nothing.
fn portion(price: Money, part: u64, whole: u64) -> Money {
    let Ok(nanos) = u64::try_from(price.nanos()) else { return Money::ZERO };
    if whole == 0 {
        return if part > 0 { price } else { Money::ZERO };
    }
    // Less than 2^63 times less than 2^64: it fits.
    let share = (u128::from(nanos) * u128::from(part.min(whole))).div_ceil(u128::from(whole));
    i64::try_from(share).map_or(price, Money::from_nanos)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::Cluster;
    use crate::model::{Change, Node, Pod, PodKey, PodPhase, Timestamp};
    use crate::pricing::PriceBook;
    use pretty_assertions::assert_eq;
    use proptest::prelude::*;

    const GI: u64 = 1 << 30;

    fn usd(text: &str) -> Money {
        text.parse().unwrap()
    }

    fn divided(requests: &Resources, overhead: &Resources, usage: Option<(u64, u64)>) -> Waste {
        let usage = usage.map(|(cpu, memory)| Usage { cpu_millicores: cpu, memory_bytes: memory, ..Usage::default() });
        Waste::divide(usd("0.4"), &Resources::new(4000, 16 * GI), requests, overhead, usage.as_ref())
    }

    #[test]
    fn the_dominant_resource_decides() {
        let overhead = Resources::new(200, GI);
        let waste = divided(&Resources::new(1000, 12 * GI), &overhead, None);
        assert_eq!(waste, Waste { unrequested: usd("0.1"), overhead: usd("0.025"), unused: None });
    }

    #[test]
    fn what_is_requested_and_not_used_is_told_apart() {
        let requests = Resources::new(3000, 4 * GI);
        let unused = |cpu, memory| divided(&requests, &Resources::default(), Some((cpu, memory))).unused;
        assert_eq!(unused(1000, 2 * GI), Some(usd("0.2")));
        assert_eq!(unused(500, 8 * GI), Some(usd("0.1")), "another resource may dominate the use");
        assert_eq!(unused(4000, 2 * GI), Some(Money::ZERO), "more is used than requested");
    }

    #[test]
    fn a_full_accelerator_is_no_waste() {
        let gpu = Resource::from_name("nvidia.com/gpu");
        let with = |cpu, n| {
            let mut all = Resources::new(cpu, 16 * GI);
            all.set(&gpu, n);
            all
        };
        let usage = Usage { cpu_millicores: 100, memory_bytes: GI, ..Usage::default() };
        let of = |n| Waste::divide(usd("8"), &with(8000, 4), &with(800, n), &Resources::default(), Some(&usage));
        assert_eq!(of(4), Waste { unrequested: Money::ZERO, overhead: Money::ZERO, unused: None });
        assert_eq!((of(1).unrequested, of(1).unused), (Money::ZERO, None), "16 Gi of 16 Gi are requested");
        let mut pods = Resources::new(8000, 16 * GI);
        pods.set(&Resource::from_name("vpc.amazonaws.com/pod-eni"), 9);
        let other = Waste::divide(usd("8"), &pods, &Resources::default(), &Resources::default(), None);
        assert_eq!(other.unrequested, usd("8"));
    }

    /// NVIDIA's device plugin with `renameByDefault` (README, "Shared access to GPUs"), and a vendor that is in no list.
    #[test_case::test_case("nvidia.com/gpu.shared")]
    #[test_case::test_case("example.com/accelerator")]
    fn an_accelerator_of_any_name_that_is_sold_out_fills_its_machine(name: &str) {
        let with = |cpu, n| {
            let mut all = Resources::new(cpu, 32 * GI);
            all.set(&Resource::from_name(name), n);
            all
        };
        let requests = Resources { memory_bytes: 2 * GI, ..with(800, 10) };
        let usage = Usage { cpu_millicores: 100, memory_bytes: GI, ..Usage::default() };
        let waste = Waste::divide(usd("1"), &with(8000, 10), &requests, &Resources::default(), Some(&usage));
        assert_eq!(waste, Waste { unrequested: Money::ZERO, overhead: Money::ZERO, unused: None });
    }

    /// Four GPUs are held and the device plugin offers none, or does not name them any more (NVIDIA/k8s-device-plugin
    /// issues 58, 75 and 231).
    #[test_case::test_case(Some(0))]
    #[test_case::test_case(None)]
    #[test_case::test_case(Some(3) ; "one of four is lost")]
    fn devices_that_were_lost_while_held_are_no_waste(left: Option<u64>) {
        let gpu = Resource::from_name("nvidia.com/gpu");
        let mut offered = Resources::new(48_000, 192 * GI);
        if let Some(left) = left {
            offered.set(&gpu, left);
        }
        let mut requests = Resources::new(4000, 16 * GI);
        requests.set(&gpu, 4);
        let waste = Waste::divide(usd("5"), &offered, &requests, &Resources::default(), None);
        assert_eq!(waste.unrequested, Money::ZERO);
        let none_held = Waste::divide(usd("5"), &offered, &Resources::default(), &Resources::default(), None);
        assert_eq!(none_held.unrequested, usd("5"));
    }

    /// Kubernetes 1.37: the request names an extended resource, the device is one of Dynamic Resource Allocation.
    #[test]
    fn devices_by_resource_claims_do_not_fill_their_machine() {
        let gpu = Resource::from_name("nvidia.com/gpu");
        let labels = [("node.kubernetes.io/instance-type", "m5.large"), ("topology.kubernetes.io/region", "us-east-1")];
        let node = Node {
            name: "n".into(),
            allocatable: Resources::new(2000, 8 * GI),
            labels: labels.into_iter().collect(),
            ..Node::default()
        };
        let mut cluster = Cluster::new(Some(PriceBook::embedded()));
        let mut apply = |change| {
            cluster.apply(change, Timestamp::UNIX_EPOCH);
            let row = cluster.row_of_node("n").unwrap();
            (Waste::of(row).unwrap(), row.requested_permille(&gpu), row.sums().requests.get(&gpu))
        };
        let price = apply(Change::Node(Box::new(node.clone()))).0.unrequested;
        apply(Change::NodeUsage(vec![("n".into(), Usage { cpu_millicores: 100, ..Usage::default() })]));
        let mut pod = Pod { key: PodKey::new("d", "p"), node: "n".into(), phase: PodPhase::Running, ..Pod::default() };
        pod.requests = Resources::new(500, GI);
        pod.requests.set(&gpu, 1);
        let full = apply(Change::Pod(Box::new(pod.clone())));
        assert_eq!((full.0.unrequested, full.1, full.2), (Money::ZERO, Some(1000), 1), "a device that was lost");
        pod.by_claim = vec!["nvidia.com/gpu".into()];
        let (waste, share, requested) = apply(Change::Pod(Box::new(pod)));
        assert_eq!((share, requested, waste.unused), (None, 1, None));
        assert_eq!(waste.unrequested, price - portion(price, 500, 2000));
    }

    #[test]
    fn cpu_that_is_requested_of_none_is_full() {
        let waste = Waste::divide(
            usd("1"),
            &Resources::new(0, 16 * GI),
            &Resources::new(1000, 2 * GI),
            &Resources::default(),
            None,
        );
        assert_eq!(waste.unrequested, Money::ZERO);
    }

    proptest! {
        #[test]
        fn waste_is_between_nothing_and_the_price(
            price in 0..=i64::MAX,
            offered in (0..=u64::MAX, 0..=u64::MAX),
            asked in (0..=u64::MAX, 0..=u64::MAX),
            of_daemons in (0..=u64::MAX, 0..=u64::MAX),
            used in proptest::option::of((0..=u64::MAX, 0..=u64::MAX)),
        ) {
            let price = Money::from_nanos(price);
            let amounts = |(cpu, memory)| Resources::new(cpu, memory);
            let overhead = (of_daemons.0.min(asked.0), of_daemons.1.min(asked.1));
            let usage = used.map(|(cpu, memory)| Usage { cpu_millicores: cpu, memory_bytes: memory, ..Usage::default() });
            let waste = Waste::divide(price, &amounts(offered), &amounts(asked), &amounts(overhead), usage.as_ref());
            let parts = [Some(waste.unrequested), Some(waste.overhead), waste.unused];
            for part in parts.into_iter().flatten() {
                prop_assert!(Money::ZERO <= part && part <= price, "{waste:?} of {price:?}");
            }
            let requested = price - waste.unrequested;
            prop_assert!(waste.overhead <= requested && waste.unused.unwrap_or_default() <= requested);
        }
    }
}
