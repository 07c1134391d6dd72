"""A small result is copied out of the child's reach; then the child's end is not waited for."""

from __future__ import annotations

import mmap
import os
import tempfile
import threading
import time
from collections.abc import Iterator

import pytest

from backend import errors
from backend.codec.host.child_monitor import ChildMonitor
from backend.codec.host.result_memory import MAX_PIXELS, ResultMemory, open_result_memory
from backend.codec.seal import kernel
from backend.codec.sealed import SealedCodec
from backend.core.conversion import Conversion, Shape, Stopped
from backend.core.limits import Limits
from backend.core.options import Options
from tests.unit.codec.conftest import declared, picture, saved
from tests.unit.codec.test_sealed import at_work, zygote

pytestmark = pytest.mark.skipif(not kernel.IS_LINUX, reason="only Linux has such memory")
SMALL = Shape("png", 64, 48, 1)


@pytest.fixture
def memory() -> Iterator[ResultMemory]:
    with open_result_memory(SMALL) as found:
        assert found is not None
        os.write(found.fd, b"as it was")
        yield found


def test_it_is_copied_whole(memory: ResultMemory) -> None:
    os.pwrite(memory.fd, b"x" * (3 << 20), 9)
    with tempfile.TemporaryFile() as file:
        memory.copy_to(file.fileno(), 9 + (3 << 20))
        assert file.read() == b"as it was" + b"x" * (3 << 20)


def test_what_the_child_adds_or_cuts_meanwhile_is_not_waited_for(memory: ResultMemory) -> None:
    with tempfile.TemporaryFile() as file:
        memory.copy_to(file.fileno(), 5)
        assert file.read() == b"as it"
    with tempfile.TemporaryFile() as file:
        memory.copy_to(file.fileno(), 50)
        assert file.read() == b"as it was"


def test_a_copy_does_not_change_with_what_it_was_made_of(memory: ResultMemory) -> None:
    with tempfile.TemporaryFile() as file, mmap.mmap(memory.fd, 9) as view:
        memory.copy_to(file.fileno(), 9)
        view[:7] = b"changed"
        os.pwrite(memory.fd, b"CHANGED", 0)
        assert file.read() == b"as it was"


def test_a_copy_that_finds_no_room_or_no_disk_is_named(memory: ResultMemory) -> None:
    with open("/dev/full", "wb") as full, pytest.raises(errors.StorageFull):
        memory.copy_to(full.fileno(), 9)
    with open(os.devnull, "rb") as not_for_writing, pytest.raises(errors.BackendUnavailable):
        memory.copy_to(not_for_writing.fileno(), 9)


def test_a_large_image_is_written_to_its_file() -> None:
    with open_result_memory(Shape("jpeg", MAX_PIXELS, 1, 1)) as small, open_result_memory(Shape("gif", MAX_PIXELS // 2 + 1, 1, 2)) as large:
        assert small is not None and large is None


def test_children_that_are_not_waited_for_are_gone_soon_and_reaped(codec: SealedCodec) -> None:
    for _ in range(20):
        assert converted(codec)[:4] == b"RIFF"
    codec.abandon_child()
    begun = time.monotonic()
    while at_work(zygote()) or len(zygote().children()) > 1:
        assert time.monotonic() - begun < 5, zygote().children()
        time.sleep(0.01)


def test_a_stop_ends_its_own_child_after_one_that_was_abandoned(codec: SealedCodec) -> None:
    for _ in range(5):
        converted(codec)
        with pytest.raises(Stopped):
            converted(codec, side=1500, is_stopped=True)
        assert at_work(zygote()) == []


def test_an_end_that_is_read_late_is_not_taken_for_the_next_ones(codec: SealedCodec, monkeypatch: pytest.MonkeyPatch) -> None:
    """The child was done and gone before the message that it had taken its order was read: as on a busy machine."""
    copy = ResultMemory.copy_to

    def slowly(memory: ResultMemory, file_fd: int, size_bytes: int) -> None:
        copy(memory, file_fd, size_bytes)
        time.sleep(0.2)

    with monkeypatch.context() as patch:
        patch.setattr(ChildMonitor, "_has_ended", lambda *_: False)
        patch.setattr(ResultMemory, "copy_to", slowly)
        converted(codec)
    with pytest.raises(Stopped):
        converted(codec, side=2500, is_stopped=True)
    assert at_work(zygote()) == []


def converted(codec: SealedCodec, side: int = 64, is_stopped: bool = False) -> bytes:
    source, began = saved(picture(side, side), "PNG"), threading.Event()
    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as result:
        given.write(source)
        given.flush()
        conversion = Conversion(declared(source), Options(method=6), Limits())
        codec.convert(
            given.fileno(),
            result.fileno(),
            conversion,
            on_progress=lambda _progress: began.set(),
            should_stop=lambda: is_stopped and began.is_set(),
            tick_s=0.01,
        )
        return result.read()
