"""Shift: what an encoder does upon one message. Job after job while any wait; then it rests a while, where the bell reaches it at once.

So a full queue costs no message a job, and a job that comes soon after another is in an encoder's hands without one. What is said at the bell
is a hint like a message: nothing depends on it but time.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from backend import errors
from backend.ports.encoders import Bell, Encoders

log = logging.getLogger(__name__)
SHIFT_S = 30.0
"""No job is begun later; then the message is answered and whoever sends messages decides anew."""
REST_S = 10.0
LOOK_UP_S = 0.2
"""While it rests, an encoder looks this often whether it is to leave."""
Rise = Callable[[], None]


class Shift:
    """``encode_next`` does one job and says whether there was one; ``encode_at_bell`` the same after so long at most, or whether it was rung, and is
    given what to call before a job for which it was not. ``is_leaving``: whether the encoders are being stopped."""

    def __init__(
        self,
        name: str,
        encode_next: Callable[[], bool],
        encode_at_bell: Callable[[float, Rise], bool],
        bell: Bell,
        encoders: Encoders,
        is_leaving: Callable[[], bool],
    ) -> None:
        self._name, self._encode_next, self._encode_at_bell = name, encode_next, encode_at_bell
        self._bell, self._encoders, self._is_leaving = bell, encoders, is_leaving

    def work(self, seconds: float = SHIFT_S, rest_s: float = REST_S) -> None:
        """A message that finds nothing to do is answered at once: those that are left of a long queue must not be rested over one by one."""
        end_s = time.monotonic() + seconds
        try:
            if not self._encode_next():
                return
            while time.monotonic() < end_s and not self._is_leaving():
                if not self._encode_next() and not self._rest(min(end_s, time.monotonic() + rest_s)):
                    return
        except errors.BackendUnavailable as error:
            log.warning("the shift of encoder %s ends, for the queue is out of reach: %s", self._name, error.private)

    def _rest(self, until_s: float) -> bool:
        """Whether there was something to do. It says that it rests before it looks for the last time, so that no job falls between."""
        self._bell.rest(self._name, LOOK_UP_S)
        has_done_one = self._encode_next()
        while not has_done_one and time.monotonic() < until_s and not self._is_leaving():
            self._bell.rest(self._name, LOOK_UP_S)
            if self._encode_at_bell(LOOK_UP_S, self._rise):
                return True
        self._rise()
        return has_done_one

    def _rise(self) -> None:
        unanswered = self._bell.rise(self._name)
        if unanswered:
            self._encoders.wake(unanswered)
