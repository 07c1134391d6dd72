"""The protocol over a world whose queue is in memory and whose store is on a real disk: what is tested here lives on it."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from backend.adapters.files.resumable import FileUploads
from backend.adapters.files.store import FileStore
from backend.core.api_keys import KeyTable, plain_key
from backend.flows import uploads as flow
from backend.flows.context import random_id
from backend.web.request.context import KEY, WebContext
from backend.web.response import headers, problems
from backend.web.routes import resources
from tests.fakes.clock import ShiftedClock
from tests.fakes.context import MemoryContext
from tests.support.stored import manifests

VERSION = {"Tus-Resumable": "1.0.0"}
OFFSET_TYPE = {"Content-Type": "application/offset+octet-stream"}


def metadata(**pairs: str) -> dict[str, str]:
    return {"Upload-Metadata": ",".join(f"{key} {base64.b64encode(value.encode()).decode()}" for key, value in pairs.items())}


class Tus:
    """A client that says just what a test tells it. ``context`` is what a process of the gateway has; ``restart`` is the next process."""

    def __init__(self, root: Path, *, keys: tuple[str, ...] = (), **rules: Any) -> None:
        self.here = MemoryContext(ShiftedClock(), {**rules, "new_id": random_id})
        self.store, self.uploads = FileStore(root), FileUploads(root)
        self.store.prepare()
        self.uploads.prepare()
        self.keys = keys
        self.context = replace(self.here.context, store=self.store, uploads=self.uploads)
        self.restart()

    def restart(self) -> None:
        app = Flask("webp-gateway", static_folder=None)
        keys = KeyTable(map(plain_key, self.keys))
        rules = {"api_keys": keys, "allowed_origins": ("https://other.example",)}
        app.extensions[KEY] = WebContext(self.context, self.here.follower, Path("."), "1.2.3", **rules)
        for part in (problems, headers):
            part.install(app)
        for resource in resources():
            app.register_blueprint(resource)
        self.client = app.test_client()
        self.client.environ_base["wsgi.input_terminated"] = True

    def ask(self, method: str, path: str, data: bytes | None = None, /, **given: Any) -> TestResponse:
        """``given`` are headers with underscores, or ``headers`` as they are; the version goes along unless it is given."""
        named = {name.replace("_", "-"): str(value) for name, value in given.items() if name != "headers"}
        every = {**VERSION, **given.get("headers", {}), **named}
        return self.client.open(path, method=method, data=data, headers={name: each for name, each in every.items() if each != ""}, buffered=True)

    def create(self, length: int | None = None, **given: Any) -> TestResponse:
        size = {"Upload_Length": length} if length is not None else {"Upload_Defer_Length": 1}
        return self.ask("POST", "/api/uploads", **size, **given)

    def created(self, length: int | None = None, **given: Any) -> str:
        response = self.create(length, **given)
        assert response.status_code == 201, response.text
        return response.headers["Location"]

    def patch(self, path: str, offset: int, data: bytes, **given: Any) -> TestResponse:
        return self.ask("PATCH", path, data, Upload_Offset=offset, headers={**OFFSET_TYPE, **given.pop("headers", {})}, **given)

    def head(self, path: str, **given: Any) -> TestResponse:
        return self.ask("HEAD", path, **given)

    def offset(self, path: str) -> int:
        response = self.head(path)
        assert response.status_code == 200, response.status
        return int(response.headers["Upload-Offset"])

    def source(self, link: str) -> bytes:
        """What the job that ``Link`` names was made of."""
        blob = self.store.open_source(job_id(link))
        try:
            return blob.read_at(0, blob.size_bytes)
        finally:
            blob.close()

    def jobs(self) -> list[str]:
        return [manifest.id for manifest in manifests(self.store)]


def job_id(link: str) -> str:
    assert link.startswith("</api/jobs/") and link.endswith('>; rel="job"'), link
    return link[len("</api/jobs/") : -len('>; rel="job"')]


@pytest.fixture
def tus(tmp_path: Path) -> Iterator[Tus]:
    client = Tus(tmp_path / "store")
    yield client
    client.here.close()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flow, "PATIENCE_S", 3 * flow.RETRY_S)
