"""The operator's folder of watermarks: names, files that change while it is in use, and what is wrong with them."""

from __future__ import annotations

import logging
import os
import unicodedata
from pathlib import Path

import pytest

from backend import errors
from backend.adapters.files.watermarks import FolderWatermarks
from backend.core.watermark import Placement
from backend.core.watermark_file import MAX_WATERMARKS
from tests.unit.codec.conftest import picture, saved

PNG, OTHER = saved(picture(30, 20, "RGBA"), "PNG"), saved(picture(20, 30), "PNG")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "logo.png").write_bytes(PNG)
    (tmp_path / "logo.toml").write_text('place = "tile"\nopacity = 0.5')
    (tmp_path / "水印.PNG").write_bytes(OTHER)
    (tmp_path / f"{unicodedata.normalize('NFD', 'é')}.png").write_bytes(OTHER)
    (tmp_path / "notes.txt").write_text("none of it")
    (tmp_path / "folder.png").mkdir()
    return tmp_path


def test_each_png_is_a_name_and_nothing_else_is(folder: Path) -> None:
    marks = FolderWatermarks(folder)
    assert marks.names() == ("logo", "é", "水印")
    assert list(marks.problems()) == []
    assert (marks.read("logo").png, marks.read("logo").placement) == (PNG, Placement("tile", opacity=0.5))
    assert (marks.read("水印").png, marks.read("水印").placement) == (OTHER, Placement())
    assert marks.digest("logo") == marks.read("logo").digest != marks.digest("水印") == marks.digest("é")


@pytest.mark.parametrize("name", ["../logo", "logo.png", "LOGO", "/etc/passwd", "notes", "folder", "", ".", "..", "logo\0", "x" * 5000, "\ud800"])
def test_a_name_is_looked_up_and_never_made_a_path(folder: Path, name: str) -> None:
    marks = FolderWatermarks(folder / "within")
    (folder / "within").mkdir()
    (folder / "within" / "logo.jpg").write_bytes(PNG)
    for ask in (marks.read, marks.digest, FolderWatermarks(folder).read):
        with pytest.raises(errors.BackendUnavailable):
            ask(name)


def test_files_that_change_count_at_once(folder: Path) -> None:
    marks = FolderWatermarks(folder)
    seen = {marks.digest("logo")}
    (folder / "new").write_bytes(OTHER)
    os.replace(folder / "new", folder / "logo.png")
    seen.add(marks.digest("logo"))
    assert marks.read("logo").png == OTHER
    (folder / "logo.toml").write_text("opacity = 0.4")
    seen.add(marks.digest("logo"))
    (folder / "logo.toml").unlink()
    seen.add(marks.digest("logo"))
    assert len(seen) == 4
    (folder / "added.png").write_bytes(PNG)
    assert "added" in marks.names()
    (folder / "logo.png").unlink()
    assert "logo" not in marks.names()
    with pytest.raises(errors.BackendUnavailable):
        marks.digest("logo")


def test_a_folder_of_links_as_kubernetes_mounts_it(tmp_path: Path) -> None:
    for version, png in (("..v1", PNG), ("..v2", OTHER)):
        (tmp_path / version).mkdir()
        (tmp_path / version / "logo.png").write_bytes(png)
    (tmp_path / "..data").symlink_to("..v1")
    (tmp_path / "logo.png").symlink_to("..data/logo.png")
    marks = FolderWatermarks(tmp_path)
    before = marks.digest("logo")
    (tmp_path / "..new").symlink_to("..v2")
    os.replace(tmp_path / "..new", tmp_path / "..data")
    assert marks.digest("logo") != before and marks.read("logo").png == OTHER


@pytest.mark.parametrize("data", [PNG[:-40], b"", b"not a PNG"])
def test_a_file_that_breaks_is_named_in_the_log_and_not_to_clients(folder: Path, data: bytes, caplog: pytest.LogCaptureFixture) -> None:
    marks = FolderWatermarks(folder)
    (folder / "logo.png").write_bytes(data)
    assert "logo" in marks.names()
    for ask in (marks.digest, marks.read):
        caplog.clear()
        with caplog.at_level(logging.ERROR), pytest.raises(errors.BackendUnavailable) as raised:
            ask("logo")
        assert "logo.png" in caplog.text
        assert str(folder) not in str(raised.value.params)
    (folder / "logo.png").write_bytes(OTHER)
    assert marks.read("logo").png == OTHER


def test_a_broken_table_is_named_too(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    (folder / "logo.toml").write_text("opacity = 5")
    with pytest.raises(errors.BackendUnavailable):
        FolderWatermarks(folder).digest("logo")
    assert "logo.toml opacity" in caplog.text


def test_what_is_wrong_at_the_start_is_told_file_by_file(folder: Path) -> None:
    (folder / "logo.png").write_bytes(PNG[:-40])
    (folder / "logo.toml").write_text("opacity = 5")
    (folder / "stray.toml").write_text("")
    (folder / "a,b.png").write_bytes(PNG)
    told = [(each.name, each.accepted) for each in FolderWatermarks(folder).problems()]
    assert told == [
        ("GATEWAY_WATERMARKS_DIR stray.toml", "watermark_without_png"),
        ("GATEWAY_WATERMARKS_DIR", "watermark_name"),
        ("GATEWAY_WATERMARKS_DIR logo.png", "watermark_png"),
        ("GATEWAY_WATERMARKS_DIR logo.toml opacity", "share"),
    ]


def test_a_folder_that_is_not_there_is_a_wrong_setting_and_a_fault_that_passes(tmp_path: Path) -> None:
    marks = FolderWatermarks(tmp_path / "mounted later")
    assert [each.accepted for each in marks.problems()] == ["readable_folder"]
    (tmp_path / "file").write_bytes(b"")
    assert [each.accepted for each in FolderWatermarks(tmp_path / "file").problems()] == ["readable_folder"]
    with pytest.raises(errors.BackendUnavailable):
        marks.names()
    (tmp_path / "mounted later").mkdir()
    assert marks.names() == ()


def test_there_are_no_more_than_can_be_told(tmp_path: Path) -> None:
    for number in range(MAX_WATERMARKS + 1):
        (tmp_path / f"{number}.png").write_bytes(PNG)
    assert [each.accepted for each in FolderWatermarks(tmp_path).problems()] == ["too_many_watermarks"]


def test_the_disk_is_looked_at_where_it_is_told(folder: Path) -> None:
    """In a gateway: in another thread."""
    called: list[object] = []

    def run(function: object, *given: object) -> object:
        called.append(function)
        assert callable(function)
        return function(*given)

    marks = FolderWatermarks(folder, run)
    marks.names(), marks.digest("logo"), marks.read("logo")
    assert len(called) == 3
