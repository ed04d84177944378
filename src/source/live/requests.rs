//! What a pod requests and is limited to, as kube-scheduler sums it (kubernetes/component-helpers `resource/helpers.go`,
//! functions `PodRequests` and `PodLimits`, with the options that kube-scheduler sets: status is used, in-place resize of
//! pod-level resources is on, node resources of Dynamic Resource Allocation, an alpha feature, are not counted).
//!
//! The rule changed with Kubernetes 1.37, see [`RequestRule`]. Amounts stay exact here; the caller rounds up once.

use super::wire::amounts::Amounts;
use super::wire::pod::{Container, ContainerStatus, PodSpec, PodStatus, ResourceRequirements};
use crate::units::Quantity;
use std::borrow::Cow;

/// By which of kube-scheduler's rules pods are summed. They differ while a pod is resized in place (KEP-1287), and for
/// pods whose kubelet reports resources of the whole pod (KEP-5419), which kubelets do from 1.36 on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RequestRule {
    /// Kubernetes up to 1.36 (component-helpers v0.36.3): a container counts for the largest of its spec, its allocated
    /// and its actual resources, and the results are summed. The status of a plain init container does not count, that of
    /// the pod only where the spec has pod-level resources.
    Before137,
    /// Kubernetes 1.37 and later (component-helpers v0.37.2): spec, allocated and actual resources are each summed over
    /// the pod, and the largest sum counts. The status of plain init containers counts. What the status reports for the
    /// whole pod takes the place of the sums over its containers, for every pod. That report has the overhead in it, and
    /// the overhead is added again (kubernetes/kubernetes#139627): the scheduler does so, and so do we.
    Since137,
    /// Kubernetes 1.38 and later (component-helpers v0.38.0-beta.0): requests as in 1.37; a pod has a limit of cpu or memory
    /// only if each of its containers and init containers has one in its spec, or the pod level has.
    Since138,
}

impl RequestRule {
    /// The rule of a server by its version, such as `1.36`; that of 1.37 if the version is not known.
    pub(super) fn for_version(version: &str) -> Self {
        let mut numbers = version.split('.').map(str::parse::<u32>);
        match (numbers.next(), numbers.next()) {
            (Some(Ok(1)), Some(Ok(..=36))) => Self::Before137,
            (Some(Ok(1)), Some(Ok(38..))) | (Some(Ok(2..)), _) => Self::Since138,
            _ => Self::Since137,
        }
    }

    /// Effective requests: containers and sidecars, or the peak of the init phase if that is more; then pod-level
    /// requests in place of the sums; then overhead.
    pub(super) fn requests(self, spec: &PodSpec, status: &PodStatus) -> Amounts {
        let mut total = self.sum(spec, status, List::Requests);
        self.replace_by_pod_level(&mut total, spec, status, List::Requests);
        if let Some(overhead) = &spec.overhead {
            total.add(overhead);
        }
        total
    }

    /// Effective limits, by the same rule. Overhead adds only to a limit that is there.
    pub(super) fn limits(self, spec: &PodSpec, status: &PodStatus) -> Amounts {
        let mut total = self.sum(spec, status, List::Limits);
        if self == Self::Since138 {
            drop_partial_limits(&mut total, spec);
        }
        self.replace_by_pod_level(&mut total, spec, status, List::Limits);
        for (name, overhead) in spec.overhead.iter().flat_map(|overhead| overhead.iter()) {
            if let Some(mut limit) = total.get(name).filter(|limit| *limit != Quantity::ZERO) {
                limit += overhead;
                total.set(name, limit);
            }
        }
        total
    }

    fn sum(self, spec: &PodSpec, status: &PodStatus, list: List) -> Amounts {
        match self {
            Self::Before137 => sum_of_maxima(spec, status, list),
            Self::Since137 | Self::Since138 => maximum_of_sums(spec, status, list),
        }
    }

    /// Pod-level resources (KEP-2837) take the place of the sums, for the resources they may name; they may be resized in
    /// place too (KEP-5419). Before 1.37 only resources that the spec names are replaced.
    fn replace_by_pod_level(self, total: &mut Amounts, spec: &PodSpec, status: &PodStatus, list: List) {
        let Some(pod_level) = spec.resources.as_deref() else {
            return;
        };
        let wanted = list.pick(pod_level);
        let resized = status
            .resources
            .as_deref()
            .map(|actual| largest(status, list, wanted, list.pick(actual), status.allocated_resources.as_deref()));
        match (self, &resized) {
            (Self::Before137, Some(resized)) => {
                for (name, _) in wanted.iter().filter(|(name, _)| is_pod_level(name)) {
                    total.set(name, resized.get(name).unwrap_or_default());
                }
            }
            (Self::Since137 | Self::Since138, Some(resized)) if list.is_set_on_pod_level(pod_level) => {
                set_pod_level(total, resized);
            }
            (Self::Since137 | Self::Since138, Some(_)) => {}
            (_, None) => set_pod_level(total, wanted),
        }
    }
}

/// Which of the two lists of a container is summed.
#[derive(Clone, Copy)]
enum List {
    Requests,
    Limits,
}

impl List {
    fn pick(self, resources: &ResourceRequirements) -> &Amounts {
        match self {
            Self::Requests => &resources.requests,
            Self::Limits => &resources.limits,
        }
    }

