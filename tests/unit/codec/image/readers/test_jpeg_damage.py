"""Whether a JPEG is damaged is told by its data: what lost its way is refused, what is only odd is shown.

``djpeg`` and browsers show both alike. So the judges are the picture that was stored, and what honest writers are known to leave in files.
"""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
from PIL import Image

from backend import errors
from tests.unit.codec.conftest import Convert, corpus, picture, saved
from tests.unit.codec.jpegs import EOI, SOI, app, data_at, frame_at, padded_at_restarts, restarts, segment, with_segments

KINDS = {
    "4:2:0": {"subsampling": 2},
    "4:4:4": {"subsampling": 0},
    "optimised": {"optimize": True},
    "progressive": {"progressive": True},
    "restarts": {"restart_marker_rows": 1},
}
WIDTHS = pytest.mark.parametrize("options", [{}, {"width": 60}, {"lossless": True}], ids=["fast", "reduced", "whole"])
"""Three ways through the codec: strip by strip, at a fraction of the size, and as one picture."""


def photo(kind: str = "4:2:0", mode: str = "RGB", size: tuple[int, int] = (640, 427)) -> bytes:
    return saved(picture(*size, mode=mode), "JPEG", quality=90, **KINDS[kind])


def zeroed(source: bytes, begin: float, end: float, value: int = 0) -> bytes:
    """A part of the scan, by shares of its data, holds nothing."""
    first, length = data_at(source), len(source) - 2 - data_at(source)
    start, stop = first + int(begin * length), first + int(end * length)
    return source[:start] + bytes([value]) * (stop - start) + source[stop:]


@WIDTHS
@pytest.mark.parametrize(("begin", "end"), [(0.4, 0.6), (0.5, 1.0), (0.1, 0.3), (0.7, 0.75)])
@pytest.mark.parametrize("kind", KINDS)
def test_a_photograph_whose_data_is_zeroed_is_damaged(convert: Convert, kind: str, begin: float, end: float, options: dict[str, object]) -> None:
    with pytest.raises(errors.DamagedImage):
        convert(zeroed(photo(kind), begin, end), **options)


@pytest.mark.parametrize("mode", ["L", "CMYK"])
def test_so_is_one_in_grey_or_cmyk(convert: Convert, mode: str) -> None:
    with pytest.raises(errors.DamagedImage):
        convert(zeroed(photo(mode=mode), 0.4, 0.6))


@WIDTHS
@pytest.mark.parametrize("kind", KINDS)
def test_one_whose_data_ends_before_the_picture_is_damaged(convert: Convert, kind: str, options: dict[str, object]) -> None:
    source = photo(kind)
    for share in (0.3, 0.9):
        cut = source[: data_at(source) + int(share * (len(source) - data_at(source)))].rstrip(b"\xff")
        for end in (b"", EOI):
            with pytest.raises(errors.DamagedImage):
                convert(cut + end, **options)


@pytest.mark.parametrize("kind", KINDS)
def test_other_bytes_in_the_data_are_damage(convert: Convert, kind: str) -> None:
    source, random_bytes = photo(kind), random.Random(19).randbytes(300)
    at = (data_at(source) + len(source)) // 2
    with pytest.raises(errors.DamagedImage):
        convert(source[:at] + random_bytes + source[at + 300 :])


@pytest.mark.parametrize("kind", KINDS)
def test_missing_bytes_in_the_data_are_damage(convert: Convert, kind: str) -> None:
    source = photo(kind)
    at = (data_at(source) + len(source)) // 2
    with pytest.raises(errors.DamagedImage):
        convert(source[:at] + source[at + 500 :])


def test_a_restart_marker_that_is_missing_is_damage(convert: Convert) -> None:
    source = photo("restarts")
    at = source.index(b"\xff\xd3", data_at(source))
    with pytest.raises(errors.DamagedImage):
        convert(source[:at] + source[at + 2 :])


