"""What a process does while its S3 service is silent: one call at a time finds out whether it answers again, all others fail at once.

Without it, every thread of a gateway would hang in a call of its own, and requests would wait for a thread besides.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import ConnectTimeoutError, ReadTimeoutError

from backend import errors

SILENT = (ConnectTimeoutError, ReadTimeoutError)
TRIAL_S = 30.0
"""Longer than a call to a silent service takes (``bucket.CONFIG``): a trial that has not ended by then counts no more."""


class Circuit:
    """Shared by the threads of one process. Two that come at the same instant may both try; that does no harm."""

    def __init__(self) -> None:
        self._is_silent = False
        self._trial_until_s = 0.0

    @contextmanager
    def call(self) -> Iterator[None]:
        """Raises ``BackendUnavailable`` at once while another call finds out."""
        if self._is_silent:
            if time.monotonic() < self._trial_until_s:
                raise errors.BackendUnavailable(part="store", retry_after_s=5, private="the service did not answer a moment ago")
            self._trial_until_s = time.monotonic() + TRIAL_S
        try:
            yield
        except SILENT:
            self._is_silent, self._trial_until_s = True, 0.0
            raise
        except errors.GatewayError:  # of a call within this one, which has noted what it met
            raise
        except Exception:
            self._is_silent = False
            raise
        self._is_silent = False
