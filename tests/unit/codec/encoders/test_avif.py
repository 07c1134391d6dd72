"""AVIF stills against independent readers: libvips (libheif, dav1d), Chromium and exiftool."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
import pyvips
from PIL import Image

from tests.support.chromium_pictures import ChromiumJudge
from tests.unit.codec.conftest import Convert, picture, saved
from tests.unit.codec.image.test_metadata import NOTE, Exiftool, noted

__all__ = ["noted"]
SIDES = [(1, 1), (1, 9), (9, 1), (2, 3), (33, 17), (64, 65), (300, 3)]


def by_libvips(data: bytes) -> np.ndarray[Any, Any]:
    image = pyvips.Image.new_from_buffer(data, "")
    return np.ndarray(buffer=image.write_to_memory(), dtype=np.uint8, shape=(image.height, image.width, image.bands))


def grain(width: int, height: int) -> Image.Image:
    """What costs libaom about as much as a photograph."""
    noise = Image.effect_noise((width, height), 60)
    return Image.blend(picture(width, height), Image.merge("RGB", (noise, noise, noise)), 0.4)


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA"])
@pytest.mark.parametrize("subsampling", ["4:2:0", "4:4:4"])
def test_every_side_and_kind_is_read_as_it_was(convert: Convert, chromium_judge: ChromiumJudge, mode: str, subsampling: str) -> None:
    sources = [picture(*size, mode) for size in SIDES]
    results = [convert(saved(each, "PNG"), format="avif", quality=95, speed=8, subsampling=subsampling) for each in sources]
    for source, result, shown in zip(sources, results, chromium_judge.shown([each.data for each in results]), strict=True):
        read = by_libvips(result.data)
        assert shown is not None
        assert (shown.width, shown.height) == source.size == (result.converted.width, result.converted.height) == read.shape[1::-1]
        wanted, found = source.convert("RGB"), Image.fromarray(read[..., :3])
        if subsampling == "4:2:0":  # colours run into each other; light does not
            wanted, found = wanted.convert("L"), found.convert("L")
        assert abs(np.asarray(wanted).astype(int) - np.asarray(found)).mean() < 3
        assert read.shape[2] == (4 if "A" in mode and source.getextrema()[-1] != (255, 255) else 3)
        if "A" in mode and read.shape[2] == 4:
            assert abs(np.asarray(source.getchannel("A")).astype(int) - read[..., 3]).max() <= 6


def test_grey_stays_without_a_trace_of_colour(convert: Convert) -> None:
    read = by_libvips(convert(saved(picture(200, 150, "L"), "PNG"), format="avif").data).astype(int)
    assert abs(read[..., 0] - read[..., 1]).max() == abs(read[..., 0] - read[..., 2]).max() == 0


@pytest.mark.parametrize("orientation", range(1, 9))
def test_it_stands_upright_in_its_pixels(convert: Convert, orientation: int) -> None:
    """No box turns it (irot, imir: ISO/IEC 23008-12 §6.5.10, §6.5.12), nor does EXIF."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    result = convert(saved(picture(80, 40), "JPEG", exif=exif, quality=95), format="avif", metadata="all", quality=90)
    assert not {name for name in (b"irot", b"imir") if name in result.data[:2000]}
    read = pyvips.Image.new_from_buffer(result.data, "")
    assert (read.width, read.height) == ((40, 80) if orientation > 4 else (80, 40))
    assert (read.autorot().width, read.autorot().height) == (read.width, read.height)


def test_its_colours_are_said_to_be_srgb(convert: Convert, noted: Exiftool) -> None:
    """H.273: primaries 1 (BT.709), transfer 13 (sRGB), matrix 6 (BT.601), full range."""
    data = convert(saved(picture(), "PNG"), format="avif").data
    found = noted.read(data)
    assert [found[f"QuickTime:{name}"] for name in ("ColorPrimaries", "TransferCharacteristics", "MatrixCoefficients")] == [1, 13, 6]
    assert data[data.index(b"nclx") + 10] == 0x80


@pytest.mark.parametrize(("subsampling", "shown"), [("4:2:0", 3), ("4:4:4", 0)])
def test_chroma_is_stored_as_asked(convert: Convert, subsampling: str, shown: int) -> None:
    """av1C: chroma_subsampling_x and _y (AV1 ISOBMFF §2.3)."""
    data = convert(saved(picture(), "PNG"), format="avif", subsampling=subsampling).data
    assert data[data.index(b"av1C") + 6] >> 2 & 3 == shown


@pytest.mark.parametrize("kept", ["none", "copyright", "all"])
def test_notes_are_kept_as_asked(convert: Convert, noted: Exiftool, kept: str) -> None:
    source = noted.write(f"-EXIF:Copyright={NOTE}", "-EXIF:ImageDescription=Grüße", "-XMP-dc:Rights=mine", "-XMP-dc:Title=a title")
    found = noted.read(convert(source, format="avif", metadata=kept).data)
    names = ("IFD0:Copyright", "IFD0:ImageDescription", "XMP-dc:Rights", "XMP-dc:Title")
    wanted = {"none": (), "copyright": ("IFD0:Copyright", "XMP-dc:Rights"), "all": names}[kept]
    assert {name for name in names if name in found} == set(wanted)


def test_a_profile_is_kept_with_the_other_notes_alone(convert: Convert) -> None:
    from PIL import ImageCms

    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    source = saved(picture(), "PNG", icc_profile=profile)
    fields = [set(pyvips.Image.new_from_buffer(convert(source, format="avif", metadata=kept).data, "").get_fields()) for kept in ("none", "all")]
    assert ["icc-profile-data" in each for each in fields] == [False, True]


@pytest.mark.parametrize("speed", range(11))
def test_every_speed_gives_a_file(convert: Convert, speed: int) -> None:
    assert by_libvips(convert(saved(picture(48, 32), "PNG"), format="avif", speed=speed).data).shape == (32, 48, 3)


def test_the_same_picture_gives_the_same_bytes(convert: Convert) -> None:
    source = saved(grain(900, 700), "PNG")
    assert convert(source, format="avif", speed=9).data == convert(source, format="avif", speed=9).data


def test_a_target_is_kept_and_said(convert: Convert) -> None:
    source = saved(grain(400, 300), "PNG")
    whole = convert(source, format="avif", speed=9).converted.bytes
    result = convert(source, format="avif", speed=9, target_bytes=whole // 2)
    assert result.converted.bytes == len(result.data) <= whole // 2
    assert result.converted.facts["target_met"] is True
    assert type(result.converted.facts["quality"]) is int


def test_quality_auto_finds_the_score(convert: Convert) -> None:
    facts = convert(saved(picture(400, 300), "PNG"), format="avif", speed=9, quality="auto").converted.facts
    assert facts["score"] >= 73
    assert "speed" not in facts


def test_at_full_quality_without_halved_chroma_it_is_close_but_not_exact(convert: Convert) -> None:
    """The matrix from RGB to YUV rounds: so nothing promises a file without loss."""
    source = picture(200, 150)
    apart = abs(np.asarray(source).astype(int) - by_libvips(convert(saved(source, "PNG"), format="avif", quality=100, subsampling="4:4:4").data))
    assert 0 < apart.max() <= 3


def test_an_opaque_picture_with_an_alpha_channel_has_none_in_its_file(convert: Convert) -> None:
    source = picture(64, 48, "RGB").convert("RGBA")
    with Image.open(io.BytesIO(convert(saved(source, "PNG"), format="avif").data)) as result:
        assert result.mode == "RGB"
