# What the scripts of this directory share: where things are, and how a process is started, found and stopped.
# Sourced, never run.
#
#   CLUSTER_BIN    where build.sh puts the programs  (default: $XDG_CACHE_HOME/nodeglass-cluster/bin)
#   CLUSTER_DIR    state of one cluster              (default: /tmp/nodeglass-cluster)
#   CLUSTER_PORT   its API server's port; the eight that follow it are taken too (default: 16443)
#   CLUSTER_KUBERNETES  version of the API server of `up.sh core`: 1.37 or 1.36 (default: 1.37)

# shellcheck shell=bash
# shellcheck disable=SC2034 # Names are used by those who source this.

set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
bin=${CLUSTER_BIN:-${XDG_CACHE_HOME:-$HOME/.cache}/nodeglass-cluster/bin}
bin=$(readlink -m "$bin") # Resolved, as the kernel names a process's program: see pid_of.
dir=$(readlink -m "${CLUSTER_DIR:-/tmp/nodeglass-cluster}")
port=${CLUSTER_PORT:-16443}
export NO_PROXY="127.0.0.1${NO_PROXY:+,$NO_PROXY}" no_proxy="127.0.0.1${no_proxy:+,$no_proxy}"

kubernetes=${CLUSTER_KUBERNETES:-1.37}

# Versions of what is built by itself; those of the rest are in the go.mod files beside this file.
kwok=v0.8.0 karpenter=v1.15.0 metrics_server=v0.9.0

# The order in which things are started; they are stopped in the opposite one.
components=(etcd apiserver controller-manager scheduler kwok metrics-server karpenter)

etcd_port=$((port + 1)) peer_port=$((port + 2)) controller_port=$((port + 3)) scheduler_port=$((port + 4))
metrics_port=$((port + 5)) probe_port=$((port + 6)) kubelet_port=$((port + 7)) metrics_server_port=$((port + 8))
last_port=$metrics_server_port

die() {
  echo "$(basename "$0"): $*" >&2
  exit 1
}

# version_of NAME: from what build.sh builds a program or file. It is written beside each, as NAME.version, because a cache
# may hold what another version of these scripts has built.
version_of() {
  case $1 in
    etcd | load) cksum <"$here/$1/go.sum" ;;
    oracle-1.36) cksum <"$here/../oracle/go-1.36.sum" ;;
    oracle-1.37) cksum <"$here/../oracle/go.sum" ;;
    eks-node-viewer) cksum <"$here/viewer/go.sum" ;;
    kube-apiserver-1.36) cksum <"$here/kubernetes-1.36/go.sum" ;;
    kube-*-1.37 | kubectl) cksum <"$here/kubernetes-1.37/go.sum" ;;
    kwok | kwok-stages.yaml) echo "$kwok" ;;
    karpenter | karpenter-crds.yaml) echo "$karpenter" ;;
    metrics-server) echo "$metrics_server" ;;
    *) die "there is no program called $1" ;;
  esac
}

# Whether a program or file is there, of the right version.
is_built() { [ -s "$bin/$1" ] && [ "$(cat "$bin/$1.version" 2>/dev/null)" = "$(version_of "$1")" ]; }

# kubectl as the admin. Fails rather than waits when the server is gone.
kubectl() { "$bin/kubectl" --kubeconfig "$dir/admin.kubeconfig" --request-timeout 60s "$@"; }

# Prints the process id of a component if it runs. Checks the program too: a process id may have been used again
# since it was written to the file.
pid_of() {
  local pid
  pid=$(cat "$dir/pids/$1" 2>/dev/null) || return 1
  case $(readlink "/proc/$pid/exe" 2>/dev/null) in
    "$bin"/*) echo "$pid" ;;
    *) return 1 ;;
  esac
}

# start NAME PROGRAM ARGUMENT…: runs a component in the background, apart from this terminal, unless it runs already.
start() {
  local name=$1 program=$2
  shift 2
  pid_of "$name" >/dev/null && return
  is_built "$program" || die "$bin/$program is missing or of another version; run $here/build.sh first"
  setsid nohup "$bin/$program" "$@" >>"$dir/logs/$name.log" 2>&1 </dev/null &
  echo $! >"$dir/pids/$name"
}

# stop NAME: kills a component and waits until it is gone. SIGKILL, since nothing here is worth a graceful end: the state
# goes with the cluster, and a crash of the API server is what its clients must survive.
stop() {
  local pid try
  if pid=$(pid_of "$1"); then
    kill -9 "$pid"
    # Until every thread is gone, the last of which gives back the ports. The first may remain as a zombie.
    for try in $(seq 200); do
      case $(cat "/proc/$pid/task"/*/stat 2>/dev/null | sed 's/.*) \(.\).*/\1/' | sort -u) in "" | Z) break ;; esac
      [ "$try" -lt 200 ] || die "$1 (process $pid) does not end"
      sleep 0.05
    done
  fi
  rm -f "$dir/pids/$1"
}

# Fails, with the end of its log, if a component that was started has ended by itself.
check_alive() {
  pid_of "$1" >/dev/null && return
  tail -n 15 "$dir/logs/$1.log" >&2
  die "$1 ended; the last lines of $dir/logs/$1.log are above"
}

# Starts the API server and waits until it is ready.
start_apiserver() {
  start apiserver "kube-apiserver-$kubernetes" \
    --etcd-servers "http://127.0.0.1:$etcd_port" --bind-address 127.0.0.1 --secure-port "$port" \
    --tls-cert-file "$dir/pki/api.crt" --tls-private-key-file "$dir/pki/api.key" --client-ca-file "$dir/pki/ca.crt" \
    --service-account-key-file "$dir/pki/sa.pub" --service-account-signing-key-file "$dir/pki/sa.key" \
    --service-account-issuer https://kubernetes.default.svc --service-cluster-ip-range 10.0.0.0/24 \
    --token-auth-file "$dir/tokens.csv" --authorization-mode RBAC \
    --requestheader-client-ca-file "$dir/pki/ca.crt" --requestheader-allowed-names front-proxy \
    --requestheader-username-headers X-Remote-User --requestheader-group-headers X-Remote-Group \
    --requestheader-extra-headers-prefix X-Remote-Extra- \
    --proxy-client-cert-file "$dir/pki/proxy.crt" --proxy-client-key-file "$dir/pki/proxy.key" \
    --audit-policy-file "$here/audit-policy.yaml" --audit-log-path "$dir/logs/audit.log" \
    --disable-admission-plugins ServiceAccount --allow-privileged
  for _ in $(seq 240); do
    kubectl get --raw /readyz >/dev/null 2>&1 && return
    check_alive etcd
    check_alive apiserver
    sleep 0.5
  done
  die "the API server is not ready after two minutes; see $dir/logs/apiserver.log"
}
