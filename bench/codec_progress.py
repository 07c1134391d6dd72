"""How evenly the bar moves, for issue 3 point 6: per kind, the share of reports within 15 points of the time, and the longest silence.

python -m bench.codec_progress $PHOTOS/*.jpg [--kinds lossy lossless] [--methods 2 4]
"""

from __future__ import annotations

import argparse
import itertools
import os
import tempfile
import time
from pathlib import Path

from backend.codec.sealed import SealedCodec
from backend.core.conversion import Conversion, Progress
from backend.core.limits import Limits
from backend.core.options import Options
from bench.codec_curves import KINDS
from tests.unit.codec.conftest import declared

LIMITS = Limits(pixels=200_000_000)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("paths", nargs="+", type=Path)
    parser.add_argument("--methods", nargs="*", type=int, default=[2, 3, 4, 5, 6])
    parser.add_argument("--kinds", nargs="*", default=["lossy"])
    wanted = parser.parse_args()
    codec = SealedCodec()
    for kind in wanted.kinds:
        for method in wanted.methods:
            near, count, silence = 0, 0, 0.0
            for path in wanted.paths:
                points, longest = follow(codec, path, Options(method=method, **KINDS[kind]))
                near += sum(abs(percent / 100 - share) <= 0.15 for share, percent in points)
                count += len(points)
                silence = max(silence, longest)
            print(f"{kind} method {method}: {100 * near / count:.0f} % of {count} reports within 15 points, longest silence {1000 * silence:.0f} ms")
    codec.close()


def follow(codec: SealedCodec, path: Path, options: Options) -> tuple[list[tuple[float, float]], float]:
    heard: list[tuple[float, float]] = []
    began = time.monotonic()

    def hear(progress: Progress) -> None:
        heard.append((time.monotonic() - began, progress.percent))

    with path.open("rb") as source, tempfile.TemporaryFile() as result:
        conversion = Conversion(declared(os.pread(source.fileno(), 1 << 30, 0), LIMITS), options, LIMITS, 600.0)
        began = time.monotonic()
        codec.convert(source.fileno(), result.fileno(), conversion, on_progress=hear, should_stop=lambda: False)
    total = time.monotonic() - began
    moments = [0.0, *(at for at, _percent in heard), total]
    return [(at / total, percent) for at, percent in heard], max(after - before for before, after in itertools.pairwise(moments))


if __name__ == "__main__":
    main()
