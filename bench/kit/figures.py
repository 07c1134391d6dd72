"""The arithmetic of the tables: ratios within a round, medians over rounds. Pure; ``tests/benchmarks`` holds it."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Spread:
    median: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{_short(self.median)} ({_short(self.low)}–{_short(self.high)})" if self.low != self.high else _short(self.median)


def spread(values: Sequence[float]) -> Spread:
    return Spread(statistics.median(values), min(values), max(values))


def ratios(values: Sequence[float], standard: Sequence[float]) -> Spread:
    """Each round's value by that of the standard in the same round."""
    return spread([one / other for one, other in zip(values, standard, strict=True)])


def percentile(values: Sequence[float], percent: float) -> float:
    """The least value that so many percent do not exceed (nearest rank)."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)]


def work_done(done: Sequence[tuple[int, float, float, int]], costs: Sequence[float], seconds: float) -> float:
    """Work within the first ``seconds``: each request's cost, by the share of its span that lies within. ``done``: (number, begin, end, bytes)."""
    return sum(costs[number] * max(0.0, min(1.0, (seconds - begin) / (end - begin))) for number, begin, end, _ in done if end > begin)


def steady_rate(done: Sequence[tuple[int, float, float, int]], costs: Sequence[float], workers: int) -> float:
    """Work a second of a service that never lacks requests: between the first answer and the last one while there was still a request for each
    of ``workers``. Requests that wait in a queue count for nothing, and those at work at either end by their share: each was begun, about, as
    long before its answer as it takes (``costs``, in seconds)."""
    ended = sorted((end, costs[number]) for number, _begin, end, _bytes in done)
    if len(ended) <= workers:
        return 0.0
    first, last = ended[0][0], ended[-workers][0]
    return sum(max(0.0, min(end, last) - max(end - cost, first)) for end, cost in ended) / (last - first)


def costs(done: Sequence[tuple[int, float, float, int]]) -> list[float]:
    """What each picture takes, in seconds: the mean of its spans. In these, work means the same whatever the mix of pictures."""
    spans: dict[int, list[float]] = {}
    for number, begin, end, _bytes in done:
        spans.setdefault(number, []).append(end - begin)
    return [statistics.mean(spans[number]) for number in range(len(spans))]


def _short(value: float) -> str:
    if value == 0:
        return "0"
    digits = max(0, 2 - math.floor(math.log10(abs(value)))) if abs(value) < 100 else 0
    return f"{value:.{min(digits, 3)}f}"
