"""What a GIF file holds, found in one walk: its images with the control of each, how often it plays, and its XMP.

GIF89a §20 and §23. Where the specification is silent, or files are not as it says, this follows Chromium.
"""

from __future__ import annotations

from dataclasses import dataclass

from backend import errors
from backend.codec.geometry import Size
from backend.codec.image.raw_frame import Dispose
from backend.core.image_headers.gif_parts import APPLICATION, CONTROL, LOOP_NAMES, GifExtension, GifImage, end_of_blocks, part_at, screen_of
from backend.core.image_headers.reader import HeaderReader

MOST_PLAYS = 0xFFFF
"""A WebP file can say no more (RFC 9649 §2.7.1.1). A GIF may say one more."""
XMP_NAME = b"\x0bXMP DataXMP"
XMP_TRAILER = bytes((1, *range(255, -1, -1), 0))
"""XMP is no sub-blocks: its bytes are lengths by chance. These lead from any of them to the end (XMP part 3, §1.1.2)."""
_DISPOSALS: dict[int, Dispose] = {2: "background", 3: "previous", 4: "previous"}
"""All others mean none."""


@dataclass(frozen=True, slots=True)
class Control:
    duration_ms: float = 0.0
    dispose: Dispose = "none"
    transparent: int | None = None


@dataclass(frozen=True, slots=True)
class StoredImage:
    """``blocks_end`` is where the empty sub-block lies, or the end of the file. ``palette_at`` and ``palette_bytes`` are its own or the screen's."""

    image: GifImage
    control: Control
    palette_at: int
    palette_bytes: int
    blocks_end: int


class GifIndex:
    """Raises ``DamagedImage`` where there is no image. A file that breaks off has what lies before."""

    def __init__(self, file: HeaderReader) -> None:
        self._file, self._control = file, Control()
        self._screen = screen_of(file)
        self.images: list[StoredImage] = []
        self.plays = 1
        self.xmp = b""
        self._walk()
        if not self.images:
            raise errors.DamagedImage(private="no image before the end")

    @property
    def size(self) -> Size:
        return self._screen.widened_by(self.images[0].image)

    def _walk(self) -> None:
        at = self._screen.parts_at
        try:
            while part := part_at(self._file, at):
                at = self._take_image(part) if isinstance(part, GifImage) else self._take_extension(part)
        except errors.DamagedImage:
            return

    def _take_image(self, image: GifImage) -> int:
        """A graphic control belongs to one image, and the last one before it counts."""
        try:
            end = end_of_blocks(self._file, image.blocks_at)
        except errors.DamagedImage:
            end = self._file.size_bytes + 1
        palette = (image.palette_at, image.palette_bytes) if image.palette_bytes else (self._screen.palette_at, self._screen.palette_bytes)
        self.images.append(StoredImage(image, self._control, *palette, end - 1))
        self._control = Control()
        return end

    def _take_extension(self, extension: GifExtension) -> int:
        end = end_of_blocks(self._file, extension.blocks_at)
        if extension.label == CONTROL:
            self._control = _control_of(self._file.take(extension.blocks_at + 1, 4))
        elif extension.label == APPLICATION:
            self._take_application(extension.blocks_at, end)
        return end

    def _take_application(self, at: int, end: int) -> None:
        """The last loop counts, wherever it lies. It is one sub-block of three bytes: 1, and the repetitions."""
        head = self._file.take(at, min(16, end - at))
        if head.startswith(LOOP_NAMES) and head[12:14] == b"\x03\x01":
            repetitions = int.from_bytes(head[14:16], "little")
            self.plays = min(repetitions + 1, MOST_PLAYS) if repetitions else 0
        elif head.startswith(XMP_NAME):
            self.xmp = self._file.take(at, end - at)[len(XMP_NAME) :].removesuffix(XMP_TRAILER)


def _control_of(block: bytes) -> Control:
    flags, hundredths, transparent = block[0], int.from_bytes(block[1:3], "little"), block[3]
    return Control(10.0 * hundredths, _DISPOSALS.get(flags >> 2 & 7, "none"), transparent if flags & 1 else None)
