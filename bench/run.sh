#!/usr/bin/env bash
# How fast the gateway is, beside what one would use instead, in one run on this machine. Sets up what it needs under var/.
#
#   ./bench/run.sh             everything, the installing included: under 20 minutes; docs/internals/performance.md shows the tables and plots it makes
#   ./bench/run.sh convert     full size beside the peers, by the bare loop of the same round; likewise: reduced, latency, saturated, memory,
#                              scores, limits, upload, live, tuning
#   ./bench/run.sh codec       the codec alone; likewise: ingest, slow_uploads, layouts (one Gunicorn, or several: needs nginx)
#   ./bench/run.sh busy        a queue that is never empty: method=4, method=auto and the peers, 60 s each; up to 12 minutes
#   ./bench/run.sh report      tables and plots again, from the last figures
#   ./bench/run.sh setup       only set up
#
# The pictures are photographs of yours (BENCH_PICTURES=folder), or ones that are made once.
#
# Needs Python 3.11+, the network once, and for the peers written for it Node 20+; for the tuning exercises wrk and nginx, for the limits cwebp.
# What is not there is named and left out. Each part has its own time and is cut off after it. Run it on a machine with nothing else to do.
set -Eeuo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

NODE_PEERS=(sharp@0.35.5 ipx@3.1.1 @tus/server@2.4.5 @tus/file-store@2.1.1 socket.io@4.8.4 socket.io-client@4.8.4)
SETUP_S=150
WHOLE_S=${BENCH_SECONDS:-1150}
python=.venv/bin/python

say() { printf '\n== %s\n' "$1" >&2; }
fail() { printf 'bench/run.sh: %s\n' "$1" >&2; exit 1; }

install_drivers() {
  if .venv/bin/python -c 'import psutil, requests, scipy' 2>/dev/null; then return; fi
  [[ "$(cat var/bench-venv/.lock 2>/dev/null)" == "$(cksum <tests/requirements.txt)" ]] && return
  .venv/bin/python -m venv --clear var/bench-venv
  var/bench-venv/bin/python -m pip install --quiet --disable-pip-version-check --no-input --require-hashes -r tests/requirements.txt
  cksum <tests/requirements.txt >var/bench-venv/.lock
}

install_node_peers() {
  [[ "$(cat var/bench-node/.peers 2>/dev/null)" == "${NODE_PEERS[*]}" ]] && return
  mkdir -p var/bench-node
  timeout "$SETUP_S" npm install --prefix var/bench-node --no-audit --no-fund --loglevel=error "${NODE_PEERS[@]}" >/dev/null
  echo "${NODE_PEERS[*]}" >var/bench-node/.peers
}

install_thumbor() {
  [[ -x var/bench-thumbor/bin/thumbor ]] && return
  .venv/bin/python -m venv var/bench-thumbor
  timeout "$SETUP_S" var/bench-thumbor/bin/python -m pip install --quiet --disable-pip-version-check thumbor==7.8.0
}

set_up() {
  ./start.sh setup
  mkdir -p var/bench
  local node thumbor
  (install_node_peers) & node=$!
  (install_thumbor) & thumbor=$!
  install_drivers
  wait "$node" || say 'The peers for Node could not be installed and are left out'
  wait "$thumbor" || say 'Thumbor could not be installed and is left out'
  .venv/bin/python -c 'import psutil, requests, scipy' 2>/dev/null || python=var/bench-venv/bin/python
  photographs >/dev/null || fail 'Name a folder of JPEG photographs: BENCH_PICTURES=folder ./bench/run.sh'
  for each in wrk nginx cwebp; do has "$each" || say "$each is not installed; what needs it is left out"; done
}

# Those of BENCH_PICTURES, or ones that are made once.
photographs() { "$python" -c 'from bench.kit import pictures; print(pictures.folder())'; }

tuned() {
  local well=0
  for each in "$@"; do within 100 "$python" bench/tuning.py "$each" || { say "tuning $each did not end well"; well=1; }; done
  return "$well"
}

# The part's own time in seconds, then what it does.
measure() {
  local name=$1
  shift
  say "$name"
  case $name in
    latency) bounded 60 bench.latency --rounds 40 "$@" ;;
    saturated) bounded 60 bench.saturated "$@" ;;
    convert) bounded 640 bench.convert --widths 0 --clients '4,16;1,64;16' --seconds 5 --rounds 3 --budget 560 "$@" ;;
    reduced) bounded 150 bench.convert --widths 1600 --clients 16 --seconds 5 --rounds 1 --budget 100 "$@" ;;
    memory) bounded 90 bench.memory "$@" ;;
    footprint) bounded 300 bench.footprint "$@" ;;
    scores) bounded 60 bench.scores "$@" ;;
    limits) bounded 75 bench.limits --budget 60 "$@" ;;
    upload) bounded 60 bench.upload --seconds 4 "$@" ;;
    live) within 300 "$python" bench/live.py --out var/bench/live.json "$@" ;;
    codec) "$python" -m bench.codec "$(photographs)"/*.jpg "$@" ;;
    ingest) "$python" bench/ingest.py "$@" ;;
    slow_uploads) "$python" bench/slow_uploads.py "$@" ;;
    layouts) bounded 900 bench.layouts "$@" ;;
    busy) bounded 720 bench.busy "$@" ;;
    tuning) if (($#)); then tuned "$@"; else tuned workers kinds caches herd; fi ;;
    report) "$python" -m bench.report ;;
    *) fail "There is no benchmark “$name”. Use: ./bench/run.sh [setup|convert|reduced|latency|saturated|memory|footprint|scores|limits|upload|live|tuning|codec|ingest|slow_uploads|layouts|busy|report]" ;;
  esac
}

bounded() {
  local seconds=$1 module=$2
  shift 2
  within "$seconds" "$python" -m "$module" --out "var/bench/$name.json" "$@"
}

# No longer than the whole may still take. SIGTERM is an orderly end for them: nothing that they started is left.
within() {
  local seconds=$1 left=$((WHOLE_S - SECONDS))
  shift
  timeout --foreground -k 60 $((left < seconds ? (left > 1 ? left : 1) : seconds)) "$@"
}

has() { command -v "$1" >/dev/null || [[ -x /usr/sbin/$1 ]]; }

can() {
  case $1 in
    live) has node && has npm ;;
    workers | kinds) has wrk ;;
    caches) has wrk && has nginx ;;
  esac
}

everything() {
  local failed=() each
  rm -f var/bench/*.json
  for each in latency saturated convert reduced memory footprint scores limits upload live workers kinds caches; do
    if ((SECONDS > WHOLE_S - 20)); then failed+=("$each (no time left)"); continue; fi
    if ! can "$each"; then
      say "$each is left out, for what it needs is not installed"
      continue
    fi
    case $each in
      live) measure live --clients 1000 --seconds 6 --rounds 1 --most 0 || failed+=(live) ;;
      workers | kinds | caches) measure tuning "$each" || failed+=("$each") ;;
      *) measure "$each" || failed+=("$each") ;;
    esac
    say "$each: $SECONDS s since the start"
  done
  measure report
  ((${#failed[@]} == 0)) || fail "these did not end well: ${failed[*]}"
}

set_up
case ${1:-} in
  '') everything ;;
  setup) ;;
  *)
    WHOLE_S=36000
    measure "$@"
    [[ $1 == report || $1 == codec || $1 == ingest ]] || measure report
    ;;
esac
