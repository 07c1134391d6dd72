"""The file that a child gets of a watermark: it is whole, and nobody can change it."""

from __future__ import annotations

import mmap
import os

import pytest

from backend.codec.host.watermark_memory import open_watermark_memory
from backend.core.watermark import Placement, Watermark

MARK = Watermark(Placement(), b"PNG" * 50_000)


def change(fd: int) -> None:
    for attempt in (
        lambda: os.pwrite(fd, b"x", 0),
        lambda: os.ftruncate(fd, 10),
        lambda: os.ftruncate(fd, 1 << 20),
        lambda: mmap.mmap(fd, 10),
    ):
        with pytest.raises((OSError, PermissionError)):
            attempt()


def test_a_child_can_read_it_and_change_nothing() -> None:
    with open_watermark_memory(MARK) as (fd,):
        change(fd)
        assert os.pread(fd, 1 << 20, 0) == MARK.png
    with pytest.raises(OSError):
        os.fstat(fd)


def test_without_such_memory_it_is_a_file_without_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "memfd_create")
    with open_watermark_memory(MARK) as (fd,):
        with pytest.raises(OSError):
            os.pwrite(fd, b"x", 0)
        assert os.pread(fd, 1 << 20, 0) == MARK.png
        assert os.fstat(fd).st_nlink == 0


def test_without_a_watermark_there_is_none() -> None:
    with open_watermark_memory(None) as fds:
        assert fds == []
