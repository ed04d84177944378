#!/usr/bin/env bash
# Starts a control plane on loopback, waits until it is ready, and prints where its kubeconfigs are. What already runs is
# left as it is, so that running this twice, or after something was killed, is the same as running it once.
#
#   up.sh         all of it, with the nodepools of nodepools.yaml
#   up.sh core    etcd and the API server alone, for what load.sh writes: nothing moves by itself. Of Kubernetes 1.36 if
#                 CLUSTER_KUBERNETES says so
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
case ${1:-} in "" | core) ;; *) die "what is \"$1\"? The only word understood is: core" ;; esac
case $kubernetes in 1.36 | 1.37) ;; *) die "CLUSTER_KUBERNETES is \"$kubernetes\"; there are 1.36 and 1.37" ;; esac
[ "${1:-}" = core ] || [ "$kubernetes" = 1.37 ] || die "Kubernetes $kubernetes has an API server alone; run $0 core"
command -v openssl >/dev/null || die "openssl is missing; it makes the certificates (Debian: apt-get install openssl)"

# Uses only an empty directory or its own; .nodeglass-cluster marks those that down.sh may remove.
if [ -e "$dir" ] && [ ! -e "$dir/.nodeglass-cluster" ] && [ -n "$(ls -A "$dir")" ]; then
  die "$dir exists and holds something else; set CLUSTER_DIR to another directory"
fi
# A foreign server on one of the ports would be taken for ours, so look before anything is started.
if ! pid_of etcd >/dev/null && ! pid_of apiserver >/dev/null; then
  for p in $(seq "$port" "$last_port"); do
    if (: <>"/dev/tcp/127.0.0.1/$p") 2>/dev/null; then
      die "port $p is taken; set CLUSTER_PORT to the first of nine free ports"
    fi
  done
fi

mkdir -p "$dir"/{logs,pids,pki}
touch "$dir/.nodeglass-cluster"

if [ ! -f "$dir/pki/api.crt" ]; then
  (
    cd "$dir/pki"
    openssl genrsa -out sa.key 2048
    openssl rsa -in sa.key -pubout -out sa.pub
    openssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.crt -days 365 -subj /CN=nodeglass-test-ca
    openssl req -newkey rsa:2048 -nodes -keyout api.key -out api.csr -subj /CN=127.0.0.1
    openssl x509 -req -in api.csr -CA ca.crt -CAkey ca.key -CAcreateserial -out api.crt -days 365 \
      -extfile <(echo 'subjectAltName=IP:127.0.0.1,IP:10.0.0.1,DNS:localhost,DNS:kubernetes')
    # By this one an API server behind the API server, as metrics-server, knows who asks.
    openssl req -newkey rsa:2048 -nodes -keyout proxy.key -out proxy.csr -subj /CN=front-proxy
    openssl x509 -req -in proxy.csr -CA ca.crt -CAkey ca.key -CAcreateserial -out proxy.crt -days 365
  ) 2>"$dir/logs/openssl.log" || die "openssl failed to make the certificates; see $dir/logs/openssl.log"
fi

# A user's token is its name and "-token": this server listens on loopback alone and holds nothing of worth.
# What a user may do is in users.yaml.
: >"$dir/tokens.csv"
users=(admin viewer no-nodes no-pods nobody)
for i in "${!users[@]}"; do
  user=${users[$i]}
  [ "$user" = admin ] && group=system:masters || group=watched
  echo "$user-token,$user,$((i + 1)),\"$group\"" >>"$dir/tokens.csv"
  cat >"$dir/$user.kubeconfig" <<YAML
apiVersion: v1
kind: Config
current-context: $user@nodeglass-test
contexts:
- {name: $user@nodeglass-test, context: {cluster: nodeglass-test, user: $user}}
clusters:
- {name: nodeglass-test, cluster: {server: "https://127.0.0.1:$port", certificate-authority: "$dir/pki/ca.crt"}}
users:
- {name: $user, user: {token: $user-token}}
YAML
done

# No fsync: the state need not survive a crash of the host.
start etcd etcd --data-dir "$dir/etcd" --log-level warn --unsafe-no-fsync --quota-backend-bytes 8589934592 \
  --listen-client-urls "http://127.0.0.1:$etcd_port" --advertise-client-urls "http://127.0.0.1:$etcd_port" \
  --listen-peer-urls "http://127.0.0.1:$peer_port" --initial-advertise-peer-urls "http://127.0.0.1:$peer_port" \
  --initial-cluster "default=http://127.0.0.1:$peer_port"
start_apiserver
kubectl apply -f "$here/users.yaml" >/dev/null

