"""The sizes and the floors of the house. ``python -m tests.architecture.figures`` prints them all."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.architecture.figures import LONG_FILE_LINES, PARTICIPLE, arrows, class_sizes, floors, functions, line_count, python_files

BACKEND = Path(__file__).resolve().parents[2] / "backend"
FOLDERS = [BACKEND, *sorted(each for each in BACKEND.rglob("*") if each.is_dir() and list(each.glob("*.py")))]
MAX_PORT_METHODS, MAX_METHODS, MAX_FUNCTION_LINES, MAX_LONG_FILES = 12, 20, 40, 9
MAX_FLOORS = 7


def test_no_port_and_no_class_holds_everything() -> None:
    limits = {True: MAX_PORT_METHODS, False: MAX_METHODS}
    assert [f"{place}: {methods} methods" for methods, place, is_protocol in class_sizes(BACKEND) if methods > limits[is_protocol]] == []


def test_functions_are_short() -> None:
    assert [f"{each.place} {each.name}: {each.lines} lines" for each in functions(BACKEND) if each.lines > MAX_FUNCTION_LINES] == []


def test_few_files_are_long() -> None:
    long = [f"{path.relative_to(BACKEND)}: {line_count(path)} lines" for path in python_files(BACKEND) if line_count(path) > LONG_FILE_LINES]
    assert len(long) <= MAX_LONG_FILES, long


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: str(folder.relative_to(BACKEND.parent)))
def test_the_rooms_of_a_folder_stand_on_floors(folder: Path) -> None:
    """No room imports one that imports it, over however many others."""
    assert floors(arrows(BACKEND, folder)) <= MAX_FLOORS


def test_a_circle_is_found() -> None:
    with pytest.raises(ValueError, match="a circle: a → b → a"):
        floors({"a": {"b"}, "b": {"a"}})
    assert floors({"a": {"b", "c"}, "b": {"c"}, "c": set()}) == 3


@pytest.mark.parametrize(("name", "is_one"), [("kept", True), ("_ended_before", True), ("read", False), ("keep", False), ("feed", False)])
def test_a_participle_is_told_from_a_verb(name: str, is_one: bool) -> None:
    assert bool(PARTICIPLE.fullmatch(name)) is is_one
