"""What a file says beside its pixels."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Notes:
    """Empty bytes where the file has nothing, or nothing that can be read.

    ``profile`` is the ICC profile of the pixels, given by the file or made from what it says of its colours. ``exif`` begins with the TIFF
    header, ``xmp`` is the packet, ``iptc`` the IIM datasets. ``extras`` names what no output can hold: ``gain_map``, ``c2pa``.
    """

    profile: bytes = b""
    exif: bytes = b""
    xmp: bytes = b""
    iptc: bytes = b""
    extras: frozenset[str] = frozenset()
