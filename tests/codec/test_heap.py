"""A child's heap in huge pages, in a process whose malloc is set as a zygote's."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from backend.codec import heap
from backend.codec.heap import HUGE_PAGE_BYTES
from backend.codec.host.zygote_client import ENVIRONMENT, ROOT

ENABLED = Path("/sys/kernel/mm/transparent_hugepage/enabled")
MIB, RUNS = 1 << 20, 6

SCRIPT = """
import ctypes, json, resource, sys
sys.path.insert(0, {root!r})
from backend.codec import heap
libc = heap._libc

def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt

def in_huge_pages_kib():
    with open("/proc/self/smaps_rollup") as rollup:
        return sum(int(line.split()[1]) for line in rollup if line.startswith("AnonHugePages"))

def used(size_bytes):
    before = faults()
    piece = libc.malloc(size_bytes)
    ctypes.memset(piece, 1, size_bytes)
    libc.free(piece)
    return faults() - before

hole, end = libc.malloc(1_900_000), libc.malloc(300_000)
libc.free(hole)
said = {{"idle": in_huge_pages_kib()}}
{call}
said["after"] = in_huge_pages_kib()
said["faults"] = used({size})
said["then"] = in_huge_pages_kib()
print(json.dumps(said))
"""

needs_huge_pages = pytest.mark.skipif(
    heap._libc is None or not ENABLED.exists() or "[madvise]" not in ENABLED.read_text(), reason="glibc, and huge pages for those who ask"
)


def said(call: str, size_bytes: int) -> dict[str, Any]:
    """Of several processes the one with the most huge pages: where a heap begins is random, and a first huge page may hold what was used before."""
    return max((said_once(call, size_bytes) for _ in range(RUNS)), key=lambda each: (each["then"], each["after"]))


def said_once(call: str, size_bytes: int) -> dict[str, Any]:
    script = SCRIPT.format(root=str(ROOT), call=call, size=size_bytes)
    done = subprocess.run([sys.executable, "-I", "-B", "-c", script], env=ENVIRONMENT, capture_output=True, text=True, check=True)
    return dict(json.loads(done.stdout))


@needs_huge_pages
@pytest.mark.parametrize("size_bytes", [4 * MIB, 5 * MIB + 12_345])
def test_what_is_touched_ahead_in_huge_pages_costs_nothing_later(size_bytes: int) -> None:
    found = said(f"heap.touch({size_bytes}, in_huge_pages=True)", size_bytes)
    assert found["after"] - found["idle"] == -(-size_bytes // HUGE_PAGE_BYTES) * HUGE_PAGE_BYTES // 1024
    assert found["faults"] < 20 and found["then"] == found["after"]


@needs_huge_pages
def test_what_is_touched_ahead_in_small_pages_costs_nothing_later_either() -> None:
    found = said("heap.touch(4 << 20, in_huge_pages=False)", 4 * MIB)
    assert found["after"] == found["idle"] and found["faults"] < 20


@needs_huge_pages
def test_what_is_reserved_costs_nothing_until_it_is_used_and_little_then() -> None:
    found = said("heap.reserve(40 << 20)", 40 * MIB)
    assert found["after"] == found["idle"]
    assert found["then"] - found["idle"] == 40 * 1024 and found["faults"] < 60, "10 240 small pages otherwise"


@needs_huge_pages
def test_what_is_too_little_for_a_huge_page_is_left_as_it_is() -> None:
    found = said("heap.reserve(2_000_000); heap.touch(2_000_000, in_huge_pages=True)", 2_000_000)
    assert found["then"] == found["idle"] and found["faults"] < 20


@needs_huge_pages
def test_a_heap_that_cannot_grow_so_far_stays_as_it_is() -> None:
    limit = "resource.setrlimit(resource.RLIMIT_AS, (256 << 20, 256 << 20))"
    found = said(f"{limit}; heap.reserve(1 << 40); heap.reserve(512 << 20)", 4 * MIB)
    assert found["after"] == found["idle"]


def test_where_the_library_is_another_nothing_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heap, "_libc", None)
    heap.reserve(40 * MIB)
    heap.touch(4 * MIB, in_huge_pages=True)
