"""A file that is opened: what is known of it before its pixels are read, and how they are read. Here, all of it by Pillow's plugin."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import ClassVar

from PIL import Image

from backend.codec.encoders.encoder import BytePair, Frame
from backend.codec.geometry import Box, Size
from backend.codec.image import decode
from backend.codec.image.composition import played_ms
from backend.codec.image.notes.notes import Notes
from backend.codec.image.steps.step import Traits
from backend.codec.native.source import Source
from backend.core.conversion import Shape
from backend.core.limits import Limits

OnShare = Callable[[float], None]
READ_AS_DECODED = frozenset(("jpeg", "bmp"))
"""Formats that are read bit by bit: the share read is the share decoded. Others are read whole before they are decoded."""


class Picture:
    """Subclasses override what their format needs. Methods that read pixels raise ``DamagedImage``."""

    is_reducible: ClassVar[bool] = False
    """Whether ``reduce`` can have less decoded, and EXIF is known before the pixels are read."""

    def __init__(self, source: Source, shape: Shape, limits: Limits) -> None:
        self._source, self._shape, self._limits = source, shape, limits
        self._image = decode.open_image(source.buffered(), shape, limits)

    @property
    def traits(self) -> Traits:
        """Of the pixels as ``read`` gives them, as far as they are known."""
        return Traits.of(self._image)

    @property
    def pair_mode(self) -> str | None:
        """The mode of what ``read_pair`` gives: L, LA, RGB or RGBA. None where samples have not 16 bits."""
        return None

    @property
    def size(self) -> Size:
        return self.traits.size

    @property
    def is_progressive(self) -> bool:
        """Whether the file is read as a whole before its first row, which is half of the time."""
        return False

    @property
    def applied_orientation(self) -> int:
        """The EXIF orientation that ``read`` carries out by itself."""
        return 1

    @property
    def exif_orientation(self) -> int:
        """1 to 8; 1 where EXIF is missing, not readable, or not read yet."""
        return decode.exif_orientation(self._image) if self._image._im is not None else 1

    @property
    def profile(self) -> bytes:
        """The ICC profile of the pixels, as ``notes`` has it, known as soon as it can be."""
        return self._image.info.get("icc_profile") or b""

    @property
    def notes(self) -> Notes:
        """To be asked once the pixels are read, or of a JPEG."""
        return decode.notes_of(self._image)

    @property
    def extras(self) -> frozenset[str]:
        """``notes.extras``, where the other notes are not asked for."""
        return self.notes.extras

    @property
    def play_count(self) -> int:
        """How often an animation is shown; 0 for ever."""
        return int(self._image.info.get("loop") or 0)

    @property
    def reduced_by(self) -> int:
        """What ``reduce`` has settled: ``read`` gives one pixel of so many each way."""
        return 1

    def reduce(self, _wanted: Size) -> Box | None:
        """Have ``read`` give a smaller picture, still larger than ``wanted`` (as stored). The part of it that holds the picture."""
        return None

    def read(self, on_share: OnShare) -> Image.Image:
        """The pixels of the still, or of the first frame."""
        self._load(self._image, on_share)
        return self._image

    def read_pair(self, on_share: OnShare) -> BytePair:
        """As ``read``, with 16 bits a sample. Only called where there is a ``pair_mode``."""
        raise NotImplementedError

    def learn(self) -> None:
        """Make what ``size``, ``exif_orientation`` and ``notes`` say of an animation complete. Here, by reading its first frame."""
        self.read(lambda _share: None)

    def read_frames(self) -> Iterator[Frame]:
        """All frames, from the first, as whole canvases. Raises ``TooManyFrames``, ``TooManyPixels`` too. May be called again.

        Here, as Pillow's decoder composes them. They end when the file says, in whole milliseconds: so rounded durations do not drift.
        """
        image, number, at_ms, ended_ms = self._image, 0, 0.0, 0.0
        while decode.seek(image, number):
            number += 1
            self._limits.check_pixels(*image.size, number)
            decode.load(image)
            end_ms = image.info["timestamp"] + image.info["duration"]
            until_ms = at_ms + played_ms(end_ms - ended_ms)
            yield Frame(image.copy(), round(at_ms), round(until_ms))
            at_ms, ended_ms = until_ms, end_ms

    def _load(self, image: Image.Image, on_share: OnShare) -> None:
        self._source.on_read = on_share if self._shape.format in READ_AS_DECODED else None
        decode.load(image)
        self._source.on_read = None
