#!/usr/bin/env bash
# Builds the programs of a control plane from their public Go modules: etcd, kube-apiserver, kube-scheduler,
# kube-controller-manager, kubectl, the API server of Kubernetes 1.36 beside them, kwok (plays the kubelets), metrics-server,
# Karpenter with its kwok provider, eks-node-viewer (for the benchmark), and our own `load` and `oracle`. No Docker and nothing prebuilt.
# Fifteen minutes on two cores, then cached in $CLUSTER_BIN.
#
#   build.sh            everything that is missing or of another version
#   build.sh NAME…      these alone
#
# Versions are pinned by the go.mod files beside this script and by lib.sh.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

command -v go >/dev/null || die "go is missing; it builds the control plane (Debian: apt-get install golang, 1.26 or later)"
mkdir -p "$bin"
# Karpenter wants a newer Go than Debian or CI may have: Go's own tool fetches it.
export CGO_ENABLED=0 GOFLAGS="${GOFLAGS:-} -buildvcs=false" GOTOOLCHAIN=auto

# from_module DIRECTORY NAME PACKAGE [LDFLAGS [FLAG…]]: builds a package as one of our go.mod files pins it.
from_module() {
  echo "building $2"
  (cd "$here/$1" && go build -ldflags "-s -w ${4:-}" "${@:5}" -o "$bin/$2.new" "$3") && mv "$bin/$2.new" "$bin/$2"
}

# from_version NAME PACKAGE VERSION: builds a main package of a module of its own. By way of a directory, because
# Karpenter's program is called kwok as well.
from_version() {
  echo "building $1"
  local out
  out=$(mktemp -d "$bin/.new.XXXXXX")
  GOBIN=$out go install -ldflags "-s -w" "$2@$3"
  mv "$out/$(basename "$2")" "$bin/$1"
  rmdir "$out"
}

# module_dir MODULE@VERSION: where the Go tool keeps its source.
module_dir() { go mod download -json "$1" | sed -n 's/.*"Dir": "\(.*\)".*/\1/p'; }

# join FILE…: several YAML files as one stream.
join() {
  local file
  for file in "$@"; do
    cat "$file"
    printf '\n---\n'
  done
}

make() {
  local module program version
  case $1 in
    etcd | load) from_module "$1" "$1" . ;;
    oracle-1.36) from_module ../oracle "$1" . "" -modfile=go-1.36.mod ;;
    oracle-1.37) from_module ../oracle "$1" . ;;
    kube-* | kubectl)
      module=kubernetes-1.37 program=${1%-1.3?}
      [ "$program" = "$1" ] || module=kubernetes-${1#"$program"-}
      # A released binary carries its version by linker flags; clients read it from /version.
      version=$(sed -n 's/^require k8s.io\/kubernetes //p' "$here/$module/go.mod")
      from_module "$module" "$1" "k8s.io/kubernetes/cmd/$program" \
        "-X k8s.io/component-base/version.gitVersion=$version -X k8s.io/component-base/version.gitMajor=1 -X k8s.io/component-base/version.gitMinor=$(cut -d. -f2 <<<"$version")"
      ;;
    kwok) from_version kwok sigs.k8s.io/kwok/cmd/kwok "$kwok" ;;
    karpenter) from_version karpenter sigs.k8s.io/karpenter/kwok "$karpenter" ;;
    metrics-server) from_version metrics-server sigs.k8s.io/metrics-server/cmd/metrics-server "$metrics_server" ;;
    eks-node-viewer) from_module viewer eks-node-viewer github.com/awslabs/eks-node-viewer/cmd/eks-node-viewer ;;
    kwok-stages.yaml)
      # How kwok moves nodes and pods along: nodes are initialized and send heartbeats; pods become ready, complete, go.
      # And what its kubelets measure: pods use what their annotations say.
      local stages usage
      stages=$(module_dir "sigs.k8s.io/kwok@$kwok")/kustomize/stage usage=${stages%stage}metrics
      join "$stages"/node/fast/node-initialize.yaml "$stages"/node/heartbeat-with-lease/node-heartbeat-with-lease.yaml \
        "$stages"/pod/general/pod-{create,init-container-running,init-container-completed,ready,complete,delete}.yaml \
        "$usage"/usage/usage-from-annotation.yaml "$usage"/resource/metrics-resource.yaml \
        >"$bin/$1.new" && mv "$bin/$1.new" "$bin/$1"
      ;;
    karpenter-crds.yaml)
      local crds
      crds=$(module_dir "sigs.k8s.io/karpenter@$karpenter")/kwok
      join "$crds"/charts/crds/*.yaml "$crds"/apis/crds/*.yaml >"$bin/$1.new" && mv "$bin/$1.new" "$bin/$1"
      ;;
    *) die "there is no program called $1" ;;
  esac
}

[ $# -gt 0 ] || set -- etcd load oracle-1.36 oracle-1.37 kube-{apiserver,scheduler,controller-manager}-1.37 kubectl kube-apiserver-1.36 kwok \
  metrics-server karpenter eks-node-viewer kwok-stages.yaml karpenter-crds.yaml
for name; do
  # Our own is built each time: its source is here and may have changed. Go's cache makes that a second.
  case $name in load | oracle-*) ;; *) if is_built "$name"; then continue; fi ;; esac
  make "$name"
  version_of "$name" >"$bin/$name.version"
done
echo "$bin"
