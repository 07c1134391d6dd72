"""What the boxes of AVIF and HEIC say, and what of them no decoder reads."""

from __future__ import annotations

import struct

import pytest

from backend import errors
from backend.core.conversion import Shape
from backend.core.formats import sniff
from backend.core.image_headers import read_shape
from backend.core.image_headers.heif_facts import HeifFacts, NclxPoints, read_heif_facts
from backend.core.limits import Limits
from tests.unit.core.image_headers.heif_files import APPLE_GAIN_MAP, C2PA, aux, box, full_box, heif, ispe, nclx, reference


def shape(data: bytes) -> Shape:
    kind = sniff(data[:4096])
    assert kind is not None
    return read_shape(kind, lambda at, length: data[at : at + length], len(data), Limits())


def facts(data: bytes) -> HeifFacts:
    return read_heif_facts(lambda at, length: data[at : at + length], len(data))


@pytest.mark.parametrize(
    ("brand", "kind", "name"),
    [
        (b"heic", b"avc1", "AVC-coded (H.264) HEIC"),
        (b"heic", b"jpeg", "JPEG-coded HEIC"),
        (b"heic", b"unci", "uncompressed HEIC"),
        (b"heic", b"vvc1", "VVC-coded (H.266) HEIC"),
        (b"heic", b"evc1", "EVC-coded HEIC"),
        (b"heic", b"j2k1", "JPEG 2000-coded HEIC"),
        (b"heic", b"av01", "AV1-coded HEIC"),
        (b"heic", b"xyz1", "'xyz1'-coded HEIC"),
        (b"avif", b"hvc1", "HEVC-coded AVIF"),
        (b"avif", b"iovl", "overlay AVIF"),
    ],
)
def test_a_picture_in_another_codec_is_named(brand: bytes, kind: bytes, name: str) -> None:
    with pytest.raises(errors.UnsupportedFormat) as caught:
        shape(heif(brand, [kind], ispe()))
    assert caught.value.params["format"] == name


def test_a_grid_is_what_its_tiles_are() -> None:
    assert shape(heif(b"heic", [b"grid", b"hvc1", b"hvc1"], ispe(), refers=reference(b"dimg", 1, 2, 3))).frames == 1
    with pytest.raises(errors.UnsupportedFormat) as caught:
        shape(heif(b"heic", [b"grid", b"jpeg", b"jpeg"], ispe(), refers=reference(b"dimg", 1, 2, 3)))
    assert caught.value.params["format"] == "JPEG-coded HEIC"


def test_an_item_that_is_made_of_itself_ends_the_search() -> None:
    assert shape(heif(b"heic", [b"iden"], ispe(), refers=reference(b"dimg", 1, 1))).width == 64


def test_a_sequence_without_a_still_is_named() -> None:
    with pytest.raises(errors.UnsupportedFormat) as caught:
        shape(box(b"ftyp", b"hevc", bytes(4), b"msf1hevc") + box(b"moov", box(b"trak")) + bytes(50))
    assert caught.value.params["format"] == "image sequence without a still (HEIC)"


@pytest.mark.parametrize("matrix", [3, 10, 11, 13, 14])
def test_a_matrix_that_is_none_is_named(matrix: int) -> None:
    with pytest.raises(errors.UnsupportedFormat):
        shape(heif(b"avif", [b"av01"], ispe(), nclx(9, 16, matrix)))


def test_the_first_code_points_of_the_primary_item_count() -> None:
    data = heif(b"avif", [b"av01"], box(b"colr", b"prof", bytes(40)), ispe(), nclx(9, 16, 9, 0), nclx(1, 13))
    assert facts(data).points == NclxPoints(9, 16, 9, is_full_range=False)
    assert facts(heif(b"avif", [b"av01"], ispe())).points is None


def test_the_peak_is_that_of_the_content_or_of_its_display() -> None:
    clli = [box(b"clli", struct.pack(">HH", nits, 100)) for nits in (0, 4000)]
    mdcv = box(b"mdcv", bytes(16), struct.pack(">II", 6_000_000, 50))
    assert facts(heif(b"avif", [b"av01"], ispe(), clli[1], mdcv)).peak_nits == 4000
    assert facts(heif(b"avif", [b"av01"], ispe(), clli[0], mdcv)).peak_nits == 600
    assert facts(heif(b"avif", [b"av01"], ispe(), clli[0])).peak_nits == 0


def test_what_comes_with_the_picture_is_told() -> None:
    assert facts(heif(b"heic", [b"hvc1"], ispe())).extras == frozenset()
    assert facts(heif(b"heic", [b"hvc1", b"hvc1"], ispe(), aux(APPLE_GAIN_MAP))).extras == {"gain_map"}
    assert facts(heif(b"heic", [b"hvc1", b"hvc1"], ispe(), aux(b"urn:mpeg:hevc:2015:auxid:1\0"))).extras == frozenset()
    assert facts(heif(b"avif", [b"av01", b"tmap"], ispe())).extras == {"gain_map"}
    assert facts(heif(b"avif", [b"av01"], ispe(), behind=box(b"uuid", C2PA, bytes(30)))).extras == {"c2pa"}
    assert facts(heif(b"avif", [b"av01"], ispe(), behind=box(b"uuid", bytes(16), bytes(30)))).extras == frozenset()


def test_boxes_that_cannot_be_walked_say_nothing() -> None:
    data = heif(b"avif", [b"av01"], ispe(), nclx(9, 16))
    for length in range(len(data)):
        facts(data[:length])
    for at in range(len(data)):
        facts(data[:at] + b"\xff" + data[at + 1 :])
    assert facts(full_box(b"meta")) == HeifFacts()


def test_heic_is_cropped_by_its_clean_aperture_and_avif_is_not() -> None:
    """As libheif and libavif decode them, and Chromium shows AVIF."""
    clap = box(b"clap", struct.pack(">8i", 21, 2, 20, 1, 0, 1, 0, 1))
    cropped, whole = shape(heif(b"heic", [b"hvc1"], ispe(), clap)), shape(heif(b"avif", [b"av01"], ispe(), clap))
    assert (cropped.width, cropped.height) == (10, 20)
    assert (whole.width, whole.height) == (64, 48)


def test_a_clean_aperture_beyond_the_picture_is_the_picture() -> None:
    beyond = box(b"clap", struct.pack(">8i", -3, 1, 400, 1, 0, 1, 0, 1))
    found = shape(heif(b"heic", [b"hvc1"], ispe(), beyond))
    assert (found.width, found.height) == (64, 48)