    /// Whether the pod level of a spec replaces sums of this list: upstream's `IsPodLevelRequestsSet` for requests, its
    /// `IsPodLevelResourcesSet` for limits.
    fn is_set_on_pod_level(self, pod_level: &ResourceRequirements) -> bool {
        let names_one = |amounts: &Amounts| amounts.iter().any(|(name, _)| is_pod_level(name));
        names_one(&pod_level.requests) || matches!(self, Self::Limits) && names_one(&pod_level.limits)
    }
}

/// The rule before 1.37.
fn sum_of_maxima(spec: &PodSpec, status: &PodStatus, list: List) -> Amounts {
    aggregate(spec, |container, role| {
        let wanted = list.pick(&container.resources);
        if role == Role::PlainInit {
            return Cow::Borrowed(wanted);
        }
        let found = find_status(status, &container.name).and_then(|found| Some((found, found.resources.as_deref()?)));
        found.map_or(Cow::Borrowed(wanted), |(found, actual)| {
            Cow::Owned(largest(status, list, wanted, list.pick(actual), found.allocated_resources.as_deref()))
        })
    })
}

/// The rule since 1.37. A list that is empty counts as absent, because the server leaves out empty lists.
fn maximum_of_sums(spec: &PodSpec, status: &PodStatus, list: List) -> Amounts {
    let infeasible = status.conditions.resize_infeasible;
    let mut total = if infeasible {
        Amounts::default()
    } else {
        aggregate(spec, |container, _| Cow::Borrowed(list.pick(&container.resources)))
    };
    let pod_actual = status.resources.as_deref().and_then(|actual| present(list.pick(actual)));
    let pod_allocated = status.allocated_resources.as_deref().and_then(present);
    match (list, pod_actual, pod_allocated) {
        (List::Requests, Some(actual), Some(allocated)) => {
            total.raise(actual);
            total.raise(allocated);
        }
        (List::Limits, Some(actual), _) => total.raise(actual),
        // Without a status of its own a container counts for its spec, as it does above; if that can never be, for nothing.
        _ if !has_resources(status) => {}
        _ => {
            let wanted = |container| {
                if infeasible { Cow::Owned(Amounts::default()) } else { Cow::Borrowed(list.pick(container)) }
            };
            if matches!(list, List::Requests) {
                total.raise(&aggregate(spec, |container, _| {
                    let found = find_status(status, &container.name);
                    let allocated = found.and_then(|found| present(found.allocated_resources.as_deref()?));
                    allocated.map_or_else(|| wanted(&container.resources), Cow::Borrowed)
                }));
            }
            total.raise(&aggregate(spec, |container, _| {
                let found = find_status(status, &container.name);
                let actual = found.and_then(|found| present(list.pick(found.resources.as_deref()?)));
                let allocated = || match list {
                    List::Requests => found.and_then(|found| present(found.allocated_resources.as_deref()?)),
                    List::Limits => None,
                };
                actual.or_else(allocated).map_or_else(|| wanted(&container.resources), Cow::Borrowed)
            }));
        }
    }
    total
}

/// One container without a limit may use all of its node: then the pod has none.
fn drop_partial_limits(total: &mut Amounts, spec: &PodSpec) {
    for name in ["cpu", "memory"] {
        let is_unlimited =
            |container: &Container| container.resources.limits.get(name).is_none_or(|limit| limit == Quantity::ZERO);
        if total.get(name).is_some() && spec.containers.iter().chain(&spec.init_containers).any(is_unlimited) {
            total.set(name, Quantity::ZERO);
        }
    }
}

fn present(amounts: &Amounts) -> Option<&Amounts> {
    (!amounts.is_empty()).then_some(amounts)
}

/// Whether a container's status reports resources.
fn has_resources(status: &PodStatus) -> bool {
    let mut statuses = status.container_statuses.iter().chain(&status.init_container_statuses);
    statuses.any(|status| status.resources.is_some() || status.allocated_resources.is_some())
}

/// What a container is to its pod.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    /// It runs as long as the pod: a main container, or a restartable init container (KEP-753).
    Running,
    /// An init container that ends before the next begins.
    PlainInit,
}

/// Sums over a pod what each of its containers counts for.
fn aggregate<'a>(spec: &'a PodSpec, counts_for: impl Fn(&'a Container, Role) -> Cow<'a, Amounts>) -> Amounts {
    let mut main = Amounts::default();
    for container in &spec.containers {
        main.add(&counts_for(container, Role::Running));
    }
    if spec.init_containers.is_empty() {
        return main;
    }
    // While the i-th init container runs, the pod needs that container and every sidecar started before it. The peak
    // counts for the whole life of the pod.
    let mut sidecars = Amounts::default();
    let mut peak = Amounts::default();
    for container in &spec.init_containers {
        if is_sidecar(container) {
            let amounts = counts_for(container, Role::Running);
            main.add(&amounts);
            sidecars.add(&amounts);
            peak.raise(&sidecars);
        } else {
            let mut running = counts_for(container, Role::PlainInit).into_owned();
            running.add(&sidecars);
            peak.raise(&running);
        }
    }
    main.raise(&peak);
    main
}

/// A restartable init container (KEP-753).
fn is_sidecar(container: &Container) -> bool {
    &*container.restart_policy == "Always"
}

/// During an in-place resize (KEP-1287) the largest of what is wanted, what was allocated and what is in effect; a resize
/// that can never happen does not count.
fn largest(status: &PodStatus, list: List, wanted: &Amounts, actual: &Amounts, allocated: Option<&Amounts>) -> Amounts {
    let mut amounts = if status.conditions.resize_infeasible { Amounts::default() } else { wanted.clone() };
    amounts.raise(actual);
    if let (List::Requests, Some(allocated)) = (list, allocated) {
        amounts.raise(allocated);
    }
    amounts
}

