#!/usr/bin/env bash
# Measures the whole program beside its peer, on one API server, and prints a Markdown table. What is compared is what a
# person sees: the same screen of 200×60, full when its header counts every node and every pod.
#
#   run.sh [small] [large] [bareread] [nodeglass] [eks-node-viewer]
#
# small is 500 nodes and 15,000 pods, large 5,000 and 150,000. Without a size both are measured, without a program all.
# Each program, one after the other, gets an API server that has just been started, with nothing else to do.
#
#   complete   seconds from the start of the program until its screen is full
#   CPU        seconds of processor time it used until then
#   memory     peak resident memory of the whole run (VmHWM)
#   idle       processor time over 30 s in which nothing changes, in percent of one core
#   churn      the same while a hundred pods a second are updated
#   key        milliseconds from a key press, during the first list, until the screen answers it, at worst of five. It is
#              read from outside, so it includes some milliseconds of looking. Only measured where the first list is long
#              enough to be interrupted
#
# Settings: NODEGLASS (the binary; default target/dist/nodeglass, built if missing), PATIENCE (seconds until a program
# that does not complete is given up; default 370), and those of tests/cluster (its directory and port are our own here).
# Linux; needs Go, tmux and what tests/cluster needs.
bench=$(cd "$(dirname "$0")" && pwd)
# Neither program asks AWS for prices.
export NODEGLASS_PRICING=offline
export CLUSTER_DIR=${CLUSTER_DIR:-/tmp/nodeglass-bench} CLUSTER_PORT=${CLUSTER_PORT:-19443}
# shellcheck source-path=SCRIPTDIR source=../cluster/lib.sh
. "$bench/../cluster/lib.sh"
root=$(cd "$bench/../.." && pwd)
cluster=$root/tests/cluster
nodeglass=${NODEGLASS:-$root/target/dist/nodeglass}
patience=${PATIENCE:-370}
ticks=$(getconf CLK_TCK)
observed=30

sizes=() programs=()
for word; do
  case $word in
    small | large) sizes+=("$word") ;;
    bareread | nodeglass | eks-node-viewer) programs+=("$word") ;;
    *) die "what is \"$word\"? See the head of this script" ;;
  esac
