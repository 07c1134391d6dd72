"""An S3 service of our own: moto's server as a process, so that what the gateway's adapter says crosses a real socket."""

from __future__ import annotations

import secrets
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3

from tests.fakes.waiting import until


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def serving(port: int | None = None) -> Iterator[str]:
    """Its address. Ends with the block."""
    port = port or free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        until(lambda: answers(port), 60)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


def credentials(endpoint: str) -> dict[str, str]:
    return {
        "AWS_ENDPOINT_URL_S3": endpoint,
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def client(endpoint: str) -> Any:
    session = boto3.session.Session(aws_access_key_id="key", aws_secret_access_key="secret", region_name="us-east-1")
    return session.client("s3", endpoint_url=endpoint)


def make_bucket(endpoint: str) -> str:
    name = f"bucket-{secrets.token_hex(6)}"
    asking = client(endpoint)
    asking.create_bucket(Bucket=name)
    asking.close()
    return name