if [ "${1:-}" != core ]; then
  admin=$dir/admin.kubeconfig
  # More requests a second than by default, so that a scale-out of hundreds of pods is not throttled by the clients.
  start controller-manager kube-controller-manager-1.37 --kubeconfig "$admin" --leader-elect=false \
    --controllers '*,-nodeipam' --service-account-private-key-file "$dir/pki/sa.key" \
    --root-ca-file "$dir/pki/ca.crt" --bind-address 127.0.0.1 --secure-port "$controller_port" \
    --kube-api-qps 200 --kube-api-burst 400
  start scheduler kube-scheduler-1.37 --kubeconfig "$admin" --leader-elect=false \
    --bind-address 127.0.0.1 --secure-port "$scheduler_port" --kube-api-qps 200 --kube-api-burst 400
  for file in kwok-stages.yaml karpenter-crds.yaml; do
    is_built "$file" || die "$bin/$file is missing or of another version; run $here/build.sh first"
  done
  start kwok kwok --kubeconfig "$admin" --config "$bin/kwok-stages.yaml" --config "$here/kwok.yaml" --manage-all-nodes \
    --node-ip 127.0.0.1 --node-port "$kubelet_port" --server-address "127.0.0.1:$kubelet_port" --node-lease-duration-seconds 40
  # kwok's kubelets speak plain HTTP. Its nodes are measured as soon as they announce the port.
  start metrics-server metrics-server --kubeconfig "$admin" --authentication-kubeconfig "$admin" \
    --authorization-kubeconfig "$admin" --bind-address 127.0.0.1 --secure-port "$metrics_server_port" \
    --cert-dir "$dir/pki/metrics-server" --metric-resolution 10s --kubelet-request-timeout 5s --deprecated-kubelet-completely-insecure \
    --kubelet-use-node-status-port --kubelet-preferred-address-types InternalIP
  sed "s/METRICS_SERVER_PORT/$metrics_server_port/" "$here/metrics-server.yaml" | kubectl apply -f - >/dev/null
  kubectl apply -f "$bin/karpenter-crds.yaml" >/dev/null
  kubectl wait --for condition=established crd --all --timeout 60s >/dev/null

  # Karpenter's kwok provider reads its instance types from JSON; ours are a table that a person can read.
  # GPUs and the like are written into the last column as name=count.
  awk -F, -v zones="a b c" '
    NR == 1 { next }
    {
      split(zones, zone, " "); offerings = ""
      for (z = 1; z <= 3; z++) for (k = 1; k <= 2; k++)
        offerings = offerings (offerings ? "," : "") sprintf("{\"Price\":%s,\"Available\":true,\"Requirements\":[{\"key\":\"karpenter.sh/capacity-type\",\"operator\":\"In\",\"values\":[\"%s\"]},{\"key\":\"topology.kubernetes.io/zone\",\"operator\":\"In\",\"values\":[\"ap-northeast-2%s\"]},{\"key\":\"topology.kubernetes.io/region\",\"operator\":\"In\",\"values\":[\"ap-northeast-2\"]}]}", $(5 + k), k == 1 ? "on-demand" : "spot", zone[z])
      extended = ""
      if (split($8, e, "=") == 2) extended = sprintf(",\"%s\":\"%s\"", e[1], e[2])
      printf "%s{\"name\":\"%s\",\"architecture\":\"%s\",\"operatingSystems\":[\"linux\"],\"resources\":{\"cpu\":\"%s\",\"memory\":\"%sMi\",\"ephemeral-storage\":\"20Gi\",\"pods\":\"%s\"%s},\"offerings\":[%s]}", NR == 2 ? "[" : ",\n", $1, $2, $3, $4, $5, extended, offerings
    }
    END { print "]" }' "$here/instance-types.csv" >"$dir/instance-types.json"
  export KUBECONFIG=$admin SYSTEM_NAMESPACE=kube-system KUBERNETES_MIN_VERSION=1.19.0-0 KARPENTER_SERVICE=karpenter DISABLE_LEADER_ELECTION=true
  start karpenter karpenter --instance-types-file-path "$dir/instance-types.json" \
    --metrics-port "$metrics_port" --health-probe-port "$probe_port" \
    --feature-gates NodeRepair=true,ReservedCapacity=true,SpotToSpotConsolidation=true,NodeOverlay=true,StaticCapacity=false,CapacityBuffer=false
  kubectl apply -f "$here/nodepools.yaml" >/dev/null
  for try in $(seq 30); do
    for name in "${components[@]}"; do check_alive "$name"; done
    kubectl wait --for condition=Ready nodepool --all --timeout 2s >/dev/null 2>&1 && break
    [ "$try" -lt 30 ] || die "the nodepools are not ready after a minute; see $dir/logs/karpenter.log"
  done
fi

# A program that does not like its flags, or what it finds, ends within a second: only now are all of them known to live.
sleep 1
for name in "${components[@]}"; do
  [ ! -e "$dir/pids/$name" ] || check_alive "$name"
done

for user in "${users[@]}"; do echo "KUBECONFIG=$dir/$user.kubeconfig"; done
