"""Saves memory in each worker: python-socketio and python-engineio import their clients with their servers, and the packages that clients need.

Both treat a package that cannot be imported as one that is not installed. So some packages are hidden while the two are imported.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

CLIENTS_ONLY = ("aiohttp", "requests", "valkey")
"""15 MiB and a fifth of a second in each worker."""


@contextmanager
def without_clients() -> Iterator[None]:
    """Imports inside do not find ``CLIENTS_ONLY``. Later imports do: an exporter of traces needs ``requests``."""
    hidden = [name for name in CLIENTS_ONLY if name not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]  # None there means: cannot be imported
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]
