"""JPEG as a result: the judges are djpeg, libvips and exiftool."""

from __future__ import annotations

import hashlib
import io
import subprocess
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from backend import errors
from backend.codec.image.notes import tiff_fields
from backend.codec.image.notes.tiff_fields import ASCII, COPYRIGHT, Field
from tests.unit.codec.conftest import Convert, corpus, picture, saved
from tests.unit.codec.encoders.judges import apart, tool, vips_image, vips_samples
from tests.unit.codec.image.test_colour_difference import profile_of
from tests.unit.codec.image.test_metadata import Exiftool, noted  # noqa: F401  (a fixture)

BEST = {"quality": 100, "subsampling": "4:4:4"}
XMP_HEAD = b"http://ns.adobe.com/xap/1.0/\0"


def frame_of(jpeg: bytes) -> tuple[int, list[tuple[int, int]]]:
    """The marker of the frame (ISO/IEC 10918-1 B.2.2), and each component's sampling factors across and down."""
    at = 2
    while jpeg[at + 1] not in (0xC0, 0xC1, 0xC2):
        at += 2 + int.from_bytes(jpeg[at + 2 : at + 4], "big")
    components = [jpeg[at + 10 + 3 * number + 1] for number in range(jpeg[at + 9])]
    return jpeg[at + 1], [(each >> 4, each & 15) for each in components]


def segments_of(jpeg: bytes, marker: int) -> list[bytes]:
    """The contents of all segments before the scan that have this marker."""
    at, found = 2, []
    while jpeg[at + 1] != 0xDA:
        length = int.from_bytes(jpeg[at + 2 : at + 4], "big")
        found += [jpeg[at + 4 : at + 2 + length]] if jpeg[at + 1] == marker else []
        at += 2 + length
    return found


@pytest.mark.parametrize(("progressive", "marker"), [(True, 0xC2), (False, 0xC0)])
@pytest.mark.parametrize(("subsampling", "luma"), [("4:2:0", (2, 2)), ("4:4:4", (1, 1))])
def test_scans_and_chroma_are_as_asked(convert: Convert, progressive: bool, marker: int, subsampling: str, luma: tuple[int, int]) -> None:
    data = convert(saved(picture(), "PNG"), format="jpeg", progressive=progressive, subsampling=subsampling).data
    assert frame_of(data) == (marker, [luma, (1, 1), (1, 1)])
    assert apart(data, saved(picture(), "PNG")) < 2.5


def test_progressive_chroma_of_half_the_size_is_the_default(convert: Convert) -> None:
    assert frame_of(convert(saved(picture(), "PNG"), format="jpeg").data) == (0xC2, [(2, 2), (1, 1), (1, 1)])


@pytest.mark.parametrize("progressive", [True, False])
def test_djpeg_reads_every_pixel_without_a_word(convert: Convert, progressive: bool) -> None:
    data = convert(saved(picture(), "PNG"), format="jpeg", progressive=progressive, **BEST).data
    done = subprocess.run([tool("djpeg"), "-dct", "int", "-ppm"], input=data, capture_output=True, timeout=60, check=True)
    assert not done.stderr
    with Image.open(io.BytesIO(done.stdout)) as read:
        assert apart(saved(read, "PNG"), saved(picture(), "PNG")) < 0.6


@pytest.mark.parametrize("space", [None, "Display P3", "Adobe RGB"])
@pytest.mark.parametrize("options", [{}, {"width": 111}, {"rotate": 90, "flip": True}], ids=str)
def test_colours_are_those_of_webp_without_loss(convert: Convert, space: str | None, options: dict[str, int]) -> None:
    source = saved(picture(), "TIFF", **({"icc_profile": profile_of(space)} if space else {}))
    jpeg, webp = (convert(source, **options, **each).data for each in ({"format": "jpeg", **BEST}, {"lossless": True}))
    assert apart(jpeg, webp) < 1.0


@pytest.mark.parametrize("path", corpus("colour") + corpus("orientation")[:2], ids=lambda path: path.name)
def test_real_files_have_the_colours_of_webp_without_loss(convert: Convert, path: Path) -> None:
    jpeg, webp = (convert(path, width=300, **each).data for each in ({"format": "jpeg", **BEST}, {"lossless": True}))
    assert apart(jpeg, webp) < 1.0


