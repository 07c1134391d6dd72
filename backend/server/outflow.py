"""What goes out: a response in slices, so that a write timeout measures progress and not the size of what is sent.

gevent's ``sendall`` has one timeout for all its bytes; a 10 MB body in one piece would need a fast reader to survive it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from gunicorn.http.wsgi import FileWrapper

SLICE_BYTES = 64 * 1024


class Sliced:
    """A WSGI response whose large items are cut up."""

    def __init__(self, response: Iterable[bytes]) -> None:
        self._response = response

    def __iter__(self) -> Iterator[bytes]:
        for item in self._response:
            if len(item) <= SLICE_BYTES:
                yield item
                continue
            with memoryview(item) as whole:
                yield from (bytes(whole[start : start + SLICE_BYTES]) for start in range(0, len(whole), SLICE_BYTES))

    def close(self) -> None:
        close_response(self._response)


def sliced(response: Iterable[bytes]) -> Iterable[bytes]:
    """A file goes by ``sendfile``, which sends in small blocks by itself."""
    return response if isinstance(response, FileWrapper) else Sliced(response)


def close_response(response: Any) -> None:
    close = getattr(response, "close", None)
    if close is not None:
        close()
