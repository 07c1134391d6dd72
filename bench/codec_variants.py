"""What several results of one picture cost beside one: six widths in two formats, and when the first is there.

    tests/.venv/bin/python -m bench.codec_variants $PHOTOS/*.jpg [--rounds 5]

For each photograph and set of widths: the processor time of the largest pair alone (WebP and JPEG), that of all six, their ratio, the sum of all
pairs made one by one as a share of it, and the first result's share of the whole time. ``halves`` are six widths, each half of the one before, from
the picture's own on; ``page`` are those of a web page. The two are made in turns, and the medians are shown.

With ``--look``: the SSIMULACRA2 score of each width of the cascade, against Lanczos on all pixels, beside that of the same width made alone.
"""

from __future__ import annotations

import argparse
import io
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageOps
from ssimulacra2 import compute_ssimulacra2

from backend.codec import pipeline
from backend.codec.native import arrow_buffer
from backend.codec.native.source import Source
from backend.core.conversion import Conversion, Made
from backend.core.limits import Limits
from backend.core.options import Options
from tests.unit.codec.conftest import declared

ROOMY = Limits(pixels=200_000_000, upload_bytes=1 << 30)
PAGE = (320, 640, 960, 1280, 1920, 3840)
LOOK = (320, 480, 640, 960, 1280, 1920)
ROW = "{:24} {:8} {:>10} {:>10} {:>8} {:>12} {:>8}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("images", nargs="+", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--look", action="store_true")
    wanted = parser.parse_args()
    pipeline.preload()
    arrow_buffer.allocate_in_one_block()
    if wanted.look:
        for path in wanted.images:
            print(f"{path.name:24} {look(path)}", flush=True)
        return
    print(ROW.format("", "widths", "largest s", "all s", "ratio", "one by one", "first"))
    for path in wanted.images:
        width = declared(path.read_bytes(), ROOMY).width
        for name, widths in (("halves", [max(1, width >> each) for each in range(6)]), ("page", PAGE)):
            print(ROW.format(path.name[:24], name, *compare(path, widths, wanted.rounds)), flush=True)


def compare(path: Path, widths: Sequence[int], rounds: int) -> tuple[str, ...]:
    largest: list[float] = []
    every: list[float] = []
    single: list[float] = []
    first: list[float] = []
    for _ in range(rounds):
        largest.append(spent_s(path, [max(widths)])[0])
        cpu_s, share = spent_s(path, widths)
        every.append(cpu_s)
        first.append(share)
        single.append(sum(spent_s(path, [each])[0] for each in widths))
    base, all_s = statistics.median(largest), statistics.median(every)
    shares = all_s / base, statistics.median(single) / base, statistics.median(first)
    return f"{base:.2f}", f"{all_s:.2f}", *(f"{each:.2f}" for each in shares)


def spent_s(path: Path, widths: Sequence[int]) -> tuple[float, float]:
    """Processor time, and the share of it after which the first result was there."""
    asked = Options(widths=",".join(map(str, widths)), formats="webp,jpeg")
    ready: list[float] = []
    begun = time.process_time()
    with path.open("rb") as source, tempfile.TemporaryFile() as result:
        conversion = Conversion(declared(path.read_bytes(), ROOMY), asked, ROOMY, 600.0)
        given = Source(source.fileno())
        pipeline.convert(given, result.fileno(), conversion, lambda _progress: None, lambda _made: ready.append(time.process_time()))
    whole_s = time.process_time() - begun
    return whole_s, (ready[0] - begun) / whole_s


def look(path: Path) -> str:
    with Image.open(path) as opened:
        whole = ImageOps.exif_transpose(opened.convert("RGB"))
    widths = [each for each in LOOK if each < whole.width]
    together = images(path, Options(widths=",".join(map(str, widths)), formats="png"))
    scores = []
    for width, made in zip(widths, together, strict=True):
        (alone,) = images(path, Options(width=width, format="png"))
        ideal = whole.resize(made.size, Image.Resampling.LANCZOS)
        scores.append(f"{width}: {score(ideal, made):.1f} ({score(ideal, alone):.1f})")
    return ", ".join(scores)


def images(path: Path, asked: Options) -> list[Image.Image]:
    made: list[Made] = []
    with path.open("rb") as source, tempfile.TemporaryFile() as result:
        conversion = Conversion(declared(path.read_bytes(), ROOMY), asked, ROOMY, 600.0)
        converted = pipeline.convert(Source(source.fileno()), result.fileno(), conversion, lambda _progress: None, made.append)
        result.seek(0)
        data = result.read()
    places = [(each.at, each.converted.bytes) for each in sorted(made, key=lambda each: each.number)] or [(0, converted.bytes)]
    return [Image.open(io.BytesIO(data[at : at + size])).convert("RGB") for at, size in places]


def score(one: Image.Image, other: Image.Image) -> float:
    with tempfile.TemporaryDirectory() as folder:
        paths = [str(Path(folder) / name) for name in ("one.png", "other.png")]
        for image, path in zip((one, other), paths, strict=True):
            image.save(path, compress_level=0)
        return float(compute_ssimulacra2(*paths))


if __name__ == "__main__":
    main()
