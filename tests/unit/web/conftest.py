"""The Flask application over a world in memory: wired as ``backend/app.py`` does it, without gevent, sockets and the caretaker."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from backend.core.api_keys import KeyTable, plain_key
from backend.core.host_names import allowed_hosts
from backend.flows.fetch import Fetcher
from backend.server.security_headers import SecurityHeaders
from backend.web.request import admission, body_rules
from backend.web.request.context import KEY, WebContext
from backend.web.response import headers, problems
from backend.web.routes import resources
from tests.fakes.clock import ShiftedClock
from tests.fakes.codec import ScriptedCodec
from tests.fakes.context import MemoryContext
from tests.fakes.samples import image
from tests.fakes.sources import MemorySources

FRONTEND = Path(__file__).resolve().parents[3] / "frontend"


@dataclass
class Web:
    """``rules`` are the flows' context's, ``web_rules`` the web context's. ``get``, ``post``… answer with the whole body read and closed."""

    rules: dict[str, Any] = field(default_factory=dict)
    keys: tuple[str, ...] = ()
    web_rules: dict[str, Any] = field(default_factory=dict)
    admission_rules: admission.Rules = admission.Rules(allowed_hosts(()))

    def __post_init__(self) -> None:
        self.here = MemoryContext(ShiftedClock(), self.rules)
        self.sources = MemorySources()
        fetcher = Fetcher(self.here.context, self.sources, lambda call: call())
        keys = KeyTable(map(plain_key, self.keys))
        self.app = Flask("webp-gateway", static_folder=None)
        rules = {"api_keys": keys, "fetcher": fetcher, **self.web_rules}
        self.app.extensions[KEY] = WebContext(self.here.context, self.here.follower, FRONTEND, "1.2.3", **rules)
        for part in (admission, problems, headers, body_rules):
            part.install(self.app)
        for resource in resources():
            self.app.register_blueprint(resource)
        admitted = admission.Admission(self.app.wsgi_app, self.app.wsgi_app, self.admission_rules)
        self.app.wsgi_app = SecurityHeaders(admitted)  # type: ignore[method-assign]
        self.client: FlaskClient = self.app.test_client()
        self.client.environ_base["wsgi.input_terminated"] = True

    def ask(self, method: str, path: str, **given: Any) -> TestResponse:
        return self.client.open(path, method=method, buffered=True, **given)

    def get(self, path: str, **given: Any) -> TestResponse:
        return self.ask("GET", path, **given)

    def head(self, path: str, **given: Any) -> TestResponse:
        return self.ask("HEAD", path, **given)

    def post(self, path: str, **given: Any) -> TestResponse:
        return self.ask("POST", path, **given)

    def delete(self, path: str, **given: Any) -> TestResponse:
        return self.ask("DELETE", path, **given)

    def upload(self, data: bytes | None = None, query: str = "", **headers: str) -> dict[str, Any]:
        """The Job of a raw upload that was accepted. ``X_Request_Id`` becomes ``X-Request-Id``."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        response = self.post(f"/api/jobs{query}", data=image() if data is None else data, headers=named)
        assert response.status_code == 202, response.text
        return dict(response.json)  # type: ignore[arg-type]

    def finished(self, result: bytes | None = None, **given: Any) -> dict[str, Any]:
        job = self.upload(**given)
        codec = ScriptedCodec() if result is None else ScriptedCodec(result=result)
        while self.here.encode(codec):
            pass
        return dict(self.get(f"/api/jobs/{job['id']}").json)  # type: ignore[arg-type]

    def encode_at_once(self, codec: ScriptedCodec | None = None) -> None:
        """From now on a job is done as soon as its ticket is pushed."""
        self.here.server.on_ticket = lambda: self.here.encode(codec)


@pytest.fixture
def make_web() -> Iterator[Callable[..., Web]]:
    made: list[Web] = []

    def make(**given: Any) -> Web:
        made.append(Web(**given))
        return made[-1]

    yield make
    left_open = [each for web in made for each in web.here.store.open_files]
    half_received = [each for web in made for each in web.here.store.incoming]
    for web in made:
        web.here.close()
    assert (left_open, half_received) == ([], [])


@pytest.fixture
def web(make_web: Callable[..., Web]) -> Web:
    return make_web()


@pytest.fixture
def problem() -> Callable[[TestResponse, int, str], dict[str, Any]]:
    """Asserts that an answer is the problem with this status and code, in form; its body."""

    def check(response: TestResponse, status: int, code: str) -> dict[str, Any]:
        assert (response.status_code, response.content_type) == (status, "application/problem+json"), response.text
        body: Any = response.json
        assert (body["status"], body["code"], body["type"]) == (status, code, f"/problems/{code}")
        assert body["title"] and body["detail"]
        assert not re.search(r"(?<!\d)–", body["detail"]), "a placeholder was left empty"
        assert response.headers["Cache-Control"] == "no-store"
        assert body["instance"] == f"urn:request:{response.headers['X-Request-Id']}"
        if status in (429, 503):
            assert int(response.headers["Retry-After"]) >= 1
        return dict(body)

    return check
