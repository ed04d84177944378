#!/usr/bin/env bash
# Writes a large cluster into etcd with `load` and waits until the API server shows all of it. For `up.sh core`, where no
# controller minds that the nodes are made up.
#
#   load.sh -nodes 5000 -pods 150000       20 seconds on two cores
#   load.sh -pods 150000 -churn 100        updates a hundred pods a second until it is killed
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
[ -e "$dir/.nodeglass-cluster" ] || die "no cluster in $dir; run $here/up.sh core first"
case " $* " in *" -churn "*) exec "$bin/load" -etcd "http://127.0.0.1:$etcd_port" "$@" ;; esac
output=$("$bin/load" -etcd "http://127.0.0.1:$etcd_port" "$@")
echo "$output"

# The server answers "not older than this revision" only once its cache has caught up. Before that it says 504 after
# three seconds. The field selector keeps the answer empty.
revision=${output##* }
for kind in nodes pods; do
  for try in $(seq 100); do
    kubectl get --raw "/api/v1/$kind?resourceVersion=$revision&resourceVersionMatch=NotOlderThan&fieldSelector=metadata.name%3Dnone" >/dev/null 2>&1 && break
    [ "$try" -lt 100 ] || die "the API server's $kind did not reach revision $revision"
    sleep 0.5
  done
done
