"""Memory that every worker would spend on what none of them does: python-socketio and python-engineio import, with their servers, the clients
too, and these all that they could speak with. Each treats a package that cannot be imported as one that is not installed.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

CLIENTS_ONLY = ("aiohttp", "requests", "valkey")
"""15 MiB and a fifth of a second in each worker."""


@contextmanager
def without_clients() -> Iterator[None]:
    """What is imported inside finds none of ``CLIENTS_ONLY``; who imports them later (an exporter of traces) does."""
    hidden = [name for name in CLIENTS_ONLY if name not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]  # None: the import system's own word for what is not to be found
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]
