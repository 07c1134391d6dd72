#!/usr/bin/env bash
# Sets up and runs the gateway. Needs Python 3.11+ and nothing else.
#
#   ./start.sh             everything on this machine
#   ./start.sh gateway     one role, on a machine of a cluster; likewise: encoder, redis
#   ./start.sh --help      the other commands
#
# What is said here stands in both languages and not in backend/texts: it is needed where there is no Python to read them.
set -Eeuo pipefail
called_from=$PWD
cd "$(dirname "${BASH_SOURCE[0]}")"

# In the language of the locale; in both where it names neither.
fail() {
  case ${LC_ALL:-${LC_MESSAGES:-${LANG:-}}} in
    en*) printf '%s\n' "$1" >&2 ;;
    zh*) printf '%s\n' "$2" >&2 ;;
    *) printf '%s %s\n' "$1" "$2" >&2 ;;
  esac
  exit 1
}

# A whole one first; then one that lacks what Debian has in packages of their own, for the advice that it gives.
find_python() {
  local needs candidate found=''
  if [[ ${PYTHON:-} ]]; then
    "$PYTHON" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && command -v "$PYTHON" && return
    found=$("$PYTHON" -c 'import sys; print("Python %d.%d.%d" % sys.version_info[:3])' 2>&1 | tail -n 1) || true
    fail "PYTHON=$PYTHON is no Python 3.11 or newer: ${found:-it cannot be run}. Name another one, or leave PYTHON out." \
      "PYTHON=$PYTHON 不是 Python 3.11 或更新版本：${found:-无法运行}。请另行指定，或不设置 PYTHON。"
  fi
  for needs in 'import ensurepip, ssl, sys, venv' 'import sys'; do
    for candidate in python3 python3.13 python3.12 python3.11 python3.14 python; do
      "$candidate" -c "$needs; sys.exit(sys.version_info < (3, 11))" 2>/dev/null && command -v "$candidate" && return
    done
  done
  for candidate in python3 python; do
    found+=$("$candidate" -c 'import sys; print("%s %d.%d.%d, " % ((sys.executable,) + tuple(sys.version_info[:3])))' 2>/dev/null) || true
  done
  found=${found%, }
  local how='apt-get install python3, dnf install python3.12, brew install python@3.13, https://www.python.org/downloads/'
  fail "Python 3.11 or newer is needed and was not found${found:+ (found: $found)}. Install it ($how), or name it: PYTHON=/path/to/python3 ./start.sh" \
    "需要 Python 3.11 或更新版本，但未找到${found:+（现有：$found）}。请安装（$how），或指定：PYTHON=/path/to/python3 ./start.sh"
}

case $OSTYPE in
  msys* | cygwin* | win32*)
    fail 'The gateway runs on Linux and macOS. On Windows, run it inside WSL 2: https://learn.microsoft.com/windows/wsl/install' \
      '网关在 Linux 与 macOS 上运行。在 Windows 上请于 WSL 2 中运行：https://learn.microsoft.com/windows/wsl/install'
    ;;
esac

# A child of the supervisor finds everything set up and checked.
if [[ -z ${GATEWAY_SUPERVISED:-} ]]; then
  if ! .venv/bin/python -S -m backend.installation --is-whole 2>/dev/null; then
    python=$(find_python)
    exec "$python" -m backend.installation "$called_from" "$@"
  fi
  case ${1:-} in
    setup) if (($# == 1)); then exit 0; fi ;;
    gateway) if (($# == 1)); then .venv/bin/python -m backend check gateway; fi ;;
    key)
      # Paths that are given count from where the command was called.
      root=$PWD
      cd "$called_from"
      PYTHONPATH=$root exec "$root/.venv/bin/python" -P -m backend "$@"
      ;;
  esac
fi

if [[ ${1:-} == gateway && $# == 1 ]]; then
  # One role alone: Redis and encoders are somewhere else.
  export GATEWAY_SUPERVISED=${GATEWAY_SUPERVISED:-no}
  exec .venv/bin/python -m gunicorn --config gunicorn.conf.py \
    --worker-class backend.server.worker.BoundedGeventWebSocketWorker \
    --worker-connections "${GUNICORN_WORKER_CONNECTIONS:-2000}" \
    run:app
fi
exec .venv/bin/python -m backend "$@"
