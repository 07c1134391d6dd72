"""The arrows of the house plan (docs of the rooms): who may import whom, held by reading the imports."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from backend.settings import INTERNAL

ROOT = Path(__file__).resolve().parents[2]
BACKEND = ROOT / "backend"
EVERYTHING = {"*"}
MAY_IMPORT: dict[str, set[str]] = {
    "errors": set(),
    "texts": {"texts"},
    "settings": {"settings", "errors", "core", "texts"},
    "core": {"core", "errors"},
    "ports": {"ports", "core", "errors"},
    "flows": {"flows", "core", "ports", "errors"},
    "codec": {"codec", "core", "errors"},
    "adapters": {"adapters", "core", "ports", "errors"},
    "web": {"web", "flows", "core", "ports", "errors", "texts"},
    "server": {"server", "core", "ports", "errors", "texts", "settings", "logs"},
    "logs": {"terminal", "terminal_log"},
    "terminal_log": {"terminal"},
    "telemetry": {"settings", "logs"},
    "supervisor": {"errors", "terminal", "texts"},
    "terminal": set(),
    "usage": {"terminal", "texts"},
    "installation": {"installation", "errors", "key_command", "supervisor", "terminal", "texts", "usage"},
    "app": EVERYTHING,
    "background": EVERYTHING,
    "encoder": EVERYTHING,
    "cli": EVERYTHING,
    "port_holder": set(),
    "redis_looks": {"adapters", "errors", "ports", "redis_watch", "texts"},
    "redis_role": {"core", "errors", "settings"},
    "session_owners": {"errors", "ports"},
    "redis_watch": {"adapters", "core", "errors", "supervisor", "terminal", "texts"},
    "start_block": {"settings", "texts"},
    "__main__": {"cli", "key_command", "terminal", "texts", "usage"},
    "key_command": EVERYTHING,
    "preflight": EVERYTHING,
    "data_folder": {"errors", "settings", "start_block"},
    "__init__": set(),
}
"""Beyond the plan's table: ``server`` implements the port ``peer``, and looks up the few sentences that it answers by itself; ``settings`` takes the
``Limits`` from ``core``; ``logs`` knows only what a terminal can."""
IMPURE = {
    *("os", "io", "sys", "time", "random", "secrets", "uuid", "socket", "ssl", "select", "logging", "threading", "subprocess", "multiprocessing"),
    *(
        "asyncio",
        "tempfile",
        "shutil",
        "pathlib",
        "glob",
        "urllib",
        "http",
        "requests",
        "redis",
        "celery",
        "flask",
        "werkzeug",
        "gevent",
        "PIL",
        "ctypes",
    ),
}
ENVIRONMENT_READERS = {"settings/__init__.py"}
"""The one reader of settings."""
ENVIRONMENT_PASSED_ON = {
    "cli.py": "the supervisor's children inherit it",
    "server/preload.py": "a try of the new code has the workers' own",
    "installation/packages.py": "pip inherits it",
}
INTERNAL_READERS = {
    "installation/lock.py": "GATEWAY_INSTALLATION_LOCK: handed on by the installation to what follows",
    "terminal.py": "TERM, NO_COLOR: what the terminal can do",
    "texts/operator.py": "LC_ALL, LC_MESSAGES, LANG: the operator's language",
    "server/reexec.py": "WEBP_GATEWAY_HANDOVER: what a master hands to its next image",
    "server/run_dir.py": "GATEWAY_RUN_DIR, GATEWAY_WORKERS_DIR: set by supervisor or gunicorn.conf.py for their own children",
}


def files() -> list[Path]:
    return sorted(BACKEND.rglob("*.py"))


def room(path: Path) -> str:
    return path.relative_to(BACKEND).parts[0].removesuffix(".py")


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """Line and whole name of everything imported, wherever in the file: ``from backend import errors`` is ``backend.errors``."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: imports are absolute here"
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)


def rooms_imported(path: Path) -> Iterator[tuple[int, str]]:
    for line, name in imports(path):
        parts = name.split(".")
        if parts[0] == "backend" and parts[1] != "__version__":
            yield line, parts[1]


def test_every_room_has_its_row() -> None:
    assert {room(path) for path in files()} <= set(MAY_IMPORT)


@pytest.mark.parametrize("path", files(), ids=lambda path: str(path.relative_to(BACKEND)))
def test_a_room_imports_only_what_it_may(path: Path) -> None:
    allowed = MAY_IMPORT[room(path)]
    if allowed == EVERYTHING:
        return
    wrong = [f"line {line}: {name}" for line, name in rooms_imported(path) if name not in allowed]
    assert wrong == [], f"{path.relative_to(ROOT)} imports what it may not"


def test_the_check_sees_a_wrong_arrow(tmp_path: Path) -> None:
    path = tmp_path / "jobs.py"
    path.write_text("from backend import errors\ndef late():\n    import backend.adapters.redis.jobs\n    import backend.web.routes.jobs\n")
    assert list(rooms_imported(path)) == [(1, "errors"), (3, "adapters"), (4, "web")]


@pytest.mark.parametrize("path", sorted((BACKEND / "core").rglob("*.py")), ids=lambda path: str(path.relative_to(BACKEND)))
def test_the_core_is_pure(path: Path) -> None:
    assert [f"line {line}: {name}" for line, name in imports(path) if name.split(".")[0] in IMPURE] == []
    calls = [node for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Call)]
    assert [node.lineno for node in calls if isinstance(node.func, ast.Name) and node.func.id in ("open", "print", "input", "exec", "eval")] == []
    clocks = ("now", "utcnow", "today")
    assert [node.lineno for node in calls if isinstance(node.func, ast.Attribute) and node.func.attr in clocks] == []


