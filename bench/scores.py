"""Bytes at equal perceptual score: what each service makes of two photographs, beside libwebp's own curve of bytes over score.

    python -m bench.scores [--out FILE]

Each answer is scored against the original by the codec's own SSIMULACRA2 (``backend/codec/encoders/ssimulacra2.py``); libwebp at method 4 is
asked at several qualities, and the bytes that it needs for that same score are read off between them. Below 1: fewer bytes for the same look.
"""

from __future__ import annotations

import argparse
import http.client
import io
import json
import sys
from bisect import bisect_left
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from PIL import Image

from backend.codec.encoders import ssimulacra2
from bench.convert import PEERS
from bench.kit import pictures, servers

MEGAPIXELS = (0.6, 2)
QUALITIES = (60, 66, 72, 76, 80, 84, 88, 92)
ASKED = {"gateway, quality=80": "", "gateway, method 6": "quality=80&method=6", "gateway, quality=auto": "quality=auto"}
Curve = list[tuple[float, int]]


def curve(original: ssimulacra2.Original, image: Image.Image) -> Curve:
    """(score, bytes), by rising score."""
    found = []
    for quality in QUALITIES:
        target = io.BytesIO()
        image.save(target, "WEBP", quality=quality, method=4)
        found.append((scored(original, target.getvalue()), target.tell()))
    return sorted(found)


def scored(original: ssimulacra2.Original, coded: bytes) -> float:
    with Image.open(io.BytesIO(coded)) as image:
        return original.score(image.convert("RGB"))


def bytes_at(points: Curve, wanted: float) -> float:
    """Between two points in a straight line, beyond the ends along the last one."""
    at = min(max(1, bisect_left([each[0] for each in points], wanted)), len(points) - 1)
    (low, few), (high, many) = list(pairwise(points))[at - 1]
    return few + (many - few) * (wanted - low) / ((high - low) or 1.0)


def answer(server: servers.Server, file: Path, asked: str) -> bytes:
    method, path = server.target(file.name, None)
    connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=120)
    connection.request(method, path.replace("quality=80&method=4", asked) if asked else path, body=file.read_bytes() if method == "POST" else None)
    response = connection.getresponse()
    data = response.read()
    connection.close()
    if response.status != 200:
        raise RuntimeError(f"{response.status}")
    return data


def row(name: str, server: servers.Server, originals: dict[Path, ssimulacra2.Original], curves: dict[Path, Curve], asked: str) -> dict[str, Any]:
    answers = {file: answer(server, file, asked) for file in originals}
    scores = {file: scored(originals[file], data) for file, data in answers.items()}
    ratios = [len(answers[file]) / bytes_at(curves[file], scores[file]) for file in originals]
    mean = sum(scores.values()) / len(scores)
    return {"name": name, "bytes": sum(map(len, answers.values())), "score": mean, "of_curve": sum(ratios) / len(ratios)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    images = {file: Image.open(file).convert("RGB") for file in map(pictures.nearest, MEGAPIXELS)}
    originals = {file: ssimulacra2.Original(image) for file, image in images.items()}
    curves = {file: curve(originals[file], image) for file, image in images.items()}
    rows: list[dict[str, Any]] = []
    with servers.gateway(pictures.folder()) as gateway:
        for name, asked in ASKED.items():
            rows.append(row(name, gateway, originals, curves, asked))
    for name in ("sharp", "ipx", "Thumbor", "Flask sync"):
        try:
            with PEERS[name](pictures.folder()) as server:
                rows.append(row(name, server, originals, curves, ""))
        except (RuntimeError, OSError) as error:
            rows.append({"name": name, "error": str(error)[-300:]})
        if options.out:
            options.out.write_text(json.dumps({"rows": rows}))
    print(json.dumps(rows), file=sys.stderr)


if __name__ == "__main__":
    main()
