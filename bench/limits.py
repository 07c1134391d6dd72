"""What the machine and libwebp allow, beside the bare loop: the limit from several sides, in turns.

    python -m bench.limits [--rounds 2] [--seconds 4] [--out FILE]

Full size, quality 80, method 4, as many processes as cores. ``cwebp`` decodes and encodes a file and writes none; its libwebp is the system's.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.kit import bare, figures, machine, pictures

KEPT_HEAP = "glibc.malloc.mmap_threshold=1073741824:glibc.malloc.trim_threshold=4294967296"
Done = dict[str, Any]


def cwebp(files: list[Path], seconds: float) -> Done:
    """One process a picture, as many at once as cores."""
    done: list[tuple[int, float, float, int]] = []
    begun, turn = time.perf_counter(), iter(range(10**9))

    def work() -> None:
        while (at := time.perf_counter() - begun) < seconds:
            number = next(turn) % len(files)
            subprocess.run(["cwebp", "-quiet", "-q", "80", "-m", "4", str(files[number]), "-o", "/dev/null"], check=True)
            done.append((number, at, time.perf_counter() - begun, 0))

    crew = [threading.Thread(target=work) for _ in range(machine.CORES)]
    for each in crew:
        each.start()
    for each in crew:
        each.join()
    return {"done": done}


def ways(files: list[Path], seconds: float) -> dict[str, Callable[[], Done]]:
    """The first is the one that the others are measured by."""
    found: dict[str, Callable[[], Done]] = {
        "bare loop": lambda: bare.measure(files, width=None, seconds=seconds),
        "bare loop, heap kept": lambda: bare.measure(files, width=None, seconds=seconds, GLIBC_TUNABLES=KEPT_HEAP),
        "bare loop, huge pages": lambda: bare.measure(files, width=None, seconds=seconds, GLIBC_TUNABLES="glibc.malloc.hugetlb=1"),
        "libwebp alone, decoded before": lambda: bare.measure(files, width=None, seconds=seconds, decoded=True),
        "bare loop, one process": lambda: bare.measure(files, width=None, seconds=seconds, processes=1),
    }
    if shutil.which("cwebp"):
        found[f"cwebp {_version()}"] = lambda: cwebp(files, seconds)
    return found


def _version() -> str:
    return subprocess.run(["cwebp", "-version"], capture_output=True, text=True, check=True).stdout.split()[0]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=3.5)
    parser.add_argument("--budget", type=float, default=3600, help="seconds; no round is begun that would not end in time")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    files = list(pictures.photographs())
    found: dict[str, list[float]] = {}
    begun = time.monotonic()
    for number in range(options.rounds):
        if number and (time.monotonic() - begun) * (number + 1) / number > options.budget:
            break
        costs: list[float] = []
        for name, measure in ways(files, options.seconds).items():
            done = measure()["done"]
            costs = costs or figures.costs(done)
            found.setdefault(name, []).append(figures.work_done(done, costs, options.seconds))
        standard = next(iter(found.values()))
        said = {name: [one / other for one, other in zip(each, standard, strict=False)] for name, each in found.items()}
        if options.out:
            options.out.write_text(json.dumps(said))
    print(json.dumps(said), file=sys.stderr)


if __name__ == "__main__":
    main()
