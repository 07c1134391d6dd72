"""What a client may send, how slowly, and what it is told when it does not."""

from __future__ import annotations

import gzip
import hashlib
import json
import secrets
import socket
import subprocess
import threading
import time
from typing import Any, cast

import pytest
import requests
from gateway_process import Gateway, Wire, wait_for

from backend.server.connection_limits import ConnectionLimits
from backend.server.http import request_body
from backend.server.http.read_timeouts import BodyTimeout, HeadTimeout, TooSlow


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def drip(wire: Wire, piece: bytes, interval_s: float) -> threading.Event:
    """Send ``piece`` again and again until the event is set or the server closes."""
    stop = threading.Event()

    def run() -> None:
        while not stop.wait(interval_s):
            try:
                wire.send(piece)
            except OSError:
                return

    threading.Thread(target=run, daemon=True).start()
    return stop


def problem_of(raw: bytes) -> tuple[int, dict[str, Any]]:
    head, _, body = raw.partition(b"\r\n\r\n")
    return int(head.split()[1]), json.loads(body)


def test_a_head_that_drips_is_cut_at_its_deadline(gateway: Gateway) -> None:
    with gateway.wire() as wire:
        wire.send("GET / HTTP/1.1\r\n")
        begun = time.monotonic()
        stop = drip(wire, b"X-A: b\r\n", 0.2)
        status, _ = problem_of(wire.rest())
        stop.set()
    assert status == 408
    assert 0.5 < time.monotonic() - begun < 3


def test_a_connection_without_a_request_is_closed_silently(gateway: Gateway) -> None:
    with gateway.wire() as wire:
        assert wire.rest() == b""


def test_an_idle_connection_lives_for_the_keepalive_time_and_not_for_the_head_timeout(gateway: Gateway) -> None:
    with gateway.wire() as wire:
        wire.send("GET / HTTP/1.1\r\nHost: t\r\n\r\n")
        wire.response()
        begun = time.monotonic()
        assert wire.rest() == b""
        assert 3 < time.monotonic() - begun < 8


@pytest.mark.parametrize("path", ["/count", "/whole"])
def test_a_body_below_the_least_rate_is_a_400(gateway: Gateway, path: str) -> None:
    with gateway.wire() as wire:
        wire.send(f"POST {path} HTTP/1.1\r\nHost: t\r\nContent-Length: 1000000\r\n\r\n")
        begun = time.monotonic()
        stop = drip(wire, b"x" * 100, 0.1)
        status, problem = problem_of(wire.rest())
        stop.set()
    assert (status, problem["code"]) == (400, "bad_request")
    assert "10000 bytes a second" in problem["detail"]
    assert 0.8 < time.monotonic() - begun < 4


def test_a_body_that_falls_silent_is_a_400(gateway: Gateway) -> None:
    with gateway.wire() as wire:
        wire.send("POST /count HTTP/1.1\r\nHost: t\r\nContent-Length: 1000000\r\n\r\n" + "x" * 500_000)
        status, problem = problem_of(wire.rest())
    assert (status, problem["code"]) == (400, "bad_request")


@pytest.mark.parametrize("path", ["/count", "/whole", "/uncaught"])
def test_a_truncated_body_is_a_400_that_counts_what_came(gateway: Gateway, path: str) -> None:
    with gateway.wire() as wire:
        wire.send(f"POST {path} HTTP/1.1\r\nHost: t\r\nContent-Length: 100\r\n\r\nabc")
        wire.sock.shutdown(socket.SHUT_WR)
        status, problem = problem_of(wire.rest())
    assert status == 400
    assert "after 3 bytes" in problem["detail"]


@pytest.mark.parametrize("body", [b"zz\r\nabc\r\n0\r\n\r\n", b"5\r\nabcdeXX", b"5\r\nab", b"-3\r\nabc\r\n", b"3\r\nabc\r\n0\r\nHost: x\r\n\r\n"])
@pytest.mark.parametrize("path", ["/count", "/whole", "/uncaught"])
def test_a_malformed_chunked_body_is_a_400(gateway: Gateway, path: str, body: bytes) -> None:
    with gateway.wire() as wire:
        wire.send(f"POST {path} HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n".encode() + body)
        wire.sock.shutdown(socket.SHUT_WR)
        status, problem = problem_of(wire.rest())
    assert (status, problem["code"]) == (400, "bad_request")


