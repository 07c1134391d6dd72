"""What a start takes and what stands idle after it, by the number of gateway workers and of encoders: memory, processor time, seconds.

    python -m bench.footprint [--workers 1,5,17,33] [--encoders 1,2,16] [--rounds 1] [--out FILE]

``./start.sh`` with everything installed and compiled, on a data folder of its own each time. Memory is the proportional set size of the whole
family, by role, once it is quiet; one more of a kind costs the growth from the fewest to the most. Seconds are until ``/api/health/ready``.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from pathlib import Path
from typing import Any

from bench.kit import machine, servers
from bench.memory import MIB, by_role

WORKERS, ENCODERS = (1, 5, 17, 33), (1, 2, 16)
USUAL_WORKERS, USUAL_ENCODERS = 5, 2
QUIET_S = 12.0
"""The codec for small jobs is there ten seconds after the encoders' start."""
Row = dict[str, Any]


def measured(workers: int, encoders: int) -> Row:
    begun_s = time.monotonic()
    given = {"GUNICORN_WORKERS": str(workers), "GATEWAY_ENCODERS": str(encoders), "GATEWAY_ENCODERS_MIN": str(encoders)}
    with servers.gateway(ready="/api/health/ready", **given) as server:
        ready_s = server.ready_at_s - begun_s
        family = server.family()
        cpu_s = machine.cpu_s(family)
        time.sleep(QUIET_S)
        server.settle()
        roles = by_role(server)
        return {
            "workers": workers,
            "encoders": encoders,
            "ready_s": round(ready_s, 2),
            "cpu_s": round(cpu_s, 2),
            "idle_mib": round(machine.pss_bytes(server.family()) / MIB, 1),
            "roles": roles,
        }


def each_more_mib(rows: list[Row], kind: str) -> float:
    """From the fewest to the most of a kind, beside the usual number of the other; 0 where there is only one number."""
    other, usual = ("encoders", USUAL_ENCODERS) if kind == "workers" else ("workers", USUAL_WORKERS)
    first, last = (pick((row for row in rows if row[other] == usual), key=lambda row: row[kind]) for pick in (min, max))
    return float(round((last["idle_mib"] - first["idle_mib"]) / max(1, last[kind] - first[kind]), 1))


def settings(workers: list[int], encoders: list[int]) -> list[tuple[int, int]]:
    pairs = [*((each, USUAL_ENCODERS) for each in workers), *((USUAL_WORKERS, each) for each in encoders), (max(workers), max(encoders))]
    return list(dict.fromkeys(pairs))


def middle(rounds: list[Row]) -> Row:
    """Of several starts: the medians; the roles of the one in the middle of the memory."""
    ordered = sorted(rounds, key=lambda row: row["idle_mib"])
    return {**ordered[len(ordered) // 2], **{name: round(statistics.median(row[name] for row in rounds), 2) for name in ("ready_s", "cpu_s")}}


def main() -> None:
    numbers = lambda text: [int(each) for each in text.split(",")]  # noqa: E731
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workers", type=numbers, default=list(WORKERS))
    parser.add_argument("--encoders", type=numbers, default=list(ENCODERS))
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    rows: list[Row] = []
    measured(USUAL_WORKERS, USUAL_ENCODERS)  # compiles what is not compiled yet
    for workers, encoders in settings(options.workers, options.encoders):
        rows.append(middle([measured(workers, encoders) for _ in range(options.rounds)]))
        print(json.dumps(rows[-1]), file=sys.stderr, flush=True)
    said = {"rows": rows, "worker_mib": each_more_mib(rows, "workers"), "encoder_mib": each_more_mib(rows, "encoders")}
    if options.out:
        options.out.write_text(json.dumps(said))
    print(json.dumps({name: said[name] for name in ("worker_mib", "encoder_mib")}))


if __name__ == "__main__":
    main()
