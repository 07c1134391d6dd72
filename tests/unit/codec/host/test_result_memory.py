"""A small result is final once the kernel has sealed its memory, and not before; then the child's end is not waited for."""

from __future__ import annotations

import errno
import fcntl
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

pytestmark = pytest.mark.skipif(not kernel.IS_LINUX, reason="only Linux has memory that can be sealed")
SMALL = Shape("png", 64, 48, 1)


@pytest.fixture
def memory() -> Iterator[ResultMemory]:
    with open_result_memory(SMALL) as found:
        assert found is not None
        os.write(found.fd, b"as it was")
        yield found


def content(memory: ResultMemory) -> bytes:
    return os.pread(memory.fd, 100, 0)


def tried(memory: ResultMemory) -> list[int]:
    """How each way to change it ends in another process, which has had it open all along."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        for change in (
            lambda: os.pwrite(memory.fd, b"changed", 0),
            lambda: os.ftruncate(memory.fd, 3),
            lambda: os.ftruncate(memory.fd, 99),
            lambda: mmap.mmap(memory.fd, 9),
        ):
            try:
                change()
                os.write(writer, bytes([0]))
            except OSError as error:
                os.write(writer, bytes([error.errno or 255]))
        os._exit(0)
    os.waitpid(pid, 0)
    os.close(writer)
    with os.fdopen(reader, "rb") as said:
        return list(said.read())


def test_what_is_sealed_no_process_changes(memory: ResultMemory) -> None:
    assert memory.seal()
    assert tried(memory) == [errno.EPERM] * 4
    assert content(memory) == b"as it was"


def test_what_is_not_sealed_can_be_changed(memory: ResultMemory) -> None:
    assert tried(memory) == [0] * 4
    assert content(memory) != b"as it was"


def test_memory_that_is_mapped_for_writing_is_not_final(memory: ResultMemory) -> None:
    with mmap.mmap(memory.fd, 9) as view:
        assert not memory.seal()
        view[:7] = b"changed"
    assert content(memory) == b"changedas"


def test_memory_that_the_child_has_sealed_its_own_way_is_not_final(memory: ResultMemory) -> None:
    fcntl.fcntl(memory.fd, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SEAL)
    assert not memory.seal()


def test_it_is_copied_whole(memory: ResultMemory) -> None:
    os.pwrite(memory.fd, b"x" * (3 << 20), 9)
    with tempfile.TemporaryFile() as file:
        memory.copy_to(file.fileno())
        assert file.read() == b"as it was" + b"x" * (3 << 20)


def test_a_copy_that_finds_no_room_or_no_disk_is_named(memory: ResultMemory) -> None:
    with open("/dev/full", "wb") as full, pytest.raises(errors.StorageFull):
        memory.copy_to(full.fileno())
    with open(os.devnull, "rb") as not_for_writing, pytest.raises(errors.BackendUnavailable):
        memory.copy_to(not_for_writing.fileno())


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
    seal = ResultMemory.seal

    def slowly(memory: ResultMemory) -> bool:
        is_final = seal(memory)
        time.sleep(0.2)
        return is_final

    with monkeypatch.context() as patch:
        patch.setattr(ChildMonitor, "_has_ended", lambda *_: False)
        patch.setattr(ResultMemory, "seal", slowly)
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
