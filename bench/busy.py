"""Busy hours: a service that never lacks requests, the gateway with ``method=4`` and with ``method=auto`` in turns, and its peers.

    python -m bench.busy [--seconds 60] [--clients 16] [--rounds 1] [--peers "gateway, method 4;gateway, method auto;sharp"] [--width 0] [--out FILE]

For each: throughput and processor time by those of the bare loop of the same round, as in ``bench.convert``; images a processor second; and of the
newest answer for each picture while the clients were at it, the bytes beside those with ``method=4`` and the codec's own SSIMULACRA2 against the
source. The last line is the gateway's ``auto`` by its 4. Processor time hardly minds what else the machine does.
"""

from __future__ import annotations

import argparse
import io
import json
import statistics
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import Any

from PIL import Image

from backend.codec.encoders import ssimulacra2
from bench import convert
from bench.kit import bare, machine, pictures, servers

FIXED, FOLLOWING = "gateway, method 4", "gateway, method auto"
SERVICES: dict[str, Callable[..., AbstractContextManager[servers.Server]]] = {
    FIXED: partial(servers.gateway, GATEWAY_SHARE_RESULTS="off"),
    FOLLOWING: partial(servers.gateway, GATEWAY_SHARE_RESULTS="off", method="auto"),
    **{name: convert.PEERS[name] for name in ("Flask, same work", "Thumbor", "sharp", "ipx")},
}
BARE_S = 5.0
Row = dict[str, Any]


def measure(name: str, files: list[Path], options: argparse.Namespace) -> Row:
    """Raises ``RuntimeError`` and ``OSError`` where the service cannot be had."""
    width = options.width or None
    with servers.folder() as kept, SERVICES[name](pictures.folder()) as server:
        server.settle()
        busy = machine.busy_s()
        standard = bare.measure(files, width=width, seconds=min(BARE_S, options.seconds))
        standard["foreign_cpu_s"] = max(0.0, machine.busy_s() - busy - standard["cpu_s"])
        said = convert.served(name.partition(",")[0], server, files, width, options.clients, options.seconds, kept)
        found = convert.row(name, width, options.clients, 0, said, standard, options.seconds)
        answers = {number: (kept / str(number)).read_bytes() for number in range(len(files)) if (kept / str(number)).exists()}
    if not said["done"]:
        raise RuntimeError(f"no image was converted: {said['failed']}")
    per_cpu_s = len(said["done"]) / said["server_cpu_s"]
    scores = {number: score(files[number], data, width) for number, data in answers.items()}
    return {**found, "images_per_cpu_s": per_cpu_s, "sizes": {number: len(data) for number, data in answers.items()}, "scores": scores}


def score(source: Path, coded: bytes, width: int | None) -> float:
    with Image.open(source) as opened, Image.open(io.BytesIO(coded)) as image:
        original = opened.convert("RGB")
        if width and original.width > width:
            original = original.resize(image.size, Image.Resampling.LANCZOS)
        return ssimulacra2.Original(original).score(image.convert("RGB"))


def summed(rows: list[Row], fixed: list[Row]) -> Row:
    """One service over all rounds: medians, and of each picture the mean beside the same with ``method=4``."""
    known = {number: [row["sizes"][number] for row in fixed if number in row["sizes"]] for row in fixed for number in row["sizes"]}
    ratios = [size / statistics.mean(known[number]) for row in rows for number, size in row["sizes"].items() if number in known]
    scores = [value for row in rows for value in row["scores"].values()]
    names = ("of_bare", "cpu_of_bare", "images_per_cpu_s", "health_p99_ms")
    return {
        **{name: statistics.median(row[name] for row in rows) for name in names},
        "images": sum(row["images"] for row in rows),
        "bytes": statistics.mean(ratios) if ratios else None,
        "score": statistics.mean(scores) if scores else None,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--width", type=int, default=0)
    parser.add_argument("--peers", type=lambda text: text.split(";"), default=list(SERVICES))
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    files, rows, said = list(pictures.photographs()), {name: list[Row]() for name in options.peers}, dict[str, Row]()
    for _ in range(options.rounds):
        for name in options.peers:
            try:
                rows[name].append(measure(name, files, options))
            except (RuntimeError, OSError) as error:
                print(f"{name} is left out: {str(error)[-300:]}", file=sys.stderr)
        said = {name: summed(each, rows.get(FIXED, [])) for name, each in rows.items() if each}
        if options.out:
            options.out.write_text(json.dumps({"machine": machine.describe(), "seconds": options.seconds, "clients": options.clients, "rows": said}))
    for name, each in said.items():
        print(json.dumps({"name": name, **each}), file=sys.stderr)
    if FIXED in said and FOLLOWING in said:
        gain = {name: said[FOLLOWING][name] / said[FIXED][name] for name in ("of_bare", "images_per_cpu_s")}
        print(f"auto by 4: throughput {gain['of_bare']:.2f}, images a processor second {gain['images_per_cpu_s']:.2f}")


if __name__ == "__main__":
    main()
