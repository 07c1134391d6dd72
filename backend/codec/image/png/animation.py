"""Which frames an animated PNG has, and where their data begin (PNG §11.3.6, §4.9).

An error in a control chunk ends the animation before it, as in Chromium; an error in the first one leaves the still picture.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from backend.codec.geometry import Size
from backend.codec.image.png.chunks import Chunk
from backend.codec.image.raw_frame import Blend, Dispose

MAX_NUMBER = (1 << 31) - 1
_ACTL, _FCTL = struct.Struct(">II"), struct.Struct(">IIIIIHHBB")
_DISPOSALS: tuple[Dispose, ...] = ("none", "background", "previous")
_BLENDS: tuple[Blend, ...] = ("source", "over")
_DEFAULT_DELAY_DEN = 100


@dataclass(frozen=True, slots=True)
class FrameControl:
    """``sequence`` is that of the fcTL itself; the data's chunks follow on."""

    sequence: int
    size: Size
    left: int
    top: int
    duration_ms: float
    dispose: Dispose
    blend: Blend


@dataclass(frozen=True, slots=True)
class FrameEntry:
    """``data`` is the first chunk of its pixels."""

    control: FrameControl
    data: Chunk


class AnimationIndex:
    """Is told of each chunk in the order of the file. ``frames`` is empty for a still picture."""

    def __init__(self, canvas: Size, max_frames: int) -> None:
        self._canvas, self._max_frames = canvas, max_frames
        self.frames: list[FrameEntry] = []
        self.declared_frames, self.plays = 0, 0
        self._pending: FrameControl | None = None
        self._sequence = 0
        self._is_over = False

    @property
    def lacks_frames(self) -> bool:
        return 0 < len(self.frames) < self.declared_frames

    def add_control(self, contents: bytes | None) -> None:
        """acTL; only the first counts. What is not valid leaves the still picture."""
        if self.declared_frames or contents is None or len(contents) != _ACTL.size:
            return
        frames, plays = _ACTL.unpack(contents)
        if 0 < frames <= MAX_NUMBER and plays <= MAX_NUMBER:
            self.declared_frames, self.plays = frames, plays

    def add_frame_control(self, contents: bytes | None) -> None:
        """fcTL. One that is followed by another and not by data is no frame."""
        control = _frame_control(contents) if contents is not None else None
        if control is None or control.sequence != self._sequence or not self._fits(control):
            self._is_over = True
        self._pending = control
        self._sequence += 1

    def add_default_image(self, data: Chunk) -> None:
        """The first IDAT: a frame only if an fcTL stands before it, and then as large as the canvas. acTL had to come before."""
        if self._pending and (self._pending.size, self._pending.left, self._pending.top) != (self._canvas, 0, 0):
            self._is_over = True
        self._is_over |= not self.declared_frames
        self._add(data)

    def add_frame_data(self, data: Chunk) -> None:
        """fdAT."""
        self._add(data)
        self._sequence += 1

    def _add(self, data: Chunk) -> None:
        if self._pending and not self._is_over and len(self.frames) < min(self.declared_frames, self._max_frames + 1):
            self.frames.append(FrameEntry(self._pending, data))
        self._pending = None

    def _fits(self, control: FrameControl) -> bool:
        (width, height), (across, down) = control.size, self._canvas
        return control.left + width <= across and control.top + height <= down


def _frame_control(contents: bytes) -> FrameControl | None:
    """``None`` for what the specification does not allow."""
    if len(contents) != _FCTL.size:
        return None
    sequence, width, height, left, top, delay_num, delay_den, dispose, blend = _FCTL.unpack(contents)
    if not (width and height) or dispose >= len(_DISPOSALS) or blend >= len(_BLENDS):
        return None
    duration_ms = 1000 * delay_num / (delay_den or _DEFAULT_DELAY_DEN)
    return FrameControl(sequence, (width, height), left, top, duration_ms, _DISPOSALS[dispose], _BLENDS[blend])
