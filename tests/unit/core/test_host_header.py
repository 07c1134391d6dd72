"""What may stand in ``Host``, and the host within a request target."""

from __future__ import annotations

import pytest

from backend.core.host_header import authority_of, is_host_header


@pytest.mark.parametrize(
    "value",
    [
        *("example.org", "example.org:8080", "localhost", "my_service:5000", "xn--bcher-kva.example", "a:"),
        *("192.168.1.5:5000", "[::1]", "[2001:db8::1]:443"),
    ],
)
def test_a_name_or_an_address_with_or_without_a_port_is_a_host(value: str) -> None:
    assert is_host_header(value)


@pytest.mark.parametrize(
    "value",
    [
        *("", ":80", "a b", "a, b", "a,b", "user@host", "a/b", "http://a", "a?b", "a#b", "a\\b", "a\tb", "bücher.example", "a%00b", "a" * 256),
        *("a:b", "a:-1", "a:65536", "a:123456", "a:80:80"),
        *("::1", "[::1", "::1]", "[::1]80", "[::1]:x", "[fe80::1%25eth0]", "[v1.a]", "[]", "[1.2.3.4]"),
    ],
)
def test_anything_else_is_none(value: str) -> None:
    assert not is_host_header(value)


@pytest.mark.parametrize(
    ("target", "authority"),
    [
        ("http://a.example/b?c", "a.example"),
        ("http://a.example:80?x=/", "a.example:80"),
        ("HTTP://a.example", "a.example"),
        ("http:///b", ""),
        ("/fetch?url=http://a.example/b", None),
        ("//a.example/b", None),
        ("*", None),
        ("a.example:443", None),
    ],
)
def test_a_target_in_absolute_form_names_its_host(target: str, authority: str | None) -> None:
    assert authority_of(target) == authority
