"""The directory that the workers of one Gunicorn share: for their counters, and for the sockets by which they hand connections over."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

RUN_DIR = "GATEWAY_RUN_DIR"
WORKERS_DIR = "GATEWAY_WORKERS_DIR"

SOCKET_SUFFIX = ".sock"
SOCKET_NAME_CHARACTERS = 16
"""A worker's boot id, which names its socket."""
SOCKET_PATH_BYTES = 100
"""``sun_path`` holds 108 bytes on Linux and 104 on macOS."""


def lasting_dir() -> Path | None:
    """A directory that outlives every worker: the supervisor's, or the one that ``gunicorn.conf.py`` made. None where there is neither."""
    given = os.environ.get(WORKERS_DIR) or os.environ.get(RUN_DIR)
    return Path(given) if given else None


def run_dir() -> Path:
    """``lasting_dir``, or else one that is named after the Gunicorn master; made if needed.

    Raises ``RuntimeError`` where it is not private to this user, or its path is too long for a unix socket.
    """
    given = lasting_dir()
    path = given or _temporary_dir() / f"webp-gateway-{os.geteuid()}-{os.getppid()}"
    path.mkdir(mode=0o700, parents=given is not None, exist_ok=True)
    state = path.lstat()
    if not path.is_dir() or path.is_symlink() or state.st_uid != os.geteuid() or state.st_mode & 0o077:
        raise RuntimeError(f"{path} must be a directory of this user alone (mode 0700); set {RUN_DIR} to one")
    longest = SOCKET_PATH_BYTES - 1 - SOCKET_NAME_CHARACTERS - len(SOCKET_SUFFIX)
    if len(os.fsencode(path)) > longest:
        raise RuntimeError(f"{path} is too long for a unix socket; set {RUN_DIR} to a path of at most {longest} bytes")
    return path


def _temporary_dir() -> Path:
    chosen = Path(tempfile.gettempdir())
    return chosen if len(os.fsencode(chosen)) <= 40 else Path("/tmp")