def test_bodies_and_requests_follow_each_other_on_one_connection(gateway: Gateway) -> None:
    with gateway.wire() as wire:
        for size in (0, 1, 70_000):
            wire.send(f"POST /count HTTP/1.1\r\nHost: t\r\nContent-Length: {size}\r\n\r\n".encode() + b"x" * size)
            assert json.loads(wire.response()[2]) == {"bytes": size}
            wire.send("POST /count HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n4;a=b\r\ndefg\r\n0\r\nX-T: 1\r\n\r\n")
            assert json.loads(wire.response()[2]) == {"bytes": 7}


def test_pipelined_requests_are_answered_in_order(gateway: Gateway) -> None:
    with gateway.wire() as wire:
        wire.send("POST /count HTTP/1.1\r\nHost: t\r\nContent-Length: 2\r\n\r\nabPOST /whole HTTP/1.1\r\nHost: t\r\nContent-Length: 3\r\n\r\nabc")
        assert [json.loads(wire.response()[2])["bytes"] for _ in range(2)] == [2, 3]


def test_a_fast_body_is_given_away_in_stretches_up_to_its_last_byte(gateway: Gateway) -> None:
    body = secrets.token_bytes(20_000_003)
    with gateway.wire() as wire:
        for _ in range(2):
            wire.send(
                f"POST /poured HTTP/1.1\r\nHost: t\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body + b"GET / HTTP/1.1\r\nHost: t\r\n\r\n"
            )
            said = json.loads(wire.response()[2])
            assert (said["bytes"], said["sha256"]) == (len(body), hashlib.sha256(body).hexdigest())
            assert said["stretches"] >= 2 and said["poured"] > len(body) / 2, "most of it did not come by"
            assert "pid" in json.loads(wire.response()[2]), "the next request is whole"


def test_a_body_that_breaks_off_in_a_stretch_is_a_400_that_counts_what_came(gateway: Gateway) -> None:
    with gateway.wire() as wire:
        wire.send("POST /poured HTTP/1.1\r\nHost: t\r\nContent-Length: 30000000\r\n\r\n")
        wire.send(b"x" * 20_000_000)
        wire.sock.shutdown(socket.SHUT_WR)
        status, problem = problem_of(wire.rest())
    assert status == 400
    assert "after 20000000 bytes" in problem["detail"]


def test_a_fast_body_that_falls_silent_is_a_400(gateway: Gateway) -> None:
    with gateway.wire() as wire:
        wire.send(b"POST /poured HTTP/1.1\r\nHost: t\r\nContent-Length: 30000000\r\n\r\n" + b"x" * 20_000_000)
        status, problem = problem_of(wire.rest())
    assert (status, problem["code"]) == (400, "bad_request")


def test_a_body_without_a_length_is_never_given_away(gateway: Gateway) -> None:
    with gateway.wire() as wire:
        wire.send(b"POST /poured HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n")
        for _ in range(20):
            wire.send(b"100000\r\n" + b"x" * (1 << 20) + b"\r\n")
        wire.send(b"0\r\n\r\n")
        said = json.loads(wire.response()[2])
    assert (said["bytes"], said["stretches"]) == (20 << 20, 0)


def test_a_small_unread_body_does_not_cost_the_connection(gateway: Gateway) -> None:
    with gateway.wire() as wire:
        wire.send("POST /refuse HTTP/1.1\r\nHost: t\r\nContent-Length: 2\r\n\r\nab")
        assert wire.response()[:1] == (413,)
        wire.send("GET / HTTP/1.1\r\nHost: t\r\n\r\n")
        assert wire.response()[0] == 200


