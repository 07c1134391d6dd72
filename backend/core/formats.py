"""The image formats: one table of what is read or refused by name, and one of what is written.

The first bytes decide the format of an upload; its name and declared type never do. A file that no row matches is refused.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

SNIFF_BYTES = 4096
"""This many first bytes are enough for every row (SVG may start with a long comment)."""


@dataclass(frozen=True, slots=True)
class Format:
    """``name`` is the public one (``source.format``). ``pillow`` is its reader in Pillow, or None for a format that is refused. ``is_on_the_web``:
    every browser shows it, so that a file of it may be handed out as it came (``never_larger``)."""

    name: str
    media_type: str
    extensions: tuple[str, ...]
    pillow: str | None
    signature: re.Pattern[bytes]
    label: str
    is_on_the_web: bool


def _format(
    name: str, media_type: str, extensions: str, pillow: str | None, signature: bytes, label: str | None = None, *, is_on_the_web: bool = False
) -> Format:
    return Format(name, media_type, tuple(extensions.split()), pillow, re.compile(signature, re.DOTALL), label or name.upper(), is_on_the_web)


# Signatures: PNG §5.2, GIF89a §17, RFC 9649 (WebP), ISO/IEC 10918-1 B.1.1.3, TIFF 6.0 §2, BITMAPFILEHEADER, ISO/IEC 14496-12 §4.3 (ftyp brands).
FORMATS: tuple[Format, ...] = (
    _format("jpeg", "image/jpeg", "jpg jpeg jpe jfif", "JPEG", rb"\xff\xd8\xff", is_on_the_web=True),
    _format("png", "image/png", "png apng", "PNG", rb"\x89PNG\r\n\x1a\n", is_on_the_web=True),
    _format("gif", "image/gif", "gif", "GIF", rb"GIF8[79]a", is_on_the_web=True),
    _format("webp", "image/webp", "webp", "WEBP", rb"RIFF....WEBP", "WebP", is_on_the_web=True),
    _format("tiff", "image/tiff", "tif tiff", "TIFF", rb"(?:II\x2a\x00|MM\x00\x2a)"),
    _format("bmp", "image/bmp", "bmp dib", "BMP", rb"BM.{12}[\x0c\x28\x34\x38\x40\x6c\x7c]\x00\x00\x00"),
    _format(*("avif", "image/avif", "avif avifs", "AVIF", rb"....ftyp(?:avi[fs]|(?:mif1|msf1|miaf).{4}(?:.{4}){0,8}?avi[fs])"), is_on_the_web=True),
    _format("heic", "image/heic", "heic heif hif", "HEIF", rb"....ftyp(?:hei[cxms]|hev[cx]|mif1|msf1)"),
    _format("ico", "image/vnd.microsoft.icon", "ico", "ICO", rb"\x00\x00\x01\x00[\x01-\xff]\x00.{4}"),
    # Refused: the rows let the error name the format.
    _format("svg", "image/svg+xml", "svg svgz", None, rb"[\s\xef\xbb\xbf]*(?=<)(?=.{0,4000}<svg[\s>])"),
    _format("pdf", "application/pdf", "pdf", None, rb"%PDF-"),
    _format("eps", "application/postscript", "eps ps", None, rb"(?:%!PS|\xc5\xd0\xd3\xc6)"),
    _format("psd", "image/vnd.adobe.photoshop", "psd psb", None, rb"8BPS"),
    _format("jxl", "image/jxl", "jxl", None, rb"(?:\xff\x0a|\x00\x00\x00\x0cJXL \r\n\x87\n)", "JPEG XL"),
    _format("jp2", "image/jp2", "jp2 j2k jpx", None, rb"(?:\x00\x00\x00\x0cjP  \r\n\x87\n|\xff\x4f\xff\x51)", "JPEG 2000"),
    _format("bigtiff", "image/tiff", "tif tiff", None, rb"(?:II\x2b\x00|MM\x00\x2b)", "BigTIFF"),
    _format("cur", "image/x-icon", "cur", None, rb"\x00\x00\x02\x00"),
    _format("raw", "image/x-raw", "cr2 cr3 nef arw dng raf orf rw2", None, rb"(?:....ftypcrx |FUJIFILMCCD-RAW|IIRO|IIU\x00)", "camera RAW"),
    _format("mp4", "video/mp4", "mp4 mov m4v", None, rb"....ftyp", "MP4"),
    _format("zip", "application/zip", "zip docx xlsx", None, rb"PK\x03\x04", "ZIP"),
    _format("html", "text/html", "html htm", None, rb"(?i:\s*<(?:!doctype html|html|head|body|script))", "HTML"),
)

READABLE: tuple[Format, ...] = tuple(each for each in FORMATS if each.pillow)
BY_NAME: dict[str, Format] = {each.name: each for each in FORMATS}
ACCEPTED = ", ".join(each.label for each in READABLE)
"""For sentences: ``JPEG, PNG, …``."""


MAX_NOTE_BYTES = 1 << 20
"""Of EXIF and of XMP each; what is larger is left out of a result."""
JPEG_SEGMENT_BYTES = 65533
"""ISO/IEC 10918-1 B.1.1.4: what a segment may hold, its length not counted."""


@dataclass(frozen=True, slots=True)
class OutputFormat:
    """A format that is written. ``name`` is the public one (``result.format``); ``max_side`` is in pixels.

    ``has_grey``: a picture without colours is stored without. ``has_sixteen_bits``: samples of 16 bits may stay so. ``has_iptc``: IPTC has a place
    beside EXIF. ``max_exif_bytes``: what is larger is left out. ``reports_progress``: its encoder tells how far it is; of the others that is
    estimated.
    """

    name: str
    max_side: int
    has_alpha: bool = True
    has_animation: bool = False
    has_grey: bool = False
    has_sixteen_bits: bool = False
    has_iptc: bool = False
    max_exif_bytes: int = MAX_NOTE_BYTES
    reports_progress: bool = False

    @property
    def source(self) -> Format:
        """The row of the same format among those that are read, with its media type, extensions and label."""
        return BY_NAME[self.name]


# Longest sides: RFC 9649 §2.7 (14 bits, less one in the VP8 frame header); libavif's default for its readers; libjpeg's JPEG_MAX_DIMENSION.
# PNG allows two thousand million (§11.2.1); no other reader of images takes as much.
OUTPUT: dict[str, OutputFormat] = {
    "webp": OutputFormat("webp", 16383, has_animation=True, reports_progress=True),
    "avif": OutputFormat("avif", 32768, has_animation=True),
    "jpeg": OutputFormat("jpeg", 65500, has_alpha=False, has_grey=True, has_iptc=True, max_exif_bytes=JPEG_SEGMENT_BYTES - len(b"Exif\0\0")),
    "png": OutputFormat("png", 65535, has_grey=True, has_sixteen_bits=True),
}
"""Each name is also that of the format's module in ``backend/codec/encoders``."""
DEFAULT_OUTPUT = next(iter(OUTPUT))
MAX_OUTPUT_SIDE = max(each.max_side for each in OUTPUT.values())
"""No output format allows a longer side, in pixels."""


RESULTS: tuple[str, ...] = tuple(dict.fromkeys((*OUTPUT, *(each.name for each in FORMATS if each.is_on_the_web))))
"""Each format that a result may have: those that are written, and with ``never_larger`` those of sources."""


def sniff(head: bytes) -> Format | None:
    """The format whose signature ``head`` (the first ``SNIFF_BYTES`` of a file, or all of it) starts with."""
    return next((each for each in FORMATS if each.signature.match(head)), None)
