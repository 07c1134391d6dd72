"""Resumable uploads over two gateways, two data folders, one Redis and one bucket, behind the shipped nginx without any stickiness."""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import signal
import struct
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest
import requests
from tusclient.client import TusClient

from tests.conftest import missing
from tests.support.redis_server import RedisServer
from tests.support.running import ROOT, free_port, wait_for
from tests.support.s3_server import client, credentials, make_bucket, serving, serving_seaweedfs
from tests.system.deploy.proxied import kill, nginx, status
from tests.system.uploads.conftest import OFFSET_TYPE, VERSION, job_id
from tests.system.uploads.test_tus_clients import NODE_MODULES

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]
MIB = 1 << 20


class Host:
    """``./start.sh gateway`` with a data folder of its own, always on the same port."""

    def __init__(self, folder: Path, **environment: str) -> None:
        self.port, self.folder = free_port(), folder
        temporary = folder.with_name(f"tmp-{folder.name}")
        temporary.mkdir()
        own = {"API_PORT": str(self.port), "GATEWAY_DATA_DIR": str(folder), "GUNICORN_WORKERS": "2", "TMPDIR": str(temporary)}
        self.environment = {**os.environ, **environment, **own}

    def start(self) -> None:
        with self.folder.with_suffix(".log").open("ab") as log:
            self.process = psutil.Popen(
                [str(ROOT / "start.sh"), "gateway"], env=self.environment, stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True
            )
        wait_for(lambda: status(f"http://127.0.0.1:{self.port}/api/health/live") == 200, 90, "for a gateway")

    def kill(self, number: int = signal.SIGKILL) -> None:
        kill(self.process, number)

    @property
    def memory_bytes(self) -> int:
        return sum(each.memory_full_info().pss for each in [self.process, *self.process.children(recursive=True)])

    def spooled(self) -> list[Path]:
        return list((self.folder / "spool" / "incoming").iterdir())


class Cluster:
    def __init__(self, url: str, hosts: list[Host], endpoint: str, bucket: str) -> None:
        self.url, self.hosts, self.bucket, self.s3 = url, hosts, bucket, client(endpoint)

    def keys(self, folder: str) -> list[str]:
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=f"images/{folder}/")
        return [each["Key"] for page in pages for each in page.get("Contents", [])]

    def records(self) -> list[dict[str, Any]]:
        """Of all uploads."""
        found = [key for key in self.keys("uploads") if key.endswith("/upload.json")]
        return [json.loads(self.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read()) for key in found]

    def source_sha256(self, link: str) -> str:
        with requests.get(f"{self.url}/api/jobs/{job_id(link)}/source", timeout=120, stream=True) as answer:
            assert answer.status_code == 200, answer.status_code
            sha256 = hashlib.sha256()
            for chunk in answer.iter_content(MIB):
                sha256.update(chunk)
            return sha256.hexdigest()


@contextmanager
def cluster(folder: Path, redis_url: str, endpoint: str, nginx_binary: str) -> Iterator[Cluster]:
    bucket = make_bucket(endpoint)
    settings = {**credentials(endpoint), "GATEWAY_STORAGE_URL": f"s3://{bucket}/images", "REDIS_URL": redis_url, "GATEWAY_PROXY_HOPS": "1"}
    settings |= {"GATEWAY_CONNECTIONS_PER_ADDRESS": "0", "GATEWAY_MAX_QUEUED_JOBS": "10000"}
    hosts = [Host(folder / name, **settings) for name in ("one", "other")]
    with ExitStack() as running, ThreadPoolExecutor(2) as pool:
        for each in hosts:
            running.callback(lambda each=each: each.kill(signal.SIGTERM))
        list(pool.map(Host.start, hosts))
        (folder / "nginx").mkdir()
        url = running.enter_context(nginx(nginx_binary, [each.port for each in hosts], folder / "nginx"))
        found = Cluster(url, hosts, endpoint, bucket)
        running.callback(found.s3.close)
        yield found


