#!/usr/bin/env bash
# Sets up and runs the gateway. Needs Python 3.11+ and nothing else.
#
#   ./start.sh             everything on this machine
#   ./start.sh gateway     one role, on a machine of a cluster; likewise: encoder, redis
#   ./start.sh health      ask from outside whether it is well: exit code 0 or 1; `health encoder` asks for this machine's encoders
#   ./start.sh key NAME    make an API key; `key --help` shows its options
#   ./start.sh setup       only set up
#
# Its own sentences stand here in both languages and not in backend/texts: they are needed where Python or its packages are missing.
set -Eeuo pipefail
called_from=$PWD
cd "$(dirname "${BASH_SOURCE[0]}")"

fail() { printf 'start.sh: %s\n' "$1" >&2; exit "${2:-1}"; }
say() { printf '%s\n' "$1" >&2; }

find_python() {
  local candidate
  for candidate in "${PYTHON:-python3}" python3.13 python3.12 python3.11 python3.14 python; do
    if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      command -v "$candidate"
      return
    fi
  done
  fail 'Python 3.11 or newer is needed and was not found. Install it, or name it: PYTHON=/path/to/python3 ./start.sh 需要 Python 3.11 或更新版本，但未找到。请安装，或指定：PYTHON=/path/to/python3 ./start.sh'
}

lock_of() { cksum <requirements.txt; }

set_up() {
  if [[ -f .venv/.lock && "$(<.venv/.lock)" == "$(lock_of)" ]]; then return; fi
  local python count
  python=$(find_python)
  say "Making .venv with $("$python" --version) …"
  "$python" -m venv --clear .venv \
    || fail 'The virtual environment could not be made. On Debian and Ubuntu: apt-get install python3-venv. 无法创建虚拟环境。Debian 与 Ubuntu 上：apt-get install python3-venv。'
  count=$(grep -c '^[a-z0-9]' requirements.txt)
  say "Installing $count locked packages (about half a minute) …"
  .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-input --require-hashes -r requirements.txt \
    || fail 'The packages could not be installed. Is the package index within reach, and is there disk space? 无法安装软件包。请检查软件源是否可达、磁盘空间是否足够。'
  lock_of >.venv/.lock
}

role=${1:-all}
case $role in
  all | gateway | encoder | redis | health | key | setup) ;;
  *) fail "There is no role “$role”. Use: ./start.sh [gateway|encoder|redis|health|key|setup] 没有“$role”这个角色。" 2 ;;
esac

# A child of the supervisor finds everything set up and checked.
if [[ -z "${GATEWAY_SUPERVISED:-}" ]]; then
  set_up
  case $role in
    all) exec .venv/bin/python -m backend.cli up ;;
    health) exec .venv/bin/python -m backend.cli health "${@:2}" ;;
    key)
      # Paths that are given count from where the command was called.
      root=$PWD
      cd "$called_from"
      PYTHONPATH=$root exec "$root/.venv/bin/python" -P -m backend.cli key "${@:2}"
      ;;
    setup) exit 0 ;;
  esac
  .venv/bin/python -m backend.cli check "$role"
fi

case $role in
  gateway)
    # One role alone: Redis and encoders are somewhere else.
    export GATEWAY_SUPERVISED=${GATEWAY_SUPERVISED:-no}
    exec .venv/bin/python -m gunicorn --config gunicorn.conf.py \
      --worker-class backend.server.worker.BoundedGeventWebSocketWorker \
      --worker-connections "${GUNICORN_WORKER_CONNECTIONS:-2000}" \
      run:app
    ;;
  encoder) exec .venv/bin/python -m backend.cli encoder ;;
  redis) exec .venv/bin/python -m backend.cli redis ;;
esac
