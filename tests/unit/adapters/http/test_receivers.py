"""Receivers of webhooks by HTTP, on real sockets."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_network

import pytest

from backend import errors
from backend.adapters.http.receivers import HttpReceivers, ReceiverRules
from tests.support.receiver import hostile, receiving
from tests.support.running import free_port

LOOPBACK = (ip_network("127.0.0.0/8"),)
TIMEOUT_S = 2.0


def receivers() -> HttpReceivers:
    return HttpReceivers(ReceiverRules(LOOPBACK, TIMEOUT_S))


@contextmanager
def answering(answer: bytes) -> Iterator[str]:
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(1 << 16)
            connection.sendall(answer)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
    finally:
        listener.close()
        thread.join()


def test_the_message_arrives_as_it_was_signed() -> None:
    with receiving() as there:
        there.answers = {"/hook": [302]}
        reply = receivers().post(f"{there.url}/hook?a=b", {"webhook-id": "msg_1"}, '{"a":"图"}'.encode())
        (message,) = there.messages
    assert (reply.status, message.path, message.body) == (302, "/hook?a=b", '{"a":"图"}'.encode())
    assert (message.headers["webhook-id"], message.headers["content-type"]) == ("msg_1", "application/json")
    assert not {"cookie", "authorization", "referer"} & set(message.headers)


@pytest.mark.parametrize(
    ("stated", "least_s", "most_s"),
    [(b"120", 120, 120), (b"Fri, 31 Dec 2100 23:59:59 GMT", 10**9, 10**10), (b"soon", 0, 0), (b"-5", 0, 0), (b"Mon, 01 Jan 2001 00:00:00 GMT", 0, 0)],
)
def test_retry_after_is_read_in_both_forms(stated: bytes, least_s: float, most_s: float) -> None:
    with answering(b"HTTP/1.1 503 No\r\nRetry-After: " + stated + b"\r\n\r\n") as url:
        reply = receivers().post(url, {}, b"{}")
    assert reply.status == 503 and least_s <= reply.retry_after_s <= most_s


@pytest.mark.parametrize("url", ["http://10.0.0.1/", "http://[fe80::1]/", "http://2852039166/", "http://0300.0250.1/"])
def test_a_private_address_is_refused_when_it_is_given_and_at_each_try(url: str) -> None:
    with pytest.raises(errors.InvalidOption) as refused:
        receivers().check(url)
    assert refused.value.variant == "webhook_address"
    with pytest.raises(errors.BadRequest) as failed:
        receivers().post(url, {}, b"{}")
    assert failed.value.variant == "url_unreachable"


def test_an_address_is_kept_as_it_is_asked() -> None:
    assert receivers().check(r"HTTPS:\\Example.com:443\a b?q=ü") == "https://example.com/a%20b?q=%C3%BC"
    with pytest.raises(errors.InvalidOption):
        receivers().check("ftp://example.com/")
    with pytest.raises(errors.InvalidOption):
        HttpReceivers(ReceiverRules()).check("http://localhost/")


def test_the_time_of_a_failure_tells_nothing_of_the_network() -> None:
    for url in ("http://10.0.0.1/", f"http://127.0.0.1:{free_port()}/", "http://no-such-name.invalid/"):
        begun = time.monotonic()
        with pytest.raises(errors.BadRequest) as failed:
            receivers().post(url, {}, b"{}")
        assert failed.value.variant == "url_unreachable" and time.monotonic() - begun >= 1.0


@pytest.mark.parametrize(("kind", "variant"), [("silence", "url_slow"), ("endless 100", "url_answer"), ("no HTTP", "url_answer")])
def test_a_hostile_receiver_is_given_up(kind: str, variant: str) -> None:
    begun = time.monotonic()
    with hostile(kind) as url, pytest.raises(errors.BadRequest) as failed:
        receivers().post(url, {}, b"{}")
    assert failed.value.variant == variant and time.monotonic() - begun < TIMEOUT_S + 2
