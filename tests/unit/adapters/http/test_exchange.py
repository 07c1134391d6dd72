"""One exchange over loopback: what is sent, what is read, and that no peer, however it feeds or keeps silent, outlasts the deadline."""

from __future__ import annotations

import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ipaddress import ip_network
from pathlib import Path

import pytest

from backend.adapters.http import address as http_address
from backend.adapters.http import answer as http_answer
from backend.adapters.http.deadline import Deadline
from backend.adapters.http.exchange import HttpClient, HttpRequest
from backend.adapters.http.failures import Broken, ExchangeFailed, Late, NotReached

ALLOWED = (ip_network("127.0.0.0/8"),)
OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
Peer = Callable[[socket.socket], None]


@contextmanager
def peer(serve: Peer, context: ssl.SSLContext | None = None) -> Iterator[int]:
    """A server of one connection; its port."""
    listener = socket.create_server(("127.0.0.1", 0))

    def run() -> None:
        connection, _ = listener.accept()
        try:
            with connection, context.wrap_socket(connection, server_side=True) if context else connection as spoken:
                serve(spoken)
        except OSError:
            pass

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        thread.join(5)
        listener.close()


def says(*parts: bytes, endless: bytes = b"") -> Peer:
    """Reads the request, sends ``parts``, and ``endless`` until the other side has gone."""

    def serve(connection: socket.socket) -> None:
        connection.recv(1 << 16)
        for part in parts:
            connection.sendall(part)
        while endless:
            connection.sendall(endless)

    return serve


def ask(port: int, seconds: float = 5.0, scheme: str = "http", body: bytes = b"", client: HttpClient | None = None) -> tuple[int, bytes]:
    address = http_address.parse(f"{scheme}://127.0.0.1:{port}/here?a=b")
    request = HttpRequest("POST" if body else "GET", address, {"Accept": "*/*"}, body)
    answer = (client or HttpClient(ALLOWED)).ask(request, Deadline.after(seconds))
    try:
        return answer.head.status, b"".join(answer.chunks())
    finally:
        answer.close()


def test_a_request_says_what_it_is_given_and_nothing_of_the_gateways() -> None:
    heard: list[bytes] = []

    def serve(connection: socket.socket) -> None:
        while not (heard and b"".join(heard).endswith(b"body")):
            heard.append(connection.recv(1 << 16))
        connection.sendall(OK + b"Content-Length: 2\r\n\r\nok and more")

    with peer(serve) as port:
        assert ask(port, body=b"a body") == (200, b"ok")
    head, _, body = b"".join(heard).partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    assert lines[0] == b"POST /here?a=b HTTP/1.1" and body == b"a body"
    names = [line.partition(b":")[0] for line in lines[1:]]
    assert names == [b"Host", b"User-Agent", b"Connection", b"Accept", b"Content-Length"]
    assert b"Host: 127.0.0.1:%d" % port in lines


@pytest.mark.parametrize("value", ["a\r\nX: y", "a\nb", "a\0", "ä"])
def test_a_field_that_is_not_one_line_of_ascii_is_never_sent(value: str) -> None:
    with pytest.raises(ValueError):
        HttpRequest("POST", http_address.parse("http://127.0.0.1/"), {"X": value}).encode()