fn find_status<'a>(status: &'a PodStatus, name: &str) -> Option<&'a ContainerStatus> {
    let by_name = |s: &&ContainerStatus| &*s.name == name;
    status.container_statuses.iter().find(by_name).or_else(|| status.init_container_statuses.iter().find(by_name))
}

fn set_pod_level(total: &mut Amounts, amounts: &Amounts) {
    for (name, amount) in amounts.iter().filter(|(name, _)| is_pod_level(name)) {
        total.set(name, amount);
    }
}

/// Upstream's `IsSupportedPodLevelResource`.
fn is_pod_level(name: &str) -> bool {
    name == "cpu" || name == "memory" || name.starts_with("hugepages-")
}

#[cfg(test)]
mod tests {
    //! The cases of component-helpers `resource/helpers_test.go` (`TestPodResourceRequests`, `TestPodResourceLimits`,
    //! `TestPodRequestsAndLimitsWithoutOverhead`, `TestPodLevelResourceRequests`) and of the resize rules, in short form;
    //! the cases in which v0.36.3 and v0.37.2 differ; and random pods, against the text of either rule written down plainly.

    #![expect(clippy::needless_pass_by_value, reason = "the cases read better with whole values")]

    use super::RequestRule::{Before137, Since137, Since138};
    use super::*;
    use crate::source::live::wire::pod::PodWire;
    use proptest::prelude::*;
    use serde_json::{Value, json};
    use std::collections::BTreeMap;
    use test_case::test_case;

    /// A container `name` that requests and is limited to the same.
    fn c(name: &str, amounts: Value) -> Value {
        json!({"name": name, "resources": {"requests": amounts, "limits": amounts}})
    }

    /// The same as a sidecar.
    fn sidecar(name: &str, amounts: Value) -> Value {
        json!({"name": name, "restartPolicy": "Always", "resources": {"requests": amounts, "limits": amounts}})
    }

    /// A container status with actuated resources.
    fn has(name: &str, amounts: Value) -> Value {
        json!({"name": name, "resources": {"requests": amounts, "limits": amounts}})
    }

    /// A container status with actuated and allocated resources.
    fn has_and_allocated(name: &str, amounts: Value, allocated: Value) -> Value {
        json!({"name": name, "resources": {"requests": amounts, "limits": amounts}, "allocatedResources": allocated})
    }

    fn infeasible() -> Value {
        json!([{"type": "PodResizePending", "status": "True", "reason": "Infeasible"}])
    }

    fn cpu(amount: &str) -> Value {
        json!({"cpu": amount})
    }

    fn read(pod: Value) -> PodWire {
        serde_json::from_value(pod).unwrap()
    }

    fn amounts(expected: Value) -> Vec<(String, Quantity)> {
        sorted(&serde_json::from_value(expected).unwrap())
    }

    fn sorted(amounts: &Amounts) -> Vec<(String, Quantity)> {
        let mut list: Vec<_> = amounts.iter().map(|(name, amount)| (name.to_owned(), amount)).collect();
        list.sort();
        list
    }

