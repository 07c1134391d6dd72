"""Zygotes that a family has forked: each serves one encoder process, and none is left behind."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psutil
import pytest

from backend.codec.host.zygote_process import ZygoteFamily, can_fork_zygotes
from backend.codec.sealed import SealedCodec
from backend.core.conversion import Conversion, Shape
from backend.core.limits import Limits
from backend.core.options import Options
from tests.support.images import photograph
from tests.support.running import wait_for

pytestmark = pytest.mark.skipif(not can_fork_zygotes(), reason="this system cannot watch a process that is no child")


@pytest.fixture(scope="module")
def family() -> Iterator[ZygoteFamily]:
    with closing(ZygoteFamily("prefer")) as started:
        yield started


@pytest.fixture
def codec(family: ZygoteFamily) -> Iterator[SealedCodec]:
    with closing(SealedCodec(family=family)) as started:
        started.start()
        yield started


def convert(codec: SealedCodec) -> bytes:
    with tempfile.TemporaryFile() as source, tempfile.TemporaryFile() as result:
        source.write(photograph(64, 48))
        source.flush()
        order = Conversion(Shape("jpeg", 64, 48), Options(), Limits(), 30.0)
        codec.convert(source.fileno(), result.fileno(), order, on_progress=lambda _: None, should_stop=lambda: False)
        result.seek(0)
        return result.read()


def zygote_of(codec: SealedCodec) -> psutil.Process:
    assert codec.zygote_pid is not None
    return psutil.Process(codec.zygote_pid)


def test_each_codec_has_a_zygote_of_its_own_and_all_are_the_familys(family: ZygoteFamily, codec: SealedCodec) -> None:
    with closing(SealedCodec(family=family)) as other:
        other.start()
        assert zygote_of(codec) != zygote_of(other)
        assert zygote_of(codec).parent() == zygote_of(other).parent() == psutil.Process(family._process.pid)
        assert convert(codec) == convert(other)
        assert codec.seal_level() == other.seal_level() and codec.library_versions()["libwebp"]


def test_a_zygote_has_neither_the_familys_connection_nor_a_secret(family: ZygoteFamily, codec: SealedCodec) -> None:
    requests = {os.readlink(f"/proc/{family._process.pid}/fd/{fd}") for fd in os.listdir(f"/proc/{family._process.pid}/fd")} - {"/dev/null"}
    held = {os.readlink(f"/proc/{codec.zygote_pid}/fd/{fd}") for fd in os.listdir(f"/proc/{codec.zygote_pid}/fd")}
    assert requests and not requests & held
    assert b"PATH=" not in Path(f"/proc/{codec.zygote_pid}/environ").read_bytes()


def test_a_zygote_ends_with_its_codec_and_one_that_was_killed_is_replaced(codec: SealedCodec) -> None:
    first = zygote_of(codec)
    first.kill()
    assert convert(codec)[:4] == b"RIFF"
    second = zygote_of(codec)
    assert second != first
    codec.close()
    assert not second.is_running() or second.status() == psutil.STATUS_ZOMBIE


def test_a_zygote_ends_when_its_encoder_process_has_gone_without_a_word(family: ZygoteFamily) -> None:
    pid = os.fork()
    if pid == 0:
        codec = SealedCodec(family=family)
        codec.start()
        os._exit(0)
    os.waitpid(pid, 0)
    wait_for(lambda: not psutil.Process(family._process.pid).children(), 10, "for the zygote to notice")


def test_after_the_familys_death_a_codec_starts_a_zygote_by_itself() -> None:
    family = ZygoteFamily("prefer")
    with closing(SealedCodec(family=family)) as codec:
        codec.start()
        forked = zygote_of(codec)
        family.close()
        wait_for(lambda: not forked.is_running() or forked.status() == psutil.STATUS_ZOMBIE, 10, "for the zygote to end with the family")
        assert convert(codec)[:4] == b"RIFF"
        assert zygote_of(codec).parent() == psutil.Process()
