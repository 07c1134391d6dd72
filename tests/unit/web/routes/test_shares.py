"""One client's share at the routes: refused before the body is read, with a reason; what was refused leaves nothing."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest

from backend.core.client_limits import ClientLimits
from backend.flows import shares
from tests.fakes.codec import ScriptedCodec
from tests.fakes.samples import image
from tests.fakes.uploads import every_upload
from tests.unit.web.conftest import Web

Make, Check = Callable[..., Web], Callable[..., dict[str, Any]]
TUS = {"Tus-Resumable": "1.0.0", "Upload-Length": "100"}
JOBS = [("/api/jobs", {}), ("/api/convert", {}), ("/api/uploads", TUS)]


def from_address(address: str) -> dict[str, Any]:
    return {"environ_overrides": {"REMOTE_ADDR": address}}


@pytest.mark.parametrize(("path", "headers"), JOBS)
def test_beyond_a_share_of_jobs_nothing_is_read(make_web: Make, problem: Check, path: str, headers: dict[str, str]) -> None:
    web = make_web(web_rules={"client_limits": ClientLimits(jobs=1)})
    web.upload()
    response = web.post(path, data=b"no picture at all", headers=headers)
    assert "1" in problem(response, 429, "quota_exceeded")["detail"]
    assert (response.headers["RateLimit-Policy"], response.headers["RateLimit"]) == ('"jobs";q=1', '"jobs";r=0;t=5')
    assert web.post("/api/jobs", data=image(), **from_address("10.0.0.9")).status_code == 202
    web.here.encode(ScriptedCodec())
    web.upload()


def test_beyond_a_share_of_bytes_nothing_is_read_until_the_day_is_over(make_web: Make, problem: Check) -> None:
    web = make_web(web_rules={"client_limits": ClientLimits(bytes_per_day=1000)})
    shares.count_bytes(web.here.context, "127.0.0.1", 999)
    web.upload()
    shares.count_bytes(web.here.context, "127.0.0.1", 1)
    problem(web.post("/api/jobs", data=b"x"), 429, "quota_exceeded")
    shares.tell_bytes(web.here.context)
    response = web.post("/api/jobs", data=b"x")
    problem(response, 429, "quota_exceeded")
    assert 86_000 < int(response.headers["Retry-After"]) <= 86_400
    web.here.clock.advance(86_401)
    web.upload()


def test_without_redis_bytes_are_kept_and_nothing_is_limited(make_web: Make) -> None:
    web = make_web(web_rules={"client_limits": ClientLimits(jobs=1, bytes_per_day=10)})
    shares.count_bytes(web.here.context, "127.0.0.1", 50)
    web.here.server.is_down = True
    shares.tell_bytes(web.here.context)
    web.upload()
    web.here.server.is_down = False
    shares.tell_bytes(web.here.context)
    assert web.here.context.client_uses.look("127.0.0.1").bytes_of_day == 50


def test_beyond_a_share_of_uploads_none_is_made(make_web: Make, problem: Check) -> None:
    web = make_web(web_rules={"client_limits": ClientLimits(uploads=2)})
    made = [web.post("/api/uploads", headers=TUS) for _ in range(2)]
    problem(web.post("/api/uploads", headers=TUS), 429, "quota_exceeded")
    assert len(every_upload(web.here.uploads)) == 2
    web.delete(made[0].headers["Location"], headers=TUS)
    assert web.post("/api/uploads", headers=TUS).status_code == 201
    web.here.clock.advance(3601)
    assert web.post("/api/uploads", headers=TUS).status_code == 201, "the others have expired: no byte came"


REFUSED = [
    ("/api/jobs", {"data": b"no picture"}, 415),
    ("/api/jobs", {"data": image(), "query_string": {"width": "0"}}, 422),
    ("/api/uploads", {"headers": {"Tus-Resumable": "1.0.0", "Upload-Length": "0"}}, 422),
    ("/api/uploads", {"headers": {"Tus-Resumable": "1.0.0", "Upload-Concat": "final;/api/uploads/" + 22 * "a"}}, 404),
    ("/api/uploads", {"headers": {**TUS, "Content-Type": "application/offset+octet-stream"}, "data": b"no picture" * 10}, 415),
]


@pytest.mark.parametrize(("path", "given", "status"), REFUSED)
def test_a_refused_request_leaves_no_idempotency_key(web: Web, path: str, given: dict[str, Any], status: int) -> None:
    given = {**given, "headers": {**given.get("headers", {}), "Idempotency-Key": "one"}}
    assert web.post(path, **given).status_code == status
    assert not web.here.server.reach().memos


def test_a_full_queue_leaves_no_idempotency_key_and_the_same_request_is_taken_later(make_web: Make) -> None:
    web = make_web(rules={"max_queued_jobs": 1})
    web.upload()
    web.here.context.queue_depth.waiting, web.here.queue.depth = 0, lambda: 0  # type: ignore[method-assign]
    web.here.context.client_uses.look = lambda client: shares.ClientUse()  # type: ignore[method-assign]
    for images in ([image()], [image(), image()]):
        files = [("file", (f"{number}.png", each)) for number, each in enumerate(images)]
        data = {"file": [(io.BytesIO(each), name) for _, (name, each) in files]}
        assert web.post("/api/jobs", data=data, headers={"Idempotency-Key": "one"}).status_code == 503
        assert not web.here.server.reach().memos
    while web.here.encode(ScriptedCodec()):
        pass
    made = [web.upload(Idempotency_Key="one")["id"] for _ in range(2)]
    assert made[0] == made[1]
