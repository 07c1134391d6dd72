"""Make ``backend/codec/image/cmyk.icc``, what CMYK means where an image does not say: the device-to-Lab table of libvips' fallback, and nothing else.

    python -m tests.unit.codec.image.make_cmyk_profile backend/codec/image/cmyk.icc        (needs pyvips)

The profile is Graeme W. Gill's "Chemical proof", released by him into the public domain; as it comes it holds the tables for printing too,
and 730 kB of measurements.
"""

from __future__ import annotations

import struct
import sys
from pathlib import Path

import pyvips

KEPT = (b"desc", b"cprt", b"wtpt", b"A2B1")


def main(path: str) -> None:
    whole = bytes(pyvips.Operation.call("profile_load", "cmyk"))
    tags = {}
    for number in range(struct.unpack(">I", whole[128:132])[0]):
        name, offset, size = struct.unpack(">4sII", whole[132 + 12 * number : 144 + 12 * number])
        tags[name] = whole[offset : offset + size]
    table, body, at = b"", b"", 128 + 4 + 12 * (len(KEPT) + 1)
    for name in KEPT:
        data = tags[name] + bytes(-len(tags[name]) % 4)
        table += struct.pack(">4sII", name, at + len(body), len(tags[name]))
        if name == b"A2B1":
            table += struct.pack(">4sII", b"A2B0", at + len(body), len(tags[name]))
        body += data
    profile = bytearray(whole[:128] + struct.pack(">I", len(KEPT) + 1) + table + body)
    profile[0:4] = struct.pack(">I", len(profile))
    Path(path).write_bytes(profile)


if __name__ == "__main__":
    main(sys.argv[1])
