"""A steady load of ordinary clients: they send again what was not acknowledged, with the same ``Idempotency-Key``, and watch what was.

All their sockets are in the network of the thread that starts them.
"""

from __future__ import annotations

import base64
import json
import random
import secrets
import socket
import threading
import time
from collections.abc import Callable
from typing import Any

import requests
import socketio
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection

from tests.support.running import ENDED
from tests.system.hosts.ledger import Acknowledged, Ledger
from tests.system.hosts.pictures import Sent, draw

TIMEOUT_S = 10.0
CONVERT_TIMEOUT_S = 90.0
TRIES = 400
PAUSE_S = 0.25
MOST_OPEN = 12
"""So many jobs under way, and the clients wait: the machine is small."""
LOOK_PAUSE_S = 0.3
TUS = {"Tus-Resumable": "1.0.0"}
PASSING = {429, 502, 503, 504, 507}
"""Answers that ask to be tried again."""
BROKEN = (requests.RequestException, OSError)
PROBES = [(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 5), (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 2), (socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 3)]


class Probing(HTTPAdapter):
    """Probes its connections, as clients that wait long do. A host whose power was cut says nothing; only so is it noticed (tcp(7))."""

    def init_poolmanager(self, *given: Any, **more: Any) -> None:
        options = [*HTTPConnection.default_socket_options, (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1), *PROBES]
        super().init_poolmanager(*given, **more, socket_options=options)  # type: ignore[no-untyped-call]


