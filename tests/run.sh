#!/usr/bin/env bash
# Sets up and runs the tests. Needs Python 3.11+; Node for the page's tests.
#
#   ./tests/run.sh                 everything that takes minutes at most: ruff, mypy, the page's core, pytest without the slow ones
#   ./tests/run.sh core            one folder of tests/, likewise: flows, ports, web, house, codec, server, e2e, …
#   ./tests/run.sh page            the page's tests, in Node
#   ./tests/run.sh page-all        those of the page that take long: real Chromium, bad lines, restarts, a hundred files
#   ./tests/run.sh lint            ruff and mypy
#   ./tests/run.sh fuzz            the codec's slow tests: damaged and hostile images
#   ./tests/run.sh load            hundreds of clients, a thousand cut connections, restarts under two hundred jobs, dead peers
#   ./tests/run.sh autobahn        Autobahn's WebSocket suite (Python 2.7 is needed; it is installed into var/)
#   ./tests/run.sh faults          processes killed and disks filled in the midst of work
#   ./tests/run.sh ops             operation under load: reloads, recycling, metrics to the last one, each setting's effect
#
# What follows the name goes to pytest: ./tests/run.sh core -k progress. With CI=true a missing component fails instead of being skipped.
set -Eeuo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

venv=tests/.venv
failed=()
beside_pid='' beside_log='' temporary=''

fail() { printf 'tests/run.sh: %s\n' "$1" >&2; exit "${2:-1}"; }
say() { printf '\n── %s\n' "$1" >&2; }

# The same search as start.sh's.
find_python() {
  local candidate
  for candidate in "${PYTHON:-python3}" python3.13 python3.12 python3.11 python3.14 python; do
    if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      command -v "$candidate"
      return
    fi
  done
  fail 'Python 3.11 or newer is needed and was not found. Install it, or name it: PYTHON=/path/to/python3 ./tests/run.sh'
}

lock_of() { cksum <tests/requirements.txt; }

set_up_python() {
  if [[ -f $venv/.lock && "$(<$venv/.lock)" == "$(lock_of)" ]]; then return; fi
  local python count
  python=$(find_python)
  say "Making $venv with $("$python" --version)"
  "$python" -m venv --clear "$venv" || fail 'The virtual environment could not be made. On Debian and Ubuntu: apt-get install python3-venv'
  count=$(grep -c '^[a-z0-9]' tests/requirements.txt)
  say "Installing $count locked packages (about a minute)"
  "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-input --require-hashes -r tests/requirements.txt \
    || fail 'The packages could not be installed. Is the package index within reach, and is there disk space?'
  lock_of >"$venv/.lock"
}

set_up_node() {
  [[ -f tests/page/package.json && ! -e tests/page/node_modules ]] || return 0
  local how=install
  if [[ -f tests/page/package-lock.json ]]; then how=ci; fi
  say "Installing the page's test packages (npm $how)"
  npm "$how" --prefix tests/page --ignore-scripts --no-audit --no-fund --loglevel=error
}

# A step that fails does not keep the others from being run; the end is a failure all the same.
step() {
  local name=$1
  shift
  say "$name"
  "$@" || failed+=("$name")
}

lint() {
  step ruff "$venv/bin/ruff" check .
  step mypy "$venv/bin/mypy"
}

page() {
  if ! command -v node >/dev/null; then
    [[ ${CI:-} == true ]] && fail "Node is needed for the page's tests"
    say "the page's tests are skipped: Node is not installed"
    return 0
  fi
  step "the page's packages" set_up_node
  step "the page's types" npm --prefix tests/page run --silent check
  step "the page's tests" npm --prefix tests/page run --silent core
}

end() {
  if [[ $beside_pid ]]; then kill -INT "$beside_pid" 2>/dev/null || true; fi
  if [[ $temporary ]]; then rm -rf "$temporary"; fi
}

# A folder of our own for the tests' files: in pytest's, it first deletes what every earlier session left there, which may take minutes.
make_temporary() {
  if [[ ! $temporary ]]; then
    temporary=$(mktemp -d "${TMPDIR:-/tmp}/wt-XXXXXX")
    trap end EXIT
  fi
}

# A suite that waits more than it works runs beside the others; what it said is shown after them.
beside() {
  make_temporary
  beside_log=$(mktemp)
  set -m # a group of its own: else it would not hear Ctrl-C
  "$venv/bin/python" -m pytest --basetemp="$temporary/b" "$@" </dev/null >"$beside_log" 2>&1 &
  set +m
  beside_pid=$!
}

# Last of all, so that its last line is the last line of standard output.
pytest() {
  if ((${#failed[@]})); then
    say "Failed so far: $(IFS=,; echo "${failed[*]}"). The other tests are run all the same."
  fi
  say "pytest $*"
  local code=0
  make_temporary
  "$venv/bin/python" -m pytest --basetemp="$temporary/p" "$@" || code=$?
  if [[ $beside_pid ]]; then
    local its=0
    wait "$beside_pid" || its=$?
    beside_pid=''
    if ((its != 0 && its != 5)); then code=$its; fi # 5: what was asked for is not in it
    say "beside it:"
    cat "$beside_log" >&2
    rm -f "$beside_log"
  fi
  if ((code == 0 && ${#failed[@]})); then code=1; fi
  exit "$code"
}

folders() { printf '%s\n' tests/*/test_*.py | cut -d/ -f2 | sort -u | xargs; }

folder() {
  [[ -d $1 ]] || fail "There is no folder $1 (yet)." 2
}

suite=${1:-all}
shift || true
case $suite in
  all)
    set_up_python
    lint
    page
    beside tests/e2e/test_page.py -m 'not slow' "$@"
    pytest tests --ignore tests/e2e/test_page.py -m 'not slow' "$@"
    ;;
  lint)
    set_up_python
    lint
    ;;
  page)
    page
    ;;
  page-all)
    set_up_python
    page
    pytest tests/e2e/test_page.py -m 'slow or not slow' "$@"
    ;;
  fuzz)
    folder tests/codec
    set_up_python
    pytest tests/codec -m slow "$@"
    ;;
  load)
    folder tests/live
    set_up_python
    pytest tests/live -m 'slow or not slow' "$@"
    ;;
  autobahn)
    set_up_python
    pytest tests/server/test_autobahn.py -m slow -s "$@"
    ;;
  faults)
    folder tests/faults
    set_up_python
    pytest tests/faults -m 'slow or not slow' "$@"
    ;;
  ops)
    set_up_python
    pytest tests/ops -m 'slow or not slow' "$@"
    ;;
  *)
    [[ $suite =~ ^[a-z]+$ ]] && compgen -G "tests/$suite/test_*.py" >/dev/null \
      || fail "There is no suite “$suite”. Use: ./tests/run.sh [all|lint|page|page-all|fuzz|load|autobahn|faults], or a folder of tests/: $(folders)" 2
    set_up_python
    pytest "tests/$suite" -m 'not slow' "$@"
    ;;
esac
if ((${#failed[@]})); then fail "failed: $(IFS=,; echo "${failed[*]}")"; fi
