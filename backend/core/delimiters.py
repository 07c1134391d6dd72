"""Where the bytes of a part surely go on, in a form whose parts are delimited by a line break and a mark (RFC 2046 §5.1.1)."""

from __future__ import annotations

LINE_BREAK_BYTES = 2
"""At most: CR LF."""


def sure_bytes(data: bytes | bytearray, size_bytes: int, mark: bytes) -> int:
    """How many of the first ``size_bytes`` are the part's: what comes before ``mark`` and a line break, else before the first line break in the
    end that the mark may follow."""
    found = data.find(mark, 0, size_bytes)
    if found >= 0:
        return max(0, found - LINE_BREAK_BYTES)
    end = max(0, size_bytes - len(mark) - LINE_BREAK_BYTES)
    breaks = (data.find(each, end, size_bytes) for each in (b"\r", b"\n"))
    return min((at for at in breaks if at >= 0), default=size_bytes)