done
[ ${#sizes[@]} -gt 0 ] || sizes=(small large)
[ ${#programs[@]} -gt 0 ] || programs=(bareread nodeglass eks-node-viewer)

command -v tmux >/dev/null || die "tmux is missing; it is the terminal that the programs run in (Debian: apt-get install tmux)"
"$cluster/build.sh" >&2
(cd "$bench/bareread" && go build -o "$bin/bareread" .)
case " ${programs[*]} " in
  *" nodeglass "*) [ -x "$nodeglass" ] || (cd "$root" && cargo build --profile dist >&2) ;;
esac

# A tmux server of our own, with no settings of the user's.
terminal() { tmux -L "nodeglass-bench-$$" -f /dev/null "$@"; }
tidy() {
  terminal kill-server 2>/dev/null || true # There is none after the last program.
  "$cluster/down.sh"
  rm -rf "$work"
}
work=$(mktemp -d)
trap tidy EXIT
# On a signal too, by way of the exit trap.
trap 'exit 130' INT TERM

now() { date +%s.%N; }
since() { awk -v a="$1" -v b="$(now)" 'BEGIN { printf "%.2f", b - a }'; }
screen() { terminal capture-pane -p -t program 2>/dev/null; }

# Processor time of a process in ticks, all its threads together. The name in stat may hold spaces, so count after it.
used() { sed 's/.*) //' "/proc/$1/stat" | awk '{ print $12 + $13 }'; }
seconds() { awk -v t="$1" -v hz="$ticks" 'BEGIN { printf "%.2f", t / hz }'; }
percent() { awk -v t="$1" -v hz="$ticks" -v s="$2" 'BEGIN { printf "%.1f %%", 100 * t / hz / s }'; }
peak() { awk '/^VmHWM:/ { printf "%.0f MB", $2 / 1000 }' "/proc/$1/status"; }

# thousands 15000 → a pattern for 15000 and for 15,000.
thousands() { sed -E 's/^([0-9]+)([0-9]{3})$/\1,?\2/' <<<"$1"; }

# Whether the header on the screen counts all nodes and all pods.
complete() {
  local text nodes pods
  text=$(screen) nodes=$(thousands "$2") pods=$(thousands "$3")
  case $1 in
    eks-node-viewer) grep -qE "^ *$nodes nodes" <<<"$text" && grep -qE "(^| )$pods pods \(.* $pods bound\)" <<<"$text" ;;
    nodeglass) grep -qE "^ *nodes +$nodes\b" <<<"$text" && grep -qE "^ *pods +$pods\b" <<<"$text" && ! grep -q "[◐○✗]" <<<"${text%%$'\n'*}" ;;
  esac
}

# Opens and closes the help and says how long each answer took, the worst of five, in milliseconds. Nothing if the first
# list was over before.
key_answer() {
  local worst=0 took start
  for _ in 1 2 3 4 5; do
    start=$(date +%s%N)
    terminal send-keys -t program '?'
    until screen | grep -qiE 'help|keys' || [ $(($(date +%s%N) - start)) -gt 5000000000 ]; do :; done
    took=$((($(date +%s%N) - start) / 1000000))
    [ "$took" -le "$worst" ] || worst=$took
    terminal send-keys -t program Escape
    sleep 0.5
  done
  echo "$worst ms"
}

measure() {
  local program=$1 nodes=$2 pods=$3 start pid before after complete_s cpu_s key="" idle churn load
  "$cluster/down.sh"
  "$cluster/up.sh" core >/dev/null
  "$cluster/load.sh" -nodes "$nodes" -pods "$pods" >&2
  # The server is busy for a while with what was written: compaction, its caches, its own first lists.
  sleep 10

  if [ "$program" = bareread ]; then
    "$bin/bareread" -server "https://127.0.0.1:$port" -ca "$dir/pki/ca.crt" >"$work/output"
    sed -E 's/^([0-9.]+ s), ([0-9.]+) CPU s, (.*)$/\1|\2 s||||| \3/' "$work/output"
    return
  fi

  # The peer would ask for prices and for credentials over the network, which is not what is measured. HOME is empty, so
  # that no settings of the user's play a part.
  local environment=(env -i "PATH=$PATH" "HOME=$work" "NO_PROXY=127.0.0.1" LANG=C.UTF-8 TERM=tmux-256color COLORTERM=truecolor
    AWS_REGION=ap-northeast-2 AWS_EC2_METADATA_DISABLED=true "KUBECONFIG=$dir/viewer.kubeconfig")
  local command=("$nodeglass")
  [ "$program" = nodeglass ] || command=("$bin/eks-node-viewer" -disable-pricing)

  # The terminal first, so that its own start is not counted.
  terminal new-session -d -s idle -x 200 -y 60 "sleep 100000"
  start=$(now)
  terminal new-session -d -s program -x 200 -y 60 "${environment[@]}" "${command[@]}"
  pid=$(terminal display-message -p -t program '#{pane_pid}')
  if [ "$program" = nodeglass ] && [ "$pods" -ge 100000 ]; then
    sleep 1
    key=$(key_answer)
  fi
  until complete "$program" "$nodes" "$pods"; do
    [ -d "/proc/$pid" ] || die "$program ended before its screen was full"
    if awk -v s="$(since "$start")" -v p="$patience" 'BEGIN { exit s < p }'; then
      screen | head -n 8 >&2
      echo "not after $(since "$start") s|$(seconds "$(used "$pid")") s|$(peak "$pid")||||"
      terminal kill-server
      return
    fi
    sleep 0.02
  done
  complete_s=$(since "$start")
  cpu_s=$(seconds "$(used "$pid")")

  sleep 5
  before=$(used "$pid")
  sleep "$observed"
  after=$(used "$pid")
  idle=$(percent $((after - before)) "$observed")

  "$cluster/load.sh" -nodes "$nodes" -pods "$pods" -churn 100 &
  load=$!
  sleep 5
  before=$(used "$pid")
  sleep "$observed"
  after=$(used "$pid")
  churn=$(percent $((after - before)) "$observed")
  kill "$load" 2>/dev/null || die "the updates ended too early"
  wait "$load" 2>/dev/null || true

  complete "$program" "$nodes" "$pods" || die "$program's screen is no longer full"
  echo "$complete_s s|$cpu_s s|$(peak "$pid")|$idle|$churn|$key|"
  terminal kill-server
}

# One result a line, so that what was measured is not lost when a later program fails.
table=$work/table
{
  echo "| cluster | program | complete | CPU until then | peak memory | idle | 100 pod updates a second | key answered | |"
  echo "|---|---|---|---|---|---|---|---|---|"
} >"$table"
for size in "${sizes[@]}"; do
  case $size in
    small) nodes=500 pods=15000 ;;
    large) nodes=5000 pods=150000 ;;
  esac
  for program in "${programs[@]}"; do
    echo "measuring $program with $nodes nodes and $pods pods" >&2
    measure "$program" "$nodes" "$pods" >"$work/row"
    printf '| %s nodes, %s pods | %s | %s |\n' "$nodes" "$pods" "$program" "$(sed 's/|/ | /g' "$work/row")" >>"$table"
    tail -n 1 "$table" >&2
  done
done
cat "$table"
