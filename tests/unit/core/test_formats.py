"""The table of formats: known by their bytes, whatever they are called."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.core import formats
from tests.fakes.samples import image


def ftyp(brand: bytes, compatible: bytes = b"mif1miaf") -> bytes:
    return struct.pack(">I", 16 + len(compatible)) + b"ftyp" + brand + b"\0\0\0\0" + compatible


HEADS: dict[str, list[bytes]] = {
    "jpeg": [b"\xff\xd8\xff\xe0\0\x10JFIF", b"\xff\xd8\xff\xe1", b"\xff\xd8\xff\xdb"],
    "png": [b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"],
    "gif": [b"GIF87a", b"GIF89a"],
    "webp": [b"RIFF\x24\0\0\0WEBPVP8 ", b"RIFF\n\r\n\rWEBPVP8X"],
    "tiff": [b"II\x2a\0\x08\0\0\0", b"MM\0\x2a\0\0\0\x08"],
    "bmp": [b"BM" + b"\0" * 12 + bytes([size]) + b"\0\0\0" for size in (12, 40, 56, 108, 124)],
    "svg": [
        b"<svg xmlns='http://www.w3.org/2000/svg'>",
        b"\xef\xbb\xbf<?xml version='1.0'?>\n<!-- " + b"comment " * 100 + b"-->\n<svg\nwidth='1'>",
        b"<!DOCTYPE svg PUBLIC '-//W3C//DTD SVG 1.1//EN' 'x'>\n<svg>",
    ],
    "pdf": [b"%PDF-1.7\n"],
    "eps": [b"%!PS-Adobe-3.0 EPSF-3.0", b"\xc5\xd0\xd3\xc6\0\0\0\0"],
    "psd": [b"8BPS\0\x01"],
    "jxl": [b"\xff\x0a\xfa\x7f", b"\0\0\0\x0cJXL \r\n\x87\n"],
    "jp2": [b"\0\0\0\x0cjP  \r\n\x87\n", b"\xff\x4f\xff\x51"],
    "bigtiff": [b"II\x2b\0\x08\0", b"MM\0\x2b\0\x08"],
    "avif": [ftyp(b"avif"), ftyp(b"avis"), ftyp(b"mif1", b"miafavif"), ftyp(b"msf1", b"miafavis")],
    "heic": [ftyp(b"heic"), ftyp(b"heix"), ftyp(b"mif1"), ftyp(b"hevc")],
    "ico": [b"\0\0\x01\0\x01\0\x10\x10\0\0\x01\0", b"\0\0\x01\0\x09\0\0\0\0\0"],
    "cur": [b"\0\0\x02\0\x01\0\x20\x20"],
    "raw": [ftyp(b"crx "), b"FUJIFILMCCD-RAW 0201", b"IIRO\x08\0", b"IIU\0\x18\0"],
    "mp4": [ftyp(b"isom"), ftyp(b"qt  ")],
    "zip": [b"PK\x03\x04\x14\0"],
    "html": [b"<!DOCTYPE html><html>", b"  <HTML>", b"<script>alert(1)</script>"],
}


def test_every_format_is_tried_here() -> None:
    assert set(HEADS) == {each.name for each in formats.FORMATS}


@pytest.mark.parametrize(("name", "head"), [(name, head) for name, heads in HEADS.items() for head in heads])
def test_a_format_is_known_by_its_first_bytes(name: str, head: bytes) -> None:
    known = formats.sniff(head)
    assert known is not None
    assert known.name == name


@pytest.mark.parametrize("kind", ["jpeg", "png", "gif", "webp", "tiff", "bmp"])
def test_files_as_pillow_writes_them_are_known(kind: str) -> None:
    known = formats.sniff(image(kind)[: formats.SNIFF_BYTES])
    assert known is not None
    assert (known.name, known.pillow is not None) == (kind, True)


def test_what_is_read_is_what_the_refusal_names() -> None:
    assert {"jpeg", "png", "gif", "webp", "tiff", "bmp"} <= {each.name for each in formats.READABLE}
    assert formats.ACCEPTED.split(", ") == [each.label for each in formats.READABLE]
    assert formats.ACCEPTED.startswith("JPEG, PNG, GIF, WebP")


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"\x89PN",
        b"BM is how this sentence begins, and no bitmap",
        b"GIF90a",
        b"RIFF\0\0\0\0WAVEfmt ",
        b"\xff\xd8",
        b"plain text",
        b"<p>",
        b"\0" * 64,
    ],
)
def test_what_no_row_knows_is_unknown(head: bytes) -> None:
    assert formats.sniff(head) is None


def test_a_signature_counts_only_at_the_beginning() -> None:
    for name in ("jpeg", "png", "gif", "webp"):
        assert formats.sniff(b"x" + HEADS[name][0]) is None


@pytest.mark.parametrize("name", list(HEADS))
def test_no_format_is_taken_for_an_earlier_one_by_what_follows(name: str) -> None:
    for head in HEADS[name]:
        known = formats.sniff(head + b"\x89PNG\r\n\x1a\n" + b"\xff\xd8\xff" * 10)
        assert known is not None
        assert known.name == name


def test_every_name_extension_and_media_type_is_well_formed() -> None:
    for each in formats.FORMATS:
        assert formats.BY_NAME[each.name] is each
        assert "/" in each.media_type
        assert all(extension.isalnum() and extension.islower() for extension in each.extensions)
    assert len(formats.BY_NAME) == len(formats.FORMATS)


@given(st.binary(max_size=200))
def test_any_bytes_are_known_or_unknown_and_never_an_error(head: bytes) -> None:
    assert formats.sniff(head) in (None, *formats.FORMATS)


def test_a_long_run_of_blanks_does_not_slow_the_look() -> None:
    """Bounded by ``SNIFF_BYTES``: no signature may be quadratic in it."""
    import timeit

    worst = max(timeit.timeit(lambda head=head: formats.sniff(head), number=3) for head in (b" " * 4096, b"<" * 4096, b"\n<" * 2048))
    assert worst < 1.0
