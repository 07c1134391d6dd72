"""What ``quality=auto`` saves: bytes over photographs against the lowest fixed quality that guarantees the same SSIMULACRA2.

python -m bench.codec_auto ../shared/corpus/photos/*.jpg [--side 1600]
"""

from __future__ import annotations

import argparse
import io
import os
import tempfile
from pathlib import Path

from PIL import Image
from ssimulacra2 import compute_ssimulacra2

from backend.codec.sealed import SealedCodec
from backend.core.conversion import Conversion
from backend.core.limits import Limits
from backend.core.options import Options
from tests.codec.conftest import declared, saved


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("paths", nargs="+", type=Path)
    parser.add_argument("--side", type=int, default=1600)
    wanted = parser.parse_args()
    codec, sources, autos = SealedCodec(), [], []
    for path in wanted.paths:
        with Image.open(path) as opened:
            image = opened.convert("RGB")
        image.thumbnail((wanted.side, wanted.side), Image.Resampling.LANCZOS)
        source = saved(image, "PNG", compress_level=1, icc_profile=None)
        data, facts = encoded(codec, source)
        true = scored(source, data)
        print(f"{path.stem}: {facts}, is {true:.1f}, {len(data)} bytes", flush=True)
        sources.append(source)
        autos.append((len(data), true))
    codec.close()
    floor, total = min(true for _bytes, true in autos), sum(size for size, _true in autos)
    low, high = 30, 97
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if all(scored(each, fixed(each, middle)) >= floor for each in sources) else (middle + 1, high)
    other = sum(len(fixed(each, low)) for each in sources)
    print(f"floor {floor:.1f}: auto {total} bytes, fixed quality {low} {other} bytes: {total / other:.3f}")


def encoded(codec: SealedCodec, source: bytes) -> tuple[bytes, dict[str, float]]:
    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as result:
        given.write(source)
        given.flush()
        conversion = Conversion(declared(source), Options(quality="auto"), Limits())
        converted = codec.convert(given.fileno(), result.fileno(), conversion, on_progress=lambda _: None, should_stop=lambda: False)
        return os.pread(result.fileno(), converted.bytes, 0), converted.facts


def fixed(source: bytes, quality: int) -> bytes:
    with Image.open(io.BytesIO(source)) as image:
        return saved(image, "WEBP", quality=quality, method=4)


def scored(source: bytes, coded: bytes) -> float:
    with tempfile.TemporaryDirectory() as folder:
        for name, data in (("one", source), ("other", coded)):
            with Image.open(io.BytesIO(data)) as image:
                image.convert("RGB").save(f"{folder}/{name}.png", compress_level=1)
        return float(compute_ssimulacra2(f"{folder}/one.png", f"{folder}/other.png"))


if __name__ == "__main__":
    main()
