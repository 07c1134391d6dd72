"""The port of the operator's watermarks, on a folder and in memory."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from backend import errors
from backend.adapters.files.watermarks import FolderWatermarks
from backend.core.watermark import Watermark
from backend.core.watermark_file import parse
from backend.ports.watermarks import Watermarks
from tests.fakes.watermarks import MemoryWatermarks
from tests.unit.codec.conftest import picture, saved

ONE, OTHER = saved(picture(8, 8), "PNG"), saved(picture(9, 9), "PNG")


@dataclass
class Operator:
    """``put`` gives a mark a file, ``take`` takes it away, ``lose`` makes all of them unreadable."""

    marks: Watermarks
    put: Callable[[str, bytes], object]
    take: Callable[[str], object]
    lose: Callable[[], object]


@pytest.fixture(params=["folder", "memory"])
def operator(request: pytest.FixtureRequest, tmp_path: Path) -> Operator:
    if request.param == "folder":
        folder = tmp_path / "marks"
        folder.mkdir()
        return Operator(
            FolderWatermarks(folder),
            lambda name, png: (folder / f"{name}.png").write_bytes(png),
            lambda name: (folder / f"{name}.png").unlink(),
            lambda: shutil.rmtree(folder),
        )
    marks = MemoryWatermarks()
    return Operator(
        marks, lambda name, png: marks.known.update({name: parse(name, png, None)}), marks.known.pop, lambda: setattr(marks, "is_lost", True)
    )


def test_what_the_operator_gives_is_there_by_name_until_it_is_taken(operator: Operator) -> None:
    assert operator.marks.names() == ()
    for name in ("logo", "水印"):
        operator.put(name, ONE)
    assert operator.marks.names() == ("logo", "水印")
    found: Watermark = operator.marks.read("logo")
    assert found.png == ONE and found.digest == operator.marks.digest("logo") == operator.marks.digest("水印")
    operator.take("logo")
    assert operator.marks.names() == ("水印",)


def test_another_file_has_another_digest_at_once(operator: Operator) -> None:
    operator.put("logo", ONE)
    before = operator.marks.digest("logo")
    operator.put("logo", OTHER)
    assert operator.marks.digest("logo") == operator.marks.read("logo").digest != before


def test_what_is_not_there_may_come(operator: Operator) -> None:
    """So it is a fault that passes."""
    for ask in (operator.marks.digest, operator.marks.read):
        with pytest.raises(errors.BackendUnavailable) as raised:
            ask("../logo")
        assert raised.value.params["part"] == "watermarks"


def test_a_folder_that_cannot_be_read_is_not_an_empty_one(operator: Operator) -> None:
    operator.put("logo", ONE)
    operator.lose()
    for ask in (operator.marks.names, lambda: operator.marks.digest("logo"), lambda: operator.marks.read("logo")):
        with pytest.raises(errors.BackendUnavailable):
            ask()
