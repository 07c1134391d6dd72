"""How often a picture may be encoded in its time, and at which speed; and the encodes themselves, each announced with what it will cost."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from backend.codec.encoders import quality_search
from backend.codec.encoders.auto_quality import SCORE_MS_A_MEGAPIXEL
from backend.codec.encoders.encoder import EncodeProgress, Facts
from backend.codec.encoders.quality import share_of_pass
from backend.core import encode_time
from backend.core.options import Options

AUTO_PASSES, TARGET_PASSES = 2, 4
"""The fewest that a search for a score, and for a size, is worth. They are made at a higher speed where the one asked for leaves no time."""
SEARCH_SHARE = 0.8
"""Of the time that is left, for all passes of a search: what each will cost is a forecast."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """So many passes at most, at this ``speed``, of ``pass_s`` seconds of processor time each."""

    speed: int
    pass_s: float
    max_passes: int

    @property
    def is_search(self) -> bool:
        return self.max_passes > 1

    def facts(self, options: Options) -> Facts:
        """The speed that a search is made at, where that is not the one asked for."""
        return {} if self.speed == options.speed else {"speed": self.speed}


def schedule(options: Options, encode_s: float, width: int, pixels: int, limit_s: float) -> Schedule:
    """``encode_s`` is forecast for one encode. Raises ``InvalidOption`` where not even the fewest passes fit into ``limit_s``."""
    least = AUTO_PASSES * (options.quality == "auto") + TARGET_PASSES * (options.target_bytes is not None)
    if not least:
        if encode_s > limit_s:
            raise encode_time.too_slow(encode_s, options.speed, width, limit_s)
        return Schedule(options.speed, encode_s, 1)
    score_s = SCORE_MS_A_MEGAPIXEL * pixels / 1e9 if options.quality == "auto" else 0.0
    room_s = SEARCH_SHARE * limit_s
    speed = encode_time.speed_within(encode_s, options.speed, room_s / least - score_s)
    if speed is None:
        raise encode_time.too_slow(least * encode_s, options.speed, width, limit_s)
    pass_s = encode_time.at_speed(encode_s, options.speed, speed) + score_s
    return Schedule(speed, pass_s, min(quality_search.MAX_PASSES, int(room_s / pass_s)))


@dataclass(slots=True)
class Passes:
    """``encode`` at a whole quality, called once for each, and announced. ``from_share``: so much of the work is done before the first.

    Raises ``OutOfTime`` where another pass, as slow as the slowest so far, would not end within ``progress.limit_s``: the machine may be busy.
    """

    encode: Callable[[int], bytes]
    planned: Schedule
    progress: EncodeProgress
    from_share: float = 0.0
    _made: dict[int, bytes] = field(default_factory=dict)
    _began_s: float = field(default_factory=time.monotonic)
    _slowest_s: float = 0.0

    def __call__(self, quality: float) -> bytes:
        chosen = round(quality)
        if chosen not in self._made:
            self._made[chosen] = self._announced(chosen)
        return self._made[chosen]

    def _announced(self, chosen: int) -> bytes:
        begins_s = time.monotonic()
        if self._made and begins_s - self._began_s + self._slowest_s > self.progress.limit_s:
            raise quality_search.OutOfTime
        done, is_search = len(self._made), self.planned.is_search
        until_share = share_of_pass(done, 1.0) if is_search else 1.0
        self.progress.announce(share_of_pass(done, 0.0) if is_search else self.from_share, until_share, self.planned.pass_s)
        data = self.encode(chosen)
        self._slowest_s = max(self._slowest_s, time.monotonic() - begins_s)
        return data
