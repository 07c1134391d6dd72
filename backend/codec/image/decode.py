"""From an untrusted file to Pillow pixels. Only the plugin of the sniffed format is tried, and only in a sealed child."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import pillow_heif
from PIL import AvifImagePlugin, IcoImagePlugin, Image, ImageFile, MpoImagePlugin, TiffImagePlugin, WebPImagePlugin  # noqa: F401  (they register themselves)

from backend import errors
from backend.codec.geometry import Size
from backend.codec.image import tiff_layouts
from backend.codec.image.notes import exif
from backend.codec.image.notes.notes import Notes
from backend.core.conversion import Shape
from backend.core.formats import BY_NAME, READABLE
from backend.core.limits import Limits

_IPTC_RESOURCE = 0x0404
"""Of Photoshop's image resources."""
SPARE = {8: 1.5, 4: 1.5, 2: 1.21}
"""How many times larger than the result a decode at 1/8, 1/4 or 1/2 must be. SSIM against a full decode is then 0.99 or more: over the corpus'
photographs at nine widths, 0.9919 at least. Half-size decodes keep more of the fine detail than the smaller ones."""


def preload() -> None:
    """Import every plugin. A sealed child can open no file, so it can import nothing, and it can make no thread."""
    Image.preinit()
    AvifImagePlugin.DEFAULT_MAX_THREADS = 1
    tiff_layouts.prepare()
    pillow_heif.options.DECODE_THREADS = 1
    pillow_heif.register_heif_opener(thumbnails=False, aux_images=False, depth_images=False)
    missing = {each.pillow for each in READABLE} - Image.OPEN.keys()
    if missing:
        raise ImportError(f"Pillow cannot read {missing}")


def open_image(stream: io.BufferedReader, shape: Shape, limits: Limits) -> Image.Image:
    """Reads no pixels yet. Raises ``TooManyPixels`` when the decoder sees more than the header declared, and what the decoder raises."""
    Image.MAX_IMAGE_PIXELS = limits.pixels
    warnings.simplefilter("ignore")
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    image = Image.open(stream, formats=[BY_NAME[shape.format].pillow or ""])
    limits.check_pixels(*image.size)
    return image


def exif_orientation(image: Image.Image) -> int:
    """1 to 8; 1 where EXIF is missing or not readable. XMP does not count, as in browsers. A HEIF's own rotation is told as EXIF by its plugin."""
    found = image.info.get("exif")
    return exif.orientation(found) if isinstance(found, bytes) else exif.UPRIGHT


def notes_of(image: Image.Image) -> Notes:
    """As far as Pillow has read them."""
    xmp, iptc = image.info.get("xmp") or b"", image.info.get("photoshop", {}).get(_IPTC_RESOURCE, b"")
    return Notes(image.info.get("icc_profile") or b"", _exif_of(image), xmp.encode() if isinstance(xmp, str) else bytes(xmp), iptc)


def _exif_of(image: Image.Image) -> bytes:
    """As the file has it where Pillow keeps it so."""
    given = image.info.get("exif")
    if isinstance(given, bytes):
        return exif.without_prefix(given)
    try:
        found = image.getexif()
        return found.tobytes().removeprefix(b"Exif\0\0") if len(found) else b""
    except Exception:  # a process edge: EXIF is untrusted, and a picture is no worse without it
        return b""


def reduction(size: Size, wanted: Size) -> int:
    """8, 4 or 2 where libjpeg's picture at that fraction is larger than ``wanted`` (as stored) by ``SPARE``; else 1."""
    for scale, spare in SPARE.items():
        if min(size[0] // scale / wanted[0], size[1] // scale / wanted[1]) >= spare:
            return scale
    return 1


def load(image: Image.Image) -> None:
    """Read the pixels. Raises ``DamagedImage`` for anything that the decoder raises."""
    with _errors_as_damage():
        image.load()


def seek(image: Image.Image, frame: int) -> bool:
    """Go to a frame; False when there is no such frame. Raises ``DamagedImage``."""
    with _errors_as_damage():
        try:
            image.seek(frame)
        except EOFError:
            return False
        return True


@contextmanager
def _errors_as_damage() -> Iterator[None]:
    try:
        yield
    except (MemoryError, errors.GatewayError, Image.DecompressionBombWarning, Image.DecompressionBombError):
        raise
    except Exception as error:
        raise errors.DamagedImage(private=f"{type(error).__name__}: {error}") from error
