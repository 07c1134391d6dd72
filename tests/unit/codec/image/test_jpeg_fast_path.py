"""A JPEG on the fast path gives the same bytes as its pixels on the normal path."""

from __future__ import annotations

import io
import tempfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from backend import errors
from backend.codec import pipeline
from backend.codec.encoders.registry import encoder_for
from backend.codec.geometry import Geometry, geometry_for
from backend.codec.image import jpeg_fast_path, resampling
from backend.codec.image.notes import exif as exif_fields
from backend.codec.image.orientation import BY_EXIF, UPRIGHT, Orientation, as_stored, orient
from backend.codec.image.readers import open_picture
from backend.codec.image.readers.picture import Picture
from backend.codec.image.steps.step import Plan
from backend.codec.native import libjpeg_abi
from backend.codec.native.source import Source
from backend.codec.sealed import SealedCodec
from backend.core.conversion import Conversion
from backend.core.formats import DEFAULT_OUTPUT, OUTPUT
from backend.core.limits import Limits
from backend.core.options import Options
from tests.unit.codec.conftest import EACH_STEP_S, Convert, corpus, declared, picture, saved

KINDS = {
    "4:2:0": {"subsampling": 2},
    "4:2:2": {"subsampling": 1},
    "4:4:4": {"subsampling": 0},
    "progressive": {"progressive": True},
    "with restart markers": {"restart_marker_rows": 1},
    "RGB": {"keep_rgb": True},
}


def as_png(source: bytes) -> bytes:
    """The same pixels and profile as a PNG."""
    with Image.open(io.BytesIO(source)) as image:
        return saved(image, "PNG", compress_level=1, icc_profile=image.info.get("icc_profile"))


def takes_fast_path(source: bytes, **options: object) -> bool:
    opened, chosen = opened_picture(source), Options(**options)  # type: ignore[arg-type]
    return is_for(opened, UPRIGHT, geometry_for(opened.size, chosen), chosen)


def opened_picture(source: bytes) -> Picture:
    with tempfile.TemporaryFile() as file:
        file.write(source)
        file.flush()
        return open_picture(Source(file.fileno()), declared(source, Limits()), Limits())


def is_for(opened: Picture, orientation: Orientation, geometry: Geometry, options: Options) -> bool:
    output = OUTPUT[DEFAULT_OUTPUT]
    return jpeg_fast_path.is_for(opened, Plan(options, output, geometry, orientation), encoder_for(output))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", [(1, 1), (17, 33), (640, 427), (2049, 301)], ids=str)
def test_the_bytes_are_those_of_the_normal_path(convert: Convert, kind: str, size: tuple[int, int]) -> None:
    source = saved(picture(*size), "JPEG", quality=90, **KINDS[kind])
    assert takes_fast_path(source)
    assert convert(source).data == convert(as_png(source)).data


@pytest.mark.parametrize(
    "path", [pytest.param(each, id=each.name, marks=[pytest.mark.slow] if each.name == "24mp.jpg" else []) for each in corpus("photos")]
)
def test_real_photographs_keep_their_colours(convert: Convert, path: Path) -> None:
    source = path.read_bytes()
    assert takes_fast_path(source)
    assert convert(source, method=0).data == convert(as_png(source), method=0, limits=Limits(upload_bytes=1 << 30)).data


def test_a_size_is_met_as_on_the_normal_path(convert: Convert) -> None:
    source = saved(picture(500, 400), "JPEG")
    fast, normal = (convert(each, target_bytes=3000) for each in (source, as_png(source)))
    assert fast.data == normal.data
    assert fast.converted.facts["passes"] == normal.converted.facts["passes"]


@pytest.mark.parametrize(
    "options",
    [{"lossless": True}, {"near_lossless": 60}, {"sharp_yuv": True}, {"quality": "auto"}, {"width": 100, "height": 100, "fit": "cover"}],
    ids=str,
)
def test_what_needs_the_whole_picture_takes_the_normal_path(options: dict[str, object]) -> None:
    assert not takes_fast_path(saved(picture(), "JPEG"), **options)


SCALED = [
    {"width": 1600},
    {"width": 777},
    {"width": 301, "height": 1400, "fit": "fill"},
    {"width": 2800, "enlarge": True},
    {"width": 7},
    {"width": 640, "rotate": 90},
    {"width": 640, "flip": True, "rotate": 270},
]


