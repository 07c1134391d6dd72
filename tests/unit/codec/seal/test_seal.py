"""From inside a sealed child: every way out is tried and none is found. What hurts a child hurts only its own job."""

from __future__ import annotations

import os
import platform
import resource
import signal
import socket
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from backend.codec import pipeline, seal
from backend.codec.native.source import Source
from backend.codec.seal import kernel, landlock, probe, seccomp
from backend.codec.seal.syscalls import TABLES
from backend.core.conversion import Conversion
from backend.core.formats import OUTPUT
from backend.core.limits import Limits
from backend.core.options import Options
from tests.conftest import missing
from tests.unit.codec.conftest import declared, picture, saved

pytestmark = pytest.mark.skipif(not kernel.IS_LINUX, reason="only Linux can seal a process")


def sealed(work: Callable[[], object], bounds: dict[str, int] | None = None) -> int:
    """How a process ends (as ``os.waitstatus_to_exitcode`` says) that was sealed, did ``work`` and said 0."""
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
            seal.set_limits(bounds or {})
            seal.seal_process("prefer")
            work()
            code = 0
        except MemoryError:
            code = 2
        except OSError:
            code = 3
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def test_the_seal_is_whole_on_this_machine_and_nothing_escapes() -> None:
    level = probe.measure_level("prefer")
    if level.level < seal.FULL:
        missing(f"this kernel reaches only {level}")
    assert level.escapes == ()


@pytest.mark.parametrize("name", list(probe.ESCAPES))
def test_no_way_out(name: str) -> None:
    assert sealed(probe.ESCAPES[name]) != 0


MADE_NOTHING = 99
SEVERAL = {"every": Options(widths="20,9", formats=",".join(OUTPUT), speed=10)}
ASKED = {name: Options(format=name) for name in OUTPUT} | SEVERAL


@contextmanager
def encoding(asked: Options) -> Iterator[Callable[[], None]]:
    """A conversion whose files are open already, as a child's are."""
    pipeline.preload()
    source = saved(picture(64, 48, "RGBA"), "PNG")
    given, result = os.memfd_create("source"), os.memfd_create("result")
    os.write(given, source)
    opened, conversion = Source(given), Conversion(declared(source), asked, Limits())

    def work() -> None:
        assert pipeline.convert(opened, result, conversion, lambda _progress: None).bytes

    try:
        yield work
    finally:
        os.close(given)
        os.close(result)


@pytest.mark.parametrize("asked", ASKED)
def test_every_output_format_is_made_with_nothing_opened_and_nothing_begun(asked: str) -> None:
    """What the filter forbids ends the process."""
    with encoding(ASKED[asked]) as work:
        assert sealed(work) == 0


@pytest.mark.parametrize("asked", ASKED)
@pytest.mark.parametrize("name", list(probe.ESCAPES))
def test_no_way_out_once_a_format_was_made(name: str, asked: str) -> None:
    with encoding(ASKED[asked]) as work:

        def both() -> None:
            try:
                work()
            except BaseException:
                os._exit(MADE_NOTHING)
            probe.ESCAPES[name]()

        assert sealed(both) not in (0, MADE_NOTHING)


@pytest.mark.parametrize("name", ["open", "create", "list", "socket", "kill", "thread"])
def test_the_same_way_is_open_to_a_process_that_is_not_sealed(name: str) -> None:
    probe.ESCAPES[name]()


@pytest.mark.parametrize("name", ["open", "create", "list"])
def test_without_privileges_no_file_is_opened_and_one_can_still_be_received(name: str) -> None:
    if not landlock.version():
        missing("this kernel has no Landlock")
    ours, theirs = socket.socketpair()
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            seal.drop_privileges("prefer")
            try:
                probe.ESCAPES[name]()
            except PermissionError:
                _, descriptors, _, _ = socket.recv_fds(theirs, 1, 1)
                code = 0 if os.read(descriptors[0], 4) == b"byte" else 4
        finally:
            os._exit(code)
    with ours, theirs, tempfile.TemporaryFile() as file:
        file.write(b"byte")
        file.seek(0)
        socket.send_fds(ours, [b"x"], [file.fileno()])
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


def test_threads_come_only_when_asked_for() -> None:
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            seal.seal_process("prefer", threads=True)
            probe.ESCAPES["thread"]()
            code = 0 if [each for each in probe.escapes() if each != "thread"] == [] else 4
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


def test_a_child_that_spins_is_ended_by_its_processor_time() -> None:
    def spin() -> None:
        while True:
            pass

    assert sealed(spin, {"CPU": 1}) == -signal.SIGXCPU


def test_a_child_that_allocates_without_end_is_refused_memory() -> None:
    assert sealed(lambda: bytearray(1 << 32), {"AS": 1 << 30}) == 2


def test_a_child_that_writes_without_end_is_refused_the_disk() -> None:
    fd = os.memfd_create("result")
    assert sealed(lambda: [os.pwrite(fd, bytes(1 << 20), at << 20) for at in range(64)], {"FSIZE": 8 << 20}) == 3
    os.close(fd)


def test_limits_are_never_raised() -> None:
    def lower_then_raise() -> None:
        seal.set_limits({"NOFILE": 20})
        seal.set_limits({"NOFILE": 4000})
        if resource.getrlimit(resource.RLIMIT_NOFILE)[0] > 20:
            raise ValueError

    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            lower_then_raise()
            code = 0
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


@pytest.mark.parametrize("machine", sorted(TABLES))
@pytest.mark.parametrize("threads", [False, True])
def test_the_filter_of_every_architecture_is_well_formed(machine: str, threads: bool) -> None:
    """Every jump lands inside the program, every path ends in a return (as the kernel checks)."""
    program = seccomp._instructions(TABLES[machine], threads=threads)
    assert len(program) < 4096
    for at, (code, if_true, if_false, _operand) in enumerate(program):
        if code & 7 == 5:
            assert at + 1 + max(if_true, if_false) < len(program)
    assert program[-1][0] == 6


def test_this_architecture_has_a_table() -> None:
    assert platform.machine() in TABLES, sys.platform
