"""What one client may have at a time or in a day: the share that leaves room for others."""

from __future__ import annotations

from dataclasses import dataclass

GIB = 1 << 30


@dataclass(frozen=True, slots=True)
class ClientLimits:
    """The operator's limits on one client, which is an API key, or an address where there are no keys (``GATEWAY_CLIENT_…``).

    ``jobs`` are under way at once, ``bytes_per_day`` are received from it, ``uploads`` are resumable uploads that are not finished.
    """

    jobs: int = 500
    bytes_per_day: int = 20 * GIB
    uploads: int = 200


ADMITTED = ClientLimits(jobs=1 << 53)
"""For a job whose upload was admitted earlier: it is made, however many jobs its client has by now."""
