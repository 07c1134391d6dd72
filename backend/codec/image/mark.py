"""The file of a watermark in a child: decoded when it is first needed, and scaled for the picture.

It is the operator's file. Whatever is wrong with it is not the image's doing.
"""

from __future__ import annotations

from functools import cached_property

from PIL import Image

from backend import errors
from backend.codec.geometry import Size
from backend.codec.image import colour
from backend.codec.image.readers import open_picture
from backend.codec.image.steps.mode import as_scalable
from backend.codec.native.source import Source
from backend.core.conversion import Shape
from backend.core.limits import Limits
from backend.core.watermark import MAX_PIXELS, Placement

RETRY_S = 10
WIDTH_AT = 16
"""In a PNG; the height follows."""


class Mark:
    """Scaled with Lanczos in gamma light, as pictures are. One scaled mark is kept, for the frames of an animation."""

    def __init__(self, source: Source, placement: Placement, name: str | None = None) -> None:
        """``name`` is for the log."""
        self._source, self.placement, self._name = source, placement, name
        self._kept: tuple[tuple[Size, int, int], Image.Image] | None = None

    @property
    def pixels(self) -> int:
        """By IHDR (PNG, third edition, §11.2.1). What cannot be so is told when the file is decoded."""
        header = self._source.read_at(WIDTH_AT, 8)
        return min(MAX_PIXELS, int.from_bytes(header[:4]) * int.from_bytes(header[4:]))

    def size_on(self, picture: Size) -> Size:
        """In pixels: ``scale`` by the picture's shorter side, but never so large that there is no margin, and at least one pixel."""
        shorter = min(picture)
        room = max(1, shorter - 2 * self.margin_on(picture))
        longer = min(room, max(1, round(self.placement.scale * shorter)))
        own = self._image.size
        return max(1, round(own[0] * longer / max(own))), max(1, round(own[1] * longer / max(own)))

    def margin_on(self, picture: Size) -> int:
        return round(self.placement.margin * min(picture))

    def rows(self, size: Size, top: int, bottom: int) -> Image.Image:
        """These rows of the mark at this size: RGBA, and as opaque as the operator says."""
        wanted = size, top, bottom
        if self._kept is None or self._kept[0] != wanted:
            rows = self._scaled(size, top, bottom)
            if self.placement.opacity < 1:
                rows.putalpha(rows.getchannel("A").point([round(level * self.placement.opacity) for level in range(256)]))
            self._kept = wanted, rows
        return self._kept[1]

    def _scaled(self, size: Size, top: int, bottom: int) -> Image.Image:
        """Seamless: Lanczos looks beyond the box."""
        if size == self._image.size:
            return self._image.crop((0, top, size[0], bottom))
        scale = self._image.height / size[1]
        box = 0, top * scale, self._image.width, bottom * scale
        return self._image.resize((size[0], bottom - top), Image.Resampling.LANCZOS, box)

    @cached_property
    def is_grey(self) -> bool:
        red, green, blue, _alpha = self._image.split()
        return red.tobytes() == green.tobytes() == blue.tobytes()

    @cached_property
    def _image(self) -> Image.Image:
        """RGBA in sRGB. Raises ``BackendUnavailable`` for a file that cannot be decoded."""
        try:
            return _decoded(self._source)
        except MemoryError:
            raise
        except Exception as error:
            private = f"the PNG of the watermark {self._name} cannot be decoded: {type(error).__name__}: {error}"
            raise errors.BackendUnavailable(part="watermarks", retry_after_s=RETRY_S, private=private) from error


def _decoded(source: Source) -> Image.Image:
    limits = Limits(source.size_bytes, MAX_PIXELS, frames=1)
    picture = open_picture(source, Shape("png", 1, 1), limits)
    image = as_scalable(picture.read(_unheard))
    return colour.to_srgb(image, picture.profile or None, _unheard).convert("RGBA")


def _unheard(_share: float) -> None:
    return
