"""PNG and APNG: the chunks are walked here, and Pillow decodes the pixels of one image at a time. Samples of 16 bits are reduced to 8."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cached_property

from PIL import Image

from backend import errors
from backend.codec.encoders.encoder import BytePair, Frame
from backend.codec.image import decode
from backend.codec.image.composition import compose, compose_first, played_ms
from backend.codec.image.notes import exif
from backend.codec.image.notes.notes import Notes
from backend.codec.image.png import icc, pixels
from backend.codec.image.png.animation import FrameEntry
from backend.codec.image.png.chunks import Chunk
from backend.codec.image.png.image_data import ImageData
from backend.codec.image.png.notes import exif_of, extras_of, notes_of
from backend.codec.image.png.structure import Header, read_structure
from backend.codec.image.raw_frame import RawFrame
from backend.codec.image.readers.picture import OnShare, Picture
from backend.codec.image.steps.step import Traits
from backend.codec.native.source import Source
from backend.core.conversion import Shape
from backend.core.limits import Limits

MAX_PLAYS = 65535
"""WebP holds no more."""


class PngPicture(Picture):
    def __init__(self, source: Source, shape: Shape, limits: Limits) -> None:
        """Raises ``DamagedImage``, ``UnsupportedFormat``, ``TooManyPixels``."""
        self._source, self._limits = source, limits
        self._structure = read_structure(source, limits.frames)
        self._animation = self._structure.animation
        limits.check_pixels(*self._structure.header.size)

    @property
    def traits(self) -> Traits:
        mode, transparency = pixels.mode_of(self._structure.header, self._structure.transparency), self._structure.transparency
        return Traits(self._structure.header.size, mode, bool(transparency) and mode == "P")

    @property
    def pair_mode(self) -> str | None:
        """Frames have 8 bits, as in browsers."""
        return None if self._animation.frames else pixels.pair_mode_of(self._structure.header, self._structure.transparency)

    @cached_property
    def exif_orientation(self) -> int:
        return exif.orientation(exif_of(self._structure.notes, self._source))

    @cached_property
    def profile(self) -> bytes:
        return icc.profile_of(self._structure.kept)

    @property
    def notes(self) -> Notes:
        return notes_of(self._structure.notes, self._source, self.profile)

    @property
    def extras(self) -> frozenset[str]:
        return extras_of(self._structure.notes)

    @property
    def play_count(self) -> int:
        return min(self._animation.plays, MAX_PLAYS)

    def read(self, on_share: OnShare) -> Image.Image:
        """A default image that is no frame is hidden, as in browsers."""
        if not self._animation.frames:
            return self._read_image(self._structure.header, self._structure.image_data, 0, on_share)
        first = self._animation.frames[0]
        if first.control.size == self._structure.header.size:
            return self._read_frame(first, on_share)
        return self._as_stored(compose_first(self._raw_frame(first), self._structure.header.size))

    def read_pair(self, on_share: OnShare) -> BytePair:
        structure = self._structure
        return pixels.read_pair(
            structure.header, structure.transparency, lambda: ImageData(self._source, structure.image_data, 0), self._loader(on_share)
        )

    def learn(self) -> None:
        """All is known from the chunks."""

    def read_frames(self) -> Iterator[Frame]:
        if not self._animation.frames:
            yield Frame(self.read(lambda _share: None), 0, round(played_ms(0)))
        for frame in compose(self._raw_frames(), self._structure.header.size, self._limits):
            yield replace(frame, image=self._as_stored(frame.image))

    def _as_stored(self, canvas: Image.Image) -> Image.Image:
        """Grey again, where a profile for grey may have to be applied."""
        return _grey(canvas) if self._structure.header.is_grey and self.profile else canvas

    def _raw_frames(self) -> Iterator[RawFrame]:
        """A file that has fewer frames than it says is whole if it has an end."""
        yield from map(self._raw_frame, self._animation.frames)
        if self._animation.lacks_frames and not self._structure.is_ended:
            raise errors.DamagedImage(private=f"APNG: {len(self._animation.frames)} frames of {self._animation.declared_frames}, and no end")

    def _raw_frame(self, frame: FrameEntry) -> RawFrame:
        image, control = self._read_frame(frame, lambda _share: None), frame.control
        return RawFrame(_in_colour(image), control.left, control.top, control.duration_ms, control.blend, control.dispose)

    def _read_frame(self, frame: FrameEntry, on_share: OnShare) -> Image.Image:
        return self._read_image(self._structure.header.of_size(frame.control.size), frame.data, frame.control.sequence + 1, on_share)

    def _read_image(self, header: Header, first: Chunk, sequence: int, on_share: OnShare) -> Image.Image:
        structure = self._structure
        return pixels.read_image(
            header,
            structure.palette,
            structure.transparency,
            lambda: ImageData(self._source, first, sequence),
            self._loader(on_share),
            "high byte" if self._animation.frames else "nearest",
        )

    def _loader(self, on_share: OnShare) -> pixels.Load:
        def load(image: Image.Image, begin: float, end: float) -> None:
            self._source.on_read = lambda share: on_share(begin + share * (end - begin))
            decode.load(image)
            self._source.on_read = None

        return load


def _in_colour(image: Image.Image) -> Image.Image:
    """RGB, or RGBA where something may be transparent."""
    return image if image.mode in ("RGB", "RGBA") else image.convert("RGBA" if image.has_transparency_data else "RGB")


def _grey(image: Image.Image) -> Image.Image:
    return Image.merge("LA", (image.getchannel("R"), image.getchannel("A"))) if image.mode == "RGBA" else image.getchannel("R")
