"""What the pipeline asks of an output format: one ``Encoder`` each, and the values that go in and come out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Protocol

from PIL import Image

from backend.codec.geometry import Size
from backend.core.options import Options

OnShare = Callable[[float], None]
"""Called with the share (0–1) of the encode that is done."""


class EncodeProgress(Protocol):
    """Is called as ``OnShare``. An encoder that tells nothing on its way announces what its next share will cost."""

    @property
    def limit_s(self) -> float:
        """The encode may take so much processor time, in seconds."""

    def __call__(self, share: float, /) -> None: ...

    def announce(self, share: float, next_share: float, cpu_s: float) -> None:
        """``share`` is done, and nothing is told from here to ``next_share``, which takes about ``cpu_s`` of processor time."""


Facts = dict[str, Any]
"""What a result reports beyond its size: ``quality``, ``score``, ``probes`` …"""


@dataclass(frozen=True, slots=True)
class Metadata:
    """What is written beside the pixels; empty bytes for nothing. ``exif`` begins with the TIFF header.

    ``iptc`` is there only where the format's row says ``has_iptc``; elsewhere it is a field of ``exif``.
    """

    icc: bytes = b""
    exif: bytes = b""
    xmp: bytes = b""
    iptc: bytes = b""

    def __bool__(self) -> bool:
        return bool(self.icc or self.exif or self.xmp or self.iptc)


@dataclass(frozen=True, slots=True)
class BytePair:
    """A picture of 16 bits a sample, as two of 8 bits: the high bytes and the low ones. Both L, LA, RGB or RGBA.

    A sample of 8 bits has the same byte in both: 257 · value = 256 · value + value.
    """

    high: Image.Image
    low: Image.Image

    def close(self) -> None:
        self.high.close()
        self.low.close()


@dataclass(frozen=True, slots=True)
class Frame:
    """A whole canvas, shown from ``at_ms`` until ``until_ms``. The receiver owns ``image``."""

    image: Image.Image
    at_ms: int
    until_ms: int


@dataclass(frozen=True, slots=True)
class Animation:
    """``plays`` is how often it is shown, 0 for ever. ``read_frames`` decodes all frames again each time it is called."""

    size: Size
    plays: int
    frame_count: int
    read_frames: Callable[[], Iterator[Frame]]


@dataclass(frozen=True, slots=True)
class Encoded:
    """A file in parts, in their order."""

    parts: list[bytes | memoryview]
    frame_count: int = 1
    facts: Facts = field(default_factory=dict)


class Planes(Protocol):
    """A picture that is built strip by strip in the encoder's own memory; chroma may be halved."""

    def add_strip(self, address: int, stride_bytes: int, bytes_a_pixel: int, rows: int) -> None:
        """The next ``rows``, an even number but for the last strip. Three bytes a pixel are RGB; a fourth one is ignored."""

    def turn(self, turn_plane: Callable[[Image.Image], Image.Image], *, swaps_sides: bool) -> None:
        """To be called once, after the last strip. ``turn_plane`` is applied to each plane, as an image of mode L."""

    def sample(self, sample_plane: Callable[[Image.Image], Image.Image]) -> Image.Image:
        """Some of the pixels, as RGB. ``sample_plane`` makes one size of each plane, which is an image of mode L in the planes' own memory."""

    def encode(self, metadata: Metadata, on_share: OnShare) -> AbstractContextManager[Encoded]:
        """As ``Encoder.encode_still``."""


class Encoder(ABC):
    """One output format. An ``Encoded`` is valid until its context ends.

    Methods raise ``TooManyPixels`` where memory does not suffice, ``InvalidOption`` for sides the format cannot have, and ``Internal``.
    """

    ms_a_megapixel = 100.0
    """What a default encode costs, as a weight beside decoding and scaling (``image/stage_costs.py``)."""

    @abstractmethod
    def encode_still(self, image: Image.Image, metadata: Metadata, options: Options, on_share: EncodeProgress) -> AbstractContextManager[Encoded]:
        """``image`` is RGB, or RGBA where the format has alpha; where it has grey, also L and LA.

        It is closed once its pixels are not needed any more.
        """

    def encode_sixteen_bits(self, pair: BytePair, metadata: Metadata, on_share: OnShare) -> AbstractContextManager[Encoded]:
        """Only called where the format's row says ``has_sixteen_bits``. ``pair`` is closed once its pixels are not needed any more."""
        raise NotImplementedError

    def encode_animation(
        self, animation: Animation, metadata: Metadata, options: Options, on_share: EncodeProgress
    ) -> AbstractContextManager[Encoded]:
        """Only called where the format's row says ``has_animation``."""
        raise NotImplementedError

    def accepts_planes(self, _options: Options) -> bool:
        """Whether a JPEG may be given strip by strip. Then the format also has ``open_planes``."""
        return False

    def open_planes(self, size: Size, options: Options) -> AbstractContextManager[Planes]:
        """Only called where ``accepts_planes``."""
        raise NotImplementedError

    def check_time(self, image: Image.Image, options: Options, share: float, limit_s: float) -> None:  # noqa: B027 (most are never too slow)
        """``image`` is ``share`` (0–1) of all that is to be encoded in ``limit_s`` of processor time.

        Raises ``InvalidOption`` (too_slow, too_long) where that is not enough.
        """

    def cost_ms(self, _options: Options, pixels: int, *, has_alpha: bool) -> float:
        """Milliseconds of one encode, on the machine where the other stages' costs were measured."""
        return self.ms_a_megapixel * pixels / 1e6

    def preload(self) -> None:  # noqa: B027 (most formats load nothing)
        """Load every library: a sealed child can open no file."""
