"""The limit: as many processes as cores, which do nothing but decode and encode with Pillow's libjpeg-turbo and libwebp, at the same settings.

python -m bench.kit.bare SECONDS WIDTH FILE…      (WIDTH 0: full size; prints the files done, in order, with begin and end)
"""

from __future__ import annotations

import io
import json
import multiprocessing
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from PIL import Image

from bench.kit.machine import CORES


def convert(data: bytes, width: int | None) -> int:
    with Image.open(io.BytesIO(data)) as image:
        if width and image.width > width:
            height = round(image.height * width / image.width)
            image.draft(image.mode, (width, height))
            image = image.resize((width, height), Image.Resampling.LANCZOS)  # noqa: PLW2901
        target = io.BytesIO()
        image.save(target, "WEBP", quality=80, method=4)
    return target.tell()


def measure(files: list[Path], *, width: int | None, seconds: float) -> dict[str, Any]:
    command = [sys.executable, "-m", "bench.kit.bare", str(seconds), str(width or 0), *map(str, files)]
    return dict(json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout))


def _loop(number: int, files: list[Path], width: int | None, seconds: float, gate: Any, out: Any) -> None:
    pictures = [path.read_bytes() for path in files]
    convert(pictures[0], 64)
    gate.wait()
    begun_cpu, begun, done, turn = time.process_time(), time.perf_counter(), [], number
    while (at := time.perf_counter() - begun) < seconds:
        size = convert(pictures[turn % len(files)], width)
        done.append((turn % len(files), at, time.perf_counter() - begun, size))
        turn += CORES
    out.put((done, time.process_time() - begun_cpu))


def main() -> None:
    seconds, width, files = float(sys.argv[1]), int(sys.argv[2]) or None, [Path(each) for each in sys.argv[3:]]
    gate, out = multiprocessing.Barrier(CORES), multiprocessing.Queue()
    crew = [multiprocessing.Process(target=_loop, args=(number, files, width, seconds, gate, out)) for number in range(CORES)]
    for each in crew:
        each.start()
    said = [out.get() for _ in crew]
    for each in crew:
        each.join()
    print(json.dumps({"done": [each for done, _ in said for each in done], "cpu_s": sum(cpu for _, cpu in said), "seconds": seconds}))


if __name__ == "__main__":
    main()