@pytest.mark.parametrize("mode", ["L", "1", "I;16"])
def test_grey_stays_grey(convert: Convert, mode: str) -> None:
    grey = picture(mode="L")
    source = saved(grey.convert("I;16") if mode == "I;16" else grey.convert(mode), "PNG")
    data = convert(source, format="jpeg", quality=95).data
    assert frame_of(data)[1] == [(1, 1)]
    assert vips_samples(data).shape == (200, 320, 1)


@pytest.mark.parametrize(("mode", "bands"), [("RGBA", 3), ("LA", 1)])
@pytest.mark.parametrize(("background", "ground"), [("", 255), ("#000", 0), ("#00000080", 127), ("#404040", 64)])
def test_transparency_lies_on_the_background_as_in_libvips(convert: Convert, mode: str, bands: int, background: str, ground: int) -> None:
    image = picture(mode=mode)
    given = {"background": {"#000": "#000000ff", "#404040": "#404040ff"}.get(background, background)} if background else {}
    data = convert(saved(image, "PNG"), format="jpeg", **BEST, **given).data
    flat = vips_image(np.asarray(image)).flatten(background=[ground])
    assert vips_samples(data).shape[2] == bands
    assert apart(data, flat.pngsave_buffer()) < 1.0


@pytest.mark.parametrize("image_format", ["GIF", "WEBP", "PNG"])
def test_of_an_animation_the_first_frame_is_written(convert: Convert, image_format: str) -> None:
    frames = [picture(), picture().transpose(Image.Transpose.ROTATE_180)]
    source = saved(frames[0], image_format, save_all=True, append_images=frames[1:], **({"lossless": True} if image_format == "WEBP" else {}))
    result = convert(source, format="jpeg", **BEST)
    first = convert(source, animation="first", lossless=True).data
    assert result.converted.frames == 1
    assert apart(result.data, first) < 1.0


@pytest.mark.parametrize("options", [{"quality": 0}, {"quality": 100}, {**BEST, "quality": 94}, {**BEST, "progressive": False}, BEST], ids=str)
def test_noise_is_written_at_every_quality(convert: Convert, options: dict[str, int]) -> None:
    noise = Image.fromarray(np.random.default_rng(3).integers(0, 2, (300, 400, 3), np.uint8) * 255)
    assert vips_samples(convert(saved(noise, "PNG"), format="jpeg", **options).data).shape == (300, 400, 3)


def test_a_higher_quality_is_larger_and_nearer(convert: Convert) -> None:
    source = saved(picture(), "PNG")
    results = [convert(source, format="jpeg", quality=quality).data for quality in (0, 20, 50, 80, 100)]
    assert [len(each) for each in results] == sorted(len(each) for each in results)
    distances = [apart(each, source) for each in results]
    assert distances == sorted(distances, reverse=True)


def test_a_look_is_found(convert: Convert) -> None:
    result = convert(saved(picture(700, 500), "PNG"), format="jpeg", quality="auto")
    assert result.converted.facts["score"] >= 73
    assert result.converted.facts["quality"] == int(result.converted.facts["quality"])


