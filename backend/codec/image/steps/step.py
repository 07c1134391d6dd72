"""What a step of the transform is, and what it may know."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Protocol

from PIL import Image

from backend.codec.geometry import Box, Geometry, Size
from backend.codec.image.orientation import Orientation
from backend.core.formats import OutputFormat
from backend.core.options import Options
from backend.core.watermark import Placement

OnShare = Callable[[float], None]
"""Called with the share (0–1) of the step that is done."""


class Mark(Protocol):
    """A watermark. Each method raises ``BackendUnavailable`` where its file cannot be decoded."""

    placement: Placement

    @property
    def pixels(self) -> int:
        """Of the file, as its header says. Nothing is decoded."""

    @property
    def is_grey(self) -> bool: ...

    def size_on(self, picture: Size) -> Size:
        """The mark's, on a picture of this size."""

    def margin_on(self, picture: Size) -> int:
        """In pixels."""

    def rows(self, size: Size, top: int, bottom: int) -> Image.Image:
        """These rows of the mark at this size, as RGBA."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What one picture is to become. ``geometry`` is upright, the decoded picture is as stored.

    ``box`` is the part of the decoded picture that is used, where that is not all of it. ``profile`` is its ICC profile. ``is_open``: what ``trim``
    leaves is not known yet, so ``box`` and ``geometry`` are those of all. ``seeks`` is a gravity that looks for its place in the pixels.
    ``mark`` is there where the options name a watermark, unless the plan is only looked at.
    """

    options: Options
    output: OutputFormat
    geometry: Geometry
    orientation: Orientation
    box: Box | None = None
    profile: bytes | None = None
    is_open: bool = False
    seeks: str | None = None
    mark: Mark | None = None


@dataclass(frozen=True, slots=True)
class Traits:
    """What is known of a picture before its pixels are read. ``mode`` is Pillow's; ``has_colour_key``: one colour is declared transparent."""

    size: Size
    mode: str
    has_colour_key: bool = False

    @classmethod
    def of(cls, image: Image.Image) -> Traits:
        return cls(image.size, image.mode, "transparency" in image.info)


class Step(ABC):
    """Changes a picture as one or a few options say. ``place`` orders the steps (see the package's docstring)."""

    name: ClassVar[str]
    place: ClassVar[int]
    ms_a_megapixel: ClassVar[float] = 1.0
    """What it costs, in milliseconds of one machine, as in ``stage_costs``: only ratios count. Up to the step ``scale``, of the picture as it is
    decoded; from there, of the result."""
    takes_reduced: ClassVar[bool] = False
    """Whether it does as well with a picture that was decoded at a fraction of its size."""
    moves_only: ClassVar[bool] = False
    """Whether samples keep their values, or take those of a colour of 8 bits. Then the high and the low bytes of 16 bits may go through it apart."""

    def once_ms(self, plan: Plan) -> float:
        """What it costs besides, whatever the picture's size."""
        return 0.0

    @abstractmethod
    def is_idle(self, traits: Traits, plan: Plan) -> bool:
        """Whether ``apply`` would change nothing."""

    @abstractmethod
    def apply(self, image: Image.Image, plan: Plan, on_share: OnShare) -> Image.Image:
        """The changed picture; ``image`` itself may be changed, and is closed afterwards where another one is returned."""
