"""What ``/api/convert`` adds to the encode itself, on an idle machine: one request, one bare conversion, in turns.

python -m bench.latency [--rounds 40] [--picture FILE.jpg] [--other CHECKOUT]
"""

from __future__ import annotations

import argparse
import http.client
import io
import json
import statistics
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

from PIL import Image

from bench.kit import pictures, servers


def bare_ms(data: bytes) -> float:
    begun = time.perf_counter()
    with Image.open(io.BytesIO(data)) as image:
        image.save(io.BytesIO(), "WEBP", quality=80, method=4)
    return 1000 * (time.perf_counter() - begun)


def request_ms(url: str, data: bytes) -> tuple[float, str]:
    begun = time.perf_counter()
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=60)
    connection.request("POST", "/api/convert?quality=80&method=4", body=data)
    response = connection.getresponse()
    response.read()
    connection.close()
    assert response.status == 200, response.status
    return 1000 * (time.perf_counter() - begun), response.headers["Server-Timing"] or ""


def again_ms(url: str, data: bytes) -> float:
    """The median of asking for what is there already: the same picture as a job that has ended."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=60)
    connection.request("POST", "/api/jobs?quality=80&method=4", body=data, headers={"Prefer": "wait=30"})
    response = connection.getresponse()
    response.read()
    connection.close()
    assert response.status == 200, response.status
    return statistics.median(request_ms(url, data)[0] for _ in range(15))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--picture", type=Path, help="else the photograph nearest to 0.6 megapixels")
    parser.add_argument("--other", type=Path, action="append", default=[])
    parser.add_argument("--show", action="store_true")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    data = (options.picture or pictures.nearest(0.6)).read_bytes()
    with ExitStack() as stack:
        running = [stack.enter_context(servers.gateway(name="here"))]
        running += [stack.enter_context(servers.gateway(name=f"other-{n}", root=root)) for n, root in enumerate(options.other)]
        added: dict[str, list[float]] = {each.name: [] for each in running}
        firsts: dict[str, list[float]] = {each.name: [] for each in running}
        bares = []
        for number in range(options.rounds):
            for each in running:
                bare = bare_ms(data)
                took, timing = request_ms(each.url, data)
                bares.append(bare)
                (firsts if number < 3 else added)[each.name].append(took - bare)
                if options.show:
                    print(each.name, f"{took:.1f} bare {bare:.1f}", timing, file=sys.stderr)
        warm = again_ms(running[0].url, data)
        for name, figures in added.items():
            figures.sort()
            quart = statistics.quantiles(figures, n=4)
            said = {"name": name, "added_ms": [round(each, 1) for each in quart], "first_ms": [round(each, 1) for each in firsts[name]]}
            said |= {"least_ms": round(figures[0], 1), "bare_ms": round(statistics.median(bares), 1)}
            said |= {"again_ms": round(warm, 1)} if name == "here" else {}
            print(json.dumps(said))
            if options.out and name == "here":
                options.out.write_text(json.dumps(said))


if __name__ == "__main__":
    main()
