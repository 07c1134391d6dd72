"""Two tenants and an operator take random steps over all routes, sockets and events of a real gateway with several workers and a real Redis.

After every step: nobody has seen anything of another's, be it an id, a file name, a picture, a figure or the mere fact that it exists. Keys are
taken away, expire, come back and change their role in between. ``TENANT_STEPS=10000`` makes the long run (``./tests/run.sh tenants``).
"""

from __future__ import annotations

import base64
import io
import os
import zipfile
from collections.abc import Iterator
from typing import Any, ClassVar

import pytest
import requests
import websocket
from hypothesis import HealthCheck, Phase, note, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from backend.web.routes import operations
from tests.system.tenants.world import EVERYBODY, PATCH, TENANTS, TUS, World, comparable, differences, is_of, named, picture, unknown_id

pytestmark = [pytest.mark.e2e]
STEPS = int(os.environ.get("TENANT_STEPS", "120"))
AT_ONCE = 50 if STEPS <= 1000 else 100
"""Steps of one example. Hypothesis' choices for an example are bounded."""
RELOAD_EVERY = 25 if STEPS <= 1000 else 80
"""Steps between two changes of the key file, each of which takes seconds."""
KEPT = 12
"""Jobs of one tenant; older ones are erased, so that lists stay short."""
MORE = [
    ("GET", "/api/webhooks/deliveries?job={job_id}"),
    ("GET", "/api/webhooks/deliveries?batch={batch_id}"),
    ("GET", "/plain/jobs/{job_id}"),
    ("POST", "/plain/jobs/{job_id}/cancel"),
    ("GET", "/plain/batches/{batch_id}"),
    ("POST", "/plain/batches/{batch_id}/cancel"),
]
OWNED = [*((each.method, each.path) for each in operations() if "_id}" in each.path and each.is_guarded), *MORE]
"""Every route to a thing, as the API's description names it; a new one is tried by itself."""
KINDS = ("job_id", "batch_id", "upload_id")
ROUTES = {kind: [route for route in OWNED if kind in route[1] and not route[1].endswith("/ws")] for kind in KINDS}
REFUSED_BEFORE = (400, 405)
"""Answers to what makes no sense of any thing, such as a tus request by a method that is none."""
SHARED = [each.path for each in operations() if each.method == "GET" and not each.is_guarded and "health" not in each.path]
PAGES = ["/", "/status", "/problems", "/problems/not_found", *SHARED]
HEADERS: list[dict[str, str]] = [
    {},
    {"If-None-Match": "*"},
    {"If-None-Match": 'W/"1"', "Prefer": "wait=1"},
    {"If-Match": "*"},
    {"Range": "bytes=0-3"},
    {"Last-Event-ID": "0"},
    {"Accept": "image/webp,*/*"},
    {"Accept-Language": "zh-CN"},
    {"Idempotency-Key": "a"},
    {"Prefer": "wait=1"},
]
Route = tuple[str, str]
OTHER = dict(zip(TENANTS, reversed(TENANTS), strict=True))
who, anybody = st.sampled_from(TENANTS), st.sampled_from(EVERYBODY)
readers = st.sampled_from([*EVERYBODY, "", "a-wrong-key"])
number = st.integers(0, 3)
which = st.integers(0, 99)


def some(kind: str) -> st.SearchStrategy[list[Route]]:
    """A few routes to a thing of this kind."""
    return st.lists(st.sampled_from(ROUTES[kind]), min_size=1, max_size=4, unique=True)


