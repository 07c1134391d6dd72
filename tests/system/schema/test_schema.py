"""The served description against a real gateway: requests that are made of it, right ones and wrong ones, with all of schemathesis' checks.

``./tests/run.sh schema`` makes many more than the ordinary run, from another seed each time (``SCHEMA_EXAMPLES``, ``SCHEMA_SEED``).
"""

from __future__ import annotations

import base64
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.running import ROOT, Gateway, running

pytestmark = pytest.mark.e2e
HERE = Path(__file__).parent
KEY = "schema-key-0123456789"
SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()


@pytest.fixture(scope="module")
def described(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """With a key, so that ``ignored_auth`` has something to look at. Workers are not replaced: a client's idle connection would end with one."""
    folder = tmp_path_factory.mktemp("described")
    rules = {
        "GATEWAY_MAX_QUEUED_JOBS": "100000",
        "GATEWAY_FETCH_ALLOWED_NETWORKS": "127.0.0.0/8",
        "GATEWAY_WEBHOOK_ALLOWED_NETWORKS": "127.0.0.0/8",
        "GATEWAY_WEBHOOK_SECRET": SECRET,
        "GUNICORN_MAX_REQUESTS": "0",
    }
    with running(folder / "data", GATEWAY_API_KEYS=KEY, GUNICORN_WORKERS="2", **rules) as started:
        yield started


def compare(gateway: Gateway, folder: Path, examples: int, seed: int) -> None:
    """Fails with what schemathesis found, which has the ``curl`` for each case."""
    command = [sys.executable, "-m", "schemathesis.cli", "--config-file", str(HERE / "schemathesis.toml"), "run", f"{gateway.url}/api/openapi.json"]
    given = ["-H", f"Authorization: Bearer {KEY}", "--max-examples", str(examples), "--seed", str(seed), "--no-color", "--request-timeout", "60"]
    environment = {**os.environ, "SCHEMATHESIS_HOOKS": "tests.system.schema.hooks", "PYTHONPATH": str(ROOT)}
    print(f"\nseed {seed}, {examples} examples an operation")
    said = subprocess.run([*command, *given], cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert said.returncode == 0, said.stdout[-30_000:] + said.stderr[-3000:]


def test_answers_are_as_they_are_described(described: Gateway, tmp_path: Path) -> None:
    compare(described, tmp_path, examples=4, seed=1)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_many_answers_are_as_they_are_described(described: Gateway, tmp_path: Path) -> None:
    seed = int(os.environ.get("SCHEMA_SEED", random.randrange(1 << 32)))
    compare(described, tmp_path, examples=int(os.environ.get("SCHEMA_EXAMPLES", "100")), seed=seed)
