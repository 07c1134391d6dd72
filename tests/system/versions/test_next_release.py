"""The next release beside this one: its gateway knows an option that this release's encoders do not, and its records hold more.

It is made of this release's code: a third protocol, an option that came with it, and a new field in manifests, statuses and results.
"""

from __future__ import annotations

import shutil
import time
from pathlib import Path

import pytest
import requests

from backend.core.protocol import CHANGES, NEWEST
from backend.flows.await_encoder import PATIENCE_S
from tests.support.redis_server import RedisServer
from tests.support.running import ROOT
from tests.system.versions.load import check_all, picture, send
from tests.system.versions.releases import deployment, end_of, upload

EDITS = {
    "core/protocol.py": [(f"    {NEWEST}: ", f'    {NEWEST + 1}: "A test.",\n    {NEWEST}: ')],
    "core/options.py": [("_option(_boolean(), False, is_added=True)", f"_option(_boolean(), False, since={NEWEST + 1})")],
    "core/job.py": [
        ("    created_at: float\n", '    created_at: float\n    mood: str = field(default="blue", kw_only=True)\n'),
        ("    seq: int = 1\n", '    seq: int = 1\n    mood: str = field(default="blue", kw_only=True)\n'),
        ("    file: str\n", '    file: str\n    mood: str = field(default="blue", kw_only=True)\n'),
    ],
}


@pytest.fixture(scope="module")
def next_release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("next") / "code"
    shutil.copytree(ROOT / "backend", folder / "backend", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "frontend", folder / "frontend")
    for name in ("run.py", "gunicorn.conf.py"):
        shutil.copy(ROOT / name, folder / name)
    for name, edits in EDITS.items():
        path = folder / "backend" / name
        text = path.read_text("utf-8")
        for before, after in edits:
            assert text.count(before) == 1, before
            text = text.replace(before, after)
        path.write_text(text, "utf-8")
    return folder


def test_a_job_with_an_option_that_no_encoder_knows_waits_for_one_that_does(tmp_path: Path, redis_server: RedisServer, next_release: Path) -> None:
    """One more field in a manifest failed it as ``internal``, and ``/api/convert`` waited for ever."""
    assert NEWEST in CHANGES
    with deployment(tmp_path / "here", redis_server.url, GATEWAY_ENCODERS="1") as here:
        here.start_ready(ROOT, "encoder")
        gateway = here.start_ready(next_release, "gateway")
        waiting = [upload(gateway, picture(each), never_larger="true") for each in range(3)]
        check_all([gateway], send([gateway], 8))
        begun_s = time.monotonic()
        refused = requests.post(f"{gateway.url}/api/convert?never_larger=true", data=picture(9), timeout=60)
        assert refused.status_code == 503 and refused.json()["code"] == "backend_unavailable", refused.text
        assert "no encoder that can convert this" in refused.json()["detail"]
        assert time.monotonic() - begun_s < 2 * PATIENCE_S
        for each in waiting:
            job = requests.get(f"{gateway.url}/api/jobs/{each}", timeout=10).json()
            assert (job["state"], job["started_at"]) == ("queued", None)
        here.start_ready(next_release, "encoder")
        assert [end_of(gateway, each)["state"] for each in waiting] == ["succeeded"] * 3


def test_a_gateway_of_this_release_reads_what_the_next_one_records(tmp_path: Path, redis_server: RedisServer, next_release: Path) -> None:
    with deployment(tmp_path / "here", redis_server.url, GATEWAY_ENCODERS="1") as here:
        here.start_ready(next_release, "encoder")
        gateways = [here.start_ready(ROOT, "gateway"), here.start_ready(next_release, "gateway")]
        check_all(gateways, send(gateways, 12))
        newer = upload(gateways[1], picture(1), never_larger="true")
        assert end_of(gateways[0], newer)["state"] == "succeeded"
        retried = requests.post(f"{gateways[0].url}/api/jobs/{newer}/retry", timeout=10)
        assert retried.status_code == 503 and "newer release" in retried.json()["detail"]
