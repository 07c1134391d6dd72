"""The benchmarks' pictures: made once where none are given, the same everywhere, and chosen by their size."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from bench.kit import pictures


@pytest.fixture(autouse=True)
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Small ones, in a folder of their own, and nothing remembered."""
    monkeypatch.delenv("BENCH_PICTURES", raising=False)
    monkeypatch.setattr(pictures, "MADE", tmp_path / "made")
    for sizes in (pictures.PHOTOGRAPHS, pictures.GRAPHICS, pictures.ANIMATIONS):
        for name in sizes:
            monkeypatch.setitem(sizes, name, (sizes[name][0] // 8, sizes[name][1] // 8))
    forget()
    yield tmp_path / "made"
    forget()


def forget() -> None:
    for each in (pictures.folder, pictures.photographs, pictures.nearest):
        each.cache_clear()


def test_without_a_folder_of_photographs_they_are_made(made: Path) -> None:
    assert pictures.folder() == made / "photos"
    assert [each.name for each in pictures.photographs()] == sorted(f"{name}.jpg" for name in pictures.PHOTOGRAPHS)
    assert list((made / "photos").glob("*.new")) == []


def test_they_are_the_same_each_time() -> None:
    one, other = pictures.photograph((96, 64)), pictures.photograph((96, 64))
    assert one.tobytes() == other.tobytes() != pictures.photograph((96, 64), seed=5).tobytes()


def test_graphics_are_transparent_and_animations_move(made: Path) -> None:
    for path in pictures.make("graphics").iterdir():
        with Image.open(path) as graphic:
            assert graphic.convert("RGBA").getchannel("A").getextrema() == (0, 255)
    for path in pictures.make("animated").iterdir():
        with Image.open(path) as animation:
            animation.seek(23)
            assert animation.tell() == 23


def test_photographs_of_ones_own_are_taken_by_their_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for side in (100, 1000):
        Image.new("RGB", (side, side)).save(tmp_path / f"of-mine-{side}.jpg")
    monkeypatch.setenv("BENCH_PICTURES", str(tmp_path))
    assert [pictures.nearest(megapixels).name for megapixels in (0.02, 24)] == ["of-mine-100.jpg", "of-mine-1000.jpg"]


def test_a_folder_without_photographs_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BENCH_PICTURES", str(tmp_path))
    with pytest.raises(SystemExit, match=re.escape(str(tmp_path))):
        pictures.folder()