def test_an_early_refusal_reaches_a_client_that_sends_sixty_megabytes_before_it_reads(gateway: Gateway) -> None:
    with gateway.wire() as wire:
        wire.send("POST /refuse HTTP/1.1\r\nHost: t\r\nContent-Length: 60000000\r\n\r\n")
        wire.send(b"x" * 60_000_000)
        head = wire.rest()
    assert head.startswith(b"HTTP/1.1 413")
    assert b"Connection: close" in head


def test_curl_sees_an_early_refusal(gateway: Gateway) -> None:
    command = ["curl", "-sS", "-o", "/dev/null", "-w", "%{http_code}", "-H", "Expect:", "-T", "-", "-X", "POST", f"{gateway.url}/refuse"]
    done = subprocess.run(command, input=b"x" * 20_000_000, capture_output=True, timeout=15, check=False)
    assert done.stdout == b"413", done.stderr


def test_an_endless_refused_body_is_not_swallowed_without_end(gateway: Gateway) -> None:
    sent = 0
    with gateway.wire() as wire:
        wire.send("POST /refuse HTTP/1.1\r\nHost: t\r\nContent-Length: 100000000000\r\n\r\n")
        begun = time.monotonic()
        with pytest.raises(OSError):
            while time.monotonic() - begun < 8:
                sent += wire.sock.send(b"x" * 1_000_000)
    assert sent < 96 * 2**20  # what is read away (limits.linger_bytes) and what the kernel takes on the way


