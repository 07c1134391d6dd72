"""AVIF and HEIC whose colours are told by code points: as Chromium shows them."""

from __future__ import annotations

import io
import struct
import tempfile

import numpy
import pytest
from PIL import Image

from backend.codec.image import colour_signal
from backend.codec.image.readers.heif import HeifPicture
from backend.codec.native.source import Source
from backend.core.limits import Limits
from tests.support.chromium_pictures import ChromiumJudge, Pixels, difference
from tests.unit.codec.conftest import Convert, declared, saved
from tests.unit.codec.image.test_colour_signal import PICTURE, PRIMARIES

TRANSFERS = (0, 1, 2, 3, 4, 5, 6, 7, 8, 13, 14, 15, 16, 17, 18, 19)
PLAIN = saved(Image.fromarray(PICTURE), "AVIF", quality=100, subsampling="4:4:4")


def told(source: bytes, primaries: int, transfer: int, matrix: int | None = None) -> bytes:
    """With other code points in its box ``colr``."""
    at = source.index(b"colrnclx") + 8
    points = struct.pack(">HH", primaries, transfer)
    return source[:at] + points + (source[at + 4 : at + 6] if matrix is None else struct.pack(">H", matrix)) + source[at + 6 :]


def converted(convert: Convert, source: bytes) -> Pixels:
    return numpy.asarray(convert(source, lossless=True).image().convert("RGBA"))


@pytest.mark.slow
def test_every_pair_of_code_points_is_shown_as_by_chromium(convert: Convert, chromium_judge: ChromiumJudge) -> None:
    pairs = [(primaries, transfer) for primaries in (*PRIMARIES, 0, 2, 3, 13, 255) for transfer in TRANSFERS]
    sources = [told(PLAIN, *each) for each in pairs]
    mean = {}
    for pair, source, theirs in zip(pairs, sources, chromium_judge.shown(sources), strict=True):
        assert theirs is not None, pair
        mean[pair] = float(difference(converted(convert, source), theirs.pixels)[..., :3].mean())
    assert {pair: steps for pair, steps in mean.items() if steps >= 2} == {}


def test_code_points_of_display_p3_move_the_colours(convert: Convert) -> None:
    """As an ICC profile of Display P3 does; in HEIC too, which no browser shows."""
    flat = Image.new("RGB", (64, 64), (200, 60, 60))
    avif = told(saved(flat, "AVIF", quality=100, subsampling="4:4:4"), 12, 13)
    heic = told(saved(flat, "HEIF", quality=100, chroma=444, matrix_coefficients=6, full_range_flag=1), 12, 13)
    for source in (avif, heic):
        assert abs(converted(convert, source)[5, 5].astype(int) - (217, 42, 52, 255)).max() <= 2


def test_a_profile_counts_before_code_points(convert: Convert) -> None:
    """As in Chromium."""
    p3 = colour_signal.profile_for(colour_signal.CodePoints(12, 13))
    with_profile = saved(Image.fromarray(PICTURE), "AVIF", quality=100, subsampling="4:4:4", icc_profile=p3)
    assert (converted(convert, told(with_profile, 9, 8)) == converted(convert, told(PLAIN, 12, 13))).all()


@pytest.mark.parametrize("transfer", [1, 6, 13, 14, 15])
def test_code_points_of_television_cost_no_pass_over_the_pixels(transfer: int) -> None:
    source = told(PLAIN, 1, transfer)
    with tempfile.TemporaryFile() as file:
        file.write(source)
        file.flush()
        assert HeifPicture(Source(file.fileno()), declared(source), Limits()).profile == b""


def test_frames_of_a_sequence_have_the_colours_of_their_track(convert: Convert) -> None:
    frames = [Image.new("RGB", (64, 64), (200, 60, blue)) for blue in (60, 90)]
    sequence = saved(frames[0], "AVIF", save_all=True, append_images=frames[1:], quality=100, subsampling="4:4:4", duration=200)
    at = sequence.rindex(b"colrnclx") + 8
    result = convert(sequence[:at] + struct.pack(">HH", 12, 13) + sequence[at + 4 :], lossless=True).image()
    assert abs(numpy.asarray(result.convert("RGB"))[5, 5].astype(int) - (217, 42, 52)).max() <= 2


def test_grey_and_transparent_pictures_keep_what_they_are(convert: Convert) -> None:
    grey = saved(Image.linear_gradient("L"), "AVIF", quality=100, subsampling="4:0:0")
    shown = converted(convert, told(grey, 9, 8))
    assert (shown[..., 0] == shown[..., 2]).all() and tuple(shown[128, 0, :1]) == (188,)
    clear = Image.fromarray(numpy.dstack([PICTURE, PICTURE[..., 0]]))
    source = saved(clear, "AVIF", quality=100, subsampling="4:4:4")
    assert (converted(convert, told(source, 12, 13))[..., 3] == numpy.asarray(Image.open(io.BytesIO(source)))[..., 3]).all()


def with_property(source: bytes, data: bytes) -> bytes:
    """Of the one item, whose properties have numbers of one byte; behind the others."""
    grown, at_ipma = bytearray(source), source.index(b"ipma") - 4
    count_at = at_ipma + 18
    grown[count_at] += 1
    end = at_ipma + struct.unpack_from(">I", source, at_ipma)[0]
    grown[end:end] = bytes([grown[count_at]])
    grown[at_ipma:at_ipma] = data
    more = len(data) + 1
    for kind, growth in ((b"meta", more), (b"iprp", more), (b"ipco", len(data)), (b"ipma", 1)):
        at = bytes(grown).index(kind) - 4
        struct.pack_into(">I", grown, at, struct.unpack_from(">I", grown, at)[0] + growth)
    extent_at = source.index(b"iloc") + 18
    struct.pack_into(">I", grown, extent_at, struct.unpack_from(">I", grown, extent_at)[0] + more)
    return bytes(grown)


@pytest.mark.parametrize("nits", [400, 4000])
def test_the_brightest_light_of_hdr_content_counts(convert: Convert, chromium_judge: ChromiumJudge, nits: int) -> None:
    hdr = told(PLAIN, 9, 16)
    source = with_property(hdr, struct.pack(">I4sHH", 12, b"clli", nits, 100))
    [theirs] = chromium_judge.shown([source])
    assert theirs is not None
    with_peak, without = (difference(converted(convert, each), theirs.pixels).mean() for each in (source, hdr))
    assert with_peak < 1 < without


def test_without_a_box_the_colours_are_those_of_av1s_own_header(convert: Convert, chromium_judge: ChromiumJudge) -> None:
    unboxed = PLAIN.replace(b"colrnclx", b"freenclx")
    at = unboxed.index(b"\x01\x0d\x06", unboxed.index(b"mdat"))
    sources = [unboxed[:at] + bytes((primaries, transfer, 6)) + unboxed[at + 3 :] for primaries, transfer in ((1, 13), (12, 13), (9, 8), (9, 16))]
    for source, theirs in zip(sources, chromium_judge.shown(sources), strict=True):
        assert theirs is not None
        assert difference(converted(convert, source), theirs.pixels).mean() < 1