@pytest.fixture(scope="module")
def tools() -> dict[str, str]:
    found = {name: shutil.which(name) for name in ("nginx", "node")}
    if None in found.values() or not NODE_MODULES.exists():
        missing("nginx, node or tests/page/node_modules/tus-js-client is missing")
    return {name: str(path) for name, path in found.items()}


@pytest.fixture
def two(tools: dict[str, str], redis_server: RedisServer, tmp_path: Path) -> Iterator[Cluster]:
    with serving() as endpoint, cluster(tmp_path, redis_server.url, endpoint, tools["nginx"]) as found:
        yield found


def bitmap(size_bytes: int) -> bytes:
    """A BMP of about this size and of random pixels: it has a true header, and no two are alike."""
    width = 1000
    height = (size_bytes - 54) // (width * 3)
    body = os.urandom(width * height * 3)
    sizes = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 24, 0, len(body), 2835, 2835, 0, 0)
    return struct.pack("<2sIHHI", b"BM", 54 + len(body), 0, 0, 54) + sizes + body


def written(folder: Path, count: int, size_bytes: int) -> dict[str, str]:
    """Files, and the digest of each."""
    digests = {}
    for number in range(count):
        data = bitmap(size_bytes)
        file = folder / f"{number}.bmp"
        file.write_bytes(data)
        digests[str(file)] = hashlib.sha256(data).hexdigest()
    return digests


def start_clients(node: str, url: str, files: list[str], at_once: int, chunk_bytes: int) -> subprocess.Popen[str]:
    command = [node, str(Path(__file__).with_name("many.mjs")), url, str(at_once), str(chunk_bytes), *files]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def outcomes(sending: subprocess.Popen[str], within_s: float) -> list[dict[str, Any]]:
    said, _ = sending.communicate(timeout=within_s)
    return [json.loads(line) for line in said.splitlines()]


def check_whole(there: Cluster, ended: list[dict[str, Any]], digests: dict[str, str]) -> None:
    assert [each for each in ended if each["error"]] == []
    assert {each["file"]: there.source_sha256(each["link"]) for each in ended} == digests
    assert [record for record in there.records() if record["pieces"] and record["info"]["concat"] is None] == []


def test_uploads_move_between_hosts(two: Cluster, tools: dict[str, str], tmp_path: Path) -> None:
    """One pair of gateways for all of it; the one that is killed comes last."""
    check_that_the_official_python_client_takes_turns_between_hosts(two)
    check_that_parts_on_different_hosts_become_one_picture(two)
    check_that_two_hosts_that_take_different_bytes_keep_those_of_one(two)
    check_that_an_upload_erased_on_another_host_ends_while_bytes_come_in(two)
    check_that_uploads_come_whole_though_a_host_dies(two, tools, tmp_path)


def check_that_uploads_come_whole_though_a_host_dies(two: Cluster, tools: dict[str, str], tmp_path: Path) -> None:
    digests = written(tmp_path, 8, 3 * MIB)
    sending = start_clients(tools["node"], two.url, list(digests), 4, 500_000)
    wait_for(lambda: any("/piece-" in key for key in two.keys("uploads")), 60, "for a piece in the bucket")
    two.hosts[0].kill()
    two.hosts[0].start()
    check_whole(two, outcomes(sending, 240), digests)


def check_that_the_official_python_client_takes_turns_between_hosts(two: Cluster) -> None:
    data = bitmap(2 * MIB)
    uploader = TusClient(f"{two.url}/api/uploads").uploader(file_stream=io.BytesIO(data), chunk_size=300_000, retries=5, retry_delay=1)
    uploader.upload()
    link = requests.head(uploader.url, headers=VERSION, timeout=30).headers["Link"]
    assert two.source_sha256(link) == hashlib.sha256(data).hexdigest()


