"""What the three processes say to each other: one JSON object a line, over stream sockets; descriptors travel with an order.

================= ==================================================================================================
from → to         messages
================= ==================================================================================================
encoder → zygote  an ``Order`` with its number and descriptors; ``{"stop": true}`` kills the child at work;
                  ``{"abandon": true}`` kills it too, and its end is not reported
zygote → encoder  ``{"ready": level, "versions": {…}}`` once; for each order, by its ``number``, ``{"taken": pid}`` and
                  ``{"ended": status}``, as ``os.waitstatus_to_exitcode`` gives it
child → encoder   ``{"at": [stage, percent]}``, before a silence that was forecast ``{"at": [stage, percent, until_percent, cpu_s]}``;
                  for each of several results ``{"made": {…}}``; then ``{"done": {…}}`` or ``{"failed": {…}}``
================= ==================================================================================================

What a child says is parsed in ``host/child_reports`` alone, since the image may have taken the decoder over. The zygote is trusted: it never sees
a byte of an image.
"""

from __future__ import annotations

import json
import socket
from dataclasses import dataclass, replace
from typing import Any

from backend import errors
from backend.core.conversion import Conversion, Converted, Made, Progress, Shape
from backend.core.limits import Limits
from backend.core.options import Options
from backend.core.records import as_dict
from backend.core.watermark import Placement, Watermark

CONTROL_FD = 3
"""The zygote's end of its socket to the encoder process."""
MAX_LINE_BYTES = 64 << 10
MAX_PRIVATE_CHARACTERS = 500
READ_BYTES = 16 << 10
MAX_DESCRIPTORS = 4
"""With an order: source, result, the child's channel; and a watermark's PNG."""
Message = dict[str, Any]


class MalformedMessage(Exception):
    """The other side sent what the protocol does not know."""


@dataclass(frozen=True, slots=True)
class Order:
    """A conversion, and the resource limits of its child by name (see ``resource_limits``)."""

    conversion: Conversion
    limits: dict[str, int]

    def as_message(self) -> Message:
        """Without the file name, which a child does not need, and without the bytes of a watermark, which come by a descriptor."""
        conversion, watermark = self.conversion, self.conversion.watermark
        given = replace(conversion, options=replace(conversion.options, filename=None), watermark=None)
        return as_dict(replace(self, conversion=given)) | ({"placement": as_dict(watermark.placement)} if watermark else {})

    @classmethod
    def from_message(cls, message: Message) -> Order:
        record = message["conversion"]
        shape, options, limits = Shape(**record["shape"]), Options(**record["options"]), Limits(**record["limits"])
        others = {name: record[name] for name in ("timeout_s", "report_every_s", "chosen_method", "is_busy")}
        conversion = Conversion(shape, options, limits, **others)
        if "placement" in message:
            conversion = replace(conversion, watermark=Watermark(Placement(**message["placement"])))
        return cls(conversion, message["limits"])

    @property
    def descriptor_count(self) -> int:
        return MAX_DESCRIPTORS if self.conversion.watermark else MAX_DESCRIPTORS - 1


_ENCODER = json.JSONEncoder(separators=(",", ":"), default=as_dict)
"""Writes ASCII: a decoder's error may hold half a surrogate pair, which UTF-8 cannot."""


def pack(message: Message) -> bytes:
    return _ENCODER.encode(message).encode() + b"\n"


class MessageReader:
    """Reads whole messages and their descriptors from a socket. ``is_over`` once the other side has closed it."""

    def __init__(self, end: socket.socket, max_descriptors: int = 0) -> None:
        self._end = end
        self._max_descriptors = max_descriptors
        self._rest = b""
        self.descriptors: list[int] = []
        self.is_over = False

    def read(self) -> list[Message]:
        """Waits only if nothing has arrived. Raises ``MalformedMessage``."""
        try:
            chunk = self._receive()
        except BlockingIOError:
            return []
        except ConnectionError:
            chunk = b""
        self.is_over = not chunk
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        if len(self._rest) > MAX_LINE_BYTES:
            raise MalformedMessage(f"a line of over {MAX_LINE_BYTES} bytes")
        return [_unpack(line) for line in lines]

    def _receive(self) -> bytes:
        if not self._max_descriptors:
            return self._end.recv(READ_BYTES)
        chunk, descriptors, _flags, _address = socket.recv_fds(self._end, READ_BYTES, self._max_descriptors)
        self.descriptors += descriptors
        return chunk


def _unpack(line: bytes) -> Message:
    try:
        message = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise MalformedMessage(str(error)) from None
    if not isinstance(message, dict):
        raise MalformedMessage("not an object")
    return message


def progress_message(progress: Progress) -> Message:
    silence = progress.silence
    return {"at": [progress.stage, progress.percent, *((silence.until_percent, silence.cpu_s) if silence else ())]}


def made_message(made: Made) -> Message:
    return {"made": as_dict(made)}


def done_message(converted: Converted) -> Message:
    return {"done": as_dict(converted)}


def error_message(error: errors.GatewayError) -> Message:
    return {"failed": error.as_record(), "private": error.private[:MAX_PRIVATE_CHARACTERS]}