@pytest.mark.parametrize(
    ("answer", "body"),
    [
        (OK + b"\r\nto the end", b"to the end"),
        (OK + b"Content-Length: nonsense\r\n\r\nto the end", b"to the end"),
        (OK + b"Content-Length: -1\r\n\r\nto the end", b"to the end"),
        (b"HTTP/1.0 200\n\nto the end", b"to the end"),
        (CHUNKED + b"3\r\nabc\r\n002;x=y\r\nde\r\n0\r\n\r\n", b"abcde"),
        (CHUNKED + b"3 \r\nabc\r\n0\r\n", b"abc"),
        (CHUNKED + b"3\r\nabc\r\n0\r\nTrailer: x\r\n\r\nmore", b"abc"),
        (OK + b"Content-Length: 3\r\nTransfer-Encoding: x, Chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n", b"ab"),
        (b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" * http_answer.MAX_INTERIM + OK + b"\r\nafter", b"after"),
        (b"HTTP/1.1 204 No Content\r\n\r\nnothing", b""),
    ],
)
def test_an_answer_ends_where_it_says(answer: bytes, body: bytes) -> None:
    with peer(says(answer)) as port:
        assert ask(port)[1] == body


def test_a_field_that_is_too_long_is_left_out_and_many_are_cut() -> None:
    long = b"X-Long: " + b"x" * (http_answer.FIELD_BYTES + 1) + b"\r\n"
    many = (b"X-Many: " + b"," * 4000 + b"\r\n") * 10
    with peer(says(OK + long + many + b"X-Short: y\r\n\r\n")) as port:
        answer = HttpClient(ALLOWED).ask(HttpRequest("GET", http_address.parse(f"http://127.0.0.1:{port}/")), Deadline.after(5))
        answer.close()
    assert answer.head.field(b"x-long") == b"" and answer.head.field(b"x-short") == b"y"
    assert len(answer.head.joined(b"x-many")) == http_answer.FIELD_BYTES


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"HTTP/1.1 20 OK\r\n\r\n",
        b"HTTP/1.1 -200 OK\r\n\r\n",
        b"HTTP/2 200\r\n\r\n",
        b"\x15\x03\x03\x00\x02\x02\x46",
        OK,
        OK + b"Content-Length: 10\r\n\r\nshort",
        CHUNKED + b"-1\r\nx\r\n0\r\n\r\n",
        CHUNKED + b"0x1\r\nx\r\n0\r\n\r\n",
        CHUNKED + b"1_0\r\nx\r\n0\r\n\r\n",
        CHUNKED + b"\r\n0\r\n\r\n",
        CHUNKED + b"5\r\nhello, too long\r\n0\r\n\r\n",
        CHUNKED + b"3\r\nabc\r\n",
        CHUNKED + b"f" * 16 + b"\r\n",
        CHUNKED + b"1;" + b"e" * http_answer.CHUNK_LINE_BYTES + b"\r\nx\r\n0\r\n\r\n",
        CHUNKED + (b"1;" + b"e" * 3000 + b"\r\nx\r\n") * 6 + b"0\r\n\r\n",
        CHUNKED + b"1\r\nx\r\n" * (http_answer.MAX_CHUNKS + 400) + b"0\r\n\r\n",
        OK + b"X: 1\r\n" * (http_answer.MAX_FIELDS + 1) + b"\r\n",
        OK + b"X: " + b"1" * http_answer.HEAD_BYTES + b"\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n" * (http_answer.MAX_INTERIM + 1) + OK + b"\r\n",
    ],
)
def test_what_is_no_answer_or_passes_a_bound_is_broken(answer: bytes) -> None:
    with peer(says(answer)) as port, pytest.raises(Broken):
        ask(port)


@pytest.mark.parametrize(
    "parts",
    [
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        (OK, b"X: y\r\n"),
        (OK, b"no field\n"),
        (OK + b"X: 1\r\n", b" more\r\n"),
        (OK, b"endless line "),
        (CHUNKED, b"1\r\nx\r\n"),
        (CHUNKED, b"1;name=value\r\nx\r\n"),
        (CHUNKED + b"1\r\nx\r\n0\r\n", b"Trailer: 1\r\n"),
        (CHUNKED + b"1\r\nx\r\n0\r\n", b"no field\r\n"),
    ],
)
def test_what_never_ends_is_ended_by_its_bound(parts: tuple[bytes, bytes]) -> None:
    begun = time.monotonic()
    with peer(says(parts[0], endless=parts[1] * 1000)) as port, pytest.raises(Broken):
        ask(port, 60)
    assert time.monotonic() - begun < 30