@pytest.mark.parametrize("quality", [80, "auto"])
@pytest.mark.parametrize("metadata", ["none", "all"])
def test_a_target_holds_with_the_notes(convert: Convert, quality: int | str, metadata: str) -> None:
    exif = tiff_fields.block_of([Field(COPYRIGHT, ASCII, 5000, b"me" * 2499 + b"!\0")])
    source = saved(picture(900, 600), "JPEG", quality=95, exif=b"Exif\0\0" + exif)
    unbounded = convert(source, format="jpeg", quality=quality, metadata=metadata)
    result = convert(source, format="jpeg", quality=quality, metadata=metadata, target_bytes=len(unbounded.data) * 3 // 4)
    assert result.converted.facts["target_met"]
    assert len(unbounded.data) * 0.6 < len(result.data) <= len(unbounded.data) * 3 // 4
    assert (b"me" * 2499 in result.data) == (metadata == "all")


def test_notes_are_where_exiftool_finds_them(convert: Convert, noted: Exiftool) -> None:  # noqa: F811
    source = noted.write("-EXIF:Copyright=© me", "-XMP-dc:Title=a title", "-IPTC:Keywords=cat", "-n", "-Orientation=6")
    result = noted.read(convert(source, format="jpeg", metadata="all").data)
    assert (result["IFD0:Copyright"], result["XMP-dc:Title"], result["IPTC:Keywords"], result["IFD0:Orientation"]) == ("© me", "a title", "cat", 1)
    assert result["File:FileType"] == "JPEG"
    assert "IFD0:Copyright" not in noted.read(convert(source, format="jpeg").data)


def test_a_long_xmp_packet_has_its_extended_form(convert: Convert, noted: Exiftool) -> None:  # noqa: F811
    title = "".join(hashlib.sha256(bytes([number])).hexdigest() for number in range(200)) * 12
    source = noted.write(f"-XMP-dc:Title={title[:120_000]}", "-XMP-dc:Rights=mine", image_format="PNG")
    result = convert(source, format="jpeg", metadata="all")
    assert "dropped" not in result.converted.facts
    packet = next(each for each in segments_of(result.data, 0xE1) if each.startswith(XMP_HEAD))
    assert len(packet) < 1000
    found = noted.read(result.data)
    assert (found["XMP-dc:Title"], found["XMP-dc:Rights"]) == (title[:120_000], "mine")
    again = convert(result.data, format="png", metadata="all")
    assert noted.read(again.data)["XMP-dc:Title"] == title[:120_000]


@pytest.mark.parametrize("chosen", ["all", "copyright"])
def test_exif_that_no_segment_holds_is_said_to_be_dropped(convert: Convert, chosen: str) -> None:
    block = tiff_fields.block_of([Field(COPYRIGHT, ASCII, 70_000, b"x" * 69_999 + b"\0")])
    source = saved(picture(), "PNG", exif=block)
    result = convert(source, format="jpeg", metadata=chosen)
    assert result.converted.facts["dropped"] == ["exif"]
    assert not segments_of(result.data, 0xE1)
    assert "dropped" not in convert(source, format="png", metadata=chosen).converted.facts


@pytest.mark.parametrize("count", [5, 1500], ids=["one segment", "two segments"])
def test_iptc_has_its_own_place(convert: Convert, noted: Exiftool, count: int) -> None:  # noqa: F811
    words = [f"{number:060d}" for number in range(count)]
    source = noted.write(*(f"-IPTC:Keywords={each}" for each in words), "-EXIF:UserComment=" + "x" * 64_000, image_format="JPEG")
    result = convert(source, format="jpeg", metadata="all")
    found = noted.read(result.data)
    assert "dropped" not in result.converted.facts
    assert len(found["ExifIFD:UserComment"]) == 64_000
    assert [f"{int(each):060d}" for each in found["IPTC:Keywords"]] == words


def test_a_profile_is_written_for_colour_and_not_for_grey(convert: Convert) -> None:
    colour, grey = (saved(picture(mode=mode), "TIFF", icc_profile=profile_of("Display P3")) for mode in ("RGB", "L"))
    parts = segments_of(convert(colour, format="jpeg", metadata="all").data, 0xE2)
    assert "sRGB" in ImageCms.getProfileDescription(ImageCms.ImageCmsProfile(io.BytesIO(parts[0][14:])))
    result = convert(grey, format="jpeg", metadata="all").data
    assert len(frame_of(result)[1]) == 3 or not segments_of(result, 0xE2)


@pytest.mark.parametrize("side", [(1, 1), (1, 9), (17, 1), (65_500, 1)])
def test_every_side_is_written(convert: Convert, side: tuple[int, int]) -> None:
    assert vips_samples(convert(saved(Image.new("RGB", side, "teal"), "PNG"), format="jpeg").data).shape[:2] == side[::-1]


def test_a_side_beyond_the_format_is_refused(convert: Convert) -> None:
    with pytest.raises(errors.InvalidOption):
        convert(saved(Image.new("L", (65_501, 1)), "PNG"), format="jpeg")
