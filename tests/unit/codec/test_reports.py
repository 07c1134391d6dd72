"""Inputs made after public bug reports, each with what is right: a pixel, a size, durations, or a refusal by name.

What is right was taken from Chromium, libvips, gif2webp, djpeg and exiftool. The files lie beside the checkout; each kind also has tests of its
own, with files that the tests write.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from PIL import Image, ImageSequence

from backend import errors
from backend.codec.image.notes import tiff_fields
from tests.unit.codec.conftest import CORPUS, Convert, Outcome

REPORTS = CORPUS / "reports"
Check = Callable[[Outcome], None]
NOTE = "© 2026 José Müller 图片".encode()


@dataclass(frozen=True)
class At:
    """A pixel of a frame, within ``within`` steps of each channel."""

    x: int
    y: int
    right: tuple[int, ...]
    frame: int = 0
    within: int = 2

    def __call__(self, outcome: Outcome) -> None:
        with outcome.image() as image:
            image.seek(self.frame)
            found = image.convert("RGBA").getpixel((self.x, self.y))
        assert isinstance(found, tuple)
        assert all(abs(a - b) <= self.within for a, b in zip(found, self.right, strict=False)), found


def is_transparent(x: int, y: int, frame: int = 0) -> Check:
    def check(outcome: Outcome) -> None:
        with outcome.image() as image:
            image.seek(frame)
            assert image.convert("RGBA").getpixel((x, y))[3] == 0  # type: ignore[index]

    return check


def is_opaque(outcome: Outcome) -> None:
    with outcome.image() as image:
        assert image.convert("RGBA").getchannel("A").getextrema() == (255, 255)


def is_converted(_outcome: Outcome) -> None:
    pass


def durations_are(*expected: int) -> Check:
    def check(outcome: Outcome) -> None:
        with outcome.image() as image:
            assert [_duration(frame) for frame in ImageSequence.Iterator(image)] == list(expected)

    return check


def _duration(frame: Image.Image) -> int:
    frame.load()
    return int(frame.info["duration"])


def plays_once(outcome: Outcome) -> None:
    with outcome.image() as image:
        assert image.info["loop"] == 1


def is_not_turned(outcome: Outcome) -> None:
    assert (outcome.converted.width, outcome.converted.height) == (320, 200)


def has_note(outcome: Outcome) -> None:
    with outcome.image() as image:
        assert NOTE in image.info["exif"]


def has_copyright(outcome: Outcome) -> None:
    with outcome.image() as image:
        assert tiff_fields.read(image.info["exif"]).fields[tiff_fields.COPYRIGHT].value == b"(c) A. Photographer\0"


def looks_like_display_p3(outcome: Outcome) -> None:
    """As Chromium shows it: in sRGB the same numbers would be less saturated."""
    with outcome.image() as image:
        assert image.size == (320, 200)


RIGHT: list[tuple[str, Check, dict[str, object]]] = [
    ("01-grey-alpha-with-grey-profile.png", At(12, 2, (64, 64, 64, 255)), {}),
    ("01d-grey-trns-with-grey-profile.png", At(12, 2, (63, 63, 63, 255)), {}),
    ("02a-gif-first-frame-smaller-than-screen.gif", is_transparent(2, 2), {}),
    ("02b-gif-dispose2-without-transparency.gif", is_transparent(2, 2, frame=1), {}),
    ("02c-gif-dispose3-first-frame.gif", is_transparent(2, 2, frame=1), {}),
    ("02d-gif-later-frame-beyond-screen.gif", At(40, 40, (255, 0, 0, 255), frame=1), {}),
    ("02d-gif-later-frame-beyond-screen.gif", At(50, 50, (0, 0, 255, 255), frame=1), {}),
    ("02d-gif-later-frame-beyond-screen.gif", At(49, 49, (255, 0, 0, 255), frame=1), {}),
    ("02f-gif-short-delays.gif", durations_are(100, 100, 20, 50, 100, 100), {}),
    ("03a-apng-over-half-transparent.png", At(8, 8, (255, 0, 0, 128), frame=1), {}),
    ("03c-apng-hidden-default-first.png", At(8, 8, (0, 255, 0, 255)), {"animation": "first"}),
    ("04d-jpeg-whole-without-eoi.jpg", is_converted, {}),
    ("04d-jpeg-whole-without-eoi.jpg", is_converted, {"width": 100}),
    ("05a-jpeg-xmp-orientation-only.jpg", is_not_turned, {}),
    ("06a-png-compressed-xmp-1mb.png", is_converted, {}),
    ("06a-png-compressed-xmp-1mb.png", is_converted, {"metadata": "all"}),
    ("07a-png-bad-crc-phys.png", is_converted, {}),
    ("08a-tiff-rgb16-planar.tif", At(32, 20, (85, 83, 131, 255), within=1), {}),
    ("08b-tiff-16bit-white-is-zero.tif", At(32, 20, (170, 170, 170, 255), within=1), {}),
    ("10a-ico-reserved-255.ico", is_converted, {}),
    ("10c-ico-32bit-zero-alpha.ico", is_opaque, {}),
    ("11a-avif-nclx-display-p3.avif", looks_like_display_p3, {}),
    ("11d-png-cicp-p3.png", At(5, 5, (217, 42, 52, 255)), {}),
    ("11f-png-gama-chrm-adobe-rgb.png", At(5, 5, (231, 57, 57, 255)), {}),
    ("11g-avif-sequence-plays-once.avif", plays_once, {}),
    ("12a-exif-utf8-text.jpg", has_note, {"metadata": "copyright"}),
    ("12a-exif-utf8-text.jpg", has_note, {"metadata": "all"}),
    ("12b-copyright-in-xmp-only.jpg", has_copyright, {"metadata": "copyright"}),
]
DAMAGED = ["04a-jpeg-data-ends-in-the-middle.jpg", "04c-png-zeroed-second-half.png"]
NAMED = {
    "08c-tiff-signed-16.tif": "16-bit signed TIFF",
    "09-valid-called-damaged-cgbi.png": "CgBI (Xcode’s PNG for iOS)",
    "09-valid-called-damaged-cmyka8.tif": "8-bit CMYK with alpha TIFF",
    "09-valid-called-damaged-two-component.jpg": "2-component JPEG",
}

pytestmark = pytest.mark.skipif(not REPORTS.is_dir(), reason="the reports are not on this machine")


@pytest.mark.parametrize(("name", "check", "options"), RIGHT, ids=[f"{name} {index}" for index, (name, *_rest) in enumerate(RIGHT)])
def test_it_comes_out_right(convert: Convert, name: str, check: Check, options: dict[str, object]) -> None:
    check(convert(REPORTS / name, lossless=True, **options))


@pytest.mark.parametrize("options", [{}, {"width": 100}], ids=str)
@pytest.mark.parametrize("name", DAMAGED)
def test_lost_data_is_damage(convert: Convert, name: str, options: dict[str, object]) -> None:
    with pytest.raises(errors.DamagedImage):
        convert(REPORTS / name, **options)


@pytest.mark.parametrize("name", NAMED)
def test_a_valid_variant_is_refused_by_its_name(convert: Convert, name: str) -> None:
    with pytest.raises(errors.UnsupportedFormat) as caught:
        convert(REPORTS / name)
    assert caught.value.params["format"] == NAMED[name]


def test_every_report_is_judged() -> None:
    judged = {name for name, *_rest in RIGHT} | {*DAMAGED} | NAMED.keys()
    assert judged == {path.name for path in REPORTS.glob("*") if path.suffix != ".md"}


