"""JPEG files: libjpeg's data in every form that it writes, and segments of our own around it (ISO/IEC 10918-1 B)."""

from __future__ import annotations

import io
import struct

import numpy
from PIL import Image

from tests.system.differential.writers import exif, icc
from tests.system.differential.writers.jpeg_encoder import Component, encoded
from tests.system.differential.writers.sample import Chance, Sample

SUBSAMPLINGS = ("4:4:4", "4:2:2", "4:2:0")
ADOBE, COMMENT, APP1, APP2, JFIF = 0xEE, 0xFE, 0xE1, 0xE2, 0xE0
FACTORS = (
    *(((1, 1), (1, 1), (1, 1)), ((2, 1), (1, 1), (1, 1)), ((2, 2), (1, 1), (1, 1)), ((1, 2), (1, 1), (1, 1)), ((4, 1), (1, 1), (1, 1))),
    *(((4, 2), (1, 1), (1, 1)), ((2, 2), (2, 1), (2, 1)), ((2, 2), (1, 2), (1, 2)), ((1, 1), (2, 1), (1, 1)), ((2, 1), (2, 1), (2, 1))),
)
XMP_TURN = (
    b'http://ns.adobe.com/xap/1.0/\0<x:xmpmeta xmlns:x="adobe:ns:meta/"><r:RDF xmlns:r="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    b'<r:Description xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="6"/></r:RDF></x:xmpmeta>'
)


def jpeg(seed: str) -> Sample:
    chance = Chance(seed)
    mode = chance.one_of("L", "RGB", "RGB", "RGB", "RGB", "CMYK")
    data = _encoded(chance, mode) if chance.happens(0.6) else _own(chance, mode)
    for kind, body in _segments(chance, mode):
        data = data[:2] + _segment(kind, body) + data[2:]
    if mode == "RGB" and chance.gets("without-jfif", 0.2):
        data = _without(data, JFIF)
    if mode != "L" and chance.gets("adobe-transform-changed", 0.1):
        data = _without(data, ADOBE)
        if chance.gets("adobe-marker", 0.7):
            data = data[:2] + _segment(ADOBE, b"Adobe\0\x64\0\0\0\0" + bytes([chance.number(0, 2)])) + data[2:]
    return chance.sample(_ended(chance, data))


def _encoded(chance: Chance, mode: str) -> bytes:
    chance.note(f"mode-{mode}")
    found = chance.picture(chance.number(1, 90), chance.number(1, 90), len(mode))
    picture = Image.merge(mode, [Image.fromarray(numpy.ascontiguousarray(found[..., each])) for each in range(len(mode))])
    options: dict[str, object] = {"quality": chance.number(20, 100), "progressive": chance.gets("progressive", 0.35), "optimize": chance.happens(0.3)}
    if mode == "RGB":
        options["subsampling"] = chance.one_of(*SUBSAMPLINGS)
        chance.note(f"sampled-{options['subsampling']}")
        options["keep_rgb"] = chance.gets("rgb-components", 0.1)
        if options["keep_rgb"]:
            del options["subsampling"]
    if chance.gets("restart-markers", 0.25):
        options["restart_marker_blocks"] = chance.number(1, 5)
    out = io.BytesIO()
    picture.save(out, "JPEG", **options)
    return out.getvalue()


def _own(chance: Chance, mode: str) -> bytes:
    """Any sampling of each component, within the ten blocks a unit that the standard allows (B.2.3)."""
    chance.note(f"mode-{mode}")
    found = chance.picture(chance.number(1, 70), chance.number(1, 70), len(mode))
    factors = [(1, 1)] * len(mode)
    if mode == "RGB":
        factors = [*chance.one_of(*FACTORS)]
        chance.note("sampled-" + "-".join(f"{across}x{down}" for across, down in factors))
    numbers = (82, 71, 66) if mode == "RGB" and chance.gets("components-r-g-b", 0.1) else range(1, 5)
    components = [
        Component(numpy.ascontiguousarray(found[..., at]), *factors[at], numbers[at])  # the values stand for Y, Cb and Cr
        for at in range(len(mode))
    ]
    restart_every = chance.number(1, 5) if chance.gets("restart-markers", 0.3) else 0
    data = encoded(components, chance.number(2, 60), restart_every, is_interleaved=not chance.gets("scans-apart", 0.2))
    return data[:2] + _segment(ADOBE, b"Adobe\0\x64\0\0\0\0" + bytes([chance.one_of(0, 2)])) + data[2:] if mode == "CMYK" else data


def _segments(chance: Chance, mode: str) -> list[tuple[int, bytes]]:
    found = []
    if chance.gets("exif-orientation", 0.25):
        found.append((APP1, b"Exif\0\0" + exif.orientation(chance.number(0, 9), chance.one_of("<", ">"))))
    if mode != "CMYK" and chance.gets("iccp", 0.25):
        gamma = chance.one_of(1.0, 1.8, 2.2)
        profile = icc.grey_profile(gamma) if mode == "L" else icc.rgb_profile(chance.one_of(*icc.PRIMARIES), gamma)
        half = len(profile) // 2
        pieces = [profile] if chance.happens(0.7) else [profile[:half], profile[half:]]
        found += [(APP2, b"ICC_PROFILE\0" + bytes((number, len(pieces))) + each) for number, each in reversed(list(enumerate(pieces, 1)))]
    if chance.gets("xmp-orientation", 0.1):
        found.append((APP1, XMP_TURN))
    if chance.happens(0.2):
        found.append((COMMENT, chance.bytes(chance.number(0, 90))))
    return found


def _segment(kind: int, body: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, kind, len(body) + 2) + body


def _without(data: bytes, kind: int) -> bytes:
    """Without the segments of one kind."""
    out, at = bytearray(data[:2]), 2
    while data[at + 1] != 0xDA:
        (length,) = struct.unpack(">H", data[at + 2 : at + 4])
        if data[at + 1] != kind:
            out += data[at : at + 2 + length]
        at += 2 + length
    return bytes(out + data[at:])


def _ended(chance: Chance, data: bytes) -> bytes:
    if chance.gets("no-end-marker", 0.06):
        return data[:-2]
    if chance.gets("data-after-end", 0.08):
        return data + chance.bytes(chance.number(1, 200))
    return chance.damaged(data, 0.03)
