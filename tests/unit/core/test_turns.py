from __future__ import annotations

import pytest

from backend.core.turns import client_of, line_of, network_of, turn


@pytest.mark.parametrize(
    ("address", "client"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::1", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::1", "2001:db8:1:3::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("local", "local"),
        ("no address", "no_address"),
    ],
)
def test_an_ipv6_client_is_its_whole_network(address: str, client: str) -> None:
    assert network_of(address) == client


@pytest.mark.parametrize(("line", "waits"), [("", False), ("", True), ("browser", False), ("browser", True)])
def test_a_turn_names_its_client_and_its_line(line: str, waits: bool) -> None:
    text = turn("home", line, is_waited_for=waits)
    assert (client_of(text), line_of(text), text.endswith(" waits")) == ("home", line, waits)


def test_a_turn_of_an_earlier_version_is_its_client() -> None:
    assert (client_of("203.0.113.7"), line_of("203.0.113.7")) == ("203.0.113.7", "")


def test_a_name_with_a_space_is_refused() -> None:
    with pytest.raises(ValueError, match="space"):
        turn("a b")
