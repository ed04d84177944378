//! Metrics of nodes and pods.

use super::{PodStage, World};
use crate::model::{Change, Name, PodKey, Timestamp, Usage};
use crate::source::sim::later;

impl World {
    /// Sends these node metrics.
    pub fn node_usage(&mut self, readings: Vec<(Name, Usage)>) {
        self.out.push(Change::NodeUsage(readings));
    }

    /// Sends metrics of all running pods and of all nodes initialized for `lag` milliseconds. Usage of a pod is a share of its
    /// requests that depends on the pod and on time. Pod metrics are sent if `with_pods`.
    pub fn measure(&mut self, at: Timestamp, lag: i64, with_pods: bool) {
        let minute = at.as_second() / 15;
        let mut pods = Vec::new();
        let mut nodes = Vec::new();
        for m in self.instances.values() {
            let Some(initialized) = m.initialized else { continue };
            if later(initialized, lag) > at {
                continue;
            }
            // The kubelet, the container runtime and the agents of the node.
            let mut usage = Usage { cpu_millicores: 45, memory_bytes: 420 << 20, at, window_seconds: 15 };
            for id in &m.pods {
                let Some(pod) = self.pods.get(id).filter(|p| p.stage == PodStage::Running) else { continue };
                let w = &self.workloads[pod.workload.0 as usize].spec;
                let own = u64::from(id.0).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
                // A triangle wave of 40 steps, with a phase per pod.
                let phase = (minute.rem_euclid(40) as u64 + own) % 40;
                let wave = if phase < 20 { phase } else { 40 - phase };
                let cpu = w.requests.cpu_millicores * (200 + own % 300 + wave * 15) / 1000;
                let memory = w.requests.memory_bytes / 1000 * (450 + own / 300 % 300 + wave * 4);
                usage.cpu_millicores += cpu.max(1);
                usage.memory_bytes += memory.max(4 << 20);
                if with_pods {
                    let key = PodKey { namespace: w.namespace.clone(), name: pod.name.clone() };
                    let of_pod = Usage { cpu_millicores: cpu, memory_bytes: memory, at, window_seconds: 15 };
                    pods.push((key, of_pod));
                }
            }
            nodes.push((m.node_name(&self.site), usage));
        }
        self.out.push(Change::NodeUsage(nodes));
        if with_pods {
            self.out.push(Change::PodUsage(pods));
        }
    }
}
