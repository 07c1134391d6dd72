"""The one-file executable: built by the shipped script, and run where no Python is on the PATH."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import requests

from tests.support.images import photograph
from tests.support.redis_server import RedisServer
from tests.support.running import ENDED, ROOT, free_port, wait_for
from tests.system.deploy.proxied import status

pytestmark = [pytest.mark.slow, pytest.mark.e2e, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def executable(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("executable")
    script = str(ROOT / "deploy/pyinstaller/build.sh")
    given = {**os.environ, "PYTHON": sys.executable}
    told = subprocess.run([script, str(target)], env=given, capture_output=True, text=True, timeout=800, check=False)
    assert told.returncode == 0, told.stderr[-3000:]
    return target / "webp-gateway"


@pytest.fixture
def encoder(own_redis: RedisServer, tmp_path: Path) -> Iterator[None]:
    given = {"REDIS_URL": own_redis.url, "GATEWAY_DATA_DIR": str(tmp_path / "data"), "GATEWAY_ENCODERS": "1"}
    with (tmp_path / "encoder.log").open("wb") as log:
        process = psutil.Popen([str(ROOT / "start.sh"), "encoder"], env={**os.environ, **given}, stdout=log, stderr=log)
    yield
    family = [process, *process.children(recursive=True)]
    process.terminate()
    psutil.wait_procs(family, timeout=30)
    process.wait(10)


@pytest.mark.usefixtures("encoder")
def test_the_executable_serves_health_page_and_a_conversion_and_ends_when_told(executable: Path, own_redis: RedisServer, tmp_path: Path) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    given = {"API_PORT": str(port), "REDIS_URL": own_redis.url, "GATEWAY_DATA_DIR": str(tmp_path / "data"), "GUNICORN_WORKERS": "2"}
    places = {"PATH": "/nowhere", "TMPDIR": str(tmp_path), "LANG": "C.UTF-8"}
    with (tmp_path / "gateway.log").open("wb") as log:
        process = psutil.Popen([str(executable)], env={**places, **given}, cwd=tmp_path, stdout=log, stderr=log)
    try:
        wait_for(lambda: status(f"{url}/api/health") == 200, 90, "for the executable to be well")
        assert "<html" in requests.get(url, timeout=30).text
        assert "选择图片" in requests.get(url, headers={"Accept-Language": "zh"}, timeout=30).text
        job = requests.post(f"{url}/api/jobs", data=photograph(600, 400), headers={"Prefer": "wait=25"}, timeout=60).json()
        wait_for(lambda: requests.get(f"{url}/api/jobs/{job['id']}", timeout=30).json()["state"] in ENDED, 60, "for the job to end")
        assert requests.get(f"{url}/api/jobs/{job['id']}/result", timeout=30).content[8:12] == b"WEBP"
        family = [process, *process.children(recursive=True)]
    finally:
        process.terminate()
        code = process.wait(60)
    assert code == 0 and not psutil.wait_procs(family, timeout=10)[1]


def test_a_wrong_setting_stops_the_executable_too(executable: Path, tmp_path: Path) -> None:
    told = subprocess.run(
        [str(executable)], env={"API_PORT": "many", "TMPDIR": str(tmp_path)}, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )
    assert told.returncode == 2 and "API_PORT" in told.stderr
