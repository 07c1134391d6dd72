"""A zygote whose children run what their image says: code execution in a sealed decoder, as an attacker would have it.

Everything but the conversion is the product's own: the zygote, the fork, the seal, the channel.
"""

from __future__ import annotations

import ctypes
import json
import mmap
import os
import socket
import threading
import time
from typing import Any, NoReturn

from backend.codec import messages, pipeline
from backend.codec.native.source import Source
from backend.codec.sandbox import child

MARK = b"\n# hostile\n"
LIBC = ctypes.CDLL(None, use_errno=True)
LIBC.mmap.restype = ctypes.c_void_p
LIBC.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long]
KEPT: list[object] = []
LAUNCH = (
    "import sys; sys.path.insert(0, {root!r}); from tests.unit.codec.host import hostile_zygote; hostile_zygote.install(); "
    "from backend.codec.sandbox.zygote import main; main({sandbox!r}, {guarded_by})"
)
"""Instead of ``zygote_process.LAUNCH``."""


def hostile(image: bytes, code: str) -> bytes:
    """``image`` with code behind its end, where no decoder looks."""
    return image + MARK + code.encode()


def install() -> None:
    child._convert = run_code  # type: ignore[assignment]


def run_code(order: messages.Order, source: Source, result_fd: int, channel: socket.socket, mark: Source | None = None) -> NoReturn:
    """The code has these names, and ends the process itself."""

    def say(*said: Any) -> None:
        for each in said:
            channel.sendall(each if isinstance(each, bytes) else json.dumps(each).encode() + b"\n")

    def done(**changed: Any) -> dict[str, Any]:
        """An honest conversion, and what an honest child would say of it."""
        converted = messages.done_message(pipeline.convert(source, result_fd, order.conversion, lambda _progress: None, mark=mark))["done"]
        return {"done": {**converted, **changed}}

    def failed(**record: Any) -> dict[str, Any]:
        return {"failed": {"code": "damaged_image", "status": 422, **record}, "private": ""}

    def hang() -> NoReturn:
        lock = threading.Lock()
        lock.acquire()
        lock.acquire()
        raise AssertionError

    def map_result(length: int) -> ctypes.Array[ctypes.c_char]:
        """Python's own mmap asks what no sealed process may."""
        address = LIBC.mmap(None, length, mmap.PROT_READ | mmap.PROT_WRITE, mmap.MAP_SHARED, result_fd, 0)
        return (ctypes.c_char * length).from_address(address)

    def make_threads() -> int:
        """As many as it can get, each with the smallest stack, waiting for ever; their number."""
        attributes, semaphore = ctypes.create_string_buffer(64), ctypes.create_string_buffer(64)
        LIBC.pthread_attr_init(attributes)
        LIBC.pthread_attr_setstacksize(attributes, ctypes.c_size_t(16384))
        LIBC.sem_init(semaphore, 0, 0)
        KEPT.extend((attributes, semaphore))
        wait = ctypes.cast(LIBC.sem_wait, ctypes.c_void_p)
        made = 0
        while LIBC.pthread_create(ctypes.byref(ctypes.c_ulong()), attributes, wait, semaphore) == 0:
            made += 1
        return made

    code = source.read_at(0, source.size_bytes).split(MARK)[1].decode()
    exec(code, globals() | locals())
    os._exit(0)


__all__ = ["time"]
"""For the code: a sealed process imports nothing."""
