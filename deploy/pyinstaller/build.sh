#!/usr/bin/env bash
# Builds the gateway's role as one self-starting executable: deploy/pyinstaller/build.sh [folder for it, default dist]
# It runs on machines with the same or a newer C library than this one. PyInstaller comes with the tests' packages.
set -Eeuo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

python=${PYTHON:-tests/.venv/bin/python}
if ! "$python" -c 'import PyInstaller' 2>/dev/null; then
  echo "PyInstaller was not found for $python. Run ./tests/run.sh lint once, which makes tests/.venv, or name another: PYTHON=…" >&2
  exit 1
fi
target=${1:-dist}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$python" -m PyInstaller --noconfirm --log-level WARN --workpath "$work" --distpath "$target" deploy/pyinstaller/gateway.spec
ls -lh "$target/webp-gateway"
