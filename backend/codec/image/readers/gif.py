"""GIF: images of palette indexes, composed on the canvas. A still is the first of them."""

from __future__ import annotations

from collections.abc import Iterator

from PIL import Image

from backend.codec.encoders.encoder import Frame
from backend.codec.image.composition import compose, compose_first
from backend.codec.image.gif.index import GifIndex, StoredImage
from backend.codec.image.gif.pixels import indexes_of
from backend.codec.image.notes.notes import Notes
from backend.codec.image.raw_frame import Blend, RawFrame
from backend.codec.image.readers.picture import OnShare, Picture
from backend.codec.image.steps.step import Traits
from backend.codec.native.source import Source
from backend.core.conversion import Shape
from backend.core.image_headers.reader import HeaderReader, ReadAt
from backend.core.limits import Limits

PALETTE_BYTES = 3 * 256


class GifPicture(Picture):
    """An ICC profile in a GIF is passed over, as browsers do."""

    def __init__(self, source: Source, shape: Shape, limits: Limits) -> None:
        self._source, self._shape, self._limits = source, shape, limits
        self._index = GifIndex(HeaderReader(source.read_at, source.size_bytes))
        limits.check_pixels(*self._index.size)

    @property
    def traits(self) -> Traits:
        return Traits(self._index.size, "RGBA")

    @property
    def exif_orientation(self) -> int:
        return 1

    @property
    def profile(self) -> bytes:
        return b""

    @property
    def notes(self) -> Notes:
        return Notes(xmp=self._index.xmp)

    @property
    def play_count(self) -> int:
        return self._index.plays

    def read(self, on_share: OnShare) -> Image.Image:
        def read_at(offset: int, length: int) -> bytes:
            on_share(min(1.0, (offset + length) / self._source.size_bytes))
            return self._source.read_at(offset, length)

        return compose_first(self._raw_frame(self._index.images[0], read_at), self._index.size)

    def learn(self) -> None:
        """All is known from the index."""

    def read_frames(self) -> Iterator[Frame]:
        frames = (self._raw_frame(each, self._source.read_at) for each in self._index.images)
        return compose(frames, self._index.size, self._limits)

    def _raw_frame(self, stored: StoredImage, read_at: ReadAt) -> RawFrame:
        image, control = stored.image, stored.control
        self._limits.check_pixels(image.width, image.height)
        blend: Blend = "source" if control.transparent is None else "over"
        return RawFrame(self._visible_pixels(stored, read_at), image.left, image.top, control.duration_ms, blend, control.dispose)

    def _visible_pixels(self, stored: StoredImage, read_at: ReadAt) -> Image.Image:
        """Only what lies on the canvas is coloured. What lies beside it is decoded, too: damage anywhere is damage."""
        image, (canvas_width, canvas_height) = stored.image, self._index.size
        if not image.width or not image.height:
            return Image.new("RGBA", (image.width, image.height))
        indexes = indexes_of(stored, read_at)
        width, height = max(0, min(image.width, canvas_width - image.left)), max(0, min(image.height, canvas_height - image.top))
        visible = indexes if indexes.size == (width, height) else indexes.crop((0, 0, width, height))
        return self._colour(visible, stored)

    def _colour(self, indexes: Image.Image, stored: StoredImage) -> Image.Image:
        """An index without a colour shows black, as in Chromium."""
        indexes.putpalette(self._source.read_at(stored.palette_at, stored.palette_bytes).ljust(PALETTE_BYTES, b"\0"))
        if stored.control.transparent is None:
            return indexes.convert("RGB")
        indexes.info["transparency"] = stored.control.transparent
        return indexes.convert("RGBA")