def check_that_parts_on_different_hosts_become_one_picture(two: Cluster) -> None:
    data, parts = bitmap(MIB), []
    for number, piece in enumerate((data[:400_000], data[400_000:])):
        made = create(two, number, len(piece), Upload_Concat="partial")
        assert patch(two, 1 - number, made, 0, piece).status_code == 204
        parts.append(made)
    final = requests.post(f"{host(two, 0)}/api/uploads", headers={**VERSION, "Upload-Concat": f"final;{' '.join(parts)}"}, timeout=30)
    assert two.source_sha256(final.headers["Link"]) == hashlib.sha256(data).hexdigest()


def check_that_two_hosts_that_take_different_bytes_keep_those_of_one(two: Cluster) -> None:
    data = bitmap(MIB)
    made = create(two, 0, len(data))
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda number: patch(two, number, made, 0, data[: 200_000 + number]), (0, 1)))
    assert sorted(each.status_code for each in answers) in ([204, 409], [204, 204])
    offset = int(requests.head(host(two, 1) + made, headers=VERSION, timeout=30).headers["Upload-Offset"])
    assert offset in (200_000, 200_001)
    wrong = patch(two, 1, made, 0, data)
    assert (wrong.status_code, wrong.json()["code"], wrong.headers["Upload-Offset"]) == (409, "offset_mismatch", str(offset))
    done = patch(two, 0, made, offset, data[offset:])
    assert two.source_sha256(done.headers["Link"]) == hashlib.sha256(data).hexdigest()


def check_that_an_upload_erased_on_another_host_ends_while_bytes_come_in(two: Cluster) -> None:
    data = bitmap(MIB)
    made = create(two, 0, len(data))

    def chunks() -> Iterator[bytes]:
        yield data[:300_000]
        assert requests.delete(host(two, 1) + made, headers=VERSION, timeout=30).status_code == 204
        yield data[300_000:]

    at = {**VERSION, **OFFSET_TYPE, "Upload-Offset": "0"}
    assert requests.patch(host(two, 0) + made, data=chunks(), headers=at, timeout=60).status_code == 404
    assert requests.head(host(two, 0) + made, headers=VERSION, timeout=30).status_code == 404
    wait_for(lambda: not [key for key in two.keys("uploads") if made.rpartition("/")[2] in key], 30, "for the bucket to hold nothing of it")
    assert two.hosts[0].spooled() == two.hosts[1].spooled() == []


def host(there: Cluster, number: int) -> str:
    return f"http://127.0.0.1:{there.hosts[number].port}"


def create(there: Cluster, number: int, length: int, **more: str) -> str:
    named = {**VERSION, "Upload-Length": str(length), **{name.replace("_", "-"): value for name, value in more.items()}}
    made = requests.post(f"{host(there, number)}/api/uploads", headers=named, timeout=30)
    assert made.status_code == 201, made.text
    return made.headers["Location"]


def patch(there: Cluster, number: int, path: str, offset: int, data: bytes) -> requests.Response:
    return requests.patch(host(there, number) + path, data=data, headers={**VERSION, **OFFSET_TYPE, "Upload-Offset": str(offset)}, timeout=60)


@pytest.mark.slow  # minutes
def test_a_hundred_uploads_of_20_megabytes_come_whole_though_one_of_two_hosts_dies(
    tools: dict[str, str], redis_server: RedisServer, tmp_path: Path
) -> None:
    digests = written(tmp_path, 100, 20_000_000)
    with serving_seaweedfs() as endpoint, cluster(tmp_path, redis_server.url, endpoint, tools["nginx"]) as there:
        files = list(digests)
        clients = [start_clients(tools["node"], there.url, files[number::3], 3, chunk) for number, chunk in enumerate((0, 8 * MIB, 1_000_000))]
        wait_for(lambda: len(there.keys("jobs")) > 20, 300, "for the first jobs")
        there.hosts[0].kill()
        there.hosts[0].start()
        ended = [each for sending in clients for each in outcomes(sending, 900)]
        print(json.dumps({"retries": sum(each["retries"] for each in ended), "mib": [each.memory_bytes >> 20 for each in there.hosts]}))
        check_whole(there, ended, digests)
