"""The limit: as many processes as cores, which do nothing but decode and encode with Pillow's libjpeg-turbo and libwebp, at the same settings.

python -m bench.kit.bare PROCESSES[d] SECONDS WIDTH FILE…

``d``: decoded before; WIDTH 0: full size. Each process goes through all the files, from a place of its own, so that all of them have the same mix;
each file is done at least once. Prints the files done, with begin and end.
"""

from __future__ import annotations

import io
import json
import multiprocessing
import os
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


def encode(image: Image.Image) -> int:
    target = io.BytesIO()
    image.save(target, "WEBP", quality=80, method=4)
    return target.tell()


def measure(
    files: list[Path], *, width: int | None, seconds: float, processes: int = CORES, decoded: bool = False, **environment: str
) -> dict[str, Any]:
    """``decoded``: the pictures are decoded before the clock starts, so that what is left is libwebp."""
    kind = f"{processes}{'d' if decoded else ''}"
    command = [sys.executable, "-m", "bench.kit.bare", kind, str(seconds), str(width or 0), *map(str, files)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env={**os.environ, **environment})
    return dict(json.loads(done.stdout))


def _loop(number: int, crew: int, files: list[Path], width: int | None, seconds: float, decoded: bool, gate: Any, out: Any) -> None:
    pictures = [path.read_bytes() for path in files]
    ready = [Image.open(io.BytesIO(each)).convert("RGB") for each in pictures] if decoded else []
    convert(pictures[0], 64)
    gate.wait()
    begun_cpu, begun, done, turn = time.process_time(), time.perf_counter(), [], number * len(files) // crew
    while (at := time.perf_counter() - begun) < seconds or len(done) * crew < len(files):
        size = encode(ready[turn % len(files)]) if decoded else convert(pictures[turn % len(files)], width)
        done.append((turn % len(files), at, time.perf_counter() - begun, size))
        turn += 1
    out.put((done, time.process_time() - begun_cpu))


def main() -> None:
    kind, seconds, width, files = sys.argv[1], float(sys.argv[2]), int(sys.argv[3]) or None, [Path(each) for each in sys.argv[4:]]
    count, decoded = int(kind.rstrip("d")), kind.endswith("d")
    gate, out = multiprocessing.Barrier(count), multiprocessing.Queue()
    crew = [multiprocessing.Process(target=_loop, args=(each, count, files, width, seconds, decoded, gate, out)) for each in range(count)]
    for each in crew:
        each.start()
    said = [out.get() for _ in crew]
    for each in crew:
        each.join()
    print(json.dumps({"done": [each for done, _ in said for each in done], "cpu_s": sum(cpu for _, cpu in said), "seconds": seconds}))


if __name__ == "__main__":
    main()
