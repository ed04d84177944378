// oracle sums the requests and limits of pods with the code that kube-scheduler uses, k8s.io/component-helpers. It reads a
// list of pods as `kubectl get pods --output json` prints it, and prints for each node the sums of its pods that have not
// ended: cpu in millicores, everything else in whole units.
//
// It is built once for each version of the rule: go.mod is Kubernetes 1.37, go-1.36.mod is Kubernetes 1.36.
package main

import (
	"encoding/json"
	"log"
	"os"

	v1 "k8s.io/api/core/v1"
	"k8s.io/component-helpers/resource"
)

type sums map[v1.ResourceName]int64

func (s sums) add(amounts v1.ResourceList) {
	for name, amount := range amounts {
		if name == v1.ResourceCPU {
			s[name] += amount.MilliValue()
		} else {
			s[name] += amount.Value()
		}
	}
}

type node struct {
	Requests sums `json:"requests"`
	Limits   sums `json:"limits"`
}

func main() {
	var pods v1.PodList
	if err := json.NewDecoder(os.Stdin).Decode(&pods); err != nil {
		log.Fatalf("failed to read the list of pods: %v", err)
	}
	// As pkg/scheduler/framework/types.go sets them, with the default gates.
	options := resource.PodResourcesOptions{UseStatusResources: true, InPlacePodLevelResourcesVerticalScalingEnabled: true}
	nodes := map[string]node{}
	for i := range pods.Items {
		pod := &pods.Items[i]
		if pod.Spec.NodeName == "" || pod.Status.Phase == v1.PodSucceeded || pod.Status.Phase == v1.PodFailed {
			continue
		}
		if _, ok := nodes[pod.Spec.NodeName]; !ok {
			nodes[pod.Spec.NodeName] = node{sums{}, sums{}}
		}
		nodes[pod.Spec.NodeName].Requests.add(resource.PodRequests(pod, options))
		nodes[pod.Spec.NodeName].Limits.add(resource.PodLimits(pod, options))
	}
	if err := json.NewEncoder(os.Stdout).Encode(nodes); err != nil {
		log.Fatalf("failed to print the sums: %v", err)
	}
}