@pytest.mark.parametrize("path", [BACKEND / "errors.py", *sorted((BACKEND / "ports").glob("*.py"))], ids=lambda path: path.name)
def test_errors_and_ports_are_pure_too(path: Path) -> None:
    assert [each for _, each in imports(path) if each.split(".")[0] in IMPURE] == []


def test_flows_take_the_outside_from_ports_alone() -> None:
    outside = {"os", "socket", "redis", "celery", "flask", "gevent", "PIL", "subprocess", "shutil", "pathlib", "urllib", "requests"}
    wrong = [
        f"{path.name}:{line} {name}" for path in (BACKEND / "flows").glob("*.py") for line, name in imports(path) if name.split(".")[0] in outside
    ]
    assert wrong == []


def test_the_codec_knows_no_redis_and_no_http() -> None:
    foreign = {"redis", "celery", "flask", "werkzeug", "gevent", "requests", "http", "urllib"}
    wrong = [
        f"{path.name}:{line} {name}" for path in (BACKEND / "codec").rglob("*.py") for line, name in imports(path) if name.split(".")[0] in foreign
    ]
    assert wrong == []


def reads_the_environment(path: Path) -> list[int]:
    """Lines that name ``os.environ`` or call ``os.getenv``."""
    nodes = (node for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Attribute))
    return [node.lineno for node in nodes if node.attr in ("environ", "environb", "getenv") and getattr(node.value, "id", "") == "os"]


def test_settings_are_read_in_one_place() -> None:
    readers = {str(path.relative_to(BACKEND)) for path in files() if reads_the_environment(path)}
    assert readers - set(ENVIRONMENT_PASSED_ON) - set(INTERNAL_READERS) == ENVIRONMENT_READERS


@pytest.mark.parametrize("name", INTERNAL_READERS)
def test_what_else_is_read_is_no_setting(name: str) -> None:
    words = set(re.findall(r"\b(?:GATEWAY|GUNICORN|API|REDIS)_[A-Z_]+\b", (BACKEND / name).read_text("utf-8")))
    assert words <= INTERNAL


@pytest.mark.parametrize("name", ENVIRONMENT_PASSED_ON)
def test_whoever_passes_the_environment_on_looks_nothing_up_in_it(name: str) -> None:
    tree = ast.parse((BACKEND / name).read_text("utf-8"))
    looked_up = [
        node.lineno
        for node in ast.walk(tree)
        if (isinstance(node, ast.Subscript) and ast.unparse(node.value) == "os.environ" and isinstance(node.ctx, ast.Load))
        or (isinstance(node, ast.Attribute) and ast.unparse(node.value) == "os.environ")
        or (isinstance(node, ast.Attribute) and ast.unparse(node) == "os.getenv")
    ]
    assert looked_up == []


def test_everything_is_patched_before_anything_else_is_imported() -> None:
    body = ast.parse((ROOT / "run.py").read_text("utf-8")).body
    first = [ast.unparse(each) for each in body if not (isinstance(each, ast.Expr) and isinstance(each.value, ast.Constant))]
    assert first[:2] == ["from gevent import monkey", "monkey.patch_all()"]


def test_the_server_offers_both_names_of_the_application() -> None:
    names = {
        target.id
        for node in ast.walk(ast.parse((ROOT / "run.py").read_text("utf-8")))
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    assert {"app", "application"} <= names


def modules_of(statement: str) -> set[str]:
    """What is loaded after ``statement`` in a fresh process."""
    code = f"import sys\n{statement}\nprint(*sys.modules)"
    said = subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT, env={"PATH": "/usr/bin:/bin"}, capture_output=True, text=True)
    return set(said.stdout.split())


def test_encoders_never_see_gevent() -> None:
    loaded = modules_of("import backend.encoder")
    assert "celery" in loaded
    assert not {"gevent", "gevent.monkey", "flask"} & loaded


def test_a_gateway_never_loads_celery() -> None:
    """Its tickets are pushed by scripts in Redis."""
    assert not {"celery", "billiard"} & modules_of("import run")


def test_a_worker_loads_no_clients_and_can_still_import_them() -> None:
    hidden = {"aiohttp", "requests", "valkey"}
    assert not hidden & modules_of("import run")
    assert "requests.sessions" in modules_of("import run; import requests")


def test_the_codec_can_be_imported_without_the_rest_of_the_house() -> None:
    loaded = modules_of("import backend.codec.sealed")
    assert not {"redis", "celery", "flask", "gevent", "backend.web", "backend.flows", "backend.adapters"} & loaded


def test_the_host_of_the_codec_never_loads_pillow() -> None:
    """What an encoder process imports watches over an image and never opens one: neither Pillow nor the rooms that use it."""
    loaded = modules_of("import backend.codec.sealed")
    assert not {"PIL", "PIL.Image", "ctypes.util", "numpy"} & loaded
    assert not [name for name in loaded if re.match(r"backend\.codec\.(sandbox|image|encoders|native)\.", name)]
    assert "PIL" not in modules_of("; ".join(f"import backend.codec.host.{path.stem}" for path in (BACKEND / "codec" / "host").glob("[a-z]*.py")))


def test_rooms_do_not_import_each_other_in_a_circle() -> None:
    arrows = {room(path): {name for _, name in rooms_imported(path)} for path in files()}
    for path in files():
        arrows[room(path)] |= {name for _, name in rooms_imported(path)}

    def reaches(here: str, goal: str, seen: frozenset[str] = frozenset()) -> bool:
        return any(next_room == goal or reaches(next_room, goal, seen | {here}) for next_room in arrows.get(here, set()) - seen - {here})

    assert [each for each in arrows if reaches(each, each)] == []
