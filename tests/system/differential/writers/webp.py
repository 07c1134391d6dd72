"""WebP files (RFC 9649): the container is ours, the picture data libwebp's, made as stills."""

from __future__ import annotations

import io
import struct

import numpy
from PIL import Image

from tests.system.differential.writers import exif, icc
from tests.system.differential.writers.sample import Bytes, Chance, Sample

HAS_ICC, HAS_ALPHA, HAS_EXIF, IS_ANIMATED = 0x20, 0x10, 0x08, 0x02
DURATIONS_MS = (0, 1, 10, 11, 20, 50, 100, 333, 5000)


def webp_still(seed: str) -> Sample:
    chance = Chance(seed)
    width, height = chance.number(1, 60), chance.number(1, 60)
    payload, has_alpha = _payload(chance, width, height)
    if chance.happens(0.3):
        is_simple = b"ALPH" not in (name for name, _ in payload)
        return chance.sample(_file(*payload) if is_simple else _extended(payload, width, height, HAS_ALPHA))
    flags, before, after = has_alpha * HAS_ALPHA, [], []
    if chance.gets("iccp", 0.3):
        flags |= HAS_ICC
        before.append((b"ICCP", icc.rgb_profile(chance.one_of(*icc.PRIMARIES), chance.one_of(1.8, 2.2))))
    if chance.gets("exif-orientation", 0.3):
        flags |= HAS_EXIF
        after.append((b"EXIF", chance.one_of(b"", b"Exif\0\0") + exif.orientation(chance.number(1, 8))))
    return chance.sample(chance.damaged(_extended([*before, *payload, *after], width, height, flags), 0.02))


def webp_animated(seed: str) -> Sample:
    chance = Chance(seed)
    width, height = chance.number(1, 40), chance.number(1, 40)
    profile = [(b"ICCP", icc.rgb_profile(chance.one_of(*icc.PRIMARIES), chance.one_of(1.8, 2.2)))] if chance.gets("iccp", 0.15) else []
    parts, is_clear = [*profile, (b"ANIM", chance.bytes(4) + struct.pack("<H", chance.one_of(0, 0, 1, 2, 3, 1000)))], False
    for _ in range(chance.one_of(1, 2, 2, 3, 3, 4, 5, 8)):
        frame, has_alpha = _frame(chance, width, height)
        parts.append((b"ANMF", frame))
        is_clear = is_clear or has_alpha
        if chance.happens(0.05):
            parts.append((b"ABCD", chance.bytes(chance.number(0, 20))))
    flags = IS_ANIMATED | (HAS_ALPHA if is_clear else 0) | (HAS_ICC if profile else 0)
    return chance.sample(chance.damaged(_extended(parts, width, height, flags), 0.02))


def _frame(chance: Chance, canvas_width: int, canvas_height: int) -> tuple[bytes, bool]:
    """§2.7.1.1: offsets are even."""
    left, top, width, height = 0, 0, canvas_width, canvas_height
    if chance.happens(0.7):
        left, top = 2 * chance.number(0, (canvas_width - 1) // 2), 2 * chance.number(0, (canvas_height - 1) // 2)
        width, height = chance.number(1, canvas_width - left), chance.number(1, canvas_height - top)
    payload, has_alpha = _payload(chance, width, height)
    head = b"".join(_three(each) for each in (left // 2, top // 2, width - 1, height - 1, chance.one_of(*DURATIONS_MS)))
    return head + bytes([chance.number(0, 3)]) + b"".join(_chunk(*each) for each in payload), has_alpha


def _payload(chance: Chance, width: int, height: int) -> tuple[list[tuple[bytes, bytes]], bool]:
    """The chunks of a still picture, without its container; and whether it has alpha."""
    pixels = _rgba(chance, width, height)
    has_alpha = bool(pixels[..., 3].min() < 255)
    is_lossless = chance.gets("lossless", 0.5) or not chance.gets("lossy", 1)
    out = io.BytesIO()
    picture = Image.fromarray(pixels if has_alpha else numpy.ascontiguousarray(pixels[..., :3]))
    picture.save(out, "WEBP", lossless=is_lossless, quality=chance.number(0, 100), method=chance.number(0, 4), exact=chance.happens(0.5))
    return [each for each in _chunks(out.getvalue()) if each[0] in (b"VP8 ", b"VP8L", b"ALPH")], has_alpha


def _rgba(chance: Chance, width: int, height: int) -> Bytes:
    return numpy.concatenate([chance.picture(width, height, 3), chance.alpha(width, height)], 2)


def _chunks(data: bytes) -> list[tuple[bytes, bytes]]:
    found, at = [], 12
    while at + 8 <= len(data):
        name, size = struct.unpack("<4sI", data[at : at + 8])
        found.append((name, data[at + 8 : at + 8 + size]))
        at += 8 + size + size % 2
    return found


def _extended(parts: list[tuple[bytes, bytes]], width: int, height: int, flags: int) -> bytes:
    return _file((b"VP8X", struct.pack("<I", flags) + _three(width - 1) + _three(height - 1)), *parts)


def _file(*parts: tuple[bytes, bytes]) -> bytes:
    body = b"WEBP" + b"".join(_chunk(*each) for each in parts)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def _chunk(name: bytes, data: bytes) -> bytes:
    return name + struct.pack("<I", len(data)) + data + bytes(len(data) % 2)


def _three(value: int) -> bytes:
    return struct.pack("<I", value)[:3]