def test_continue_is_said_only_to_a_body_that_will_be_read(gateway: Gateway) -> None:
    with gateway.wire() as wire:
        wire.send("POST /count HTTP/1.1\r\nHost: t\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n")
        assert wire.until(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        wire.send("abc")
        assert json.loads(wire.response()[2]) == {"bytes": 3}
        wire.send("POST /refuse HTTP/1.1\r\nHost: t\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n")
        status, headers, _ = wire.response()
        assert (status, headers["connection"]) == (413, "close")


def test_a_fast_large_body_is_taken_whole(gateway: Gateway) -> None:
    size = 64 * 2**20
    with gateway.wire() as wire:
        wire.send(f"POST /count HTTP/1.1\r\nHost: t\r\nContent-Length: {size}\r\n\r\n")
        for _ in range(64):
            wire.send(bytes(2**20))
        assert json.loads(wire.response()[2]) == {"bytes": size}


def test_smuggled_and_ambiguous_framing_is_refused(gateway: Gateway) -> None:
    ambiguous = ("Content-Length: 3\r\nTransfer-Encoding: chunked", "Content-Length: 3\r\nContent-Length: 4")
    for fields in (*ambiguous, "Content-Length: +3", "Content-Length : 3"):
        with gateway.wire() as wire:
            wire.send(f"POST /count HTTP/1.1\r\nHost: t\r\n{fields}\r\n\r\nabc")
            assert wire.until(b"\r\n").split()[1] == b"400"


def test_a_reader_that_takes_nothing_is_cut_off(start_gateway: Any) -> None:
    gateway = start_gateway(workers=1, response_idle_timeout_s=1.0)
    with gateway.wire() as wire:
        wire.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        wire.send("GET /big/50000000 HTTP/1.1\r\nHost: t\r\n\r\n")
        wait_for(lambda: "was not read" in gateway.log, "the cut", 10)
    assert "Traceback" not in gateway.log


def test_a_slow_but_steady_reader_gets_a_large_response_whole(start_gateway: Any) -> None:
    gateway = start_gateway(workers=1, response_idle_timeout_s=0.5)
    with gateway.wire() as wire:
        wire.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        wire.send("GET /big/30000000 HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n")
        received, began = 0, time.monotonic()
        while piece := wire.sock.recv(200_000):
            received += len(piece)
            threading.Event().wait(0.002)
        assert received > 30_000_000
        assert time.monotonic() - began > 0.5


def test_one_address_may_not_hold_more_than_its_share(start_gateway: Any) -> None:
    gateway = start_gateway(workers=1, connections_per_address=3)
    held = [gateway.wire() for _ in range(3)]
    try:
        for wire in held:
            wire.send("GET / HTTP/1.1\r\nHost: t\r\n\r\n")
            assert wire.response()[0] == 200
        with gateway.wire() as wire:
            status, headers, _ = wire.response()
            assert (status, headers["retry-after"]) == (503, "5")
    finally:
        for wire in held:
            wire.sock.close()
    wait_for(lambda: gateway.get("/"), "room again")


def test_a_unix_socket_serves_requests_and_websockets(start_gateway: Any, tmp_path: Any) -> None:
    gateway = start_gateway(workers=2, bind=f"unix:{tmp_path}/g.sock")
    for _ in range(4):
        with Wire(socket.socket(socket.AF_UNIX)) as wire:
            wire.sock.settimeout(10)
            wire.sock.connect(f"{tmp_path}/g.sock")
            wire.send("GET / HTTP/1.1\r\nHost: t\r\n\r\n")
            assert wire.response()[0] == 200
            wire.upgrade()
            wire.until(b"\r\n\r\n")
            wire.frame(1, b"hi")
            assert wire.read_frame() == (1, b"hi")
            wire.frame(8, b"\x03\xe8")
            assert wire.close_code() == 1000
            assert wire.rest() == b""
    assert "Traceback" not in gateway.log


def test_the_pace_of_a_head_counts_from_its_first_byte() -> None:
    clock = Clock()
    timeout = HeadTimeout(first_byte_s=10, head_s=2, clock=clock)
    clock.now = 9
    assert timeout.wait_s() == 1
    timeout.add_received(1, 9)
    assert timeout.wait_s() == 2
    clock.now = 10.5
    timeout.add_received(1, 1.5)
    assert timeout.wait_s() == 0.5
    clock.now = 11
    with pytest.raises(TooSlow):
        timeout.wait_s()


def test_the_pace_of_a_body_has_a_grace_a_least_rate_and_a_brim() -> None:
    timeout = BodyTimeout(ConnectionLimits(body_grace_s=5, body_min_bytes_per_s=10_000, body_idle_timeout_s=15))
    assert timeout.wait_s() == 5
    timeout.add_received(10_000, 4)
    assert timeout.wait_s() == 2
    timeout.add_received(10_000_000, 1)
    assert timeout.wait_s() == 15
    timeout.add_received(100, 14.9)
    assert timeout.wait_s() == pytest.approx(0.11)
    timeout.add_received(1, 0.2)
    with pytest.raises(TooSlow):
        timeout.wait_s()


def test_gzip_is_left_to_the_application(gateway: Gateway) -> None:
    body = gzip.compress(b"x" * 1000)
    with gateway.wire() as wire:
        wire.send(f"POST /count HTTP/1.1\r\nHost: t\r\nContent-Encoding: gzip\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
        assert json.loads(wire.response()[2]) == {"bytes": len(body)}


def sipped(wire: Wire, body: bytes, pieces_bytes: int, pause_s: float) -> dict[str, Any]:
    wire.send(f"POST /sipped HTTP/1.1\r\nHost: t\r\nContent-Length: {len(body)}\r\n\r\n")
    for begin in range(0, len(body), pieces_bytes):
        wire.send(body[begin : begin + pieces_bytes])
        time.sleep(pause_s)
    status, _, said = wire.response()
    assert status == 200
    return cast("dict[str, Any]", json.loads(said))


def test_a_slow_body_is_given_away_in_sips_up_to_its_last_byte(gateway: Gateway) -> None:
    body = secrets.token_bytes(3_000_003)
    with gateway.wire() as wire:
        for _ in range(2):
            said = sipped(wire, body, 20_000, 0.002)
            assert (said["bytes"], said["sha256"]) == (len(body), hashlib.sha256(body).hexdigest())
            assert sum(said["sips"]) > len(body) - 4 * request_body.SLOW_CHUNK_BYTES, "most of it did not come by"
            assert sum(each >= request_body.SLOW_CHUNK_BYTES for each in said["sips"]) >= 0.8 * len(said["sips"]), (
                "the sender was left alone until there was enough"
            )
            wire.send("GET / HTTP/1.1\r\nHost: t\r\n\r\n")
            assert wire.response()[0] == 200, "a few bytes are enough again"


def test_who_brings_less_than_a_sip_in_a_lull_is_read_then(gateway: Gateway) -> None:
    body = secrets.token_bytes(600_000)
    with gateway.wire() as wire:
        begun = time.monotonic()
        said = sipped(wire, body, 10_000, 0.025)
        lulls = (time.monotonic() - begun) / request_body.SLOW_WAIT_S
    assert (said["bytes"], said["sha256"], said["sips"]) == (len(body), hashlib.sha256(body).hexdigest(), [])
    assert 2 <= sum(each > 50_000 for each in said["reads"]) <= lulls


def test_a_body_that_breaks_off_between_sips_is_a_400_that_counts_what_came(gateway: Gateway) -> None:
    with gateway.wire() as wire:
        wire.send("POST /sipped HTTP/1.1\r\nHost: t\r\nContent-Length: 30000000\r\n\r\n")
        wire.send(b"x" * 2_000_000)
        wire.sock.shutdown(socket.SHUT_WR)
        begun = time.monotonic()
        status, problem = problem_of(wire.rest())
    assert status == 400
    assert "after 2000000 bytes" in problem["detail"]
    assert time.monotonic() - begun < 1.0, "an end is waited for no longer than it takes to come"


@pytest.mark.parametrize("then", [b"", b"x" * 50])
def test_a_slow_body_that_falls_silent_or_crawls_is_a_400(gateway: Gateway, then: bytes) -> None:
    with gateway.wire() as wire:
        wire.send(b"POST /sipped HTTP/1.1\r\nHost: t\r\nContent-Length: 30000000\r\n\r\n" + b"x" * 2_000_000)
        begun = time.monotonic()
        stop = drip(wire, then, 0.1)
        status, problem = problem_of(wire.rest())
        stop.set()
    assert (status, problem["code"]) == (400, "bad_request")
    assert time.monotonic() - begun < 5


def test_a_refusal_between_sips_reaches_a_client_that_goes_on_sending(gateway: Gateway) -> None:
    with gateway.wire() as wire:
        wire.send("POST /sipped?after=1000000 HTTP/1.1\r\nHost: t\r\nContent-Length: 4000000\r\n\r\n")
        wire.send(b"x" * 4_000_000)
        begun = time.monotonic()
        status, problem = problem_of(wire.rest())
    assert (status, problem["code"]) == (413, "too_large")
    assert time.monotonic() - begun < 3


def test_a_unix_socket_gives_no_sips(start_gateway: Any, tmp_path: Any) -> None:
    """There the kernel wakes a reader for each byte, and each would cost a thread's turn."""
    start_gateway(workers=1, bind=f"unix:{tmp_path}/g.sock")
    with Wire(socket.socket(socket.AF_UNIX)) as wire:
        wire.sock.settimeout(10)
        wire.sock.connect(f"{tmp_path}/g.sock")
        said = sipped(wire, b"x" * 3_000_000, 100_000, 0.001)
    assert (said["bytes"], said["sips"]) == (3_000_000, [])


@pytest.mark.parametrize("framing", ["Content-Length: 200000000", "Transfer-Encoding: chunked"])
def test_an_early_refusal_reaches_a_client_that_sends_two_hundred_megabytes_before_it_reads(gateway: Gateway, framing: str) -> None:
    """A body of 100 MB got no answer at all: what was left of it unread reset the connection."""
    megabyte = b"x" * 1_000_000
    piece = megabyte if "Length" in framing else b"f4240\r\n" + megabyte + b"\r\n"
    with gateway.wire() as wire:
        wire.send(f"POST /refuse HTTP/1.1\r\nHost: t\r\n{framing}\r\n\r\n")
        for _ in range(200):
            wire.send(piece)
        assert wire.rest().startswith(b"HTTP/1.1 413")


def test_requests_reads_the_answer_to_a_body_of_a_hundred_megabytes(gateway: Gateway) -> None:
    answer = requests.post(f"{gateway.url}/refuse", files={"field": b"x" * 100_000_000}, timeout=30)
    assert answer.status_code == 413
