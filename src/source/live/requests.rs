//! What a pod asks for, by the rule of Kubernetes 1.36's scheduler (kubernetes/component-helpers v0.36.3
//! `resource/helpers.go`, functions `PodRequests` and `PodLimits`, with the options that kube-scheduler sets: status is
//! used, in-place resize of pod-level resources is on, claims of Dynamic Resource Allocation are not counted).
//!
//! Amounts stay exact here; the caller rounds up once.

use super::wire::amounts::Amounts;
use super::wire::pod::{Container, ContainerStatus, PodSpec, PodStatus, ResourceRequirements};
use crate::units::Quantity;

/// Which of the two lists of a container is summed.
#[derive(Clone, Copy)]
enum Of {
    Requests,
    Limits,
}

impl Of {
    fn pick(self, resources: &ResourceRequirements) -> &Amounts {
        match self {
            Self::Requests => &resources.requests,
            Self::Limits => &resources.limits,
        }
    }
}

/// Effective requests: containers and sidecars, or the peak of the init phase if that is more; then pod-level requests
/// in place of the sums; then overhead.
pub(super) fn requests(spec: &PodSpec, status: &PodStatus) -> Amounts {
    let mut total = aggregate(spec, status, Of::Requests);
    replace_by_pod_level(&mut total, spec, status, Of::Requests);
    if let Some(overhead) = &spec.overhead {
        total.add(overhead);
    }
    total
}

/// Effective limits, by the same rule. Overhead adds only to a limit that is there.
pub(super) fn limits(spec: &PodSpec, status: &PodStatus) -> Amounts {
    let mut total = aggregate(spec, status, Of::Limits);
    replace_by_pod_level(&mut total, spec, status, Of::Limits);
    for (name, overhead) in spec.overhead.iter().flat_map(|overhead| overhead.iter()) {
        if let Some(mut limit) = total.get(name).filter(|limit| *limit != Quantity::ZERO) {
            limit += overhead;
            total.set(name, limit);
        }
    }
    total
}

fn aggregate(spec: &PodSpec, status: &PodStatus, of: Of) -> Amounts {
    let mut main = Amounts::default();
    for container in &spec.containers {
        with_effective(container, status, of, |amounts| main.add(amounts));
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
            with_effective(container, status, of, |amounts| {
                main.add(amounts);
                sidecars.add(amounts);
            });
            peak.raise(&sidecars);
        } else {
            // The status of a plain init container is never used.
            let mut running = of.pick(&container.resources).clone();
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

/// Hands on what one container counts for. During an in-place resize (KEP-1287) that is the largest of what it wants,
/// what it was promised and what it has; a resize that can never happen does not count.
fn with_effective(container: &Container, status: &PodStatus, of: Of, mut take: impl FnMut(&Amounts)) {
    let wanted = of.pick(&container.resources);
    let found = find_status(status, &container.name).and_then(|s| Some((s, s.resources.as_deref()?)));
    let Some((found, actual)) = found else {
        return take(wanted);
    };
    let allocated = found.allocated_resources.as_deref();
    take(&effective(status, of, wanted, of.pick(actual), allocated));
}

fn effective(status: &PodStatus, of: Of, wanted: &Amounts, actual: &Amounts, allocated: Option<&Amounts>) -> Amounts {
    let mut amounts = if status.conditions.resize_infeasible { Amounts::default() } else { wanted.clone() };
    amounts.raise(actual);
    if let (Of::Requests, Some(allocated)) = (of, allocated) {
        amounts.raise(allocated);
    }
    amounts
}

fn find_status<'a>(status: &'a PodStatus, name: &str) -> Option<&'a ContainerStatus> {
    let by_name = |s: &&ContainerStatus| &*s.name == name;
    status.container_statuses.iter().find(by_name).or_else(|| status.init_container_statuses.iter().find(by_name))
}

/// Pod-level resources (KEP-2837) take the place of the sums, for the resources they may name; they may be resized in
/// place too (KEP-5419).
fn replace_by_pod_level(total: &mut Amounts, spec: &PodSpec, status: &PodStatus, of: Of) {
    let Some(pod_level) = spec.resources.as_deref() else {
        return;
    };
    let wanted = of.pick(pod_level);
    let resized = status
        .resources
        .as_deref()
        .map(|actual| effective(status, of, wanted, of.pick(actual), status.allocated_resources.as_deref()));
    for (name, amount) in wanted.iter().filter(|(name, _)| is_pod_level(name)) {
        total.set(name, resized.as_ref().map_or(amount, |resized| resized.get(name).unwrap_or_default()));
    }
}

/// Upstream's `IsSupportedPodLevelResource`.
fn is_pod_level(name: &str) -> bool {
    name == "cpu" || name == "memory" || name.starts_with("hugepages-")
}

#[cfg(test)]
mod tests {
    //! The cases of `resource/helpers_test.go` (`TestPodResourceRequests`, `TestPodResourceLimits`,
    //! `TestPodRequestsAndLimitsWithoutOverhead`, `TestPodLevelResourceRequests`) and of the resize rules, in short form.

    #![expect(clippy::needless_pass_by_value, reason = "the cases read better with whole values")]

    use super::*;
    use crate::source::live::wire::pod::PodWire;
    use serde_json::{Value, json};
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
    #[test_case(json!({"initContainers": [c("i", cpu("4"))]}),
        json!({"conditions": infeasible(), "initContainerStatuses": [has("i", cpu("9"))]})
        => amounts(cpu("4")); "status of a plain init container is not used")]
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
    fn effective_request_follows_scheduler_rules(spec: Value, status: Value) -> Vec<(String, Quantity)> {
        let pod = read(json!({"spec": spec, "status": status}));
        sorted(&requests(&pod.spec, &pod.status))
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
    fn effective_limit_follows_the_same_rules(spec: Value, status: Value) -> Vec<(String, Quantity)> {
        let pod = read(json!({"spec": spec, "status": status}));
        sorted(&limits(&pod.spec, &pod.status))
    }

    #[test]
    fn resize_in_progress_counts_the_largest() {
        let growing = read(json!({"spec": {"containers": [c("a", cpu("500m"))]},
            "status": {"containerStatuses": [has_and_allocated("a", cpu("200m"), cpu("200m"))]}}));
        let shrinking = read(json!({"spec": {"containers": [c("a", cpu("200m"))]},
            "status": {"containerStatuses": [has_and_allocated("a", cpu("500m"), cpu("200m"))]}}));
        for pod in [growing, shrinking] {
            assert_eq!(requests(&pod.spec, &pod.status).get("cpu").map(Quantity::millis), Some(500));
        }
    }

    #[test]
    fn overhead_adds_to_its_own_resource() {
        let pod = read(json!({"spec": {"containers": [c("a", json!({"cpu": "1", "memory": "10"}))],
            "initContainers": [c("i", cpu("3"))], "overhead": cpu("250m")}}));
        assert_eq!(sorted(&requests(&pod.spec, &pod.status)), amounts(json!({"cpu": "3250m", "memory": "10"})));
    }

    #[test]
    fn half_millicores_of_containers_are_rounded_once() {
        let pod = read(json!({"spec": {"containers": [c("a", cpu("0.5m")), c("b", cpu("0.5m"))]}}));
        assert_eq!(requests(&pod.spec, &pod.status).to_resources().cpu_millicores, 1);
    }
}
