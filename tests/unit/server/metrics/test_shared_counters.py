"""Counts that outlive the process that made them."""

from __future__ import annotations

import errno
import json
import multiprocessing
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from backend.server.metrics import mapped_table
from backend.server.metrics.mapped_table import FILE_BYTES, MappedTable
from backend.server.metrics.shared_counters import SharedCounters

FORK = multiprocessing.get_context("fork")


OPEN: list[SharedCounters] = []


@pytest.fixture(autouse=True)
def slots_are_left() -> Iterator[None]:
    yield
    while OPEN:
        OPEN.pop().release()


def kept(directory: Path) -> SharedCounters:
    OPEN.append(SharedCounters())
    OPEN[-1].keep_in(directory)
    return OPEN[-1]


def sums(directory: Path) -> dict[str, float]:
    total: dict[str, float] = {}
    for path in directory.glob("*.sums"):
        table = MappedTable()
        table.map_to(path)
        for name, value in table.all().items():
            total[name] = total.get(name, 0) + value
    return total


def _count(directory: Path, rounds: int, go: Any, said: Any, end: Any) -> None:
    mine = kept(directory)
    go.wait()
    for number in range(rounds):
        mine.add("requests:GET")
        mine.add(f"requests:{number % 7}", 2)
    mine.set("sockets", 5)
    said.put(mine.slot)
    end.wait()


def counting(directory: Path, count: int, rounds: int) -> tuple[list[Any], list[str], Any]:
    """The processes, which stay until they are told to end, their slots, and what ends them."""
    go, said, end = FORK.Event(), FORK.SimpleQueue(), FORK.Event()
    processes = [FORK.Process(target=_count, args=(directory, rounds, go, said, end)) for _ in range(count)]
    for each in processes:
        each.start()
    go.set()
    return processes, [said.get() for _ in processes], end


def test_counts_of_processes_at_once_add_up_each_in_a_slot_of_its_own(tmp_path: Path) -> None:
    processes, slots, end = counting(tmp_path, 5, 1000)
    assert sorted(slots) == ["0", "1", "2", "3", "4"]
    readings = kept(tmp_path).read_all()
    assert sum(each.sums.get("requests:GET", 0) for each in readings) == 5000
    assert [each.now["sockets"] for each in readings if each.now and "sockets" in each.now] == [5] * 5
    end.set()
    for each in processes:
        each.join()


def test_a_killed_process_takes_no_count_along_and_the_next_one_goes_on_with_its_slot(tmp_path: Path) -> None:
    for turn in range(1, 4):
        processes, slots, _ = counting(tmp_path, 2, 100)
        assert sorted(slots) == ["0", "1"], "as many files as processes at once, not as many as ever"
        for each in processes:
            os.kill(each.pid, signal.SIGKILL)
            each.join()
        assert sums(tmp_path)["requests:GET"] == 200 * turn
        assert sum(amount for name, amount in sums(tmp_path).items() if name != "requests:GET") == 400 * turn


def test_what_a_dead_process_said_of_itself_is_not_read(tmp_path: Path) -> None:
    processes, _, _ = counting(tmp_path, 2, 1)
    for each in processes:
        os.kill(each.pid, signal.SIGKILL)
        each.join()
    third = kept(tmp_path)
    assert [each.now for each in third.read_all()] == [{}, None]
    third.set("sockets", 1)
    assert [each.now for each in third.read_all()] == [{"sockets": 1}, None]


def test_without_a_folder_a_process_reads_its_own_counts() -> None:
    alone = SharedCounters()
    alone.add("requests", 2)
    alone.set("sockets", 3)
    assert [(each.sums, each.now) for each in alone.read_all()] == [({"requests": 2}, {"sockets": 3})]


def test_what_was_counted_before_the_folder_is_not_lost(tmp_path: Path) -> None:
    early = SharedCounters()
    OPEN.append(early)
    early.add("requests", 2)
    early.keep_in(tmp_path)
    early.add("requests")
    assert sums(tmp_path) == {"requests": 3}


def test_names_of_every_length_and_alphabet_are_read_as_they_were_written(tmp_path: Path) -> None:
    mine = kept(tmp_path)
    names = ["x" * length for length in range(1, 40)] + ["/api/jobs/{job_id}", "路由"]
    for number, name in enumerate(names):
        mine.add(name, number + 0.5)
    assert sums(tmp_path) == {name: number + 0.5 for number, name in enumerate(names)}


def test_a_full_file_keeps_what_it_has_and_counts_the_rest_in_memory(tmp_path: Path) -> None:
    mine = kept(tmp_path)
    names = [f"{number:0>1000}" for number in range(FILE_BYTES // 1000)]
    for name in [*names, names[0], names[-1]]:
        mine.add(name)
    assert sums(tmp_path)[names[0]] == 2 and names[-1] not in sums(tmp_path)
    assert (tmp_path / "0.sums").stat().st_size == FILE_BYTES


def test_a_full_disk_at_the_start_leaves_the_worker_with_its_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The whole file is taken at once: a hole in it would kill the worker at its first write."""

    def full(*_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(mapped_table.os, "posix_fallocate", full)
    mine = kept(tmp_path)
    mine.add("requests")
    assert [dict(each.sums) for each in mine.read_all()] == [{"requests": 1}]


def test_a_file_has_no_holes(tmp_path: Path) -> None:
    kept(tmp_path)
    for path in (tmp_path / "0.sums", tmp_path / "0.now"):
        assert path.stat().st_blocks * 512 >= FILE_BYTES


def test_a_file_that_another_process_is_just_making_is_read_as_nothing(tmp_path: Path) -> None:
    mine = kept(tmp_path)
    (tmp_path / "7.sums").write_bytes(b"")
    (tmp_path / "8.sums").write_bytes(bytes(100))
    assert json.dumps([each.sums for each in mine.read_all()]) == "[{}, {}, {}]"
