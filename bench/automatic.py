"""What *Automatic* (``lossless=auto&quality=auto``) makes of graphics and photographs, and what it costs.

    python -m bench.automatic                            twelve graphics and twelve photographs, made here
    python -m bench.automatic $FOLDER [--large]          all pictures of a folder

Each line has the bytes of the source, of quality 80, of a lossless file and of Automatic, and the processor time of the decision (the looks of
``encoders/webp/looks.py``), of quality 80 and of Automatic, decoding included. ``--large`` adds photographs of 12 and 24 megapixels. Exits with 1
where a file became larger than its source.
"""

from __future__ import annotations

import argparse
import io
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from backend.codec import pipeline
from backend.codec.encoders.webp import looks
from backend.codec.native import arrow_buffer
from backend.codec.native.source import Source
from backend.core.conversion import Conversion, Converted
from backend.core.limits import Limits
from backend.core.options import Options
from tests.support import drawn
from tests.unit.codec.conftest import declared, saved

ROOMY = Limits(pixels=200_000_000, upload_bytes=1 << 30)
LARGE = {"12 megapixels": (4000, 3000), "24 megapixels": (6000, 4000)}
CAMERA_QUALITY = 92
ROW = "{:24} {:>10} {:>10} {:>10} {:>10}  {:>8} {:>9} {:>9}  {}"


@dataclass
class Outcome:
    converted: Converted
    cpu_s: float


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path)
    parser.add_argument("--large", action="store_true")
    wanted = parser.parse_args()
    pipeline.preload()
    arrow_buffer.allocate_in_one_block()
    print(ROW.format("", "source", "quality 80", "lossless", "Automatic", "decision", "80", "Automatic", ""))
    pictures = from_folder(wanted.folder) if wanted.folder else made()
    larger = [name for name, data in pictures if is_larger(name, data)]
    for name, size in LARGE.items() if wanted.large else ():
        is_larger(name, saved(drawn.painted(size), "JPEG", quality=CAMERA_QUALITY))
    print(f"larger than their source: {', '.join(larger) or 'none'}")
    return bool(larger)


def made() -> Iterator[tuple[str, bytes]]:
    """Graphics as PNG and GIF; photographs as a camera and a scanner give them, some of them compressed before."""
    for name, make in (drawn.DRAWN | {"dithered": drawn.dithered}).items():
        yield name, saved(make(), "GIF" if name == "dithered" else "PNG", optimize=True)
    for name, make in drawn.PHOTOGRAPHED.items():
        yield name, saved(make(), "JPEG", quality=CAMERA_QUALITY)
    yield "screenshot_with_photo", saved(drawn.screenshot_with_photo(), "PNG", optimize=True)
    for seed, quality in enumerate((60, 75, 85, 90, 95, 98)):
        yield f"painted, quality {quality}", saved(drawn.painted((1600 - 200 * seed, 1000), 30 + seed), "JPEG", quality=quality)


def from_folder(folder: Path) -> Iterator[tuple[str, bytes]]:
    return ((path.name, path.read_bytes()) for path in sorted(folder.iterdir()) if path.is_file())


def is_larger(name: str, data: bytes) -> bool:
    """Whether Automatic is larger than the source."""
    plain, exact, auto = (convert(data, **each) for each in ({}, {"lossless": True}, {"lossless": "auto", "quality": "auto"}))
    facts = {fact: value for fact, value in auto.converted.facts.items() if fact not in ("seconds", "dropped")}
    sizes = [each.converted.bytes for each in (plain, exact, auto)]
    times = f"{1000 * decision_s(data):.0f} ms", f"{plain.cpu_s:.2f} s", f"{auto.cpu_s:.2f} s"
    print(ROW.format(name[:24], len(data), *sizes, *times, facts), flush=True)
    return sizes[-1] > len(data)


def decision_s(data: bytes) -> float:
    with Image.open(io.BytesIO(data)) as opened:
        image = opened.convert("RGBA" if opened.has_transparency_data else "RGB")
    begun = time.process_time()
    looks.is_drawn(image, 78.0)
    return time.process_time() - begun


def convert(data: bytes, **options: Any) -> Outcome:
    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as result:
        given.write(data)
        given.flush()
        conversion = Conversion(declared(data, ROOMY), Options(**options), ROOMY, 600.0)
        begun = time.process_time()
        converted = pipeline.convert(Source(given.fileno()), result.fileno(), conversion, lambda _progress: None)
        cpu_s = time.process_time() - begun
        assert os.fstat(result.fileno()).st_size == converted.bytes
        return Outcome(converted, cpu_s)


if __name__ == "__main__":
    sys.exit(main())
