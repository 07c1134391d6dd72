"""S3 services of our own, each a process on a real socket: moto, which keeps objects in memory, and SeaweedFS, which keeps them on disk.

Both take the same credentials.
"""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import boto3

from tests.fakes.waiting import until
from tests.support.ports import LOCAL, answers, free_port

KEY, SECRET = "key", "secret"
WEED = Path(sys.executable).parent / "weed"
ADMIN_GRPC = 10_000
"""So far above the admin's port SeaweedFS' own worker looks for it."""
VOLUME_MB, VOLUMES = 64, 2000
"""Each bucket gets a volume of its own, which takes no room until it is written."""


@contextmanager
def serving(port: int | None = None, host: str = LOCAL) -> Iterator[str]:
    """Moto; its address. What it holds ends with the block."""
    port = port or free_port(host)
    with _running([sys.executable, "-m", "moto.server", "-H", host, "-p", str(port)]):
        until(lambda: answers(port, host), 60)
        yield f"http://{host}:{port}"


@contextmanager
def serving_seaweedfs(port: int | None = None, host: str = LOCAL, folder: Path | None = None) -> Iterator[str]:
    """SeaweedFS; its address. What it holds is in ``folder``, and stays there; without one it ends with the block."""
    with tempfile.TemporaryDirectory() as own:
        port, home = port or free_port(host), folder or Path(own)
        (home / "data").mkdir(parents=True, exist_ok=True)
        (home / "s3.json").write_text(json.dumps({"identities": [IDENTITY]}))
        ports = {name: free_port(host) for name in PORTS} | {"s3.port": port, "admin.port": _admin_port(host)}
        environment = {**os.environ, "HOME": str(home), "WEED_MASTER_VOLUME_GROWTH_COPY_1": "1"}
        try:
            with _running(_weed(host, home, ports), env=environment, cwd=home):
                until(lambda: _is_ready(f"http://{host}:{port}"), 60)
                yield f"http://{host}:{port}"
        finally:
            for each in (*ports.values(), ports["admin.port"] + ADMIN_GRPC):
                for left in Path("/tmp").glob(f"seaweedfs-*-{each}.sock"):
                    left.unlink(missing_ok=True)


SERVERS: dict[str, Callable[[], AbstractContextManager[str]]] = {"moto": serving, "seaweedfs": serving_seaweedfs}
PORTS = ("master.port", "master.port.grpc", "volume.port", "volume.port.grpc", "filer.port", "filer.port.grpc", "s3.port.grpc")
OFF = ("master.telemetry=false", "admin.ui=false", "webdav=false", "s3.port.iceberg=0", "s3.port.lance=0", "s3.autoCreateBucket=false")
IDENTITY = {"name": "tests", "credentials": [{"accessKey": KEY, "secretKey": SECRET}], "actions": ["Admin", "Read", "Write", "List", "Tagging"]}


def _weed(host: str, home: Path, ports: dict[str, int]) -> list[str]:
    given = [f"-{name}={port}" for name, port in ports.items()]
    sizes = [f"-master.volumeSizeLimitMB={VOLUME_MB}", f"-volume.max={VOLUMES}"]
    where = [f"-dir={home / 'data'}", f"-s3.config={home / 's3.json'}", f"-ip={host}", f"-ip.bind={host}"]
    return [str(WEED), "-logtostderr", "mini", *where, *(f"-{each}" for each in OFF), *sizes, *given]


def _admin_port(host: str) -> int:
    while True:
        port = free_port(host)
        if port + ADMIN_GRPC < 1 << 16 and not answers(port + ADMIN_GRPC, host):
            return port


def _is_ready(endpoint: str) -> bool:
    """Whether it takes objects: its parts start one after the other."""
    asking = client(endpoint)
    try:
        asking.list_buckets()
        return True
    except Exception:
        return False
    finally:
        asking.close()


@contextmanager
def _running(command: list[str], env: dict[str, str] | None = None, cwd: Path | None = None) -> Iterator[None]:
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=env, cwd=cwd)
    try:
        yield
    finally:
        process.kill()
        process.wait()


def credentials(endpoint: str) -> dict[str, str]:
    return {
        "AWS_ENDPOINT_URL_S3": endpoint,
        "AWS_ACCESS_KEY_ID": KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def client(endpoint: str) -> Any:
    session = boto3.session.Session(aws_access_key_id=KEY, aws_secret_access_key=SECRET, region_name="us-east-1")
    return session.client("s3", endpoint_url=endpoint)


def make_bucket(endpoint: str) -> str:
    name = f"bucket-{secrets.token_hex(6)}"
    asking = client(endpoint)
    asking.create_bucket(Bucket=name)
    asking.close()
    return name