class Tenants(RuleBasedStateMachine):
    world: ClassVar[World]

    def one(self, things: Any, number: int) -> str | None:
        known = list(things)
        return known[number % len(known)] if known else None

    def is_valid(self, name: str) -> bool:
        return self.world.state[name] == "valid"

    def made(self, name: str, response: requests.Response, status: int = 202) -> Any:
        """The body of an answer that made something; or None where the key does not count."""
        if not self.is_valid(name):
            assert response.status_code == 401, response.text
            return None
        assert response.status_code == status, response.text
        return response.json() if response.content else {}

    def take(self, name: str, job: dict[str, Any]) -> None:
        self.world.take(name, job["id"])
        held = self.world.held[name]
        while len(held.jobs) > KEPT:
            old = next(iter(held.jobs))
            assert self.world.ask(name, "DELETE", f"/api/jobs/{old}").status_code == 204
            self.forget(name, old)

    def forget(self, name: str, job_id: str) -> None:
        self.world.held[name].jobs.pop(job_id, None)

    @initialize()
    def everybody_has_something(self) -> None:
        for name in TENANTS:
            self.become(name, "valid", "client")
            self.batch(name, 2)
            self.create_upload(name, 0, 20, False, "")
            self.create_upload(name, 0, 20, True, "")
            self.finish_upload(name, -1)

    # Ways in

    @rule(name=anybody, number=number, is_shared=st.booleans(), once=st.sampled_from(["", "a", "b"]), waits=st.booleans())
    def upload(self, name: str, number: int, is_shared: bool, once: str, waits: bool) -> None:
        """The same picture of several tenants is encoded once; the same ``Idempotency-Key`` means something else to each."""
        held = self.world.held[name]
        data = picture("shared" if is_shared else name, number)
        headers = {**({"Idempotency-Key": once} if once else {}), **({"Prefer": "wait=20"} if waits else {})}
        response = self.world.ask(name, "POST", f"/api/jobs?filename={named(name)}", data=data, headers=headers)
        if once and self.is_valid(name) and response.status_code == 422:
            assert once in held.once and response.json()["code"] == "invalid_option"
            return
        job = self.made(name, response, 200 if waits else 202)
        if job is not None:
            assert self.world.owner_of.get(job["id"], name) == name
            self.take(name, job)
            if once:
                held.once[once] = job["id"]

    @rule(name=anybody, count=st.integers(2, 3))
    def batch(self, name: str, count: int) -> None:
        files = [("file", (named(name), picture(name, each), "image/png")) for each in range(count)]
        batch = self.made(name, self.world.ask(name, "POST", "/api/jobs", files=files))
        if batch is not None:
            self.world.owner_of[batch["id"]] = name
            self.world.held[name].batches[batch["id"]] = [each["id"] for each in batch["jobs"]]
            for each in batch["jobs"]:
                self.take(name, each)

    @rule(name=anybody, number=number, method=st.sampled_from(["POST", "PUT"]))
    def convert(self, name: str, number: int, method: str) -> None:
        response = self.world.ask(name, method, f"/api/convert?filename={named(name)}", data=picture(name, number))
        assert response.status_code == (200 if self.is_valid(name) else 401), response.text
        assert response.status_code == 401 or is_of(response.content, name)

    @rule(name=anybody)
    def by_url(self, name: str) -> None:
        response = self.world.ask(name, "POST", "/api/jobs", json={"url": "http://127.0.0.1:9/" + named(name)})
        assert response.status_code in ((202, 400) if self.is_valid(name) else (401,)), response.text
        if response.status_code == 202:
            self.take(name, response.json())

    @rule(name=anybody, number=number)
    def plain_form(self, name: str, number: int) -> None:
        response = self.world.ask(name, "POST", "/", files={"file": (named(name), picture(name, number))})
        if not self.is_valid(name):
            assert response.status_code == 401
            return
        assert response.status_code == 303
        self.take(name, {"id": response.headers["Location"].split("/")[-1]})

    @rule(name=anybody, index=which, quality=st.integers(10, 90), once=st.sampled_from(["", "c"]))
    def retry(self, name: str, index: int, quality: int, once: str) -> None:
        job_id = self.one(self.world.held[name].jobs, index)
        if job_id is None:
            return
        headers = {"Idempotency-Key": once + job_id} if once else {}
        response = self.world.ask(name, "POST", f"/api/jobs/{job_id}/retry?quality={quality}", headers=headers)
        if response.status_code not in (410, 422):
            job = self.made(name, response)
            if job is not None:
                self.take(name, job)

    # Resumable uploads

    @rule(name=anybody, number=number, cut=st.integers(1, 40), is_partial=st.booleans(), once=st.sampled_from(["", "d"]))
    def create_upload(self, name: str, number: int, cut: int, is_partial: bool, once: str) -> None:
        data = picture(name, number)
        data = data[:cut] if is_partial else data
        more = {"Upload-Concat": "partial"} if is_partial else {}
        more |= {"Idempotency-Key": once} if once else {}
        told = base64.b64encode(named(name).encode()).decode()
        headers = {**TUS, "Upload-Length": str(len(data)), "Upload-Metadata": f"filename {told}", **more}
        response = self.world.ask(name, "POST", "/api/uploads", headers=headers)
        if response.status_code == 422 and self.is_valid(name):
            assert once
            return
        if not self.is_valid(name):
            assert response.status_code == 401
            return
        assert response.status_code == 201, response.text
        upload_id = response.headers["Location"].split("/")[-1]
        assert self.world.owner_of.get(upload_id, name) == name
        self.world.owner_of[upload_id] = name
        self.world.held[name].uploads[upload_id] = data

    @rule(name=anybody, index=which)
    def finish_upload(self, name: str, index: int) -> None:
        held = self.world.held[name]
        upload_id = self.one(held.uploads, index)
        if upload_id is None:
            return
        response = self.world.ask(name, "PATCH", f"/api/uploads/{upload_id}", data=held.uploads[upload_id], headers={**PATCH, "Upload-Offset": "0"})
        if not self.is_valid(name):
            assert response.status_code == 401
        elif response.status_code == 204:
            del held.uploads[upload_id]
            link = response.headers.get("Link", "")
            if "/api/jobs/" in link:
                self.take(name, {"id": link.split("/api/jobs/")[1].split(">")[0]})
            else:
                held.parts.append(upload_id)
        else:
            assert response.status_code == 409, response.text  # finished before, found again by its Idempotency-Key

    @rule(reader=who, index=which)
    def concatenate_with_anothers_part(self, reader: str, index: int) -> None:
        other = OTHER[reader]
        own, foreign = self.one(self.world.held[reader].parts, index), self.one(self.world.held[other].parts, index)
        if foreign is None:
            return
        first = [f"/api/uploads/{own}"] if own else []
        answers = [
            self.world.ask(reader, "POST", "/api/uploads", headers={**TUS, "Upload-Concat": "final;" + " ".join([*first, f"/api/uploads/{part}"])})
            for part in (foreign, unknown_id())
        ]
        assert differences(*answers) == []
        assert answers[0].status_code == (404 if self.is_valid(reader) else 401)

    # Reading one's own

    @rule(name=anybody, index=which)
    def read_own(self, name: str, index: int) -> None:
        job_id = self.one(self.world.held[name].jobs, index)
        if job_id is None:
            return
        response = self.world.ask(name, "GET", f"/api/jobs/{job_id}", headers={"Prefer": "wait=20"})
        job = self.made(name, response, 200)
        if job is None:
            return
        assert job["id"] == job_id
        result = self.world.ask(name, "GET", f"/api/jobs/{job_id}/result", headers={"Prefer": "wait=20"})
        if result.status_code == 200:
            assert is_of(result.content, name)
            assert is_of(self.world.ask(name, "GET", f"/api/jobs/{job_id}/source").content, name)
            assert self.world.ask(name, "GET", f"/plain/jobs/{job_id}").status_code == 200
            events = self.world.ask(name, "GET", f"/api/jobs/{job_id}/events")
            assert events.status_code == 200 and job_id in events.text

    @rule(name=anybody, index=which)
    def read_own_batch(self, name: str, index: int) -> None:
        batch_id = self.one(self.world.held[name].batches, index)
        if batch_id is None:
            return
        batch = self.made(name, self.world.ask(name, "GET", f"/api/batches/{batch_id}"), 200)
        if batch is not None:
            assert {each["id"] for each in batch["jobs"]} <= set(self.world.held[name].batches[batch_id])
            packed = self.world.ask(name, "GET", f"/api/batches/{batch_id}/archive.zip").content
            with zipfile.ZipFile(io.BytesIO(packed)) as archive:
                assert all(each.startswith(f"{name}~") and is_of(archive.read(each), name) for each in archive.namelist())
            assert self.world.ask(name, "POST", f"/api/batches/{batch_id}/cancel").status_code == 200

    @rule(name=anybody, limit=st.integers(1, 9))
    def list_own(self, name: str, limit: int) -> None:
        """Page by page: all of one's own, and nothing else."""
        path, seen = f"/api/jobs?limit={limit}", []
        while path:
            body = self.made(name, self.world.ask(name, "GET", path), 200)
            if body is None:
                return
            seen += [each["id"] for each in body["jobs"]]
            path = body["next"] or ""
        assert sorted(seen) == sorted(self.world.held[name].jobs)

    @rule(name=anybody, index=which)
    def erase_own(self, name: str, index: int) -> None:
        job_id = self.one(self.world.held[name].jobs, index)
        if job_id is not None and self.made(name, self.world.ask(name, "DELETE", f"/api/jobs/{job_id}"), 204) is not None:
            self.forget(name, job_id)

    # Reaching for another's

    @rule(reader=readers, owner=who, routes=some("job_id"), index=which, headers=st.sampled_from(HEADERS))
    def reach_for_anothers_job(self, reader: str, owner: str, routes: list[Route], index: int, headers: dict[str, str]) -> None:
        self.reach(reader, owner, routes, self.one(self.world.held[owner].jobs, index), headers)

    @rule(reader=readers, owner=who, routes=some("batch_id"), index=which, headers=st.sampled_from(HEADERS))
    def reach_for_anothers_batch(self, reader: str, owner: str, routes: list[Route], index: int, headers: dict[str, str]) -> None:
        self.reach(reader, owner, routes, self.one(self.world.held[owner].batches, index), headers)

    @rule(reader=readers, owner=who, routes=some("upload_id"), index=which, headers=st.sampled_from(HEADERS))
    def reach_for_anothers_upload(self, reader: str, owner: str, routes: list[Route], index: int, headers: dict[str, str]) -> None:
        held = self.world.held[owner]
        self.reach(reader, owner, routes, self.one([*held.uploads, *held.parts], index), {**PATCH, "Upload-Offset": "0", **headers})

    def reach(self, reader: str, owner: str, routes: list[Route], foreign: str | None, headers: dict[str, str]) -> None:
        """It is answered as what does not exist, in every header; and it stays as it was."""
        reader = OTHER[owner] if reader == owner else reader
        for method, path in routes if foreign else ():
            answers = []
            for thing in (foreign, unknown_id()):
                address = path.format(job_id=thing, batch_id=thing, upload_id=thing)
                body = b"x" if method in ("PATCH", "POST") and "upload" in path else None
                answers.append(self.world.ask(reader, method, address, headers=headers, data=body))
            assert differences(*answers) == [], path
            expected = 404 if reader in EVERYBODY and self.is_valid(reader) else 401
            assert answers[0].status_code == expected or answers[1].status_code in REFUSED_BEFORE, answers[0].text
        if self.is_valid(owner) and any(method != "GET" for method, _ in routes):
            self.list_own(owner, 200)

    @rule(reader=anybody, owner=who, index=which)
    def watch_anothers(self, reader: str, owner: str, index: int) -> None:
        """By the plain WebSocket, and over Socket.IO."""
        foreign = self.one(self.world.held[owner].jobs, index)
        reader = OTHER[owner] if reader == owner else reader
        if foreign is None:
            return
        for thing in (foreign, unknown_id()):
            address = f"{self.world.gateway.url.replace('http', 'ws')}/api/jobs/{thing}/ws"
            with pytest.raises(websocket.WebSocketBadStatusException) as refused:
                websocket.create_connection(address, header=[f"Authorization: Bearer {self.world.keys[reader]}"], timeout=20)
            assert refused.value.status_code == (404 if self.is_valid(reader) else 401)
        batch = self.one(self.world.held[owner].batches, index) or unknown_id()
        if self.is_valid(reader):
            socket = self.world.socket(reader)
            for event, message in (("subscribe", {"job": foreign}), ("cancel", {"job": foreign}), ("subscribe", {"batch": batch})):
                answers = [socket.call(event, dict.fromkeys(message, thing)) for thing in (*message.values(), unknown_id())]
                assert answers[0] == answers[1] and answers[0]["error"]["code"] == "not_found"

    # Sockets

    @rule(name=who, index=which, is_batch=st.booleans())
    def follow_own(self, name: str, index: int, is_batch: bool) -> None:
        held = self.world.held[name]
        thing = self.one(held.batches if is_batch else held.jobs, index)
        if thing is not None and self.is_valid(name):
            answer = self.world.socket(name).call("subscribe", {"batch" if is_batch else "job": thing, **({} if is_batch else {"after": 0})})
            assert answer["ok"] is True

    @rule(name=anybody)
    def ask_for_the_figures(self, name: str) -> None:
        assert self.world.ask(name, "GET", "/metrics").status_code == self.world.expected_figures(name)
        for path in ("/api/health", "/api/health/ready", "/api/health/live"):
            assert self.world.ask(name, "GET", path).status_code == 200
            assert self.world.ask("", "GET", path).status_code == 200
        assert self.world.ask("", "GET", "/metrics").status_code == 401
        if self.is_valid(name):
            told = self.world.socket(name).call("subscribe", {"status": True})
            assert told["ok"] is (self.world.roles[name] == "operator")
            self.world.socket(name).reads_figures |= told["ok"]

    @rule(path=st.sampled_from(PAGES))
    def pages_are_the_same_for_everybody(self, path: str) -> None:
        answers = [comparable(self.world.ask(name, "GET", path)) for name in (*EVERYBODY, "")]
        for _, headers, _ in answers:
            headers.pop("Set-Cookie", None)
        assert all(each == answers[0] for each in answers)

    # Keys

    @rule(name=who, state=st.sampled_from(["removed", "expired", "valid"]), role=st.sampled_from(["client", "operator"]))
    def change_a_key(self, name: str, state: str, role: str) -> None:
        """It is no precondition that it is time: Hypothesis wants the same choices to be there after the same choices."""
        if self.world.steps >= self.world.changed_at + RELOAD_EVERY:
            self.become(name, state, role)

    def become(self, name: str, state: str, role: str) -> None:
        if (self.world.state[name], self.world.roles[name]) == (state, role):
            return
        if self.is_valid(name):
            self.world.socket(name)
        note(f"{name} becomes {state} {role}")
        self.world.changed_at = self.world.steps
        self.world.state[name], self.world.roles[name] = state, role
        self.world.reload(name)

    @invariant()
    def nothing_was_heard_of_others(self) -> None:
        self.world.steps += 1
        for each in list(self.world.sockets.values()):
            each.judge()


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    made = World(tmp_path_factory.mktemp("tenants"))
    yield made
    made.gateway.stop()


@pytest.mark.timeout(300 + STEPS)
def test_nobody_sees_anything_of_another(world: World) -> None:
    Tenants.world = world
    rules = settings(
        stateful_step_count=AT_ONCE,
        phases=[Phase.generate],  # a real gateway goes on: no example can be repeated
        deadline=None,
        derandomize=STEPS <= 1000,
        suppress_health_check=list(HealthCheck),
        database=None,
    )
    try:
        while world.steps < STEPS:
            examples = 1 + (STEPS - world.steps) // AT_ONCE
            run_state_machine_as_test(Tenants, settings=settings(rules, max_examples=examples))
    finally:
        world.close_sockets()
    print(f"{world.steps} steps, {len(world.owner_of)} things; answers: {dict(sorted(world.judge.answers.items()))}")
