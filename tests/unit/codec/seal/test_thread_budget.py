"""The decoder that needs threads gets them, one picture after the other and tile after tile; more than a few at once it never gets."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable

import pytest

from backend.codec import seal
from backend.codec.seal import kernel, thread_budget
from backend.codec.seal.thread_budget import ThreadQuestions
from tests.conftest import missing
from tests.support.heif_files import grid
from tests.unit.codec.conftest import Convert, picture, saved

pytestmark = pytest.mark.skipif(not kernel.IS_LINUX, reason="only Linux can seal a process")


def test_pictures_follow_each_other(convert: Convert) -> None:
    """Each child's questions come by a descriptor that may have the number of the one before."""
    heic = saved(picture(64, 48), "HEIF")
    for _ in range(40):
        assert convert(heic).converted.width == 64


def test_a_photograph_of_many_tiles_has_a_decoder_for_each(convert: Convert) -> None:
    outcome = convert(grid(saved(picture(128, 128), "HEIF"), 128, 16, 12))
    assert (outcome.converted.width, outcome.converted.height) == (2048, 1536)


def counted(work: Callable[[], int]) -> int:
    """What ``work`` returns in a child that asks before each thread, while this process answers."""
    ours, theirs = socket.socketpair()
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            stat_fd = thread_budget.open_own_stat()
            seal.drop_privileges("prefer")
            thread_budget.offer(theirs, stat_fd)
            seal.install_seccomp("prefer", threads=True)  # without it, glibc takes clone3, about which nobody is asked
            os.write(writer, bytes([work()]))
        finally:
            os._exit(0)
    os.close(writer)
    with ours, theirs, os.fdopen(reader, "rb") as said:
        questions = thread_budget.receive(ours)
        if questions is None:
            missing("this kernel cannot ask before each thread")
        assert questions is not None
        answering = threading.Thread(target=answer_until_the_end, args=(questions,))
        answering.start()
        count = said.read(1)[0]
        os.waitpid(pid, 0)
        answering.join()
        return count


def answer_until_the_end(questions: ThreadQuestions) -> None:
    try:
        while True:
            questions.answer()
    except OSError:
        questions.close()


def threads_at_once() -> int:
    """How many could be started that all live still."""
    goes_on, started = threading.Event(), 0
    try:
        while True:
            threading.Thread(target=goes_on.wait, daemon=True).start()
            started += 1
    except RuntimeError:
        return started


def threads_in_turn() -> int:
    for _ in range(100):
        thread = threading.Thread(target=int)
        thread.start()
        thread.join()
    return 100


def test_so_many_live_at_once_and_no_more() -> None:
    assert counted(threads_at_once) == thread_budget.MAX_THREADS - 1, "beside the main thread"


def test_any_number_may_follow_each_other() -> None:
    assert counted(threads_in_turn) == 100


def test_without_the_kernels_help_a_byte_is_sent_and_no_descriptor() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        thread_budget.offer(theirs, None)
        assert thread_budget.receive(ours) is None


def test_a_child_that_dies_before_its_offer_is_not_waited_for() -> None:
    ours, theirs = socket.socketpair()
    with ours:
        theirs.close()
        assert thread_budget.receive(ours) is None
