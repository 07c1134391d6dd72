"""What libaom takes of memory for a pixel: the numbers of ``backend/codec/resource_limits.py``.

    tests/.venv/bin/python -m bench.avif_memory

One process a line, since a peak never falls. Pictures are plain: memory does not depend on what they show, and time does.
"""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
from pathlib import Path

from PIL import Image

from backend.codec.encoders.avif import aom
from backend.codec.host.zygote_client import ENVIRONMENT
from backend.core.options import Options

STILL, CANVAS = (2000, 1500), (800, 600)
FRAMES = 44
SPEEDS = (0, 4, 6, 8)


def main() -> None:
    kinds = [(*each, "1") for each in itertools.product(SPEEDS, ("RGB", "RGBA"), ("4:2:0", "4:4:4"))]
    kinds += [(*each, "4:2:0", str(FRAMES)) for each in itertools.product(SPEEDS, ("RGB", "RGBA"))]
    print("speed mode chroma frames: bytes a pixel of the canvas (address space, resident)")
    for speed, mode, chroma, frames in kinds:
        command = [sys.executable, "-m", __spec__.name, str(speed), mode, chroma, frames]
        subprocess.run(command, check=True, env={**os.environ, **ENVIRONMENT})


def measure(speed: int, mode: str, chroma: str, frames: int) -> None:
    options = Options(format="avif", speed=speed, subsampling=chroma)
    aom.Pixels(Image.new("RGB", (64, 64))).encode(aom.NOTHING, options, 60)
    mapped, resident = status("VmSize"), status("VmRSS")
    image = picture(mode, STILL if frames == 1 else CANVAS)
    if frames == 1:
        aom.Pixels(image).encode(aom.NOTHING, options, 60)
    else:
        encode_frames(image, options, frames)
    pixels = image.width * image.height
    print(speed, mode, chroma, frames, f"{(status('VmPeak') - mapped) / pixels:.0f} {(status('VmHWM') - resident) / pixels:.0f}")


def picture(mode: str, size: tuple[int, int]) -> Image.Image:
    slope = Image.linear_gradient("L").resize(size)
    return Image.merge(mode, [slope] * len(mode))


def encode_frames(image: Image.Image, options: Options, frames: int) -> None:
    encoder = aom.open_file(image.size, aom.NOTHING, options, 60, aom.LIMITED)
    for number in range(frames):
        image.paste((5 * number,) * len(image.mode), (number, number, number + 30, number + 30))
        encoder.add(image.tobytes(), 50, image.size, image.mode, False)
    aom.closed(encoder)


def status(name: str) -> int:
    """In bytes: proc(5)."""
    line = next(each for each in Path("/proc/self/status").read_text(encoding="ascii").splitlines() if each.startswith(f"{name}:"))
    return int(line.split()[1]) * 1024


if __name__ == "__main__":
    if len(sys.argv) > 1:
        measure(int(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4]))
    else:
        main()
