"""What the three processes say to each other: one JSON object a line, over stream sockets; descriptors travel beside an order.

========================= =====================================================
pool process → zygote     an ``Order`` with its number and three descriptors; ``{"stop": true}``, ``{"leave": true}``: kill, and in the one case
                          tell of the end
zygote → pool process     ``{"ready": level}`` once; for each order, by its ``number``, ``{"taken": pid}`` and ``{"ended": status}``, as
                          ``os.waitstatus_to_exitcode`` gives it
child → pool process      ``{"at": [stage, percent]}``, then ``{"done": {…}}`` or ``{"failed": {…}}``
========================= =====================================================

Law: what a child says is checked here before anybody sees it.
"""

from __future__ import annotations

import json
import socket
from dataclasses import dataclass, replace
from typing import Any

from backend import errors
from backend.core.conversion import STAGES, Conversion, Converted, Progress, Shape
from backend.core.limits import Limits
from backend.core.options import Options
from backend.core.records import as_dict

CONTROL_FD = 3
"""The zygote's end of its socket to the pool process."""
MAX_LINE_BYTES = 64 << 10
READ_BYTES = 16 << 10
SAYABLE: tuple[type[errors.GatewayError], ...] = (
    errors.DamagedImage,
    errors.UnsupportedFormat,
    errors.InvalidOption,
    errors.TooManyPixels,
    errors.TooManyFrames,
    errors.EmptyFile,
    errors.EncodeTimeout,
    errors.StorageFull,
    errors.Internal,
)
"""The errors a child may report."""

Message = dict[str, Any]


class Garbled(Exception):
    """The other side said what no honest one says."""


@dataclass(frozen=True, slots=True)
class Order:
    """A conversion and what the child may use for it; ``bounds`` are resource limits by name."""

    conversion: Conversion
    bounds: dict[str, int]

    def as_message(self) -> Message:
        """Without the file name: a child has no use for it."""
        return as_dict(replace(self, conversion=replace(self.conversion, options=replace(self.conversion.options, filename=None))))

    @classmethod
    def from_message(cls, message: Message) -> Order:
        record = message["conversion"]
        conversion = Conversion(
            Shape(**record["shape"]), Options(**record["options"]), Limits(**record["limits"]), record["timeout_s"], record["report_every_s"]
        )
        return cls(conversion, message["bounds"])


_ENCODER = json.JSONEncoder(separators=(",", ":"), default=as_dict)
"""ASCII: what a decoder says may hold half a character."""


def packed(message: Message) -> bytes:
    return _ENCODER.encode(message).encode() + b"\n"


class Lines:
    """The receiving end of a socket: whole messages, and the descriptors that came with them. ``is_over`` once the other side is gone."""

    def __init__(self, end: socket.socket, descriptors: int = 0) -> None:
        self._end = end
        self._most = descriptors
        self._rest = b""
        self.descriptors: list[int] = []
        self.is_over = False

    def read(self) -> list[Message]:
        """What is there now; waits only if nothing is. Raises ``Garbled``."""
        try:
            chunk = self._receive()
        except BlockingIOError:
            return []
        except ConnectionError:
            chunk = b""
        self.is_over = not chunk
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        if len(self._rest) > MAX_LINE_BYTES:
            raise Garbled(f"a line of over {MAX_LINE_BYTES} bytes")
        return [_parsed(line) for line in lines]

    def _receive(self) -> bytes:
        if not self._most:
            return self._end.recv(READ_BYTES)
        chunk, descriptors, _flags, _address = socket.recv_fds(self._end, READ_BYTES, self._most)
        self.descriptors += descriptors
        return chunk


def _parsed(line: bytes) -> Message:
    try:
        message = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise Garbled(str(error)) from None
    if not isinstance(message, dict):
        raise Garbled("not an object")
    return message


def at(progress: Progress) -> Message:
    return {"at": [progress.stage, progress.percent]}


def done(converted: Converted) -> Message:
    return {"done": as_dict(converted)}


def failed(error: errors.GatewayError) -> Message:
    return {"failed": error.as_record(), "private": error.private[:500]}


def progress_in(message: Message) -> Progress | None:
    match message.get("at"):
        case [str(stage), int() | float() as percent] if stage in STAGES and 0 <= percent <= 100:
            return Progress(stage, percent)
    return None


def converted_in(message: Message) -> Converted | None:
    match message.get("done"):
        case {"bytes": int(size), "width": int(width), "height": int(height), "frames": int(frames), "facts": dict(facts)}:
            return Converted(size, width, height, frames, facts)
    return None


def error_in(message: Message) -> errors.GatewayError | None:
    record = message.get("failed")
    if not isinstance(record, dict) or not isinstance(record.get("params", {}), dict):
        return None
    error = errors.from_record(record)
    if not isinstance(error, SAYABLE):
        return None
    error.private = ascii(message.get("private", ""))[1:-1]
    error.args = (f"{error} {error.private}",)
    return error
