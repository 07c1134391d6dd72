"""A response in slices, so that the write timeout limits how slowly a client reads, and not how much it is sent.

gevent's ``sendall`` has one timeout for all of its bytes. A body of 10 MB in one piece would need a fast reader to arrive.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

SLICE_BYTES = 64 * 1024


class SlicedResponse:
    """A WSGI response whose large items are cut up. ``on_slice`` gets the size of each slice before it is sent."""

    def __init__(self, response: Iterable[bytes], on_slice: Callable[[int], None] = lambda size: None) -> None:
        self._response, self._on_slice = response, on_slice

    def __iter__(self) -> Iterator[bytes]:
        for item in self._response:
            for piece in _slices(item):
                self._on_slice(len(piece))
                yield piece

    def close(self) -> None:
        close_response(self._response)


def _slices(item: bytes) -> Iterator[bytes]:
    if len(item) <= SLICE_BYTES:
        yield item
        return
    with memoryview(item) as whole:
        for start in range(0, len(whole), SLICE_BYTES):
            yield bytes(whole[start : start + SLICE_BYTES])


def close_response(response: Any) -> None:
    """As PEP 3333 asks: ``close`` is called where there is one."""
    close = getattr(response, "close", None)
    if close is not None:
        close()
