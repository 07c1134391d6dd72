"""Saves memory in each worker: python-socketio and python-engineio import their clients along with their servers, and with the clients much else.

Each of them treats a package that cannot be imported as one that is not installed. Only while they are imported, some packages are hidden.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

CLIENTS_ONLY = ("aiohttp", "requests", "valkey")
"""15 MiB and a fifth of a second in each worker."""


@contextmanager
def without_clients() -> Iterator[None]:
    """Imports inside do not find ``CLIENTS_ONLY``. Later ones do, as that of an exporter of traces."""
    hidden = [name for name in CLIENTS_ONLY if name not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]  # None there means: cannot be imported
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]
