"""The contract of ``History``: Redis and memory."""

from __future__ import annotations

from tests.contract.live import Live


def test_the_newest_samples_are_kept_in_their_order(live: Live) -> None:
    assert live.history.samples() == []
    for number in range(5):
        live.history.add({"at": float(number), "failed": {"internal": number}}, 3)
    assert [each["at"] for each in live.history.samples()] == [2.0, 3.0, 4.0]
    assert live.history.samples()[-1]["failed"] == {"internal": 4}


def test_samples_of_an_earlier_start_take_the_place_of_all(live: Live) -> None:
    live.history.add({"at": 1.0}, 3)
    live.history.restore([{"at": 0.1}, {"at": 0.2}])
    assert live.history.samples() == [{"at": 0.1}, {"at": 0.2}]
    live.history.restore([])
    assert live.history.samples() == []


def test_the_server_tells_its_version_and_memory(live: Live) -> None:
    facts = live.history.server()
    assert facts.version[0].isdigit() and facts.used_bytes > 0 <= facts.limit_bytes
