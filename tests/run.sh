#!/usr/bin/env bash
# Sets up and runs the tests. Needs Python 3.11+; Node for the page's tests.
#
#   ./tests/run.sh                 the quick ones: ruff, mypy, the page's modules, unit, contract, architecture, main_path
#   ./tests/run.sh rest            what CI runs after them: start, live, uploads, faults, hosts, tenants, ops, deploy, page, differential, examples, schema
#   ./tests/run.sh uploads         one suite: a folder of tests/ or tests/system/, without its slow tests
#   ./tests/run.sh unit/web        a part of one
#   ./tests/run.sh lint            ruff and mypy
#   ./tests/run.sh page            the page's modules, in Node: types and tests
#
# On demand, with their slow tests:
#
#   ./tests/run.sh page-all        the page in Chromium: slow lines, restarts, a hundred files
#   ./tests/run.sh fuzz            damaged and hostile images
#   ./tests/run.sh differential    random files of every kind against Chromium and libvips: an hour (DIFFERENTIAL_MINUTES, DIFFERENTIAL_SEED)
#   ./tests/run.sh schema          the served description against answers, by schemathesis: ten minutes (SCHEMA_EXAMPLES, SCHEMA_SEED)
#   ./tests/run.sh load            hundreds of clients, slow ones too, a thousand cut connections, restarts under two hundred jobs, dead peers
#   ./tests/run.sh soak            an hour of mixed good and hostile traffic (SOAK_MINUTES): no 500, nothing grows
#   ./tests/run.sh autobahn        Autobahn's WebSocket suite (Python 2.7 is needed; it is installed into var/)
#   ./tests/run.sh faults          processes killed and disks filled while they work
#   ./tests/run.sh supply_chain    the locked packages against the advisories that the package index knows (-rs tells what was not checked)
#   ./tests/run.sh tenants         two tenants and an operator take 10 000 random steps (TENANT_STEPS): nobody sees anything of another
#   ./tests/run.sh hosts           a thousand random faults on hosts of network namespaces, under load (HOST_FAULTS, HOST_SEED, HOST_S3); needs root
#   ./tests/run.sh ops             operation under load: reloads, recycling, metrics to the last one, each setting's effect
#
# What follows the name goes to pytest: ./tests/run.sh unit/core -k progress. With CI=true a missing component fails instead of being skipped.
set -Eeuo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

venv=tests/.venv
durations=(--durations=10 --durations-min=2)
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
  [[ -f tests/page/package.json ]] || return 0
  [[ ! tests/page/package-lock.json -nt tests/page/node_modules/.package-lock.json ]] && return 0
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

# One half of the tests runs beside the other, since both wait a lot. What it printed is shown after the other's.
beside() {
  make_temporary
  beside_log=$(mktemp)
  set -m # a group of its own: else it would not hear Ctrl-C
  "$venv/bin/python" -m pytest --basetemp="$temporary/b" "${durations[@]}" "$@" </dev/null >"$beside_log" 2>&1 &
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
  "$venv/bin/python" -m pytest --basetemp="$temporary/p" "${durations[@]}" "$@" || code=$?
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
  say "Took $((SECONDS / 60)):$(printf %02d $((SECONDS % 60))) minutes"
  exit "$code"
}

suites() { printf '%s\n' tests/*/ tests/system/*/ | grep -vE '/(system|fakes|support|page|artifacts|__pycache__)/$|^tests/page/' | sed 's,^tests/\(system/\)\?,,; s,/$,,' | xargs; }

# The folder of a suite: below tests/system/ the name alone is enough.
folder() {
  local place
  for place in "tests/$1" "tests/system/$1"; do
    if [[ $1 =~ ^[a-z_]+(/[a-z_]+)*$ && -d $place && $place != tests/page ]]; then
      echo "$place"
      return
    fi
  done
  fail "There is no suite “$1”. Use: ./tests/run.sh [rest|lint|page|page-all|fuzz|differential|schema|load|soak|autobahn|faults|tenants|supply_chain|ops|hosts], or one of: $(suites)" 2
}

suite=${1:-quick}
shift || true
case $suite in
  quick)
    set_up_python
    lint
    page
    beside tests/system/main_path tests/unit/server -m 'not slow' "$@"
    pytest tests/unit tests/contract tests/architecture --ignore tests/unit/server -m 'not slow' "$@"
    ;;
  rest)
    set_up_python
    step "the page's packages" set_up_node
    beside tests/system/page tests/system/live tests/system/load -m 'not slow' "$@"
    pytest tests/system/start tests/system/uploads tests/system/faults tests/system/hosts tests/system/tenants tests/system/ops tests/system/deploy tests/system/differential tests/system/versions tests/system/examples \
      tests/system/schema -m 'not slow' "$@"
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
    pytest tests/system/page -m 'slow or not slow' "$@"
    ;;
  fuzz | differential | autobahn | schema | soak)
    set_up_python
    pytest "tests/system/$suite" -m slow -s "$@"
    ;;
  load)
    set_up_python
    pytest tests/system/load tests/system/live -m 'slow or not slow' "$@"
    ;;
  tenants)
    set_up_python
    TENANT_STEPS=${TENANT_STEPS:-10000} pytest tests/system/tenants -s "$@"
    ;;
  faults | ops | hosts)
    set_up_python
    pytest "tests/system/$suite" -m 'slow or not slow' "$@"
    ;;
  *)
    place=$(folder "$suite")
    set_up_python
    pytest "$place" -m 'not slow' "$@"
    ;;
esac
if ((${#failed[@]})); then fail "failed: $(IFS=,; echo "${failed[*]}")"; fi
