"""What a zygote tells its children of the machine, and has them prepare for."""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from backend.codec import messages
from backend.codec.encoders import still
from backend.codec.image import pipeline
from backend.codec.sandbox import child, zygote
from backend.core.conversion import Conversion, Shape
from backend.core.limits import Limits
from backend.core.options import Options


def conversion(image_format: str = "jpeg", width: int = 960, height: int = 640, **chosen: Any) -> Conversion:
    return Conversion(Shape(image_format, width, height, 1), Options(**chosen), Limits(), 60.0)


class Doors(zygote.Nursery):
    """Whose children are the other ends of their doors."""

    def _bear(self) -> None:
        self._door, self.child = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        self._waiting = 4_000_000_000
        self._birth_s = 0.0

    def ordered(self, number: int) -> messages.Message:
        self._let_go()
        self._bear()
        order = json.loads(messages.packed(messages.Order(conversion(), {}).as_message() | {"number": number}))
        self._lines.descriptors += [os.open(os.devnull, os.O_RDONLY) for _ in range(child.DESCRIPTORS)]
        self._give(order)
        with self.child:
            lines = messages.Lines(self.child, child.DESCRIPTORS)
            said = lines.read()[0]
        for fd in lines.descriptors:
            os.close(fd)
        return said


@pytest.fixture
def nursery(monkeypatch: pytest.MonkeyPatch) -> Iterator[Doors]:
    monkeypatch.setattr(zygote, "_kill", lambda _pid: None)
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    with ours, theirs:
        yield Doors(theirs, -1, "off")


def test_huge_pages_are_for_children_that_follow_each_other(nursery: Doors, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    assert nursery.ordered(1)["in_huge_pages"] is False, "nobody gave any memory back yet"
    now[0] += 500
    assert nursery.ordered(2)["in_huge_pages"] is True, "the one before has only just ended"
    nursery._let_go()
    now[0] += zygote.RESTED_S + 0.1
    assert nursery.ordered(3)["in_huge_pages"] is False
    nursery._let_go()
    now[0] += zygote.RESTED_S - 0.1
    assert nursery.ordered(4)["in_huge_pages"] is True


@pytest.mark.parametrize(
    ("given", "touched_bytes", "goes_straight"),
    [
        (conversion(), 960 * 640 * child.HEAP_BYTES_A_PIXEL, True),
        (conversion(width=16, height=16), 16 * 16 * child.HEAP_BYTES_A_PIXEL, True),
        (conversion(width=6000, height=4000), child.MOST_TOUCHED_BYTES, True),
        (conversion(width=600, height=400, lossless=True), 600 * 400 * child.LOSSLESS_HEAP_BYTES_A_PIXEL, False),
        (conversion(sharp_yuv=True), 960 * 640 * child.HEAP_BYTES_A_PIXEL, False),
        (conversion(quality="auto"), 960 * 640 * child.HEAP_BYTES_A_PIXEL, False),
        (Conversion(Shape("jpeg", 960, 640, 1), Options(width=100), Limits(), 60.0), 960 * 640 * child.HEAP_BYTES_A_PIXEL, False),
        (Conversion(Shape("jpeg", 960, 640, 1), Options(height=100), Limits(), 60.0), 960 * 640 * child.HEAP_BYTES_A_PIXEL, False),
        (conversion("png"), 960 * 640 * child.HEAP_BYTES_A_PIXEL, False),
    ],
)
def test_a_child_prepares_for_another_image_like_the_last(given: Conversion, touched_bytes: int, goes_straight: bool) -> None:
    assert child.Kind.of(given) == child.Kind(touched_bytes, goes_straight)


@pytest.mark.parametrize("goes_straight", [True, False])
def test_a_rehearsal_takes_the_way_that_comes(goes_straight: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[str] = []

    def noted(way: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def noting(*given: Any, **named: Any) -> Any:
            taken.append(way)
            return call(*given, **named)

        return noting

    monkeypatch.setattr(still, "picture_of", noted("longer", still.picture_of))
    monkeypatch.setattr(pipeline, "_straight", noted("straight", pipeline._straight))
    before = len(os.listdir("/proc/self/fd"))
    child.rehearse(child.Kind(goes_straight=goes_straight))
    assert taken == (["straight"] if goes_straight else ["straight", "longer"])
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_rehearsal_needs_no_memory_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "memfd_create")
    child.rehearse(child.Kind())