    #[test_case(json!({"containers": [c("a", json!({"cpu": "1", "memory": "5"})), c("b", json!({"cpu": "4", "memory": "12"}))]}),
        json!({}) => amounts(json!({"cpu": "5", "memory": "17"})); "containers add up")]
    #[test_case(json!({"containers": [c("a", json!({"cpu": "1", "memory": "5"})), c("b", json!({"cpu": "4", "memory": "12"}))],
        "initContainers": [c("small", json!({"cpu": "1", "memory": "5"})), c("big", json!({"cpu": "40", "memory": "120"}))]}),
        json!({}) => amounts(json!({"cpu": "40", "memory": "120"})); "a massive init container is the largest")]
    #[test_case(json!({"containers": [c("a", cpu("1"))], "initContainers": [c("i", cpu("4"))]}),
        json!({}) => amounts(cpu("4")); "larger init container")]
    #[test_case(json!({"containers": [c("a", cpu("2")), c("b", cpu("3"))], "initContainers": [c("i", cpu("2"))]}),
        json!({}) => amounts(cpu("5")); "larger containers")]
    #[test_case(json!({"containers": [c("a", cpu("2")), c("b", cpu("3"))], "initContainers": [c("i", cpu("2"))],
        "overhead": {"cpu": "1", "memory": "1Gi"}}),
        json!({}) => amounts(json!({"cpu": "6", "memory": "1Gi"})); "overhead included")]
    #[test_case(json!({"containers": [c("a", cpu("4"))]}),
        json!({"conditions": infeasible(), "containerStatuses": [has("a", cpu("2"))]})
        => amounts(cpu("2")); "resized, infeasible")]
    #[test_case(json!({"containers": [c("a", cpu("6"))]}),
        json!({"conditions": infeasible(), "containerStatuses": [has_and_allocated("a", cpu("2"), cpu("4"))]})
        => amounts(cpu("4")); "resized, infeasible and in progress")]
    #[test_case(json!({"containers": [c("a", cpu("4"))]}), json!({"containerStatuses": [has("a", cpu("2"))]})
        => amounts(cpu("4")); "resized, no resize status")]
    #[test_case(json!({"containers": [c("a", json!({"cpu": "30m", "memory": "20M", "ephemeral-storage": "10G"}))]}),
        json!({"containerStatuses": [has_and_allocated("a", json!({"cpu": "10m", "memory": "30M", "ephemeral-storage": "20G"}),
            json!({"cpu": "20m", "memory": "10M", "ephemeral-storage": "30G"}))]})
        => amounts(json!({"cpu": "30m", "memory": "30M", "ephemeral-storage": "30G"})); "three-way maximum of each resource")]
    #[test_case(json!({"initContainers": [sidecar("s", cpu("4"))]}),
        json!({"conditions": infeasible(), "initContainerStatuses": [has("s", cpu("2"))]})
        => amounts(cpu("2")); "resized sidecar, infeasible")]
    #[test_case(json!({"initContainers": [sidecar("s", cpu("4"))]}),
        json!({"initContainerStatuses": [has("s", cpu("2"))]}) => amounts(cpu("4")); "resized sidecar, no resize status")]
    #[test_case(json!({"containers": [c("a", cpu("1"))], "initContainers": [sidecar("s", cpu("1"))]}),
        json!({}) => amounts(cpu("2")); "sidecar")]
    #[test_case(json!({"containers": [c("a", cpu("1"))], "initContainers": [c("i", cpu("5")), sidecar("s1", cpu("1")),
        sidecar("s2", cpu("2")), sidecar("s3", cpu("3"))]}),
        json!({}) => amounts(cpu("7")); "several sidecars")]
    #[test_case(json!({"containers": [c("a", cpu("1"))], "initContainers": [c("i1", cpu("5")), sidecar("s1", cpu("1")),
        sidecar("s2", cpu("2")), c("i2", cpu("5")), sidecar("s3", cpu("3"))]}),
        json!({}) => amounts(cpu("8")); "an init container needs the sidecars before it only")]
    #[test_case(json!({"containers": [c("a", cpu("100"))], "initContainers": [sidecar("s", cpu("10")), c("i", cpu("200"))]}),
        json!({}) => amounts(cpu("210")); "sidecar, init and regular")]
    #[test_case(json!({"containers": [c("a", json!({"memory": "3Mi", "cpu": "2m"}))],
        "resources": {"requests": {"memory": "6Mi", "cpu": "8m"}}}),
        json!({}) => amounts(json!({"memory": "6Mi", "cpu": "8m"})); "pod level replaces the sum")]
    #[test_case(json!({"containers": [c("a", json!({"memory": "3Mi", "cpu": "2m"}))],
        "initContainers": [sidecar("s", json!({"memory": "5Mi", "cpu": "4m"})), c("i", json!({"memory": "6Mi", "cpu": "8m"}))]}),
        json!({}) => amounts(json!({"memory": "11Mi", "cpu": "12m"})); "container level, init and sidecar")]
    #[test_case(json!({"containers": [c("a", json!({"memory": "3Mi", "cpu": "2m"}))],
        "initContainers": [sidecar("s", json!({"memory": "5Mi", "cpu": "4m"})), c("i", json!({"memory": "6Mi", "cpu": "8m"}))],
        "resources": {"requests": {"memory": "15Mi", "cpu": "18m"}}}),
        json!({}) => amounts(json!({"memory": "15Mi", "cpu": "18m"})); "pod level over init and sidecar")]
    #[test_case(json!({"containers": [], "resources": {"requests": {"cpu": "1", "hugepages-2Mi": "2Mi", "hugepages-1Gi": "1Gi"}}}),
        json!({}) => amounts(json!({"cpu": "1", "hugepages-2Mi": "2Mi", "hugepages-1Gi": "1Gi"})); "pod level huge pages")]
    #[test_case(json!({"containers": [c("a", json!({"memory": "4Mi", "hugepages-1Gi": "1Gi"}))],
        "resources": {"requests": {"cpu": "1", "hugepages-2Mi": "10Mi"}}}),
        json!({}) => amounts(json!({"cpu": "1", "memory": "4Mi", "hugepages-2Mi": "10Mi", "hugepages-1Gi": "1Gi"}));
        "huge pages of pod and container level are different resources")]
    #[test_case(json!({"containers": [c("a", json!({"ephemeral-storage": "3Mi"}))], "resources": {"requests": {"ephemeral-storage": "1Mi"}}}),
        json!({}) => amounts(json!({"ephemeral-storage": "3Mi"})); "pod level names only supported resources")]
    #[test_case(json!({"containers": [c("a", cpu("100m")), c("b", cpu("100m"))], "resources": {"requests": cpu("300m")},
        "overhead": cpu("10m")}),
        json!({}) => amounts(cpu("310m")); "overhead comes after pod level")]
    #[test_case(json!({"resources": {"requests": cpu("4")}}),
        json!({"resources": {"requests": cpu("2")}, "allocatedResources": cpu("3")})
        => amounts(cpu("4")); "pod level resized up")]
    #[test_case(json!({"resources": {"requests": cpu("4")}}),
        json!({"conditions": infeasible(), "resources": {"requests": cpu("2")}, "allocatedResources": cpu("3")})
        => amounts(cpu("3")); "pod level resize infeasible")]
    #[test_case(json!({"resources": {"requests": cpu("4")}}), json!({"allocatedResources": cpu("9")})
        => amounts(cpu("4")); "pod level status counts only with actuated resources")]
    fn requests_are_the_same_by_either_rule(spec: Value, status: Value) -> Vec<(String, Quantity)> {
        let pod = read(json!({"spec": spec, "status": status}));
        let [before, since] = [Before137, Since137].map(|rule| sorted(&rule.requests(&pod.spec, &pod.status)));
        assert_eq!(before, since);
        since
    }

    /// A container that requests cpu, and the status of one: actual and allocated cpu.
    fn asks(name: &str, amount: &str) -> Value {
        json!({"name": name, "resources": {"requests": {"cpu": amount}}})
    }

    fn is(name: &str, actual: &str, allocated: &str) -> Value {
        json!({"name": name, "resources": {"requests": {"cpu": actual}}, "allocatedResources": {"cpu": allocated}})
    }

    /// Results of `PodRequests` of component-helpers v0.36.3 and v0.37.2, in millicores. A node with room for exactly the
    /// second took the pod on kube-scheduler 1.37.2 and was then full.
    #[test_case(json!({"containers": [asks("a", "200m"), asks("b", "500m")]}),
        json!({"containerStatuses": [is("a", "500m", "200m"), is("b", "200m", "500m")]})
        => [1000, 700]; "one container grows while another shrinks")]
    #[test_case(json!({"containers": [asks("main", "100m")], "initContainers": [asks("i", "200m")]}),
        json!({"initContainerStatuses": [is("i", "500m", "200m")]})
        => [200, 500]; "a plain init container is resized")]
    #[test_case(json!({"containers": [asks("a", "200m")]}),
        json!({"containerStatuses": [{"name": "a", "allocatedResources": {"cpu": "300m"}}]})
        => [200, 300]; "allocated, with no actual resources")]
    #[test_case(json!({"containers": [asks("a", "200m")]}),
        json!({"containerStatuses": [{"name": "a", "allocatedResources": {"cpu": "300m"}, "resources": {"limits": {"cpu": "1"}}}]})
        => [300, 300]; "allocated, with actual resources that have no requests")]
    #[test_case(json!({"containers": [asks("a", "100m")], "overhead": cpu("10m")}),
        json!({"allocatedResources": cpu("110m"), "resources": {"requests": cpu("100m")}})
        => [110, 120]; "the overhead is in the status of the pod and is added again")]
    #[test_case(json!({"containers": [asks("a", "100m")]}),
        json!({"allocatedResources": cpu("400m"), "resources": {"requests": cpu("100m")}})
        => [100, 400]; "status of the pod without pod-level resources")]
    #[test_case(json!({"containers": [asks("a", "100m")]}),
        json!({"allocatedResources": cpu("400m"), "containerStatuses": [is("a", "150m", "100m")]})
        => [150, 150]; "allocated resources of the pod count only with its actual ones")]
    #[test_case(json!({"containers": [asks("a", "100m")]}),
        json!({"allocatedResources": cpu("50m"), "resources": {"requests": cpu("50m")},
            "containerStatuses": [is("a", "300m", "300m")]})
        => [300, 100]; "status of the pod takes the place of the containers'")]
    #[test_case(json!({"containers": [asks("a", "500m")]}), json!({"conditions": infeasible()})
        => [500, 0]; "infeasible, with no container status")]
    #[test_case(json!({"containers": [asks("a", "500m")]}),
        json!({"conditions": [{"type": "PodResizePending", "status": "True", "reason": "Deferred"}]})
        => [500, 500]; "deferred, with no container status")]
    #[test_case(json!({"containers": [asks("a", "100m")],
        "resources": {"requests": {"cpu": "100m", "memory": "1Gi"}}}),
        json!({"allocatedResources": cpu("250m"), "resources": {"requests": cpu("150m")}})
        => [250, 250]; "pod-level resources are resized")]
    #[test_case(json!({"containers": [asks("a", "100m")], "resources": {"requests": {"memory": "1Gi"}}}),
        json!({"allocatedResources": cpu("50m"), "resources": {"requests": cpu("50m")}})
        => [100, 50]; "the status of the pod replaces what pod-level resources do not name")]
    #[test_case(json!({"containers": [asks("main", "100m")], "initContainers": [
        {"name": "s", "restartPolicy": "Always", "resources": {"requests": {"cpu": "100m"}}}]}),
        json!({"initContainerStatuses": [is("s", "300m", "100m")]})
        => [400, 400]; "a sidecar shrinks")]
    fn requests_follow_the_version(spec: Value, status: Value) -> [u64; 2] {
        let pod = read(json!({"spec": spec, "status": status}));
        [Before137, Since137].map(|rule| rule.requests(&pod.spec, &pod.status).get("cpu").map_or(0, Quantity::millis))
    }

    fn limited(name: &str, amount: &str) -> Value {
        json!({"name": name, "resources": {"limits": {"cpu": amount}}})
    }

    /// Results of `PodLimits` of component-helpers v0.36.3 and v0.37.2.
    #[test_case(json!({"containers": [limited("a", "1"), limited("b", "3")]}),
        json!({"containerStatuses": [limited("a", "2"), limited("b", "1")]})
        => [5000, 4000]; "one container grows while another shrinks")]
    #[test_case(json!({"containers": [limited("a", "1")], "initContainers": [limited("i", "1")]}),
        json!({"initContainerStatuses": [limited("i", "5")]})
        => [1000, 5000]; "a plain init container is resized")]
    #[test_case(json!({"containers": [limited("a", "1")]}), json!({"resources": {"limits": cpu("3")}})
        => [1000, 3000]; "status of the pod without pod-level resources")]
    #[test_case(json!({"containers": [limited("a", "1")]}), json!({"conditions": infeasible()})
        => [1000, 0]; "infeasible, with no container status")]
    #[test_case(json!({"containers": [limited("a", "3")], "resources": {"limits": {"memory": "1Gi"}}}),
        json!({"resources": {"limits": cpu("2")}})
        => [3000, 2000]; "the status of the pod replaces what pod-level limits do not name")]
    #[test_case(json!({"containers": [limited("a", "3")], "resources": {"requests": {"memory": "1Gi"}}}),
        json!({"resources": {"limits": cpu("2")}})
        => [3000, 2000]; "pod-level requests alone are enough")]
    #[test_case(json!({"containers": [limited("a", "1")], "overhead": cpu("10m")}), json!({"resources": {"limits": cpu("1")}})
        => [1010, 1010]; "overhead")]
    fn limits_follow_the_version(spec: Value, status: Value) -> [u64; 2] {
        let pod = read(json!({"spec": spec, "status": status}));
        [Before137, Since137].map(|rule| rule.limits(&pod.spec, &pod.status).get("cpu").map_or(0, Quantity::millis))
    }

    /// Kubernetes 1.38.0-beta.0, `PodLimits`: one container without a limit leaves the pod without one.
    #[test_case(json!({"containers": [limited("a", "500m"), {"name": "b"}]}) => [500, 0] ; "a container has none")]
    #[test_case(json!({"containers": [limited("a", "500m"), limited("b", "0")]}) => [500, 0] ; "a limit of zero is none")]
    #[test_case(json!({"containers": [limited("a", "500m")], "initContainers": [{"name": "i"}]}) => [500, 0] ; "a plain init container has none")]
    #[test_case(json!({"containers": [limited("a", "500m"), {"name": "b"}], "overhead": cpu("10m")}) => [510, 0] ; "overhead adds to no limit")]
    #[test_case(json!({"containers": [limited("a", "500m"), {"name": "b"}], "resources": {"limits": cpu("2")}}) => [2000, 2000] ; "the pod level has one")]
    #[test_case(json!({"containers": [limited("a", "500m"), limited("b", "1")]}) => [1500, 1500] ; "each container has one")]
    fn a_limit_of_some_containers_is_none_since_1_38(spec: Value) -> [u64; 2] {
        let pod = read(json!({"spec": spec}));
        [Since137, Since138].map(|rule| rule.limits(&pod.spec, &pod.status).get("cpu").map_or(0, Quantity::millis))
    }

    #[test_case("1.36" => Before137)]
    #[test_case("1.9" => Before137)]
    #[test_case("1.37" => Since137)]
    #[test_case("1.38" => Since138)]
    #[test_case("1.100" => Since138)]
    #[test_case("2.0" => Since138)]
    #[test_case("" => Since137; "not known")]
    #[test_case("new" => Since137; "not a version")]
    fn the_version_decides(version: &str) -> RequestRule {
        RequestRule::for_version(version)
    }

    #[test_case(json!({"containers": [c("a", cpu("1"))], "initContainers": [c("i", cpu("4"))]}),
        json!({}) => amounts(cpu("4")); "larger init container")]
    #[test_case(json!({"containers": [c("a", cpu("2")), c("b", cpu("3"))], "overhead": {"cpu": "1", "memory": "1Gi"}}),
        json!({}) => amounts(cpu("6")); "overhead adds only to a limit that is there")]
    #[test_case(json!({"containers": [{"name": "unlimited"}]}), json!({}) => amounts(json!({})); "no limits")]
    #[test_case(json!({"containers": [c("a", json!({"cpu": "2", "memory": "2Gi"})), {"name": "unlimited"}]}),
        json!({}) => amounts(json!({"cpu": "2", "memory": "2Gi"})); "one limited container")]
    #[test_case(json!({"containers": [c("a", cpu("1"))], "initContainers": [c("i", cpu("2")), {"name": "unlimited"}]}),
        json!({}) => amounts(cpu("2")); "one limited init container")]
    #[test_case(json!({"containers": [c("a", cpu("1"))], "initContainers": [c("i1", cpu("5")), sidecar("s1", cpu("1")),
        sidecar("s2", cpu("2")), c("i2", cpu("5")), sidecar("s3", cpu("3"))]}),
        json!({}) => amounts(cpu("8")); "init containers with sidecars before them")]
    #[test_case(json!({"containers": [c("a", json!({"memory": "2Gi"}))]}),
        json!({"containerStatuses": [has("a", json!({"memory": "1Gi"}))]})
        => amounts(json!({"memory": "2Gi"})); "scaled up")]
    #[test_case(json!({"containers": [c("a", json!({"memory": "1Gi"}))]}),
        json!({"containerStatuses": [has_and_allocated("a", json!({"memory": "2Gi"}), json!({"memory": "9Gi"}))]})
        => amounts(json!({"memory": "2Gi"})); "scaled down, allocated requests are no limit")]
    #[test_case(json!({"initContainers": [sidecar("s", json!({"memory": "1Gi"}))]}),
        json!({"initContainerStatuses": [has("s", json!({"memory": "2Gi"}))]})
        => amounts(json!({"memory": "2Gi"})); "sidecar scaled down")]
    #[test_case(json!({"containers": [c("a", json!({"memory": "4Gi"}))]}),
        json!({"conditions": infeasible(), "containerStatuses": [has("a", json!({"memory": "2Gi"}))]})
        => amounts(json!({"memory": "2Gi"})); "infeasible")]
    #[test_case(json!({"containers": [c("a", cpu("1"))], "resources": {"limits": cpu("3")}}),
        json!({}) => amounts(cpu("3")); "pod level")]
    fn limits_are_the_same_by_either_rule(spec: Value, status: Value) -> Vec<(String, Quantity)> {
        let pod = read(json!({"spec": spec, "status": status}));
        let [before, since] = [Before137, Since137].map(|rule| sorted(&rule.limits(&pod.spec, &pod.status)));
        assert_eq!(before, since);
        since
    }

    #[test]
    fn resize_in_progress_counts_the_largest() {
        let growing = read(json!({"spec": {"containers": [c("a", cpu("500m"))]},
            "status": {"containerStatuses": [has_and_allocated("a", cpu("200m"), cpu("200m"))]}}));
        let shrinking = read(json!({"spec": {"containers": [c("a", cpu("200m"))]},
            "status": {"containerStatuses": [has_and_allocated("a", cpu("500m"), cpu("200m"))]}}));
        for (pod, rule) in
            [(&growing, Before137), (&shrinking, Before137), (&growing, Since137), (&shrinking, Since137)]
        {
            assert_eq!(rule.requests(&pod.spec, &pod.status).get("cpu").map(Quantity::millis), Some(500));
        }
    }

    #[test]
    fn overhead_adds_to_its_own_resource() {
        let pod = read(json!({"spec": {"containers": [c("a", json!({"cpu": "1", "memory": "10"}))],
            "initContainers": [c("i", cpu("3"))], "overhead": cpu("250m")}}));
        assert_eq!(
            sorted(&Since137.requests(&pod.spec, &pod.status)),
            amounts(json!({"cpu": "3250m", "memory": "10"}))
        );
    }

    #[test]
    fn half_millicores_of_containers_are_rounded_once() {
        let pod = read(json!({"spec": {"containers": [c("a", cpu("0.5m")), c("b", cpu("0.5m"))]}}));
        assert_eq!(Since137.requests(&pod.spec, &pod.status).to_resources().cpu_millicores, 1);
    }

    // --- random pods ---

    /// Whole amounts by resource; what is zero is left out.
    type Plain = BTreeMap<String, i64>;

    fn plain(value: &Value) -> Plain {
        let amounts = value.as_object().into_iter().flatten();
        amounts.map(|(name, amount)| (name.clone(), amount.as_i64().unwrap())).collect()
    }

    fn add(sums: &mut Plain, amounts: &Plain) {
        for (name, amount) in amounts {
            *sums.entry(name.clone()).or_default() += amount;
        }
    }

    fn most(lists: &[Plain]) -> Plain {
        let mut most = Plain::new();
        for (name, amount) in lists.iter().flatten() {
            let entry = most.entry(name.clone()).or_default();
            *entry = (*entry).max(*amount);
        }
        most
    }

    fn list(value: &Value) -> &[Value] {
        value.as_array().map_or(&[], Vec::as_slice)
    }

    fn status_of<'a>(pod: &'a Value, container: &Value) -> &'a Value {
        let status = &pod["status"];
        let mut all = list(&status["containerStatuses"]).iter().chain(list(&status["initContainerStatuses"]));
        all.find(|found| found["name"] == container["name"]).unwrap_or(&Value::Null)
    }

    /// The sum over the pod's life: all that runs together, or the worst moment of the init phase.
    fn over_the_pod(pod: &Value, one: impl Fn(&Value, bool) -> Plain) -> Plain {
        let is_sidecar = |container: &Value| container["restartPolicy"] == "Always";
        let inits = list(&pod["spec"]["initContainers"]);
        let mut running = Plain::new();
        for container in list(&pod["spec"]["containers"]) {
            add(&mut running, &one(container, false));
        }
        for container in inits.iter().filter(|container| is_sidecar(container)) {
            add(&mut running, &one(container, false));
        }
        let mut moments = vec![running];
        for (i, container) in inits.iter().enumerate() {
            let mut moment = one(container, !is_sidecar(container));
            for earlier in inits[..i].iter().filter(|earlier| is_sidecar(earlier)) {
                add(&mut moment, &one(earlier, false));
            }
            moments.push(moment);
        }
        most(&moments)
    }

    /// The rules as `helpers.go` has them, without a thought for speed. `field` is `requests` or `limits`.
    fn by_the_book(pod: &Value, rule: RequestRule, field: &str) -> Plain {
        let infeasible = pod["status"]["conditions"][0]["reason"] == "Infeasible";
        let requests = field == "requests";
        let spec = |container: &Value, _| plain(&container["resources"][field]);
        let wanted = |value: &Value| if infeasible { Plain::new() } else { plain(&value["resources"][field]) };
        let first = |choices: &[&Value], otherwise: Plain| {
            choices.iter().map(|choice| plain(choice)).find(|list| !list.is_empty()).unwrap_or(otherwise)
        };
        let allocated = |holder: &Value| if requests { holder["allocatedResources"].clone() } else { Value::Null };
        let status = &pod["status"];
        let mut total = match rule {
            Before137 => over_the_pod(pod, |container, plain_init| {
                let found = status_of(pod, container);
                if plain_init || found["resources"].is_null() {
                    return spec(container, false);
                }
                most(&[wanted(container), plain(&found["resources"][field]), plain(&allocated(found))])
            }),
            Since137 | Since138 => {
                let (actual, given) = (plain(&status["resources"][field]), plain(&status["allocatedResources"]));
                let (of_actual, of_allocated) = if !actual.is_empty() && (!requests || !given.is_empty()) {
                    (actual, if requests { given } else { Plain::new() })
                } else {
                    let actual = over_the_pod(pod, |container, _| {
                        let found = status_of(pod, container);
                        first(&[&found["resources"][field], &allocated(found)], wanted(container))
                    });
                    let given = over_the_pod(pod, |container, _| {
                        first(&[&allocated(status_of(pod, container))], wanted(container))
                    });
                    (actual, if requests { given } else { Plain::new() })
                };
                let of_spec = if infeasible { Plain::new() } else { over_the_pod(pod, spec) };
                most(&[of_spec, of_actual, of_allocated])
            }
        };
        let supported = |name: &str| ["cpu", "memory"].contains(&name);
        if rule == Since138 && !requests {
            let containers = list(&pod["spec"]["containers"]).iter().chain(list(&pod["spec"]["initContainers"]));
            let without = |name: &str| containers.clone().any(|c| spec(c, false).get(name).is_none_or(|n| *n == 0));
            let partial: Vec<&str> = ["cpu", "memory"].into_iter().filter(|name| without(name)).collect();
            total.retain(|name, _| !partial.contains(&name.as_str()));
        }
        let level = &pod["spec"]["resources"];
        let named = |field: &str| plain(&level[field]).keys().any(|name| supported(name));
        if named(field) || rule != Before137 && !requests && named("requests") {
            let wanted_here = plain(&level[field]);
            let resized = !status["resources"].is_null();
            let effective = if resized {
                most(&[wanted(&pod["spec"]), plain(&status["resources"][field]), plain(&allocated(status))])
            } else {
                wanted_here.clone()
            };
            let keys = if rule == Before137 { &wanted_here } else { &effective };
            for name in keys.keys().filter(|name| supported(name)) {
                total.insert(name.clone(), effective.get(name).copied().unwrap_or(0));
            }
        }
        for (name, overhead) in plain(&pod["spec"]["overhead"]) {
            let there = total.get(&name).is_some_and(|amount| *amount != 0);
            if requests || there {
                *total.entry(name).or_default() += overhead;
            }
        }
        total.retain(|_, amount| *amount != 0);
        total
    }

    fn some_amounts() -> impl Strategy<Value = Value> {
        let names = vec!["cpu", "memory", "ephemeral-storage", "example.com/device"];
        proptest::collection::btree_map(proptest::sample::select(names), 0_i64..6, 0..4)
            .prop_map(|amounts| if amounts.is_empty() { Value::Null } else { json!(amounts) })
    }

    fn some_resources() -> impl Strategy<Value = Value> {
        let full = (some_amounts(), some_amounts())
            .prop_map(|(requests, limits)| json!({"requests": requests, "limits": limits}));
        prop_oneof![Just(Value::Null), full.boxed(), some_amounts().prop_map(|limits| json!({"limits": limits}))]
    }

    /// Containers by name, and the statuses of some of them.
    fn some_containers(prefix: &'static str, most: usize) -> impl Strategy<Value = (Vec<Value>, Vec<Value>)> {
        let one = (some_resources(), any::<bool>(), any::<bool>(), some_resources(), some_amounts());
        proptest::collection::vec(one, 0..=most).prop_map(move |all| {
            let (mut containers, mut statuses) = (Vec::new(), Vec::new());
            for (i, (resources, sidecar, has_status, actual, allocated)) in all.into_iter().enumerate() {
                let name = format!("{prefix}{i}");
                let policy = if sidecar && prefix == "init" { json!("Always") } else { Value::Null };
                containers.push(json!({"name": name, "resources": resources, "restartPolicy": policy}));
                if has_status {
                    statuses.push(json!({"name": name, "resources": actual, "allocatedResources": allocated}));
                }
            }
            (containers, statuses)
        })
    }

    fn some_pod() -> impl Strategy<Value = Value> {
        let reason = proptest::sample::select(vec!["", "Infeasible", "Deferred"]);
        let pod_level = (some_resources(), some_resources(), some_amounts(), some_amounts());
        (some_containers("main", 3), some_containers("init", 3), pod_level, reason).prop_map(
            |((containers, statuses), (inits, init_statuses), (level, actual, allocated, overhead), reason)| {
                let conditions =
                    if reason.is_empty() { json!([]) } else { json!([{"type": "PodResizePending", "reason": reason}]) };
                json!({
                    "spec": {"containers": containers, "initContainers": inits, "resources": level, "overhead": overhead},
                    "status": {"containerStatuses": statuses, "initContainerStatuses": init_statuses, "resources": actual,
                        "allocatedResources": allocated, "conditions": conditions},
                })
            },
        )
    }

    proptest! {
        #[test]
        fn random_pods_are_summed_by_the_book(pod in some_pod()) {
            let wire = read(pod.clone());
            let units = |amounts: &Amounts| -> Plain {
                let named = amounts.iter().filter(|(_, amount)| *amount != Quantity::ZERO);
                named.map(|(name, amount)| (name.to_owned(), amount.units().try_into().unwrap())).collect()
            };
            for rule in [Before137, Since137, Since138] {
                let (requests, limits) = (rule.requests(&wire.spec, &wire.status), rule.limits(&wire.spec, &wire.status));
                prop_assert_eq!(units(&requests), by_the_book(&pod, rule, "requests"), "requests, {:?}", rule);
                prop_assert_eq!(units(&limits), by_the_book(&pod, rule, "limits"), "limits, {:?}", rule);
            }
        }
    }
}
