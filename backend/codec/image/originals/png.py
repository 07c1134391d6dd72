"""PNG and APNG: the chunks that decide what is seen (PNG §11.2, §11.3.1–11.3.3; APNG). Text, times and private chunks go."""

from __future__ import annotations

from backend.codec.image.png.chunks import HEAD_BYTES, SIGNATURE_BYTES, SUM_BYTES

_SHOWN = frozenset(b"IHDR PLTE IDAT IEND tRNS cHRM gAMA iCCP sBIT sRGB cICP mDCV cLLI bKGD hIST pHYs acTL fcTL fdAT".split())


def png_parts(data: memoryview) -> list[bytes | memoryview] | None:
    """None where the file does not end with IEND, and has what follows it."""
    parts: list[bytes | memoryview] = [data[:SIGNATURE_BYTES]]
    at = SIGNATURE_BYTES
    while at + HEAD_BYTES <= len(data):
        kind = bytes(data[at + 4 : at + HEAD_BYTES])
        end = at + HEAD_BYTES + int.from_bytes(data[at : at + 4], "big") + SUM_BYTES
        if kind in _SHOWN:
            parts.append(data[at:end])
        if kind == b"IEND":
            return parts
        at = end
    return None
