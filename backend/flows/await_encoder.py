"""Await an encoder: how long a request that waits for its image goes on waiting while no encoder is there that could convert it."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from backend import errors
from backend.core.protocol import range_of
from backend.flows.context import Context

PATIENCE_S = 15.0
"""Longer than encoders take to start again, and shorter than clients and proxies wait for an answer."""
LOOK_EVERY_S = 1.0
RETRY_S = 5


@dataclass(slots=True)
class EncoderWatch:
    """``needs``: the protocol that the encoder must speak."""

    context: Context
    needs: int
    _seen_s: float = field(init=False)
    _looked_s: float = field(init=False, default=-math.inf)

    def __post_init__(self) -> None:
        self._seen_s = self.context.clock()

    def is_hopeless(self) -> bool:
        """Whether there was none for ``PATIENCE_S``. While Redis is away nothing is known, which counts as before."""
        now = self.context.clock()
        if now - self._looked_s >= LOOK_EVERY_S:
            self._looked_s = now
            try:
                if any(range_of(each).newest >= self.needs for each in self.context.presence.encoders()):
                    self._seen_s = now
            except errors.BackendUnavailable:
                self._seen_s = now
        return now - self._seen_s >= PATIENCE_S

    def error(self) -> errors.BackendUnavailable:
        return errors.BackendUnavailable("no_encoder", part="encoders", seconds=round(PATIENCE_S), retry_after_s=RETRY_S)