@pytest.mark.skipif(not resampling.FAST, reason="the package has no wheel for this machine")
@pytest.mark.parametrize("options", SCALED, ids=str)
@pytest.mark.parametrize("kind", ["4:2:0", "progressive"])
def test_a_picture_scaled_in_bands_is_the_one_scaled_as_a_whole(monkeypatch: pytest.MonkeyPatch, kind: str, options: dict[str, object]) -> None:
    source = saved(picture(2101, 1403), "JPEG", quality=90, **KINDS[kind])
    assert takes_fast_path(source, **options)
    banded = converted_here(source, **options)
    monkeypatch.setattr(jpeg_fast_path, "STEPS_DONE_HERE", frozenset())
    assert not takes_fast_path(source, **options)
    apart = np.abs(banded - converted_here(source, **options))
    assert apart.mean() < 0.05, "where a weight is rounded the other way, a pixel differs by a level, and the encoder's choices follow"
    assert apart.max() <= 12


def converted_here(source: bytes, **options: object) -> np.ndarray:
    """In this process; the pixels of the result, almost without loss."""
    chosen = Options(quality=100, **options)  # type: ignore[arg-type]
    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as result:
        given.write(source)
        given.flush()
        order = Conversion(declared(source, Limits()), chosen, Limits(), 60.0)
        pipeline.convert(Source(given.fileno()), result.fileno(), order, lambda _progress: None)
        with Image.open(result) as image:
            return np.asarray(image, np.int16)


@pytest.mark.parametrize("mode", ["L", "CMYK"])
def test_so_does_what_is_no_colour_photograph(mode: str) -> None:
    assert not takes_fast_path(saved(picture(mode=mode), "JPEG"))


@pytest.mark.parametrize("orientation", range(2, 9))
@pytest.mark.parametrize("size", [(64, 48), (65, 48), (64, 49), (65, 49), (1200, 900)], ids=str)
def test_turned_planes_are_those_of_the_turned_picture(convert: Convert, size: tuple[int, int], orientation: int) -> None:
    """An odd side that is mirrored takes the normal path, which shows no difference either."""
    exif = Image.Exif()
    exif[exif_fields.ORIENTATION] = orientation
    source = saved(picture(*size), "JPEG", subsampling=0)
    with Image.open(io.BytesIO(source)) as image:
        upright = saved(orient(image, BY_EXIF[orientation]), "PNG")
    assert convert(with_exif(source, exif)).data == convert(upright).data


def with_exif(source: bytes, exif: Image.Exif) -> bytes:
    packed = exif.tobytes()
    return source[:2] + b"\xff\xe1" + (len(packed) + 2).to_bytes(2, "big") + packed + source[2:]


@pytest.mark.parametrize(
    ("size", "turn", "is_it"),
    [((64, 49), (0, -1, 1, 0), False), ((65, 48), (0, -1, 1, 0), True), ((65, 49), (0, 1, 1, 0), True), ((65, 48), (-1, 0, 0, 1), False)],
)
def test_an_odd_side_is_not_mirrored(size: tuple[int, int], turn: Orientation, is_it: bool) -> None:
    upright = as_stored(size, turn)
    assert is_for(opened_picture(saved(picture(*size), "JPEG")), turn, Geometry(upright, upright), Options()) is is_it


@pytest.mark.parametrize("share", [0.2, 0.6, 0.99])
@pytest.mark.parametrize("kind", ["4:2:0", "progressive"])
def test_a_file_that_is_cut_off_is_damaged(convert: Convert, kind: str, share: float) -> None:
    source = saved(picture(640, 427), "JPEG", quality=90, **KINDS[kind])
    with pytest.raises(errors.DamagedImage):
        convert(source[: round(share * len(source))])


def test_what_libjpeg_gives_up_is_damaged_and_hurts_nobody_else(codec: SealedCodec, convert: Convert) -> None:
    source = saved(picture(), "JPEG")
    table = source.index(b"\xff\xc4") + 5
    with pytest.raises(errors.DamagedImage) as raised:
        convert(source[:table] + b"\xff" * 16 + source[table + 16 :])
    assert "Huffman" in (raised.value.private or "")
    assert convert(source).converted.width == 320
    assert codec.seal_level()


def test_a_profile_that_cannot_be_used_is_passed_over(convert: Convert) -> None:
    source = saved(picture(), "JPEG", icc_profile=b"no profile at all")
    assert convert(source).data == convert(saved(picture(), "JPEG")).data


def test_a_profile_of_other_colours_is_passed_over(convert: Convert) -> None:
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    source = saved(picture(), "JPEG", icc_profile=lab)
    assert convert(source).data == convert(saved(picture(), "JPEG")).data


def test_percent_follows_the_rows(convert: Convert) -> None:
    reports = convert(saved(picture(4000, 3000), "JPEG"), report_every_s=EACH_STEP_S, method=0).reports
    shares = [each.percent for each in reports if each.stage == "decode"]
    assert len(shares) > 2
    assert shares == sorted(shares)


def test_this_machine_has_the_library_that_is_meant() -> None:
    assert libjpeg_abi.library() is not None
