"""The application that the server tests run: one route for each thing a worker must get right."""

from __future__ import annotations

from gevent import monkey

monkey.patch_all()

import hashlib  # noqa: E402
import json  # noqa: E402
import os  # noqa: E402
import tempfile  # noqa: E402
from typing import Any  # noqa: E402

import gevent  # noqa: E402
from flask import Flask, Response, request  # noqa: E402
from flask_socketio import SocketIO, emit  # noqa: E402
from werkzeug.wsgi import wrap_file  # noqa: E402

from backend.adapters.files.splice import splice  # noqa: E402
from backend.errors import GatewayError, TooLarge  # noqa: E402
from backend.ports.peer import KEY, Peer  # noqa: E402
from backend.server import connection_limits  # noqa: E402
from backend.server.metrics import loop_lag  # noqa: E402
from backend.server.socketio.sessions import install  # noqa: E402
from backend.texts.problems import problem  # noqa: E402

connection_limits.install(connection_limits.ConnectionLimits(**json.loads(os.environ.get("TEST_LIMITS", "{}"))))

app = Flask(__name__)
socketio = SocketIO(app, async_mode="gevent", max_http_buffer_size=65536)
install(socketio)


def client() -> Peer:
    peer: Peer = request.environ[KEY]
    return peer


@app.errorhandler(GatewayError)
def refused_request(error: GatewayError) -> tuple[dict[str, Any], int]:
    return problem(error.as_record()), error.status


@app.get("/")
def index() -> dict[str, Any]:
    return {"pid": os.getpid(), "client": request.remote_addr}


@app.get("/environ")
def environ() -> dict[str, str]:
    return {name: value for name, value in request.environ.items() if isinstance(value, str)}


@app.post("/count")
def count() -> dict[str, int]:
    total = 0
    while piece := request.stream.read(65536):
        total += len(piece)
    return {"bytes": total}


@app.post("/whole")
def whole() -> dict[str, int]:
    return {"bytes": len(request.get_data())}


@app.post("/uncaught")
def uncaught() -> dict[str, int]:
    return {"bytes": len(request.environ["wsgi.input"].read())}


@app.post("/poured")
def poured() -> dict[str, Any]:
    """As an image is taken: a first chunk by hand, then stretches for as long as the sender is fast."""
    digest, stretches, poured_bytes = hashlib.sha256(), 0, 0

    def take(source_fd: int, most_bytes: int) -> int:
        with tempfile.TemporaryFile() as file:
            count = gevent.get_hub().threadpool.apply(lambda: sum(splice(source_fd, file.fileno(), most_bytes)))
            file.seek(0)
            digest.update(file.read())
        return int(count)

    peer = client()
    total = 0
    while piece := peer.read(1 << 18):
        total += len(piece)
        digest.update(piece)
        while len(piece) == 1 << 18 and (chunk := peer.next_chunk(is_fast=True)) is not None and (count := chunk.receive_into(take, 4 << 20)):
            total, stretches, poured_bytes = total + count, stretches + 1, poured_bytes + count
    return {"bytes": total, "sha256": digest.hexdigest(), "stretches": stretches, "poured": poured_bytes}


@app.post("/sipped")
def sipped() -> dict[str, Any]:
    """As an image of a slow sender is taken; ``after`` so many bytes it is refused."""
    digest, reads, sips, most = hashlib.sha256(), [], [], int(request.args.get("after", 1 << 40))
    peer = client()

    def take(source_fd: int, most_bytes: int) -> int:
        try:
            piece = os.read(source_fd, most_bytes)
        except BlockingIOError:
            return 0
        digest.update(piece)
        return len(piece)

    while piece := peer.read(1 << 18):
        digest.update(piece)
        reads.append(len(piece))
        while (chunk := peer.next_chunk(is_fast=False)) is not None and (count := chunk.receive_into(take, 4 << 20)):
            sips.append(count)
            if peer.received_bytes > most:
                raise TooLarge(limit_bytes=most)
    return {"bytes": peer.received_bytes, "sha256": digest.hexdigest(), "reads": reads, "sips": sips}


@app.post("/refuse")
def refuse() -> tuple[dict[str, str], int]:
    return {"code": "too_large"}, 413


@app.get("/slow/<float:seconds>")
def slow(seconds: float) -> dict[str, int]:
    gevent.sleep(seconds)
    return {"pid": os.getpid()}


@app.get("/big/<int:size>")
def big(size: int) -> Response:
    return Response(b"x" * size)


@app.get("/file/<int:size>")
def file(size: int) -> Response:
    """As results are sent: blocks of 256 KiB, through the server's own wrapper."""
    whole = tempfile.TemporaryFile()  # noqa: SIM115  # the response closes it
    whole.truncate(size)
    return Response(wrap_file(request.environ, whole, 1 << 18), direct_passthrough=True, headers={"Content-Length": str(size)})


@app.get("/chunks/<int:size>")
def chunks(size: int) -> Response:
    """As archives are sent: without a length, in blocks of 256 KiB."""
    return Response(bytes(min(1 << 18, size - begin)) for begin in range(0, size, 1 << 18))


@app.get("/stream")
def stream() -> Response:
    peer = client()

    def events() -> Any:
        yield "data: begun\n\n"
        while not peer.is_draining:
            gevent.sleep(0.02)
        yield "data: ended\n\n"

    return Response(events(), mimetype="text/event-stream")


@app.get("/vitals")
def vitals() -> dict[str, Any]:
    with open("/proc/self/statm") as statm:
        resident = int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return {"pid": os.getpid(), "resident_bytes": resident, "lag_ms": loop_lag.current()}


@app.get("/ws/echo", websocket=True)
def echo() -> tuple[str, int]:
    socket = client().websocket
    assert socket is not None
    while (message := socket.receive()) is not None:
        socket.send(message)
    return "", 200


@app.get("/ws/news", websocket=True)
def news() -> tuple[str, int]:
    """As a job's watchers are served: another greenlet reads, and goes on when this one has nothing more to say."""
    socket = client().websocket
    assert socket is not None
    socket.send("news")
    gevent.spawn(lambda: any(socket.receive() is None for _ in range(1000)))
    gevent.sleep(0.05)
    return "", 200


@app.get("/ws/echo")
def echo_without_upgrade() -> tuple[str, int]:
    return "", 426


@app.get("/ws/refused", websocket=True)
def refused() -> tuple[str, int]:
    return "no such job", 404


@app.get("/ws/broken", websocket=True)
def broken() -> str:
    socket = client().websocket
    assert socket is not None
    socket.receive()
    raise RuntimeError("on purpose")


@socketio.on("who")
def who(data: Any = None) -> dict[str, Any]:
    return {"pid": os.getpid(), "data": data, "client": request.remote_addr}


@socketio.on("shout")
def shout(data: Any) -> None:
    emit("heard", data)
