#!/usr/bin/env bash
# How fast the gateway is, beside what one would use instead, in one run on this machine. Sets up what it needs under var/.
#
#   ./bench/run.sh             everything that docs/en/performance.md shows: under 20 minutes
#   ./bench/run.sh convert     full size beside the peers, by the bare loop of the same round; likewise: reduced, latency, saturated, upload
#   ./bench/run.sh live        fan-out beside a Node socket.io server
#   ./bench/run.sh codec       the codec alone; likewise: ingest
#   ./bench/run.sh tuning      the exercises of the tuning guide
#   ./bench/run.sh report      tables and plots again, from the last figures
#
# Needs Python 3.11+, Node 20+ for the peers written for it, and the network once. Run it on a machine with nothing else to do.
set -Eeuo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

PICTURES=${BENCH_PICTURES:-../shared/corpus/photos}
NODE_PEERS=(sharp@0.35.5 ipx@3.1.1 @tus/server@2.4.5 @tus/file-store@2.1.1 socket.io@4.8.4 socket.io-client@4.8.4)
python=.venv/bin/python

say() { printf '\n== %s\n' "$1" >&2; }
fail() { printf 'bench/run.sh: %s\n' "$1" >&2; exit 1; }

set_up() {
  ./start.sh setup
  if ! .venv/bin/python -c 'import psutil, requests, scipy' 2>/dev/null; then
    python=var/bench-venv/bin/python
    if [[ "$(cat var/bench-venv/.lock 2>/dev/null)" != "$(cksum <tests/requirements.txt)" ]]; then
      say 'Installing what drives and measures …'
      .venv/bin/python -m venv --clear var/bench-venv
      "$python" -m pip install --quiet --disable-pip-version-check --no-input --require-hashes -r tests/requirements.txt
      cksum <tests/requirements.txt >var/bench-venv/.lock
    fi
  fi
  [[ -d $PICTURES ]] || fail "There are no pictures in $PICTURES. Name a folder of JPEG photographs: BENCH_PICTURES=/folder ./bench/run.sh"
  mkdir -p var/bench
  if command -v npm >/dev/null && [[ "$(cat var/bench-node/.peers 2>/dev/null)" != "${NODE_PEERS[*]}" ]]; then
    mkdir -p var/bench-node
    npm install --prefix var/bench-node --no-audit --no-fund --loglevel=error "${NODE_PEERS[@]}" >/dev/null && echo "${NODE_PEERS[*]}" >var/bench-node/.peers
  fi
  if [[ ! -x var/bench-thumbor/bin/thumbor ]]; then
    .venv/bin/python -m venv var/bench-thumbor
    var/bench-thumbor/bin/python -m pip install --quiet --disable-pip-version-check thumbor==7.8.0 || say 'Thumbor could not be installed and is left out'
  fi
}

measure() {
  local name=$1
  shift
  say "$name"
  case $name in
    convert) "$python" -m bench.convert --widths 0 --clients 4,16 --seconds 8 --rounds 2 --out var/bench/convert.json "$@" ;;
    concurrency) "$python" -m bench.convert --widths 0 --clients 1,64 --seconds 8 --rounds 1 --peers gateway,sharp --out var/bench/concurrency.json "$@" ;;
    reduced) "$python" -m bench.convert --widths 1600 --clients 16 --seconds 6 --rounds 2 --out var/bench/reduced.json "$@" ;;
    latency) "$python" -m bench.latency --rounds 60 --out var/bench/latency.json "$@" ;;
    saturated) "$python" -m bench.saturated --out var/bench/saturated.json "$@" ;;
    upload) "$python" -m bench.upload --out var/bench/upload.json "$@" ;;
    live) "$python" bench/live.py "$@" ;;
    codec) "$python" -m bench.codec "$PICTURES"/*.jpg "$@" ;;
    ingest) [[ -f bench/ingest.py ]] && "$python" bench/ingest.py "$@" ;;
    report) "$python" -m bench.report ;;
    tuning) for each in workers kinds caches preload; do "$python" bench/tuning.py "$each"; done ;;
    *) fail "There is no benchmark “$name”. Use: ./bench/run.sh [convert|concurrency|reduced|latency|saturated|upload|live|codec|ingest|tuning|report]" ;;
  esac
}

export BENCH_PICTURES=$PICTURES
set_up
if (($#)); then
  measure "$@"
  [[ $1 == report || $1 == tuning || $1 == live || $1 == codec || $1 == ingest ]] || measure report
else
  failed=()
  for each in latency saturated convert concurrency reduced upload; do measure "$each" || failed+=("$each"); done
  measure live --clients 1000 --seconds 10 --rounds 1 || failed+=(live)
  measure report
  ((${#failed[@]} == 0)) || fail "these did not end well: ${failed[*]}"
fi
