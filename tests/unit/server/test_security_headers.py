"""What the server answers by itself carries the same security headers as every other answer."""

from __future__ import annotations

import pytest
from gateway_process import Gateway

EXPECTED = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "content-security-policy": "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
}

UPGRADE = "Upgrade: websocket\r\nConnection: Upgrade\r\n"


@pytest.mark.parametrize(
    ("status", "request_text"),
    [
        (400, "GET / HTTP/1.1\nHost: t\n\n"),
        (400, "GET / HTTP/1.1\r\nHost: t\r\nHost: t\r\n\r\n"),
        (400, "<script>alert(1)</script>\r\n\r\n"),
        (414, f"GET /{'x' * 9000} HTTP/1.1\r\nHost: t\r\n\r\n"),
        (431, f"GET / HTTP/1.1\r\nHost: t\r\nX: {'x' * 9000}\r\n\r\n"),
        (417, "GET / HTTP/1.1\r\nHost: t\r\nExpect: magic\r\n\r\n"),
        (501, "POST /count HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: magic\r\n\r\n"),
        (408, "GET / HTTP/1.1\r\nHost: t\r\n"),
        (400, f"GET /ws/echo HTTP/1.1\r\nHost: t\r\n{UPGRADE}\r\n"),
        (426, f"GET /ws/echo HTTP/1.1\r\nHost: t\r\n{UPGRADE}Sec-WebSocket-Version: 8\r\n\r\n"),
    ],
)
def test_the_servers_own_answers_have_the_security_headers(gateway: Gateway, status: int, request_text: str) -> None:
    with gateway.wire() as wire:
        wire.send(request_text)
        answered, headers, _ = wire.response()
    assert answered == status
    assert {name: headers.get(name) for name in EXPECTED} == EXPECTED
