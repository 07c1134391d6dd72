"""Where the owner of a Socket.IO session is found, and what is asked of Redis for it."""

from __future__ import annotations

from backend.errors import BackendUnavailable
from backend.session_owners import PresentOwners, places


def gateway(boot: str, address: str | None) -> dict[str, object]:
    return {"boot": boot, "address": address} if address else {"boot": boot}


def test_gateways_that_others_can_reach_are_found_by_their_boot_id() -> None:
    told = [gateway("a", "10.0.0.2:5000"), gateway("b", "[fd00::1]:80"), gateway("c", None), {"address": "10.0.0.3:1"}, gateway("d", "nonsense")]
    assert places(told) == {"a": ("10.0.0.2", 5000), "b": ("fd00::1", 80)}


class Gateways:
    """The part of the port that is used; it counts how often it is asked."""

    def __init__(self) -> None:
        self.asked = 0
        self.told: list[dict[str, object]] = []
        self.is_away = False

    def gateways(self) -> list[dict[str, object]]:
        self.asked += 1
        if self.is_away:
            raise BackendUnavailable(part="redis")
        return self.told


def test_made_up_ids_do_not_make_redis_busy_and_a_known_one_costs_nothing() -> None:
    present = Gateways()
    present.told = [gateway("a", "10.0.0.2:5000")]
    owners = PresentOwners(present, lambda: b"secret")  # type: ignore[arg-type]
    assert owners.address_of("a") == ("10.0.0.2", 5000)
    assert [owners.address_of("a") for _ in range(50)] == [("10.0.0.2", 5000)] * 50 and present.asked == 1
    assert owners.address_of("made up") is None and present.asked <= 6


def test_while_redis_is_away_what_was_known_last_counts() -> None:
    present = Gateways()
    present.told = [gateway("a", "10.0.0.2:5000")]
    secrets = [b"first"]

    def read() -> bytes:
        if not secrets:
            raise BackendUnavailable(part="redis")
        return secrets.pop()

    owners = PresentOwners(present, read)  # type: ignore[arg-type]
    assert owners.address_of("a") == ("10.0.0.2", 5000) and owners.secret() == b"first"
    present.is_away = True
    assert owners.address_of("made up") is None and owners.address_of("a") == ("10.0.0.2", 5000)
    assert owners.secret(is_doubted=True) == b"first"


def test_before_redis_has_answered_once_nobody_is_found() -> None:
    present = Gateways()
    present.is_away = True

    def read() -> bytes:
        raise BackendUnavailable(part="redis")

    owners = PresentOwners(present, read)  # type: ignore[arg-type]
    assert owners.secret() is None and owners.address_of("a") is None