class Load:
    def __init__(self, urls: list[str], seed: int, *, pause_s: float = 0.8) -> None:
        self.urls, self.ledger, self._pause_s = urls, Ledger(), pause_s
        self._stop, self._idle = threading.Event(), threading.Event()
        self._watchable: list[Acknowledged] = []
        self._sending: set[int] = set()
        kinds: list[Callable[[random.Random], None]] = [self._single, self._single, self._batch, self._tus, self._convert]
        helpers: list[Callable[[random.Random], None]] = [self._look, self._follow_sse, self._follow_socketio, self._follow_websocket]
        self._threads = [
            threading.Thread(target=self._repeat, args=(kind, random.Random(f"{seed} {number}"), kind in kinds), name=kind.__name__)
            for number, kind in enumerate([*kinds, *helpers])
        ]

    def __enter__(self) -> Load:
        for each in self._threads:
            each.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for each in self._threads:
            each.join()

    def pause(self) -> None:
        """Send nothing new."""
        self._idle.set()

    def is_quiet(self) -> bool:
        """Nothing is being sent, all that was acknowledged has ended, and each watcher was told so."""
        jobs = list(self.ledger.jobs.values())
        return not self._sending and not self.ledger.open and all(told for each in jobs for told in each.watched)

    def go_on(self) -> None:
        self._idle.clear()

    def url(self, chance: random.Random) -> str:
        return chance.choice(self.urls)

    def _repeat(self, kind: Callable[[random.Random], None], chance: random.Random, sends: bool) -> None:
        while not self._stop.is_set():
            if sends and (self._idle.is_set() or len(self.ledger.open) > MOST_OPEN):
                self._sending.discard(threading.get_ident())
                self._stop.wait(0.1)
                continue
            if sends:
                self._sending.add(threading.get_ident())
            try:
                kind(chance)
            except BROKEN as error:
                self.ledger.refuse(f"{kind.__name__}: {type(error).__name__}")
                self._stop.wait(PAUSE_S)
            except Exception as error:
                self.ledger.note(f"{kind.__name__}: {type(error).__name__}: {error}")
            if sends:
                self._stop.wait(chance.uniform(0.2, 1.8) * self._pause_s)

    def _send(self, method: str, path: str, chance: random.Random, good: int, **given: Any) -> requests.Response | None:
        """Again and again until it is acknowledged; None when the load ends before."""
        for _ in range(TRIES):
            if self._stop.is_set():
                return None
            try:
                answer = requests.request(method, f"{self.url(chance)}{path}", timeout=TIMEOUT_S, **given)
            except BROKEN as error:
                self.ledger.refuse(f"{method} {path}: {type(error).__name__}")
            else:
                if answer.status_code == good:
                    return answer
                self.ledger.refuse(f"{method} {path}: {answer.status_code}")
                if answer.status_code not in PASSING:
                    self.ledger.note(f"{method} {path} was answered {answer.status_code}: {answer.text[:300]}")
                    return None
            self._stop.wait(PAUSE_S)
        self.ledger.note(f"{method} {path} was never acknowledged")
        return None

    def _acknowledge(self, job_id: str, sent: Sent, by: str) -> None:
        job = self.ledger.acknowledge(job_id, sent, by)
        self._watchable = [*self._watchable[-4:], job]

    def _single(self, chance: random.Random) -> None:
        sent = draw(chance)
        key = {"Idempotency-Key": secrets.token_hex(8)}
        if (answer := self._send("POST", "/api/jobs", chance, 202, data=sent.data, params=sent.options, headers=key)) is not None:
            self._acknowledge(answer.json()["id"], sent, "single")

    def _batch(self, chance: random.Random) -> None:
        three = [draw(chance) for _ in range(3)]
        options = next((each.options for each in three if "width" not in each.options), {})
        three = [Sent(each.data, *each.like[:2], each.like, options, each.code) for each in three]
        files = [("file", (f"{number}.jpg", each.data)) for number, each in enumerate(three)]
        key = {"Idempotency-Key": secrets.token_hex(8)}
        answer = self._send("POST", "/api/jobs", chance, 202, files=files, params=options, headers=key)
        if answer is not None:
            for job, sent in zip(answer.json()["jobs"], three, strict=True):
                self._acknowledge(job["id"], sent, "batch")

    def _tus(self, chance: random.Random) -> None:
        """In two pieces; after a failure as far as the server says."""
        sent = draw(chance)
        metadata = ",".join(f"{name} {base64.b64encode(value.encode()).decode()}" for name, value in sent.options.items())
        headers = {**TUS, "Upload-Length": str(len(sent.data)), "Upload-Metadata": metadata, "Idempotency-Key": secrets.token_hex(8)}
        made = self._send("POST", "/api/uploads", chance, 201, headers=headers)
        if made is None:
            return
        path = "/api/uploads/" + made.headers["Location"].rpartition("/")[2]
        for _ in range(TRIES):
            if self._stop.is_set():
                return
            if (job_id := self._send_piece(path, sent, chance)) is not None:
                self._acknowledge(job_id, sent, "tus")
                return
        self.ledger.note(f"{path} never became a job")

    def _send_piece(self, path: str, sent: Sent, chance: random.Random) -> str | None:
        """The next piece; the id of the job that it completed."""
        try:
            head = requests.head(f"{self.url(chance)}{path}", headers=TUS, timeout=TIMEOUT_S)
            if head.status_code != 200:
                raise requests.ConnectionError(str(head.status_code))
            if job_id := _job_of(head):
                return job_id
            at = int(head.headers["Upload-Offset"])
            end = max(at + 1, len(sent.data) // 2) if at < len(sent.data) // 2 else len(sent.data)
            piece = {**TUS, "Upload-Offset": str(at), "Content-Type": "application/offset+octet-stream"}
            return _job_of(requests.patch(f"{self.url(chance)}{path}", data=sent.data[at:end], headers=piece, timeout=TIMEOUT_S))
        except BROKEN as error:
            self.ledger.refuse(f"tus: {type(error).__name__} {str(error)[:3]}")
            self._stop.wait(PAUSE_S)
            return None

    def _convert(self, chance: random.Random) -> None:
        """One request; what is answered as a result must be one."""
        sent, begun = draw(chance), time.monotonic()
        try:
            with requests.Session() as session:
                session.mount("http://", Probing())
                answer = session.put(f"{self.url(chance)}/api/convert", data=sent.data, params=sent.options, timeout=CONVERT_TIMEOUT_S)
        except requests.Timeout:
            self.ledger.note(f"/api/convert hung for {CONVERT_TIMEOUT_S} s")
            return
        if answer.status_code == 200:
            self.ledger.convert_s.append(time.monotonic() - begun)
            if sent.code or (fault := sent.fault_of(answer.content)):
                self.ledger.note(f"/api/convert answered a result that {'cannot be' if sent.code else fault}")
            return
        self.ledger.refuse(f"convert: {answer.status_code}")
        if answer.status_code == 422 and sent.code and answer.json()["code"] == sent.code:
            return
        if answer.status_code not in PASSING:
            self.ledger.note(f"/api/convert answered {answer.status_code}: {answer.text[:300]}")

    def _look(self, chance: random.Random) -> None:
        """Ask for each job that has not ended, one after another."""
        with requests.Session() as session:
            for each in self.ledger.unended():
                answer = session.get(f"{self.url(chance)}/api/jobs/{each.id}", timeout=3)
                if answer.status_code == 200:
                    self.ledger.see(answer.json())
                elif answer.status_code == 404:
                    each.unknown_since = each.unknown_since or time.monotonic()
        self._stop.wait(LOOK_PAUSE_S)

    def _pick(self, chance: random.Random) -> Acknowledged | None:
        found = [each for each in self._watchable if each.end is None and not each.watched]
        if not found:
            self._stop.wait(0.1)
            return None
        job = chance.choice(found)
        job.watched.append([])
        return job

    def _follow_sse(self, chance: random.Random) -> None:
        """A reader of Server-Sent Events, which goes on after what it was told last."""
        if (job := self._pick(chance)) is None:
            return
        told, last = job.watched[-1], ""
        while not told and not self._stop.is_set():
            headers = {"Last-Event-ID": last} if last else {}
            try:
                with requests.get(f"{self.url(chance)}/api/jobs/{job.id}/events", headers=headers, stream=True, timeout=20) as answer:
                    if answer.status_code == 200:
                        for line in answer.iter_lines(chunk_size=1):
                            if line.startswith(b"id:"):
                                last = line[3:].strip().decode()
                            elif line.startswith(b"data:"):
                                self._tell(told, json.loads(line[5:]))
            except BROKEN as error:
                self.ledger.refuse(f"events: {type(error).__name__}")
            if not told:
                self._stop.wait(PAUSE_S)

    def _follow_socketio(self, chance: random.Random) -> None:
        self._follow(chance, None)

    def _follow_websocket(self, chance: random.Random) -> None:
        self._follow(chance, ["websocket"])

    def _follow(self, chance: random.Random, transports: list[str] | None) -> None:
        """Socket.IO's own client for one job; a new one where its connection is lost."""
        if (job := self._pick(chance)) is None:
            return
        told, seen = job.watched[-1], [0]
        while not told and not self._stop.is_set():
            self._follow_once(job.id, told, seen, self.url(chance), transports)
            if not told:
                self._stop.wait(PAUSE_S)

    def _follow_once(self, job_id: str, told: list[str], seen: list[int], url: str, transports: list[str] | None) -> None:
        """``seen`` ends with the ``seq`` of the last change."""
        client, gone = socketio.Client(reconnection=False), threading.Event()
        client.on("job", lambda event: (self._tell(told, event), seen.append(event["seq"])))
        client.on("disconnect", lambda *_: gone.set())
        try:
            client.connect(url, transports=transports, wait_timeout=5)
            said = client.call("subscribe", {"job": job_id, **({"after": seen[-1]} if seen[-1] else {})}, timeout=5)
            if said.get("ok") and said["job"]["state"] in ENDED:
                self._tell_once(told, said["job"])
            while said.get("ok") and not told and not gone.is_set() and not self._stop.is_set():
                gone.wait(0.1)
        except (socketio.exceptions.SocketIOError, OSError, ValueError) as error:
            self.ledger.refuse(f"socket.io: {type(error).__name__}")
        finally:
            client.shutdown()
            client.disconnect()

    def _tell(self, told: list[str], job: dict[str, Any]) -> None:
        self.ledger.see(job)
        if job["state"] in ENDED:
            told.append(job["state"])

    def _tell_once(self, told: list[str], job: dict[str, Any]) -> None:
        """An answer to a subscription, which may show what an event tells too."""
        if not told:
            self._tell(told, job)


def _job_of(answer: requests.Response) -> str | None:
    link = answer.links.get("job")
    return link["url"].rpartition("/")[2] if link else None
