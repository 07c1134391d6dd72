"""A process starts beside those that it understands, and is refused beside others."""

from __future__ import annotations

from pathlib import Path

import pytest

from backend import __version__, texts
from backend.adapters.files import protocol_mark
from backend.core.options import OFFERED
from backend.core.protocol import CHANGES, NEWEST, OLDEST, SPOKEN, UNNUMBERED, Range, is_understood, range_of
from backend.errors import CannotStart
from backend.flows.check_protocol import check_data, check_protocol
from tests.fakes.context import MemoryContext


def test_every_number_says_what_it_changed() -> None:
    assert list(CHANGES) == list(range(min(CHANGES), NEWEST + 1)) and all(CHANGES.values())
    assert Range(OLDEST, NEWEST) == SPOKEN


@pytest.mark.parametrize(
    ("one", "other", "do_meet"),
    [((1, 2), (1, 1), True), ((1, 2), (2, 3), True), ((1, 2), (3, 4), False), ((3, 3), (1, 2), False), ((2, 2), (1, 3), True)],
)
def test_two_ranges_meet_where_they_have_a_number_in_common(one: tuple[int, int], other: tuple[int, int], do_meet: bool) -> None:
    assert Range(*one).meets(Range(*other)) is Range(*other).meets(Range(*one)) is do_meet


@pytest.mark.parametrize("said", [None, "2", [1], [1, "2"], {}, [1, 2, 3]])
def test_what_says_no_range_counts_as_a_release_without_numbers(said: object) -> None:
    assert range_of({} if said is None else {"protocol": said}) == UNNUMBERED
    assert range_of({"protocol": [2, 5]}) == (2, 5)


@pytest.mark.parametrize("protocol", [[OLDEST - 1, OLDEST], [OLDEST, NEWEST], [NEWEST, NEWEST], [NEWEST, NEWEST + 9]])
def test_a_neighbour_stops_no_start(protocol: list[int]) -> None:
    here = MemoryContext()
    here.presence.heartbeat("a", {"host": "one", "protocol": protocol}, 60)
    here.presence.announce("b", {"host": "one", "protocol": protocol}, 60)
    check_protocol(here.presence, "1.0.0")


@pytest.mark.parametrize("facts", [{}, {"protocol": [1, 1]}])
def test_a_release_before_the_neighbours_stops_the_start(facts: dict[str, list[int]]) -> None:
    here = MemoryContext()
    here.presence.heartbeat("a", {"host": "one", **facts}, 60)
    with pytest.raises(CannotStart) as raised:
        check_protocol(here.presence, "1.0.0")
    assert raised.value.reason == "protocol_of_peer" and raised.value.params["other"] == "1"


@pytest.mark.parametrize("kind", ["encoders", "gateways"])
def test_a_stranger_stops_the_start_until_it_is_gone(kind: str) -> None:
    here = MemoryContext()
    say = here.presence.heartbeat if kind == "encoders" else here.presence.announce
    say("a", {"host": "one", "protocol": [NEWEST + 1, NEWEST + 2], "version": "9.0.0"}, 60)
    with pytest.raises(CannotStart) as raised:
        check_protocol(here.presence, "1.0.0")
    assert raised.value.reason == "protocol_of_peer" and raised.value.params["other"] == f"{NEWEST + 1}–{NEWEST + 2}"
    here.clock.advance(61)
    check_protocol(here.presence, "1.0.0")


def test_a_live_state_of_a_newer_release_stops_the_start_and_an_unreachable_one_does_not() -> None:
    here = MemoryContext()
    here.server.reach().needs = NEWEST + 1
    with pytest.raises(CannotStart):
        check_protocol(here.presence, "1.0.0")
    here.server.is_down = True
    check_protocol(here.presence, "1.0.0")


MARKS = [(None, True), ("1", True), (f"{NEWEST}\n", True), (str(NEWEST + 1), False), ("two", False), ("", False)]


@pytest.mark.parametrize(("mark", "is_usable"), MARKS)
def test_a_folder_that_a_newer_release_wrote_stops_the_start(tmp_path: Path, mark: str | None, is_usable: bool) -> None:
    if mark is not None:
        (tmp_path / protocol_mark.NAME).write_text(mark)
    assert is_understood(protocol_mark.needs(tmp_path)) is is_usable
    if not is_usable:
        with pytest.raises(CannotStart):
            check_data(protocol_mark.needs(tmp_path), tmp_path, "1.0.0")


@pytest.mark.parametrize(("language", "suffix"), [("en", ""), ("zh-CN", ".zh-CN")])
def test_the_guide_shows_the_sentences_of_a_refusal(language: str, suffix: str) -> None:
    guide = (Path(__file__).resolve().parents[3] / f"docs/operate/upgrading{suffix}.md").read_text("utf-8")
    own = {"version": __version__, "own": str(SPOKEN)}
    peer = {"role": "encoder", "host": "b", "other_version": "3.0.0", "other": str(Range(NEWEST + 1, NEWEST + 2))}
    assert texts.text("start.protocol_of_peer", language, **own, **peer) in guide
    assert texts.text("start.protocol_of_data", language, **own, place="/srv/gateway/store", needs=NEWEST + 1) in guide
    assert all(f"| {number} | " in guide for number in CHANGES)


def test_no_job_goes_to_an_encoder_that_does_not_look_at_what_it_needs() -> None:
    """Protocol 1 would leave an option out that it does not know, or fail."""
    sinces = [each.metadata["since"] for each in OFFERED]
    newest = max(max(since.values()) if isinstance(since, dict) else since for since in sinces)
    assert newest <= NEWEST and (newest <= 2 or OLDEST >= 2)