@pytest.mark.parametrize("parts", [(OK + b"\r\n", bytes(1 << 16)), (CHUNKED, b"40\r\n" + bytes(64) + b"\r\n")])
def test_a_body_without_end_ends_at_the_deadline(parts: tuple[bytes, bytes]) -> None:
    begun = time.monotonic()
    with peer(says(parts[0], endless=parts[1] * 100)) as port, pytest.raises(Late):
        answer = HttpClient(ALLOWED).ask(HttpRequest("GET", http_address.parse(f"http://127.0.0.1:{port}/")), Deadline.after(1))
        try:
            for _ in answer.chunks():
                pass
        finally:
            answer.close()
    assert time.monotonic() - begun < 3


@pytest.mark.parametrize("sent", [b"", b"HTTP/1.1 200", OK, OK + b"\r\nsome", OK + b"Content-Length: 9\r\n\r\nsome", CHUNKED + b"4\r\nso"])
def test_silence_at_any_point_ends_at_the_deadline(sent: bytes) -> None:
    gone = threading.Event()

    def serve(connection: socket.socket) -> None:
        connection.recv(1 << 16)
        connection.sendall(sent)
        gone.wait(10)

    begun = time.monotonic()
    with peer(serve) as port, pytest.raises(Late):
        try:
            ask(port, 0.5)
        finally:
            gone.set()
    assert time.monotonic() - begun < 2.5


def test_the_pulse_is_called_while_a_peer_is_silent_and_what_it_raises_ends_the_exchange() -> None:
    gone = threading.Event()
    calls: list[float] = []

    class Unwanted(Exception):
        pass

    def pulse() -> None:
        calls.append(time.monotonic())
        if len(calls) > 3:
            raise Unwanted

    with peer(lambda connection: gone.wait(10) and None) as port, pytest.raises(Unwanted):
        try:
            HttpClient(ALLOWED).ask(HttpRequest("GET", http_address.parse(f"http://127.0.0.1:{port}/")), Deadline.after(60, pulse))
        finally:
            gone.set()
    assert len(calls) == 4


@pytest.mark.parametrize("url", ["http://10.0.0.1/", "http://[::1]/", "http://127.0.0.1:1/", "http://nowhere.invalid/", "http://localhost.invalid./"])
def test_what_cannot_or_may_not_be_reached_fails_alike(url: str) -> None:
    with pytest.raises(NotReached):
        HttpClient(ALLOWED).ask(HttpRequest("GET", http_address.parse(url)), Deadline.after(5))


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A key and a certificate that is its own authority, for 127.0.0.1."""
    file = tmp_path_factory.mktemp("tls") / "both.pem"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=test"]
    made = subprocess.run([*command, "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", "-", "-out", "-"], capture_output=True, check=True)
    file.write_bytes(made.stdout)
    return file


@pytest.fixture
def server_tls(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


@pytest.fixture
def trusting(certificate: Path) -> HttpClient:
    client = HttpClient(ALLOWED)
    client.trust(certificate)
    return client


def test_an_answer_comes_over_tls(server_tls: ssl.SSLContext, trusting: HttpClient) -> None:
    body = bytes(range(256)) * 4000
    with peer(says(OK + b"\r\n" + body), server_tls) as port:
        assert ask(port, scheme="https", client=trusting) == (200, body)


def test_a_certificate_that_nobody_vouches_for_is_refused(server_tls: ssl.SSLContext) -> None:
    with peer(says(OK + b"\r\n"), server_tls) as port, pytest.raises(Broken):
        ask(port, scheme="https")


def test_a_handshake_that_comes_byte_by_byte_is_ended_at_the_deadline() -> None:
    """Each byte would give a timeout of the socket a new beginning."""

    def serve(connection: socket.socket) -> None:
        for byte in b"\x16\x03\x03\x40\x00" + bytes(1000):
            connection.sendall(bytes([byte]))
            time.sleep(0.05)

    begun = time.monotonic()
    with peer(serve) as port, pytest.raises(ExchangeFailed):
        ask(port, 0.7, scheme="https")
    assert time.monotonic() - begun < 2.7
