"""Which host names are answered."""

from __future__ import annotations

import pytest

from backend.core.host_names import allowed_hosts, name_of, pattern

OWN = ("my-nas", "my-nas.local", "0.0.0.0", "::", "")


@pytest.mark.parametrize(
    "authority",
    [
        *("127.0.0.1", "127.0.0.1:5000", "127.0.0.1.", "192.168.1.5:5000", "8.8.8.8"),
        *("[::1]", "[::1]:5000", "[fe80::1%25eth0]:5000", "[::ffff:127.0.0.1]"),
        *("localhost", "localhost:5000", "LocalHost:80", "localhost.", "localhost.:5000", "app.localhost:3000", "a.b.localhost", "localhost:"),
        *("my-nas", "my-nas:5000", "MY-NAS.local:5000", "my-nas.local.:5000"),
    ],
)
def test_what_cannot_be_rebound_is_answered(authority: str) -> None:
    assert allowed_hosts((), OWN).admit(authority)


@pytest.mark.parametrize(
    "authority",
    [
        *("evil.example", "evil.example:5000", "evil", "127.0.0.1.evil.example", "localhost.evil.example", "evillocalhost", "my-nas.evil.example"),
        *("notmy-nas", "x.my-nas", "1.2.3", "127.0.0.256", "0x7f.1", "[evil.example]", "[::1", "::1", "[::1].evil.example"),
        *("localhost@evil.example", "evil.example@localhost", "localhost:5000@evil.example", "localhost:x", "localhost:80:80", "localhost/", ""),
        *(" localhost", "localhost ", "localhost,evil.example", "loc\xa0alhost", "localhost\0", "localhost\n", ".localhost.evil", "local", "..", "."),
    ],
)
def test_any_other_name_is_not(authority: str) -> None:
    assert not allowed_hosts((), OWN).admit(authority)


@pytest.mark.parametrize(
    ("listed", "admitted", "refused"),
    [
        ("images.example.com", ("images.example.com", "IMAGES.example.com.:80"), ("example.com", "a.images.example.com", "images.example.com.evil")),
        ("*.example.com", ("a.example.com", "a.b.example.com:1"), ("example.com", "evilexample.com", "a.example.com.evil")),
        (".example.com", ("example.com", "a.example.com"), ("evilexample.com", "example.org")),
        ("bücher.example", ("xn--bcher-kva.example",), ("bucher.example", "bücher.example")),
        ("*", ("evil.example", "anything at all", ""), ()),
        ("192.168.1.5", ("192.168.1.5",), ("evil.example",)),
    ],
)
def test_the_operators_names_are_answered_too(listed: str, admitted: tuple[str, ...], refused: tuple[str, ...]) -> None:
    rule = allowed_hosts((pattern(listed),), OWN)
    assert [each for each in (*admitted, *OWN[:2], "127.0.0.1", "localhost") if not rule.admit(each)] == []
    assert [each for each in refused if rule.admit(each)] == []


def test_a_container_answers_to_whatever_its_machine_may_be_called_in_its_network() -> None:
    rule = allowed_hosts((), ("3f2a",), ("", "local", "fritz.box"))
    assert [each for each in ("my-nas:5000", "gateway", "my-nas.local", "MY-NAS.fritz.box.") if not rule.admit(each)] == []
    others = ("evil.example", "a.b.local", "a.b.fritz.box", "local.evil", ".local", "", "fritz.box", ".", "a b")
    assert [each for each in others if rule.admit(each)] == []


def test_a_name_has_no_port_no_brackets_and_no_capitals() -> None:
    assert [name_of(each) for each in ("A.b:80", "[::1]:80", "a.", "a b", "a:b")] == ["a.b", "::1", "a", "", ""]
