"""Headers: what they declare is what decoders find; what they threaten is bounded."""

from __future__ import annotations

import struct
import time

import pytest
from PIL import Image

from backend import errors
from backend.core import formats, image_headers
from backend.core.limits import Limits
from tests.unit.codec import hostile
from tests.unit.codec.conftest import corpus, declared, picture, saved
from tests.unit.codec.encoders.test_animation import animated, moving
from tests.unit.codec.jpegs import frame_at, with_frame

LARGE = Limits(pixels=1 << 40, frames=1 << 20)


@pytest.mark.parametrize(
    ("image_format", "options"),
    [
        ("JPEG", {}),
        ("JPEG", {"progressive": True, "exif": b"Exif\0\0" + bytes(60_000), "icc_profile": bytes(200_000)}),
        ("PNG", {}),
        ("GIF", {}),
        ("WEBP", {}),
        ("WEBP", {"lossless": True}),
        ("WEBP", {"exif": b"Exif\0\0II*\0"}),
        ("TIFF", {}),
        ("TIFF", {"compression": "tiff_lzw"}),
        ("TIFF", {"big_tiff": False}),
        ("BMP", {}),
        ("AVIF", {}),
        ("HEIF", {}),
        ("ICO", {"sizes": [(200, 125)]}),
    ],
    ids=str,
)
def test_the_declared_size_is_the_real_one(image_format: str, options: dict[str, object]) -> None:
    size = (200, 125) if image_format == "ICO" else (321, 203)
    shape = declared(saved(picture(*size), image_format, **options))
    assert (shape.width, shape.height, shape.frames) == (*size, 1)


def test_a_big_endian_tiff_and_an_old_bitmap_are_read() -> None:
    tiff = b"MM\0*\0\0\0\x08\0\x02" + struct.pack(">HHIHH", 256, 3, 1, 70, 0) + struct.pack(">HHII", 257, 4, 1, 90)
    assert (declared(tiff).width, declared(tiff).height) == (70, 90)
    core = b"BM" + bytes(12) + struct.pack("<IHHHH", 12, 33, 44, 1, 24)
    assert (declared(core).width, declared(core).height) == (33, 44)


@pytest.mark.parametrize("image_format", ["GIF", "PNG", "WEBP", "AVIF"])
def test_frames_are_counted(image_format: str) -> None:
    assert declared(animated(moving(), image_format)).frames == 6


@pytest.mark.parametrize("path", [*corpus("photos"), *corpus("graphics"), *corpus("animated"), *corpus("colour")], ids=lambda path: path.name)
def test_real_files_declare_what_pillow_finds(path) -> None:
    with Image.open(path) as image:
        expected = (*image.size, getattr(image, "n_frames", 1))
    shape = declared(path.read_bytes(), LARGE)
    assert (shape.width, shape.height, shape.frames) == expected


@pytest.mark.parametrize("image_format", ["JPEG", "PNG", "GIF", "WEBP", "TIFF", "BMP", "AVIF", "HEIF"])
def test_every_cut_of_a_header_is_damaged_or_told_right(image_format: str) -> None:
    data = saved(picture(64, 48), image_format)
    for length in range(12, min(len(data), 900)):
        try:
            shape = declared(data[:length])
        except (errors.DamagedImage, AssertionError):
            continue
        assert (shape.width, shape.height) == (64, 48)


@pytest.mark.parametrize("name", hostile.SLOW_TO_WALK)
def test_no_file_keeps_the_gateway_busy(name: str) -> None:
    """The law of the module, in its own units: so many steps and fetches, and never the whole file. Time is for ``bench/``."""
    data = hostile.SLOW_TO_WALK[name]()
    fetched: list[int] = []

    def read_at(offset: int, length: int) -> bytes:
        fetched.append(length)
        return data[offset : offset + length]

    image_format = formats.sniff(data[:4096])
    assert image_format is not None
    began = time.process_time()
    try:
        image_headers.read_shape(image_format, read_at, len(data), Limits())
    except errors.GatewayError as error:
        assert not isinstance(error, errors.Internal)
    assert len(fetched) <= image_headers.MAX_FETCHES
    print(f"{name}: {1000 * (time.process_time() - began):.0f} ms, {len(fetched)} reads")


@pytest.mark.parametrize(
    ("frame", "name"),
    [
        ({"precision": 12, "marker": 0xC1}, "12-bit JPEG"),
        ({"precision": 16, "marker": 0xC3}, "lossless JPEG"),
        ({"marker": 0xCB}, "lossless JPEG"),
        ({"marker": 0xC5}, "hierarchical JPEG"),
        ({"marker": 0xCE}, "hierarchical JPEG"),
        ({"marker": 0xDE}, "hierarchical JPEG"),
        ({"marker": 0xF7}, "JPEG-LS"),
        ({"components": 2}, "2-component JPEG"),
        ({"components": 5}, "5-component JPEG"),
        ({"height": 0}, "JPEG that tells its height after the first scan (DNL)"),
    ],
    ids=str,
)
def test_a_variant_of_jpeg_that_is_not_read_is_refused_with_its_name(frame: dict[str, int], name: str) -> None:
    with pytest.raises(errors.UnsupportedFormat) as caught:
        declared(with_frame(saved(picture(), "JPEG"), **frame))
    assert caught.value.params == {"format": name, "base": "JPEG"}


def test_a_jpeg_without_width_is_damaged() -> None:
    source = bytearray(saved(picture(), "JPEG"))
    at = frame_at(bytes(source))
    source[at + 3 : at + 5] = b"\0\0"
    with pytest.raises(errors.DamagedImage):
        declared(bytes(source))


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (hostile.flat_png(16384, 16384), errors.TooManyPixels),
        (hostile.gif(1000, 100), errors.TooManyFrames),
        (hostile.gif(201, 1000), errors.TooManyPixels),
        (hostile.tiff(1 << 31, 1 << 31, 1, 1 << 31), errors.TooManyPixels),
        (hostile.webp_flood(1000), errors.TooManyFrames),
        (hostile.png(0, 9), errors.DamagedImage),
    ],
    ids=["268 megapixels", "1000 frames", "201 megapixels of frames", "tiff", "webp", "no width"],
)
def test_bombs_are_refused_by_their_header(data: bytes, error: type[errors.GatewayError]) -> None:
    with pytest.raises(error):
        declared(data)


def test_an_empty_file_is_named() -> None:
    with pytest.raises(errors.EmptyFile):
        image_headers.read_shape(formats.BY_NAME["png"], lambda _at, _length: b"", 0, Limits())
