#!/usr/bin/env bash
# What one pod requests, by the code that kube-scheduler uses (k8s.io/component-helpers, PodRequests), in two versions.
#
# Guess:  the requests of a pod are one number, whatever the version, and the overhead of a RuntimeClass counts once.
# Truth:  while a pod is resized in place 0.37 counts less or more than 0.36: it takes the largest of three sums over the pod
#         where 0.36 sums the largest of each container. Once the kubelet has written the status of the whole pod, 0.37
#         counts the overhead twice, because that status has it in already (kubernetes/kubernetes#139627).
# Seen:   2026-11-29, k8s.io/component-helpers v0.36.3 and v0.37.2 (resource/helpers.go).
#
# Needs Go.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
export GOTOOLCHAIN=auto CGO_ENABLED=0 GOPATH=$work/_go GOFLAGS=-modcacherw

# A failure to fetch modules says nothing about the finding: exit code 2.
fetch() {
  go "$@" >fetch.log 2>&1 || {
    echo "failed to fetch Go modules: go $*: $(tail -n 1 fetch.log)" >&2
    exit 2
  }
}

cat >main.go <<'GO'
package main

import (
	"encoding/json"
	"fmt"
	"os"

	v1 "k8s.io/api/core/v1"
	"k8s.io/component-helpers/resource"
)

func main() {
	pods := []struct{ what, json string }{
		{"two containers, one grows while the other shrinks", `{"spec": {"containers": [
			{"name": "a", "resources": {"requests": {"cpu": "200m"}}}, {"name": "b", "resources": {"requests": {"cpu": "500m"}}}]},
			"status": {"containerStatuses": [
			{"name": "a", "resources": {"requests": {"cpu": "500m"}}, "allocatedResources": {"cpu": "200m"}},
			{"name": "b", "resources": {"requests": {"cpu": "200m"}}, "allocatedResources": {"cpu": "500m"}}]}}`},
		{"a plain init container has grown", `{"spec": {"containers": [{"name": "main", "resources": {"requests": {"cpu": "100m"}}}],
			"initContainers": [{"name": "init", "resources": {"requests": {"cpu": "200m"}}}]},
			"status": {"initContainerStatuses": [{"name": "init", "resources": {"requests": {"cpu": "500m"}}, "allocatedResources": {"cpu": "200m"}}]}}`},
		{"overhead of 10m, status of the pod written", `{"spec": {"overhead": {"cpu": "10m"},
			"containers": [{"name": "a", "resources": {"requests": {"cpu": "100m"}}}]},
			"status": {"allocatedResources": {"cpu": "110m"}, "resources": {"requests": {"cpu": "100m"}}}}`},
		{"an infeasible resize, no status of the container", `{"spec": {"containers": [{"name": "a", "resources": {"requests": {"cpu": "500m"}}}]},
			"status": {"conditions": [{"type": "PodResizePending", "status": "True", "reason": "Infeasible"}]}}`},
	}
	// As kube-scheduler sets them.
	options := resource.PodResourcesOptions{UseStatusResources: true, InPlacePodLevelResourcesVerticalScalingEnabled: true}
	for _, pod := range pods {
		var read v1.Pod
		if err := json.Unmarshal([]byte(pod.json), &read); err != nil {
			panic(err)
		}
		requests := resource.PodRequests(&read, options)
		fmt.Printf("%s %s: %s\n", os.Args[1], pod.what, requests.Cpu())
	}
}
GO

for version in 0.36.3 0.37.2; do
  rm -f go.mod go.sum
  go mod init finding 2>/dev/null
  fetch get "k8s.io/component-helpers@v$version" "k8s.io/api@v$version"
  fetch mod tidy
  go run . "$version" | tee -a seen
done

cat >expected <<'TEXT'
0.36.3 two containers, one grows while the other shrinks: 1
0.36.3 a plain init container has grown: 200m
0.36.3 overhead of 10m, status of the pod written: 110m
0.36.3 an infeasible resize, no status of the container: 500m
0.37.2 two containers, one grows while the other shrinks: 700m
0.37.2 a plain init container has grown: 500m
0.37.2 overhead of 10m, status of the pod written: 120m
0.37.2 an infeasible resize, no status of the container: 0
TEXT
diff expected seen || {
  echo "the behaviour changed" >&2
  exit 1
}
