"""The orientation in EXIF, whoever wrote it. What browsers read was asked of Chromium."""

from __future__ import annotations

import io
import struct

import pytest
from PIL import Image

from backend.codec.image.notes import exif, tiff_fields
from tests.unit.codec.conftest import Convert, picture, saved

TYPES = {"BYTE": (1, "Bxxx"), "SHORT": (3, "Hxx"), "LONG": (4, "I"), "SLONG": (9, "i")}
XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about=""'
XMP += b' xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="6"/></rdf:RDF></x:xmpmeta>'


def tiff(value: int, kind: str = "SHORT", order: str = "<", count: int = 1) -> bytes:
    """A TIFF header and a directory that has the orientation after another tag."""
    number, layout = TYPES[kind]
    other = struct.pack(order + "HHIHxx", 0x0100, 3, 1, 3)
    entry = struct.pack(order + "HHI" + layout, tiff_fields.ORIENTATION, number, 1, value)
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", 8)
    return head + struct.pack(order + "H", count + 1) + other + entry + bytes(4)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("value", range(1, 9))
def test_the_orientation_is_read_in_either_order_and_type(value: int, kind: str, order: str) -> None:
    assert exif.orientation(tiff(value, kind, order)) == value


@pytest.mark.parametrize("prefix", [b"", b"Exif\0\0", b"Exif\0", b"Exif\0\x01"])
def test_the_identifier_of_jpeg_may_stand_before_it(prefix: bytes) -> None:
    assert exif.orientation(prefix + tiff(6, order=">")) == 6


@pytest.mark.parametrize("data", [b"", b"Exif\0\0", b"no TIFF at all", tiff(0), tiff(9), tiff(-1, "SLONG"), tiff(6)[:30], b"II*\0\xff\xff\xff\xff"])
def test_what_cannot_be_read_is_upright(data: bytes) -> None:
    assert exif.orientation(data) == exif.UPRIGHT


def test_a_directory_that_is_cut_off_is_read_as_far_as_it_goes() -> None:
    assert exif.orientation(tiff(6, count=4000)) == 6


def with_app1(contents: bytes) -> bytes:
    source = saved(picture(96, 64), "JPEG")
    return source[:2] + b"\xff\xe1" + (len(contents) + 2).to_bytes(2, "big") + contents + source[2:]


@pytest.mark.parametrize(
    "source",
    [
        pytest.param(with_app1(b"http://ns.adobe.com/xap/1.0/\0" + XMP), id="JPEG"),
        pytest.param(saved(picture(96, 64), "WEBP", xmp=XMP), id="WebP"),
        pytest.param(saved(picture(96, 64), "AVIF", xmp=XMP), id="AVIF"),
        pytest.param(saved(picture(96, 64), "TIFF", tiffinfo={700: XMP}), id="TIFF"),
    ],
)
def test_xmp_turns_nothing(convert: Convert, source: bytes) -> None:
    result = convert(source).converted
    assert (result.width, result.height) == (96, 64)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF"])
def test_exif_turns_each_format(convert: Convert, kind: str) -> None:
    """An AVIF is turned by its own property, which Pillow writes for this EXIF."""
    source = saved(picture(96, 64), kind, exif=(b"Exif\0\0" if kind == "JPEG" else b"") + tiff(6))
    with Image.open(io.BytesIO(source)) as image:
        assert image.size == (96, 64)
    result = convert(source).converted
    assert (result.width, result.height) == (64, 96)
