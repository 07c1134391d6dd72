"""The size of the house: lines, rooms, floors, arrows, the largest port, class and function, and functions named by a participle.

    python -m tests.architecture.figures [folder of a checkout]
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

LONG_FILE_LINES = 250
IRREGULAR = "begun|built|chosen|done|drawn|found|given|gone|heard|held|hidden|kept|known|left|lost|made|said|seen|sent|shown|taken|told|written"
PARTICIPLE = re.compile(rf"_*(?!feed|need|seed|embed)(?:[a-z0-9]+ed|{IRREGULAR})(?:_[a-z]+)*")
"""A name whose first word is a past participle, as ``kept`` and ``_ended_before``. Verbs whose participle is the verb itself (``read``) are none."""


@dataclass(frozen=True, slots=True)
class Function:
    place: str
    name: str
    lines: int


def python_files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*.py") if ".venv" not in path.parts and "node_modules" not in path.parts)


def line_count(path: Path) -> int:
    return len(path.read_text("utf-8").splitlines())


def functions(folder: Path) -> Iterator[Function]:
    for path in python_files(folder):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                assert node.end_lineno is not None
                yield Function(f"{path.relative_to(folder)}:{node.lineno}", node.name, node.end_lineno - node.lineno + 1)


def class_sizes(folder: Path) -> list[tuple[int, str, bool]]:
    """(methods, place, whether it is a protocol) of each class, the largest first."""
    found = []
    for path in python_files(folder):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ClassDef):
                methods = sum(isinstance(each, ast.FunctionDef) for each in node.body)
                is_protocol = any(ast.unparse(base).startswith("Protocol") for base in node.bases)
                found.append((methods, f"{path.relative_to(folder)}:{node.name}", is_protocol))
    return sorted(found, reverse=True)


def arrows(backend: Path, folder: Path) -> dict[str, set[str]]:
    """Who imports whom among the direct children (files and folders) of ``folder``."""
    found: dict[str, set[str]] = {}
    prefix = ["backend", *folder.relative_to(backend).parts]
    children = {each.stem for each in folder.iterdir() if each.stem != "__init__" and (each.suffix == ".py" or list(each.rglob("*.py")))}
    for path in python_files(folder):
        here = path.relative_to(folder).parts[0].removesuffix(".py")
        if here == "__init__":
            continue
        targets = found.setdefault(here, set())
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [f"{node.module}.{alias.name}" for alias in node.names]
            for name in names:
                parts = name.split(".")
                if parts[: len(prefix)] == prefix and len(parts) > len(prefix) and parts[len(prefix)] in children - {here}:
                    targets.add(parts[len(prefix)])
    for child in children:
        found.setdefault(child, set())
    return found


def floors(found: dict[str, set[str]]) -> int:
    """The longest way along the arrows, counted in rooms. Raises ``ValueError`` for a circle."""
    heights: dict[str, int] = {}

    def height(room: str, above: tuple[str, ...] = ()) -> int:
        if room in above:
            raise ValueError("a circle: " + " → ".join([*above, room]))
        if room not in heights:
            heights[room] = 1 + max((height(each, (*above, room)) for each in found[room]), default=0)
        return heights[room]

    return max((height(room) for room in found), default=0)


def _floors_or_circle(found: dict[str, set[str]]) -> str:
    try:
        return str(floors(found))
    except ValueError as error:
        return str(error)


def rooms(root: Path) -> Iterator[str]:
    """One line a folder of the backend: its rooms, the arrows between them, the floors."""
    backend = root / "backend"
    for folder in (backend, *sorted(each for each in backend.rglob("*") if each.is_dir())):
        if found := arrows(backend, folder):
            count = sum(map(len, found.values()))
            yield f"{folder.relative_to(root)!s:32} rooms {len(found):3}   arrows {count:3}   floors {_floors_or_circle(found)}"


def sizes(root: Path) -> Iterator[str]:
    backend = root / "backend"
    files = python_files(backend)
    lua, texts = (sum(map(line_count, backend.rglob(pattern))) for pattern in ("*.lua", "*.toml"))
    yield f"backend: {sum(map(line_count, files))} lines of Python in {len(files)} files, {lua} of Lua, {texts} of texts"
    yield f"tests:   {sum(map(line_count, python_files(root / 'tests')))} lines of Python"
    yield f"docs:    {sum(map(line_count, (root / 'docs').rglob('*.md')))} lines"
    long = [f"{path.relative_to(root)} {line_count(path)}" for path in files if line_count(path) > LONG_FILE_LINES]
    yield f"files over {LONG_FILE_LINES} lines: {len(long)}  {', '.join(long)}"
    classes = class_sizes(backend)
    yield "largest ports:   " + ", ".join(f"{place} {methods}" for methods, place, is_protocol in classes if is_protocol)[:120]
    yield "largest classes: " + ", ".join(f"{place} {methods}" for methods, place, is_protocol in classes if not is_protocol)[:120]
    everything = list(functions(backend))
    lengths = sorted(each.lines for each in everything)
    median, percentile_90 = lengths[len(lengths) // 2], lengths[len(lengths) * 9 // 10]
    yield f"functions: {len(lengths)}; lines: median {median}, 90th percentile {percentile_90}, longest {lengths[-1]}"
    named = [f"{each.place} {each.name}" for each in everything if PARTICIPLE.fullmatch(each.name)]
    yield f"functions named by a participle: {len(named)}"
    yield from (f"    {each}" for each in named)


if __name__ == "__main__":
    checkout = Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()
    print("\n".join([*rooms(checkout), "", *sizes(checkout)]))
