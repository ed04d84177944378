#!/usr/bin/env bash
# The API server alone, as its clients see a crash and a return; etcd and all else stay.
#
#   apiserver.sh stop       kills it, without a goodbye to those who watch
#   apiserver.sh start      starts it and waits until it is ready
#   apiserver.sh restart    both
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
[ -e "$dir/.nodeglass-cluster" ] || die "no cluster in $dir; run $here/up.sh first"
case ${1:-} in
  stop) stop apiserver ;;
  start) start_apiserver ;;
  restart)
    stop apiserver
    start_apiserver
    ;;
  *) die "say stop, start or restart" ;;
esac
