"""What ``quality=auto`` saves: bytes over photographs against the lowest fixed quality that guarantees the same SSIMULACRA2.

    python -m bench.codec_auto $PHOTOS/*.jpg --side 1600        (0: full size)

``possible`` is what the lowest whole quality for each picture by itself would save. Both fixed qualities are found with the reference measure, the
guarantee being the lowest score that ``auto`` let through. The time is that of the stage encode, which looks, tries and encodes, against one encode.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from PIL import Image

from backend.codec.sealed import SealedCodec
from backend.core.conversion import Conversion
from backend.core.limits import Limits
from backend.core.options import Options
from bench.kit.look import reference_score
from tests.unit.codec.conftest import declared, saved

ROOMY = Limits(pixels=100_000_000, upload_bytes=1 << 30)


@dataclass
class Case:
    name: str
    source: bytes
    auto_bytes: int
    quality: float
    true: float
    seconds: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("paths", nargs="+", type=Path)
    parser.add_argument("--side", type=int, default=1600)
    wanted = parser.parse_args()
    cases = [measure(path, wanted.side) for path in wanted.paths]
    floor = min(each.true for each in cases)
    lowest = [lowest_for(each, floor) for each in cases]
    fixed = max(lowest)
    auto, same = sum(each.auto_bytes for each in cases), [encode(each.source, fixed) for each in cases]
    other, possible = sum(len(data) for data, _facts, _s in same), sum(len(encode(each.source, q)[0]) for each, q in zip(cases, lowest, strict=True))
    seconds = sum(each.seconds for each in cases) / sum(s for _data, _facts, s in same)
    print(f"scores {floor:.1f} to {max(each.true for each in cases):.1f}; auto {auto} bytes, fixed quality {fixed} {other} bytes")
    print(f"saved {1 - auto / other:.1%} (possible {1 - possible / other:.1%}), in {seconds:.2f} times the time")


def measure(path: Path, side: int) -> Case:
    with Image.open(path) as opened:
        image = opened.convert("RGB")
    if side:
        image.thumbnail((side, side), Image.Resampling.LANCZOS)
    source = saved(image, "PNG", compress_level=1, icc_profile=None)
    data, facts, seconds = encode(source, "auto")
    true = reference_score(source, data)
    print(f"{path.stem}: quality {facts['quality']}, score {facts['score']}, is {true:.2f}, {facts['probes']} probes, {len(data)} bytes", flush=True)
    return Case(path.stem, source, len(data), facts["quality"], true, seconds)


def lowest_for(case: Case, floor: float) -> int:
    """From the quality that was chosen, down or up to the edge."""
    quality = round(case.quality)
    is_good = lambda at: reference_score(case.source, encode(case.source, at)[0]) >= floor  # noqa: E731
    if is_good(quality):
        while quality > 1 and is_good(quality - 1):
            quality -= 1
        return quality
    while quality < 100 and not is_good(quality):
        quality += 1
    return quality


def encode(source: bytes, quality: float | str) -> tuple[bytes, dict, float]:
    """The file, what is reported of it, and the seconds of its encode."""
    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as result:
        given.write(source)
        given.flush()
        conversion = Conversion(declared(source, ROOMY), Options(quality=quality), ROOMY, 600.0)
        converted = sealed_codec().convert(given.fileno(), result.fileno(), conversion, on_progress=lambda _: None, should_stop=lambda: False)
        return os.pread(result.fileno(), converted.bytes, 0), converted.facts, converted.facts["seconds"]["encode"]


@cache
def sealed_codec() -> SealedCodec:
    return SealedCodec(sandbox="prefer")


if __name__ == "__main__":
    try:
        main()
    finally:
        sealed_codec().close()
