"""The examples of all pages, run as they stand there, beside a ``cat.jpg``."""

from __future__ import annotations

import functools
import http.server
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from docs import documents
from tests.support.images import photograph
from tests.support.page_blocks import Block, blocks, marked
from tests.support.redis_server import RedisServer
from tests.support.running import ROOT, Gateway, running

pytestmark = pytest.mark.e2e
ADDRESS, SITE, KEY = "http://127.0.0.1:5000", "https://example.com", "wg_of_the_example"
QUICK = ("docs/start/first-ten-minutes.md",)
"""Tried by ``tests/system/main_path/test_first_ten_minutes.py``, with the quick tests."""
EXAMPLES = [each for english, _ in documents.pairs() if english not in QUICK for each in marked(english, "example")]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A web server that has the picture, in the place of https://example.com."""
    folder = tmp_path_factory.mktemp("site")
    (folder / "cat.jpg").write_bytes(photograph(1200, 800))
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def open_gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    given = {"GATEWAY_FETCH_ALLOWED_NETWORKS": "127.0.0.0/8", "GUNICORN_WORKERS": "2"}
    with running(tmp_path_factory.mktemp("open") / "data", **given) as started:
        yield started


@pytest.fixture(scope="module")
def keyed_gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with running(tmp_path_factory.mktemp("keyed") / "data", GATEWAY_API_KEYS=KEY, GUNICORN_WORKERS="2") as started:
        yield started


def command(example: Block, text: str, folder: Path) -> list[str]:
    if example.language == "js":
        (folder / "node_modules").symlink_to(ROOT / "tests" / "page" / "node_modules")
        (folder / "example.mjs").write_text(text, "utf-8")
        return ["node", "example.mjs"]
    return [sys.executable, "-c", text] if example.language == "python" else ["bash", "-euo", "pipefail", "-c", text]


def names(example: Block) -> str:
    return f"{Path(example.page).stem}-{example.name}"


@pytest.mark.parametrize("example", [each for each in EXAMPLES if not each.name.startswith("keys-")], ids=names)
def test_an_example_works_as_it_stands(example: Block, site: str, open_gateway: Gateway, tmp_path: Path) -> None:
    run(example, example.text.replace(ADDRESS, open_gateway.url).replace(SITE, site), tmp_path)


@pytest.mark.parametrize("example", [each for each in EXAMPLES if each.name.startswith("keys-")], ids=names)
def test_an_example_with_a_key_works_as_it_stands(example: Block, keyed_gateway: Gateway, tmp_path: Path) -> None:
    run(example, example.text.replace(ADDRESS, keyed_gateway.url), tmp_path)


def run(example: Block, text: str, tmp_path: Path) -> None:
    (tmp_path / "cat.jpg").write_bytes(photograph(1200, 800))
    given = {**os.environ, "PYTHONUNBUFFERED": "1", "GATEWAY_KEY": KEY}
    done = subprocess.run(command(example, text, tmp_path), cwd=tmp_path, env=given, capture_output=True, text=True, timeout=110, check=False)
    assert done.returncode == 0, done.stdout[-1000:] + done.stderr[-2000:]
    for name in re.findall(r"\b(\w+\.webp)\b", text):
        assert (tmp_path / name).read_bytes()[8:12] == b"WEBP", name


def test_examples_have_names_and_each_name_stands_once_on_a_page() -> None:
    named = [(each.page, each.name) for each in EXAMPLES]
    assert len(set(named)) == len(named) and all(name for _, name in named)


def test_every_way_in_has_its_examples() -> None:
    assert {"convert", "job", "batch", "tus", "keys"} <= {each.name.partition("-")[0] for each in EXAMPLES}


def test_what_a_page_tells_redis_it_takes(own_redis: RedisServer) -> None:
    told = [each.text for english, _ in documents.pairs() for each in blocks(english) if each.marker == "redis"]
    assert told
    for text in told:
        script = f'redis-cli() {{ command redis-cli -e -s "{own_redis.socket}" "$@"; }}\n{text}'
        subprocess.run(["bash", "-euc", script], check=True, capture_output=True, timeout=20)