@WIDTHS
@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_jpeg_that_lacks_only_its_end_marker_is_whole(convert: Convert, kind: str, mode: str, options: dict[str, object]) -> None:
    source = photo(kind, mode)
    assert convert(source[:-2], **options).data == convert(source, **options).data


def test_a_progressive_file_that_ends_before_its_last_scan_is_damaged(convert: Convert) -> None:
    source = photo("progressive")
    with pytest.raises(errors.DamagedImage):
        convert(source[: source.rindex(b"\xff\xc4")])


ODDITIES: dict[str, Callable[[bytes], bytes]] = {
    "zeros before the end marker": lambda source: source[:-2] + bytes(9) + EOI,
    "many zeros before the end marker": lambda source: source[:-2] + bytes(200_000) + EOI,
    "fill bytes before the end marker": lambda source: source[:-2] + b"\xff" * 77 + EOI,
    "a stray byte before the end marker": lambda source: source[:-2] + b"\x7f" + EOI,
    "some stray bytes before the end marker": lambda source: source[:-2] + bytes(range(1, 11)) + EOI,
    "a note hidden before the end marker": lambda source: source[:-2] + b"<SQ Tech. MEGA-Cam/>\r\n" * 200 + EOI,
    "numbers hidden before the end marker": lambda source: source[:-2] + random.Random(1).randbytes(3000).replace(b"\xff", b"\xfe") + EOI,
    "spaces before the end marker": lambda source: source[:-2] + b" " * 500 + EOI,
    "zeros in place of the end marker": lambda source: source[:-2] + bytes(1000),
    "text after the end": lambda source: source + b"a trailer of a telephone" * 9,
    "zeros after the end": lambda source: source + bytes(100_000),
    "a second picture after the end": lambda source: source + source,
    "a second picture in place of the end": lambda source: source[:-2] + source,
    "a wrong number of lines": lambda source: source[:-2] + segment(0xDC, b"\0\x10") + EOI,
    "a comment after the data": lambda source: source[:-2] + segment(0xFE, b"said late") + EOI,
    "restart markers after the data": lambda source: source[:-2] + b"\xff\xd0\x12\x34\x56\xff\xd1" + EOI,
    "bytes between the segments": lambda source: with_segments(source, segment(0xFE, b"odd"), b"stray bytes"),
    "fill bytes between the segments": lambda source: with_segments(source, b"\xff" * 30),
    "an unknown revision of JFIF": lambda source: source.replace(b"JFIF\0\1\1", b"JFIF\0\7\7"),
    "an unknown transform of Adobe": lambda source: app(source, 14, b"Adobe\0\x64\0\0\0\0\x03"),
    "broken parts of a profile": lambda source: app(source, 2, b"ICC_PROFILE\0\x03\x02" + b"profile"),
    "EXIF that is cut off": lambda source: app(source, 1, b"Exif\0\0II*\0\x08"),
    "EXIF that is no TIFF": lambda source: app(source, 1, b"Exif\0\0" + bytes(range(99))),
    "JFIF that is cut off": lambda source: app(source, 0, b"JFIF\0"),
    "Adobe that is cut off": lambda source: app(source, 14, b"Adobe"),
    "Photoshop that is cut off": lambda source: app(source, 13, b"Photoshop 3.0\0" + b"8BIM\x04"),
    "an index of pictures that is cut off": lambda source: app(source, 2, b"MPF\0MM\0*\0\0\0\x08\0\x03"),
    "a segment of no length": lambda source: with_segments(source, b"\xff\xe1\0\0"),
    "segments of 8 MB": lambda source: with_segments(source, segment(0xE5, bytes(65_000)) * 125),
}
NOT_PROGRESSIVE = {each for each in ODDITIES if "hidden" in each or each == "a second picture in place of the end"}
"""Of several scans, libjpeg reads on until the end marker, and gives up at a second start. Where a scan stopped cannot be known."""


