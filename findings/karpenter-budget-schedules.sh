#!/usr/bin/env bash
# When the schedule of a NodePool's disruption budget is admitted, and when the budget is in force.
#
# Guess:  a schedule that the API server admits is understood by Karpenter. Sunday may be 7, as in crontab(5) and in a
#         CronJob's documentation; a schedule that no day matches (31 February) never puts its budget in force.
# Truth:  the pattern of the CRD admits both, but Karpenter's parser (robfig/cron) takes Sunday as 0 alone, and a budget
#         that it cannot parse allows 0 disruptions at any time. A schedule without a next hit gives the zero time, which
#         is before now, so that its budget is always in force. The nodepool is Ready in both cases.
# Seen:   2026-11-29, sigs.k8s.io/karpenter v1.15.0 (pkg/apis/v1/nodepool.go: GetAllowedDisruptions, IsActive).
#
# Needs Go; builds Karpenter's API package, which takes some minutes the first time.
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
	"fmt"
	"math"
	"os"
	"regexp"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	clocktesting "k8s.io/utils/clock/testing"
	v1 "sigs.k8s.io/karpenter/pkg/apis/v1"
)

func main() {
	admitted := regexp.MustCompile(os.Args[1])
	wednesday := clocktesting.NewFakeClock(time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC))
	for _, schedule := range []string{"0 0 * * 0", "0 0 * * 7", "0 0 31 2 *"} {
		budget := v1.Budget{Nodes: "3", Schedule: &schedule, Duration: &metav1.Duration{Duration: time.Hour}}
		allowed, err := budget.GetAllowedDisruptions(wednesday, 10)
		text := fmt.Sprint(allowed)
		if allowed == math.MaxInt32 {
			text = "unlimited"
		}
		fmt.Printf("%s: admitted %t, parsed %t, allows on a Wednesday: %s\n", schedule, admitted.MatchString(schedule), err == nil, text)
	}
}
GO
go mod init finding 2>/dev/null
fetch get sigs.k8s.io/karpenter@v1.15.0 k8s.io/apimachinery@v0.36.1
fetch mod tidy
crd=$(go list -m -f '{{.Dir}}' sigs.k8s.io/karpenter)/pkg/apis/crds/karpenter.sh_nodepools.yaml
pattern=$(sed -n 's/^ *pattern: \(.*@(annually.*\)$/\1/p' "$crd" | head -n 1)
go run . "$pattern" | tee seen

cat >expected <<'TEXT'
0 0 * * 0: admitted true, parsed true, allows on a Wednesday: unlimited
0 0 * * 7: admitted true, parsed false, allows on a Wednesday: 0
0 0 31 2 *: admitted true, parsed true, allows on a Wednesday: 3
TEXT
diff expected seen || {
  echo "the behaviour changed" >&2
  exit 1
}
