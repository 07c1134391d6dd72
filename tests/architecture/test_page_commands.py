"""Every command and every program of the documentation is run by a test, or this file says why it cannot be."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from docs import documents
from tests.support.page_blocks import Block, blocks

ROOT = Path(__file__).resolve().parents[2]
PAGES = [english for english, _ in documents.pairs()] + ["CONTRIBUTING.md"]
PROGRAMS = ("sh", "python", "js", "html", "php", "diff")
DATA = ("json", "toml", "yaml", "ini", "text")
"""What is shown and not run. The last is for drawings and listings."""
MARKERS = {
    "example": "tests/system/examples/test_pages.py",
    "run": "tests/system/examples/test_fresh_clone.py",
    "redis": "tests/system/examples/test_pages.py::test_what_a_page_tells_redis_it_takes",
    "bench": "tests/system/examples/test_bench.py",
    "hosts": "tests/system/hosts/test_hosts.py",
    "page": "tests/page/widgets.test.mjs",
}
ELSEWHERE = {
    ("CONTRIBUTING.md", "diff"): "tests/system/examples/test_contributing.py::test_an_addition_touches_few_files_and_the_page_names_them",
    ("CONTRIBUTING.md", "cp backend/texts/en.toml"): "tests/system/examples/test_contributing.py::test_the_language_is_one_of_the_gateways",
    ("docs/guides/webhooks.md", "python"): "tests/system/main_path/test_webhook_receivers.py",
    ("docs/guides/webhooks.md", "js"): "tests/system/main_path/test_webhook_receivers.py",
    ("docs/guides/webhooks.md", "php"): "tests/system/main_path/test_webhook_receivers.py",
    ("docs/internals/estimates.md", "GATEWAY_URL"): "tests/system/examples/test_bench.py::test_the_pages_estimates_are_measured",
    ("docs/internals/ingest.md", "./bench/run.sh ingest"): "tests/system/examples/test_bench.py::test_a_part_runs_on_a_fresh_clone",
    ("docs/internals/ingest.md", "./bench/run.sh slow_uploads"): "tests/system/examples/test_bench.py::test_a_part_runs_on_a_fresh_clone",
    ("docs/operate/deployment.md", "cp deploy/nginx.conf"): "tests/system/deploy/test_nginx.py::test_default_clients_of_each_kind_work_through_nginx",
    ("docs/operate/deployment.md", "GATEWAY_PATH_PREFIX"): (
        "tests/system/deploy/test_prefix.py::test_behind_the_shipped_file_everything_works_below_a_path"
    ),
    ("docs/operate/deployment.md", "cp deploy/supervisor"): (
        "tests/system/deploy/test_units.py::test_supervisor_runs_the_roles_restarts_what_is_killed_and_stops_without_a_rest"
    ),
    ("docs/operate/layouts.md", "install -D"): (
        "tests/system/deploy/test_units.py::test_systemd_finds_nothing_wrong_with_a_layouts_change_of_a_unit"
    ),
    ("docs/operate/layouts.md", "sed -f"): "tests/system/deploy/test_layouts.py::test_official_clients_with_their_default_settings_follow_jobs",
    ("docs/operate/redis.md", "REDIS_URL=redis"): (
        "tests/system/start/test_redis_role.py::test_a_cluster_uses_the_redis_that_the_role_started_with_its_user_and_password"
    ),
    ("docs/operate/watermarks.md", "export GATEWAY_WATERMARKS_DIR"): (
        "tests/system/ops/test_watermarks.py::test_a_folder_of_marks_serves_clients_and_is_mended_while_the_gateway_runs"
    ),
    ("docs/operate/deployment.md", "./deploy/pyinstaller"): (
        "tests/system/deploy/test_executable.py::test_the_executable_serves_health_page_and_a_conversion_and_ends_when_told"
    ),
}
"""Blocks by their page and their language or their first words, and the test that runs what stands in them."""
CANNOT = {
    ("CONTRIBUTING.md", "./start.sh          #"): "the second line runs all the quick tests; the first is README's",
    ("docs/internals/performance.md", "./bench/run.sh"): "takes twenty minutes; its parts are tried one by one",
    ("docs/operate/deployment.md", "docker build"): "needs a Docker daemon; test_image.py builds and runs the same file with buildah",
    ("docs/operate/watermarks.md", "docker run"): "needs a Docker daemon; test_image.py builds and runs the same file with buildah",
    ("docs/operate/deployment.md", "docker compose"): "needs a Docker daemon; test_compose.py reads the same file",
    ("docs/operate/deployment.md", "useradd"): "changes the machine; test_units.py checks and runs the same units",
    ("docs/operate/deployment.md", "kubectl"): "needs a cluster; test_kubernetes.py checks the same manifests",
    ("docs/operate/monitoring.md", ".venv/bin/python -m pip install"): "downloads packages; test_telemetry.py uses them",
    ("docs/guides/cdn.md", "<picture>"): "markup of somebody's website, without the gateway",
    ("docs/operate/tuning.md", "sysctl"): "changes the kernel of the machine",
    ("docs/operate/storage.md", "export GATEWAY_STORAGE_URL"): "needs somebody's bucket; test_store.py runs against a server of the same protocol",
}


COMMAND = re.compile(r"^\s*(\$ |sudo |\./|(tests/)?\.venv/|curl |python3? |npm |pip |docker |git )", re.MULTILINE)


def is_named(block: Block, table: dict[tuple[str, str], str]) -> bool:
    return any(page == block.page and (start == block.language or block.text.lstrip().startswith(start)) for page, start in table)


def only_runs_tests(block: Block) -> bool:
    return all(line.startswith("./tests/run.sh") for line in block.text.splitlines())


ALL = [each for page in PAGES for each in blocks(page)]


@pytest.mark.parametrize("page", PAGES)
def test_every_block_is_run_by_a_test_or_says_why_not(page: str) -> None:
    programs = [each for each in ALL if each.page == page and each.language in PROGRAMS]
    unmarked = [each for each in programs if each.marker not in MARKERS and not only_runs_tests(each)]
    lost = [each.text[:80] for each in unmarked if not is_named(each, ELSEWHERE) and not is_named(each, CANNOT)]
    assert lost == []


@pytest.mark.parametrize("page", PAGES)
def test_every_block_says_what_it_is(page: str) -> None:
    """A block without a language is a drawing: a command in it would never be run."""
    assert [each.text[:80] for each in ALL if each.page == page and each.language not in (*PROGRAMS, *DATA, "")] == []
    drawn = [each.text for each in ALL if each.page == page and each.language in ("", "text")]
    assert [each for each in drawn if COMMAND.search(each)] == []


def test_no_reason_outlives_its_block() -> None:
    for table in (ELSEWHERE, CANNOT):
        assert [key for key in table if not any(is_named(each, {key: ""}) for each in ALL)] == []
    assert {each.marker for each in ALL} - {""} <= set(MARKERS)


@pytest.mark.parametrize("place", sorted({*MARKERS.values(), *ELSEWHERE.values()}))
def test_what_runs_the_blocks_is_there(place: str) -> None:
    path, _, name = place.partition("::")
    assert f"def {name}(" in (ROOT / path).read_text("utf-8") if name else (ROOT / path).exists()


RUNS = sorted({(each.page, line) for each in ALL for line in each.text.splitlines() if line.startswith("./tests/run.sh ")})


@pytest.mark.parametrize(("page", "line"), RUNS)
def test_a_run_of_the_tests_selects_some(page: str, line: str) -> None:
    """What ``-k`` asks for is in the name of a test of that suite."""
    words = [*shlex.split(line, comments=True)[1:], "unit"]
    folders = [place for place in (ROOT / "tests" / words[0], ROOT / "tests/system" / words[0]) if place.is_dir()]
    wanted = words[words.index("-k") + 1] if "-k" in words else ""
    files = [file for folder in folders for file in folder.rglob("*.py")]
    assert any(wanted in file.stem or re.search(rf"def \w*{wanted}", file.read_text("utf-8")) for file in files), f"{page}: {line}"


@pytest.mark.parametrize("page", [*PAGES, *(chinese for _, chinese in documents.pairs())])
def test_benchmarks_that_a_page_names_are_there(page: str) -> None:
    text = (ROOT / page).read_text("utf-8")
    parts = re.findall(r"^    (\w+)\) ", (ROOT / "bench/run.sh").read_text("utf-8"), re.MULTILINE)
    assert set(re.findall(r"\./bench/run\.sh (\w+)", text)) <= {*parts, "setup"}
    assert [name for name in re.findall(r"-m bench\.([\w.]+)", text) if not (ROOT / "bench" / f"{name.replace('.', '/')}.py").exists()] == []


TEXTS = sorted(
    path
    for folder in ("bench", "deploy", "docs", "frontend", "backend")
    for path in (ROOT / folder).rglob("*")
    if path.suffix in (".md", ".py", ".sh", ".mjs", ".js", ".toml", ".yml", ".yaml", ".conf") and "node_modules" not in path.parts
)


def is_inside(path: str, *bases: Path) -> bool:
    places = [base.joinpath(path).resolve() for base in bases]
    return any(place.is_relative_to(ROOT) and place.exists() for place in places)


def test_nothing_names_a_path_outside_the_repository() -> None:
    """``../`` leads from the file's own folder, or in a command from the root; something of the tree must be there."""
    outside = []
    for file in (*TEXTS, *ROOT.glob("*.md")):
        for path in re.findall(r"(?<![\w./\\])((?:\.\./)+[\w./-]*)", file.read_text("utf-8")):
            if not is_inside(path, file.parent, ROOT, ROOT / "docs" / "internals"):  # the last: pages that programs write
                outside.append((file.relative_to(ROOT).as_posix(), path))
    assert outside == []
