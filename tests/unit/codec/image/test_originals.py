"""``never_larger``: a file that grew is answered with the source's own, but never where that shows or tells anything else."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageCms, ImageSequence, PngImagePlugin

from tests.support import drawn
from tests.unit.codec.conftest import Convert, Outcome, saved
from tests.unit.codec.encoders.test_animation import animated, moving

LARGE: dict[str, Any] = {"quality": 100, "method": 0}
"""With these, a WebP is larger than any of these sources."""
SECRET = b"a secret place"


def small(image_format: str, **options: Any) -> bytes:
    """A photograph, compressed hard."""
    image = drawn.painted((240, 160))
    if image_format == "GIF" or options.pop("is_palette", False):
        image = image.quantize(8)
    quality = {} if image_format in ("PNG", "GIF") else {"quality": 20}
    return saved(image, image_format, **quality, **options)


def exif(**more: int) -> bytes:
    fields = Image.Exif()
    fields[0x010E] = SECRET.decode()
    fields.get_ifd(0x8825)[1] = "N"
    if "orientation" in more:
        fields[0x0112] = more["orientation"]
    return fields.tobytes()


def pixels(data: bytes) -> list[np.ndarray[Any, Any]]:
    with Image.open(io.BytesIO(data)) as image:
        return [np.asarray(frame.convert("RGBA")) for frame in ImageSequence.Iterator(image)]


def is_original(result: Outcome) -> bool:
    return result.converted.facts.get("original", False) is True


PLAIN = {
    "jpeg": small("JPEG"),
    "progressive jpeg": small("JPEG", progressive=True),
    "grey jpeg": saved(drawn.grey_photograph((240, 160)), "JPEG", quality=20),
    "png": small("PNG", is_palette=True),
    "gif": small("GIF"),
    "webp": small("WEBP"),
    "avif": small("AVIF"),
    "animated gif": animated(moving(), "GIF", loop=0),
    "animated png": animated([each.quantize(8) for each in moving()], "PNG"),
    "animated webp": animated(moving(), "WEBP", quality=5),
}


@pytest.mark.parametrize("metadata", ["none", "copyright", "all"])
@pytest.mark.parametrize("name", PLAIN)
def test_a_file_that_grew_is_answered_with_the_sources_own_bytes(convert: Convert, name: str, metadata: str) -> None:
    source = PLAIN[name]
    larger, result = (convert(source, **LARGE, metadata=metadata, never_larger=each) for each in (False, True))
    assert len(larger.data) > len(source)
    assert "original" not in larger.converted.facts
    assert result.data == source
    assert result.converted.facts.keys() - {"seconds", "thumbhash", "color"} == {"original"}
    with Image.open(io.BytesIO(source)) as image:
        assert (result.converted.width, result.converted.height) == image.size
        assert result.converted.frames == getattr(image, "n_frames", 1)


@pytest.mark.parametrize("name", PLAIN)
def test_a_file_that_shrank_is_what_it_was(convert: Convert, name: str) -> None:
    plain, result = (convert(PLAIN[name], quality=1, never_larger=each) for each in (False, True))
    if len(plain.data) <= len(PLAIN[name]):
        assert result.data == plain.data
        assert not is_original(result)


@pytest.mark.parametrize("image_format", ["BMP", "TIFF", "ICO", "HEIF"])
def test_a_format_that_browsers_do_not_show_is_never_answered_with(convert: Convert, image_format: str) -> None:
    options = {"TIFF": {"compression": "jpeg"}, "HEIF": {"quality": 5}}.get(image_format, {})
    result = convert(saved(drawn.painted((64, 64)).quantize(2).convert("RGB"), image_format, **options), **LARGE, never_larger=True)
    assert result.data[8:12] == b"WEBP"


@pytest.mark.parametrize(
    "options",
    [
        {"width": 239},
        {"height": 20},
        {"width": 100, "height": 100, "fit": "cover"},
        {"width": 300, "height": 300, "fit": "contain"},
        {"width": 160, "height": 240, "fit": "fill"},
        {"width": 300, "enlarge": True},
        {"rotate": 90},
        {"rotate": 180},
        {"flip": True},
        {"flop": True},
        {"flip": True, "flop": True, "rotate": 180, "width": 200},
    ],
    ids=str,
)
@pytest.mark.parametrize("name", ["jpeg", "png", "webp"])
def test_an_option_that_changes_the_picture_keeps_the_result(convert: Convert, name: str, options: dict[str, Any]) -> None:
    assert not is_original(convert(PLAIN[name], **LARGE, never_larger=True, **options))


@pytest.mark.parametrize("options", [{"width": 240}, {"width": 4000}, {"width": 500, "height": 500}, {"flip": True, "flop": True, "rotate": 180}])
def test_an_option_that_changes_nothing_does_not(convert: Convert, options: dict[str, Any]) -> None:
    assert is_original(convert(PLAIN["jpeg"], **LARGE, never_larger=True, **options))


@pytest.mark.parametrize("name", ["animated gif", "animated png", "animated webp"])
def test_the_first_frame_of_an_animation_is_not_the_animation(convert: Convert, name: str) -> None:
    result = convert(PLAIN[name], quality=100, animation="first", never_larger=True)
    assert result.converted.frames == 1
    assert not is_original(result)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_turned_jpeg_is_turned_by_whoever_shows_it(convert: Convert, orientation: int) -> None:
    """Its EXIF goes but for the orientation; without ``auto_orient`` the rows were asked for as they are stored."""
    source = small("JPEG", exif=exif(orientation=orientation))
    result, lossy = convert(source, **LARGE, never_larger=True), convert(source, **LARGE)
    assert is_original(result)
    assert SECRET not in result.data
    assert pixels(result.data)[0].tobytes() == pixels(source)[0].tobytes()
    with Image.open(io.BytesIO(result.data)) as image:
        assert image.getexif().get(0x0112, 1) == orientation
        assert set(image.getexif()) <= {0x0112}
    assert (result.converted.width, result.converted.height) == (lossy.converted.width, lossy.converted.height)
    assert is_original(convert(source, **LARGE, never_larger=True, auto_orient=False)) is (orientation == 1)


@pytest.mark.parametrize("image_format", ["PNG", "WEBP"])
def test_another_format_that_is_turned_keeps_its_result(convert: Convert, image_format: str) -> None:
    """Not every viewer turns those."""
    source = small(image_format, exif=exif(orientation=6), **({"is_palette": True} if image_format == "PNG" else {}))
    assert not is_original(convert(source, **LARGE, never_larger=True))


def png_with_notes() -> bytes:
    notes = PngImagePlugin.PngInfo()
    for add in (notes.add_text, notes.add_itxt):
        add("Comment", SECRET.decode())
    notes.add_text("Author", SECRET.decode(), zip=True)
    return small("PNG", is_palette=True, exif=exif(), pnginfo=notes) + SECRET


def jpeg_with_notes() -> bytes:
    data = small("JPEG", exif=exif(), comment=SECRET, xmp=b"<x>" + SECRET + b"</x>")
    thumbnail = b"\xff\xe0" + struct.pack(">H", 8 + len(SECRET)) + b"JFXX\0\x10" + SECRET
    private = b"\xff\xed" + struct.pack(">H", 2 + len(SECRET)) + SECRET
    return data[:2] + thumbnail + private + data[2:] + SECRET


def gif_with_notes() -> bytes:
    data = small("GIF", comment=SECRET)
    xmp = b"\x21\xff\x0bXMP DataXMP" + bytes([len(SECRET)]) + SECRET + b"\0"
    return data[:-1] + xmp + b";" + SECRET


def webp_with_notes() -> bytes:
    data = small("WEBP", exif=exif(), xmp=b"<x>" + SECRET + b"</x>")
    return data[:4] + struct.pack("<I", len(data) + 8 + len(SECRET) - 8) + data[8:] + b"SECR" + struct.pack("<I", len(SECRET)) + SECRET


NOTED = {"jpeg": jpeg_with_notes(), "png": png_with_notes(), "gif": gif_with_notes(), "webp": webp_with_notes()}


@pytest.mark.parametrize("name", NOTED)
def test_nothing_private_leaves_with_the_original(convert: Convert, name: str) -> None:
    source = NOTED[name]
    result = convert(source, **LARGE, never_larger=True)
    assert is_original(result)
    assert SECRET in source
    assert SECRET not in result.data
    assert zlib.compress(SECRET)[2:-4] not in result.data
    with result.image() as image:
        assert not {"exif", "xmp", "comment"} & image.info.keys()
    assert all(np.array_equal(one, other) for one, other in zip(pixels(result.data), pixels(source), strict=True))


@pytest.mark.parametrize("name", NOTED)
def test_all_metadata_are_kept_with_the_whole_file(convert: Convert, name: str) -> None:
    result = convert(NOTED[name], **LARGE, never_larger=True, metadata="all")
    assert is_original(result)
    assert result.data == NOTED[name]


@pytest.mark.parametrize("name", NOTED)
def test_notes_on_rights_alone_cannot_be_had_with_the_original(convert: Convert, name: str) -> None:
    assert not is_original(convert(NOTED[name], **LARGE, never_larger=True, metadata="copyright"))


def test_an_avif_with_notes_keeps_its_result(convert: Convert) -> None:
    source = small("AVIF", exif=exif())
    assert not is_original(convert(source, **LARGE, never_larger=True))
    assert is_original(convert(source, **LARGE, never_larger=True, metadata="all"))


def test_colours_stay_with_the_original(convert: Convert) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for image_format in ("JPEG", "WEBP"):
        result = convert(small(image_format, icc_profile=profile, exif=exif()), **LARGE, never_larger=True)
        assert is_original(result)
        with result.image() as image:
            assert image.info["icc_profile"] == profile


def test_a_jpeg_without_an_end_keeps_its_result(convert: Convert) -> None:
    """What follows its image could be anything."""
    assert not is_original(convert(PLAIN["jpeg"][:-2], **LARGE, never_larger=True))


def test_notes_between_the_scans_go_too(convert: Convert) -> None:
    data = PLAIN["progressive jpeg"]
    at = data.rindex(b"\xff\xda")
    comment = b"\xff\xfe" + struct.pack(">H", 2 + len(SECRET)) + SECRET
    result = convert(data[:at] + comment + data[at:], **LARGE, never_larger=True)
    assert is_original(result)
    assert result.data == data