@pytest.mark.parametrize("oddity", ODDITIES)
def test_an_odd_file_is_shown(convert: Convert, oddity: str) -> None:
    source = photo()
    for options in ({}, {"width": 60}, {"lossless": True}):
        assert convert(ODDITIES[oddity](source), **options).data == convert(source, **options).data


@pytest.mark.parametrize("oddity", sorted(ODDITIES.keys() - {"a second picture in place of the end"}))
@pytest.mark.parametrize("kind", ["4:4:4", "optimised", "restarts"])
def test_so_is_one_with_other_data(convert: Convert, kind: str, oddity: str) -> None:
    source = photo(kind)
    assert convert(ODDITIES[oddity](source)).data == convert(source).data


@pytest.mark.parametrize("oddity", sorted(ODDITIES.keys() - NOT_PROGRESSIVE))
def test_so_is_an_odd_progressive_file(convert: Convert, oddity: str) -> None:
    source = photo("progressive")
    assert convert(ODDITIES[oddity](source)).data == convert(source).data


@pytest.mark.parametrize("padding", [b"\0", b"\0\0\0", bytes(40), b"\xff\xff\xff"], ids=len)
@pytest.mark.parametrize("blocks", [1, 7, 40])
def test_padding_at_restart_markers_is_passed_over(convert: Convert, blocks: int, padding: bytes) -> None:
    source = saved(picture(640, 427), "JPEG", quality=90, restart_marker_blocks=blocks)
    assert convert(padded_at_restarts(source, padding)).data == convert(source).data


def test_so_is_what_webcams_leave_at_some(convert: Convert) -> None:
    source = saved(picture(640, 427), "JPEG", quality=90, restart_marker_rows=1)
    odd = source
    for number, at in list(enumerate(restarts(source)))[::-5]:
        odd = odd[:at] + bytes(range(1, 2 + number % 10)) + odd[at:]
    assert len(odd) > len(source)
    assert convert(odd).data == convert(source).data


@pytest.mark.parametrize("path", [*corpus("photos"), *corpus("orientation")], ids=lambda path: path.name)
def test_real_photographs_are_whole(convert: Convert, path: object) -> None:
    assert convert(path, width=200).converted.width


@pytest.mark.parametrize("lost", range(1, 40, 3))
def test_a_scan_that_leaves_a_little_is_damaged(convert: Convert, lost: int) -> None:
    """The picture is cut down in its header, so that the scan's last units are left: as after a few bytes that were lost."""
    source = saved(picture(64 * 8, 8, mode="L"), "JPEG", quality=90)
    at = frame_at(source) + 3
    with pytest.raises(errors.DamagedImage):
        convert(source[:at] + (8 * (64 - lost)).to_bytes(2, "big") + source[at + 2 :])


def test_a_flat_picture_may_be_all_zeros(convert: Convert) -> None:
    """Its data ends with them, where the tables were made for it."""
    source = saved(Image.new("L", (512, 512), 128), "JPEG", optimize=True)
    assert convert(source).converted.width == 512
    assert convert(source[:-2]).converted.width == 512


@pytest.mark.parametrize("path", [each for each in corpus("reports") if each.name.startswith("04a")], ids=lambda path: path.name)
@WIDTHS
def test_the_reported_damage_is_seen(convert: Convert, path: object, options: dict[str, object]) -> None:
    with pytest.raises(errors.DamagedImage):
        convert(path, **options)


@pytest.mark.parametrize("path", [each for each in corpus("reports") if each.name.startswith("04d")], ids=lambda path: path.name)
@WIDTHS
def test_the_reported_whole_file_is_converted(convert: Convert, path: object, options: dict[str, object]) -> None:
    assert convert(path, **options).converted.width


def test_the_start_of_a_second_image_within_a_progressive_one_is_damage(convert: Convert) -> None:
    source = photo("progressive")
    with pytest.raises(errors.DamagedImage):
        convert(source[:-2] + SOI + EOI)
