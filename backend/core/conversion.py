"""One conversion, as the flows ask for it and as the codec answers: values only."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from backend.core.formats import BY_NAME, OUTPUT, OutputFormat
from backend.core.limits import Limits
from backend.core.options import Options
from backend.core.watermark import Watermark

Stage = Literal["decode", "transform", "encode", "store"]
STAGES: tuple[Stage, ...] = ("decode", "transform", "encode", "store")
NOTES = ("exif", "xmp", "iptc", "gain_map", "c2pa")
"""What a result may lack of its source: metadata that were asked for, an HDR gain map, Content Credentials."""
REPORT_EVERY_S = 0.053
"""A job passes on at most ten reports a second, so every second report of the child can be passed on.

More reports would only cost time: each wakes the encoder process, on a processor that the image could use."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What an image's header declares. ``frames`` is 1 for a still."""

    format: str
    width: int
    height: int
    frames: int = 1

    @property
    def pixels(self) -> int:
        return self.width * self.height * self.frames


@dataclass(frozen=True, slots=True)
class Conversion:
    """What the codec is asked for. ``report_every_s`` is the shortest time between two progress reports of one stage.

    ``watermark`` is the one that the options name. ``chosen_method`` is what ``method=auto`` became; the options have that number too.
    ``is_busy``: others wait already, so no processor is spared to prepare for the next one."""

    shape: Shape
    options: Options
    limits: Limits
    timeout_s: float = 60.0
    report_every_s: float = REPORT_EVERY_S
    watermark: Watermark | None = None
    chosen_method: int | None = None
    is_busy: bool = False

    @property
    def output(self) -> OutputFormat:
        return OUTPUT[self.options.format]

    @property
    def may_give_original(self) -> bool:
        """Whether the result may be the source's own file, in its own format."""
        return self.options.never_larger and BY_NAME[self.shape.format].is_on_the_web


@dataclass(frozen=True, slots=True)
class Silence:
    """What an encoder that tells nothing on its way says before: it reaches ``until_percent`` after about ``cpu_s`` of processor time."""

    until_percent: float
    cpu_s: float


@dataclass(frozen=True, slots=True)
class Progress:
    """Measured work so far: ``percent`` (0–100) is over decode, transform and encode together and never falls.

    ``silence`` is what comes next, where that was forecast.
    """

    stage: Stage
    percent: float
    silence: Silence | None = None


@dataclass(frozen=True, slots=True)
class Converted:
    """The result as written. ``facts`` holds what only some conversions report (``core.facts``)."""

    bytes: int
    width: int
    height: int
    frames: int
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Made:
    """Variant ``number`` (from 0, in the order asked for) is written: ``converted.bytes`` from ``at`` on in the file that all share."""

    number: int
    at: int
    converted: Converted


class Variants(Protocol):
    """Where the results of a conversion with variants go. Both methods raise what keeps a result from being stored; that ends the conversion."""

    def open(self, number: int) -> int:
        """A descriptor of an empty file, for the bytes of variant ``number``."""

    def keep(self, number: int, converted: Converted) -> None:
        """The file is complete, and is what ``converted`` says."""


class ChildDied(Exception):
    """The codec's child died ``times`` over the image, by nothing that is known to be the image's doing. It may be: so it is counted."""

    def __init__(self, why: str, times: int = 1) -> None:
        super().__init__(why)
        self.times = times


class Stopped(Exception):
    """The conversion was ended because its result is no longer wanted: cancelled, deleted, or taken over by another encoder."""
