"""``method=auto``: how much effort an encode gets, by what waits when it begins.

At quality 80, libwebp's method 2 takes less than half of the time of method 4, for a file that is 4 % larger at an equal look (``python -m
bench.codec_effort``). Methods 1 and 0 cost 10 and 20 % of the bytes, and method 3 takes as long as 4: none of them is used.
"""

from __future__ import annotations

from dataclasses import replace

from backend.core.options import AUTO, Options

FULL, EASED = 4, 2
HIGHEST_EASED_QUALITY = 90
"""Above it, less effort saves ever less time, and an equal look costs up to a third more bytes."""


def has_choice(options: Options) -> bool:
    """Whether the effort is the gateway's choice, and not the client's or a format's that has none."""
    return options.method == AUTO


def with_effort(options: Options, waiting: int, encoders: int) -> Options:
    """``options`` with a number for ``method=auto``: as far as less effort brings something, less in a busy hour."""
    return replace(options, method=EASED if is_busy(waiting, encoders) and _may_ease(options) else FULL) if has_choice(options) else options


def is_busy(waiting: int, encoders: int) -> bool:
    """Whether as many jobs wait as there are encoders."""
    return waiting >= max(1, encoders)


def _may_ease(options: Options) -> bool:
    """Without loss, less effort saves no time."""
    if options.lossless is True or options.near_lossless is not None:
        return False
    return options.quality == "auto" or options.quality <= HIGHEST_EASED_QUALITY
