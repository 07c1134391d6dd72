"""The life of a child: give up what no order needs, wait for one, give up the rest, do one conversion, say how it went, end. It never returns.

It is born before its order comes, rehearses on a picture of its own, touches the memory that it will need, and shuts itself off from files and
network: an image waits for none of it. Until the order it has seen no stranger's byte. What it prepares for is another image like the last.
"""

from __future__ import annotations

import ctypes
import errno
import functools
import gc
import io
import json
import os
import socket
import tempfile
import traceback
from dataclasses import dataclass
from typing import NoReturn

from PIL import Image

from backend import errors
from backend.codec import messages, seal
from backend.codec.encoders import still
from backend.codec.image import jpeg_fast_path, pipeline
from backend.codec.native import libjpeg
from backend.codec.native.source import Source
from backend.codec.resource_limits import is_lossless
from backend.codec.seal import kernel
from backend.core.conversion import Conversion, Progress, Shape
from backend.core.limits import Limits
from backend.core.options import Options

DESCRIPTORS = 3
"""With an order: source, result, the child's channel."""
REHEARSED, REHEARSAL_S = (64, 64), 60.0
HEAP_BYTES_A_PIXEL, LOSSLESS_HEAP_BYTES_A_PIXEL = 7, 28
"""A photograph of 0.6 megapixels takes as much (``bench.codec``); larger ones take half of it, for what every child needs weighs less."""
TOUCHED_BYTES, MOST_TOUCHED_BYTES = 4 << 20, 8 << 20
"""What a waiting child holds: at first, and at most."""
STANDARD = 3
"""Descriptors 0 to 2 stay, on /dev/null, so that no later descriptor takes their place and a library's message goes into a picture."""

THREADED = frozenset(("heic",))
"""libde265 decodes in a thread of its own, always."""


@dataclass(frozen=True, slots=True)
class Kind:
    """Of image that a child prepares for: images come in kinds. ``goes_straight``: its pixels need no picture in between (``jpeg_fast_path``)."""

    touched_bytes: int = TOUCHED_BYTES
    goes_straight: bool = True

    @classmethod
    def of(cls, conversion: Conversion) -> Kind:
        options, shape = conversion.options, conversion.shape
        is_whole = options.width is None and options.height is None
        return cls(min(heap_bytes(conversion), MOST_TOUCHED_BYTES), shape.format == "jpeg" and is_whole and jpeg_fast_path.suits(options))


def wait(end: socket.socket, zygote_pid: int, kind: Kind, sandbox: str) -> NoReturn:
    """For the one order that comes through ``end``; with the zygote gone, for nothing."""
    try:
        gc.disable()
        _keep_only(end.fileno())
        rehearse(kind)
        ctypes.create_string_buffer(kind.touched_bytes)  # the kernel clears it now; it goes back to the heap, not to the kernel
        mapped_bytes = _mapped_bytes()
        seal.withdraw(sandbox)
        if os.getppid() != zygote_pid:  # it died before the child asked to die with it
            os._exit(1)
        orders = messages.Lines(end, DESCRIPTORS)
        received: list[messages.Message] = []
        while not received and not orders.is_over:
            received = orders.read()
        if received:
            end.detach()
            source, result, channel = orders.descriptors
            live(messages.Order.from_message(received[0]), source, result, channel, Seal(sandbox, mapped_bytes))
    finally:
        os._exit(1)


@dataclass(frozen=True, slots=True)
class Seal:
    """How the rest is given up. ``mapped_bytes``: the libraries that came with the zygote, which no order is to pay for."""

    sandbox: str
    mapped_bytes: int

    def close(self, order: messages.Order) -> None:
        seal.limit({**order.bounds, "AS": order.bounds["AS"] + self.mapped_bytes})
        seal.narrow(self.sandbox, threads=order.conversion.shape.format in THREADED)


def heap_bytes(conversion: Conversion) -> int:
    """What a still takes of the heap, about."""
    shape = conversion.shape
    return shape.width * shape.height * (LOSSLESS_HEAP_BYTES_A_PIXEL if is_lossless(conversion.options) else HEAP_BYTES_A_PIXEL)


