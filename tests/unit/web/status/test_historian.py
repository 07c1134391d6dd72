"""The last half hour on the operator's page: one process writes it, and it outlives a restart, Redis' own included."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from backend import errors
from backend.adapters.files.folder_size import folder_bytes
from backend.adapters.files.history_file import MOST_BYTES, FileHistory
from backend.ports.history import Sample
from backend.web.request.context import KEY
from backend.web.socketio.live_status import LiveStatus
from backend.web.status.historian import EVERY_S, KEPT_SAMPLES, Historian
from tests.fakes.codec import ScriptedCodec
from tests.unit.web.conftest import Web


class MemoryFile:
    def __init__(self) -> None:
        self.samples: list[Sample] = []

    def load(self) -> list[Sample]:
        return list(self.samples)

    def save(self, samples: Sequence[Mapping[str, Any]]) -> None:
        self.samples = [dict(each) for each in samples]


def historian(web: Web, file: MemoryFile, name: str = "one") -> Historian:
    return Historian(web.app.extensions[KEY], name, file, lambda: 4096)


def pass_time(web: Web, seconds: float) -> None:
    web.here.clock.advance(seconds)


def test_samples_come_from_one_process_and_are_bounded(web: Web) -> None:
    one, two = historian(web, MemoryFile(), "one"), historian(web, MemoryFile(), "two")
    for _ in range(KEPT_SAMPLES + 5):
        one.record()
        two.record()
        pass_time(web, EVERY_S)
    samples = web.here.context.history.samples()
    assert len(samples) == KEPT_SAMPLES
    assert {round(later["at"] - earlier["at"]) for earlier, later in pairwise(samples)} == {round(EVERY_S)}


def test_another_process_goes_on_where_the_holder_died(web: Web) -> None:
    file = MemoryFile()
    historian(web, file, "one").record()
    pass_time(web, 2 * EVERY_S)
    historian(web, file, "two").record()
    assert len(web.here.context.history.samples()) == 2


def test_counters_of_the_status_page_do_not_forget_across_a_restart(web: Web) -> None:
    """The embedded Redis begins empty with each start; the file on disk gives back the half hour and the totals."""
    file = MemoryFile()
    web.finished()
    web.upload()
    web.here.encode(ScriptedCodec(errors.Internal()))
    last = historian(web, file)
    last.record()
    last.finish()
    seen = LiveStatus(web.app.extensions[KEY]).snapshot()["totals"]
    assert (seen["succeeded"], seen["failed"]) == (1, 1) and seen["source_bytes"] > 0

    web.here.server.lose_everything()
    pass_time(web, 30)
    historian(web, file, "next").record()
    status = LiveStatus(web.app.extensions[KEY])
    first = status.subscribe("reader", lambda seen: None)
    status.unsubscribe("reader")
    assert first["totals"] == seen
    assert [each["failed"] for each in first["history"]] == [{"internal": 1}, {"internal": 1}, {}]

    web.finished()
    assert status.snapshot()["totals"]["succeeded"] == 2


def test_totals_of_a_long_time_ago_are_kept_without_a_chart_of_them(web: Web) -> None:
    file = MemoryFile()
    web.finished()
    historian(web, file).record()
    web.here.server.lose_everything()
    pass_time(web, 86_400)
    historian(web, file, "next").record()
    assert web.here.context.history.samples()[-1]["totals"]["succeeded"] == 1


def test_while_redis_is_away_nothing_is_kept_and_the_last_is_shown(web: Web) -> None:
    recorder = historian(web, MemoryFile())
    recorder.record()
    status = LiveStatus(web.app.extensions[KEY])
    status.subscribe("reader", lambda seen: None)
    web.here.server.is_down = True
    with pytest.raises(errors.BackendUnavailable):
        recorder.record()
    assert status.snapshot()["redis"] is False
    web.here.server.is_down = False
    status.unsubscribe("reader")


@pytest.mark.parametrize("damaged", [b"", b"{", b"[1, {}, null]", b"\xff\xfe", b"[" + b" " * MOST_BYTES + b"]", b"{}"])
def test_a_file_that_is_damaged_is_none(tmp_path: Path, damaged: bytes) -> None:
    path = tmp_path / "history.json"
    path.write_bytes(damaged)
    file = FileHistory(path, lambda call, *given: call(*given))
    assert file.load() == []
    file.save([{"at": 1.0}])
    assert file.load() == [{"at": 1.0}] and list(tmp_path.iterdir()) == [path]


def test_a_folder_that_is_gone_loses_no_more_than_the_history(tmp_path: Path) -> None:
    file = FileHistory(tmp_path / "gone" / "history.json", lambda call, *given: call(*given))
    file.save([{"at": 1.0}])
    assert file.load() == []


def test_the_folders_size_is_that_of_all_its_files(tmp_path: Path) -> None:
    assert folder_bytes(tmp_path / "nowhere") == 0
    (tmp_path / "deep" / "deeper").mkdir(parents=True)
    (tmp_path / "deep" / "deeper" / "file").write_bytes(b"x" * 100_000)
    (tmp_path / "link").symlink_to(tmp_path)
    assert 100_000 <= folder_bytes(tmp_path) <= 130_000
