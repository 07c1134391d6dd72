"""Files made to hurt: bombs, floods and nonsense, built in memory."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png(width: int, height: int, *chunks: bytes, depth: int = 8, kind: int = 0, data: bytes = b"") -> bytes:
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + b"".join(chunks) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def zeros(count: int) -> bytes:
    packer, parts = zlib.compressobj(9), []
    for _ in range(count >> 20):
        parts.append(packer.compress(bytes(1 << 20)))
    return b"".join(parts) + packer.compress(bytes(count & (1 << 20) - 1)) + packer.flush()


def flat_png(width: int, height: int) -> bytes:
    """One bit a pixel: 49 megapixels in 6 kB, 268 in 33 kB."""
    return png(width, height, depth=1, data=zeros((width // 8 + 1) * height))


def text_bomb() -> bytes:
    return png(16, 16, *[chunk(b"zTXt", b"Comment\0\0" + zeros(50 << 20))] * 5, data=zlib.compress(bytes(17 * 16)))


def gif(frames: int, side: int = 500) -> bytes:
    """Every frame a picture of one colour."""
    block = b"\x02\x02\x44\x01\x00"
    frame = b"\x21\xf9\x04\x00\x02\x00\x00\x00" + b"\x2c" + struct.pack("<HHHHB", 0, 0, side, side, 0) + block
    return b"GIF89a" + struct.pack("<HHBBB", side, side, 0x80, 0, 0) + bytes(6) + frame * frames + b";"


def tiff(width: int, height: int, rows_per_strip: int, strips: int) -> bytes:
    entries = [(256, 4, 1, width), (257, 4, 1, height), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1)]
    entries += [(273, 4, strips, 8), (277, 3, 1, 1), (278, 4, 1, rows_per_strip), (279, 4, strips, 8)]
    directory = struct.pack("<H", len(entries)) + b"".join(struct.pack("<HHII", *each) for each in entries) + bytes(4)
    return b"II*\0\x08\0\0\0" + directory


def webp_flood(count: int) -> bytes:
    frames = (b"ANMF" + struct.pack("<I", 0)) * count
    body = b"WEBPVP8X" + struct.pack("<I", 10) + bytes([2, 0, 0, 0]) + bytes(6) + frames
    return b"RIFF" + struct.pack("<I", len(body)) + body


SLOW_TO_WALK: dict[str, Callable[[], bytes]] = {
    "gif of one-byte blocks": lambda: gif(0)[:-1] + b"\x21\xfe" + b"\x01\x00" * (32 << 20),
    "gif of full blocks": lambda: gif(0)[:-1] + b"\x21\xfe" + (b"\xff" + bytes(255)) * (1 << 18),
    "gif of blocks of 254": lambda: gif(0)[:-1] + b"\x21\xfe" + (b"\xfe" + bytes(254)) * (1 << 18),
    "gif of empty extensions": lambda: gif(0)[:-1] + b"\x21\xfe\x00" * (21 << 20),
    "png of empty chunks": lambda: png(9, 9)[:33] + chunk(b"teXt", b"") * (5 << 20),
    "png of distant chunks": lambda: png(9, 9)[:33] + chunk(b"teXt", bytes(8000)) * (8 << 10),
    "jpeg of fill bytes": lambda: b"\xff\xd8" + b"\xff" * (64 << 20),
    "jpeg of zeros": lambda: b"\xff\xd8\xff" + bytes(64 << 20),
    "jpeg of empty segments": lambda: b"\xff\xd8" + b"\xff\xe0\x00\x02" * (16 << 20),
    "jpeg of bare markers": lambda: b"\xff\xd8" + b"\xff\xd0" * (32 << 20),
    "webp of empty frames": lambda: webp_flood(8 << 20),
    "webp of empty chunks": lambda: webp_flood(1).replace(b"ANMF", b"JUNK" * 1)[:30] + (b"JUNK" + bytes(4)) * (8 << 20),
    "tiff of 65535 entries": lambda: b"II*\0\x08\0\0\0\xff\xff" + bytes(64 << 20),
    "heif of tiny boxes": lambda: b"\0\0\0\x18ftypheicheic" + bytes(8) + b"\0\0\0\x08free" * (8 << 20),
    "heif of boxes without end": lambda: b"\0\0\0\x18ftypheicheic" + bytes(8) + b"\0\0\0\x00free" * (8 << 20),
    "ico of 255 distant pictures": lambda: b"\0\0\1\0\xff\0" + b"".join(bytes(12) + struct.pack("<I", n << 17) for n in range(255)) + bytes(60 << 20),
}