def rehearse(kind: Kind) -> None:
    """An order for our own picture, unsealed and unheard; and the longer way, which that picture does not take, for a kind that does."""
    drawn, line = _own_order()
    order = messages.Order.from_message(json.loads(line))
    with _file() as source, _file() as result:
        source.write(drawn)
        messages.packed(messages.done(pipeline.convert(Source(source.fileno()), result.fileno(), order.conversion, lambda _progress: None)))
    if kind.goes_straight:
        return
    with Image.open(io.BytesIO(drawn), formats=["JPEG"]) as image:
        image.load()
        with still.picture_of(image, argb=False) as lent, still.encoded(lent, still.config_for(Options(), 80.0), lambda _percent: None):
            pass


@functools.cache
def _own_order() -> tuple[bytes, bytes]:
    """A small picture, and an order for it. Made once, by the zygote."""
    drawn = io.BytesIO()
    Image.new("RGB", REHEARSED, "white").save(drawn, "JPEG")
    conversion = Conversion(Shape("jpeg", *REHEARSED, 1), Options(), Limits(), REHEARSAL_S)
    return drawn.getvalue(), messages.packed(messages.Order(conversion, {}).as_message())


def _file() -> io.FileIO:
    """In memory where the kernel can: the other kind costs a path and a look at the disk."""
    try:
        return io.FileIO(os.memfd_create("rehearsal"), "r+")
    except (AttributeError, OSError):
        with tempfile.TemporaryFile() as file:
            return io.FileIO(os.dup(file.fileno()), "r+")


def live(order: messages.Order, source_fd: int, result_fd: int, channel_fd: int, last: Seal) -> NoReturn:
    code = 1
    try:
        gc.disable()
        _keep_only(source_fd, result_fd, channel_fd)
        channel = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM, fileno=channel_fd)
        source = Source(source_fd)
        try:
            last.close(order)
            message = _work(order, source, result_fd, channel)
        except Exception as error:  # the process edge: this child could not be sealed
            message = messages.failed(errors.Internal(private=f"seal: {type(error).__name__}: {error}"))
        channel.sendall(messages.packed(message))
        code = 0
    finally:
        os._exit(code)


def _mapped_bytes() -> int:
    """proc(5), statm."""
    if not kernel.IS_LINUX:
        return 0
    with open("/proc/self/statm", "rb") as statm:
        return int(statm.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")


def _keep_only(*wanted: int) -> None:
    low = STANDARD
    for fd in sorted(wanted):
        os.closerange(low, fd)
        low = fd + 1
    os.closerange(low, os.sysconf("SC_OPEN_MAX"))


def _work(order: messages.Order, source: Source, result_fd: int, channel: socket.socket) -> messages.Message:
    stage = "decode"

    def tell(progress: Progress) -> None:
        nonlocal stage
        stage = progress.stage
        channel.sendall(messages.packed(messages.at(progress)))

    libjpeg.end_with(lambda error: channel.sendall(messages.packed(messages.failed(error))))
    try:
        return messages.done(pipeline.convert(source, result_fd, order.conversion, tell))
    except Exception as error:  # the process edge: a stranger's bytes can make a decoder throw anything
        return messages.failed(verdict(error, stage))


def verdict(error: Exception, stage: str) -> errors.GatewayError:
    """An exception in the contract's words, given the stage it came from."""
    private = f"{stage}: {type(error).__name__}: {error} ({_place(error)})"
    if isinstance(error, errors.GatewayError):
        return error
    if isinstance(error, (MemoryError, Image.DecompressionBombError, Image.DecompressionBombWarning)):
        return errors.TooManyPixels("memory", private=private)
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return errors.StorageFull(private=private)
    if isinstance(error, OSError) and error.errno == errno.EFBIG:
        return errors.TooManyPixels("memory", private=private)
    if stage in ("decode", "transform"):
        return errors.DamagedImage(private=private)
    return errors.Internal(private=private)


def _place(error: Exception) -> str:
    """Where it was raised, for the log: a sealed process cannot read the sources for a traceback."""
    places = [f"{frame.f_code.co_qualname}:{line}" for frame, line in traceback.walk_tb(error.__traceback__)]
    return " < ".join(places[:-4:-1])
