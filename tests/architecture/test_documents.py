"""Documentation is tested like code: what is made from the code is up to date, both languages have the same shape, links lead somewhere."""

from __future__ import annotations

import re
import tomllib
from functools import cache
from pathlib import Path

import pytest

from backend import errors, settings, start_block, texts
from backend.core import options
from backend.web.openapi import document
from backend.web.routes import operations
from docs import documents, draw_options
from tests.architecture.test_arrows import EVERYTHING, MAY_IMPORT
from tests.system.ops.shown import SHOWN

ROOT = Path(__file__).resolve().parents[2]
PAIRS = documents.pairs()
ALL = sorted({name for pair in PAIRS for name in pair})
PAGES_WITH_PLOTS = ["docs/internals/performance.md", "docs/internals/performance.zh-CN.md"]
ONE_LANGUAGE = ["CONTRIBUTING.md", "CHANGELOG.md"]
LINK = re.compile(r"\]\((?!https?:)([^)#]*)(?:#([^)]+))?\)")
CODE = re.compile(r"```.*?```", re.DOTALL)
INLINE = re.compile(r"`([^`\s]+)`")
FOLDERS = ("backend", "bench", "deploy", "docs", "frontend", "tests")
ROOMS = tuple(path.stem for path in (ROOT / "backend").iterdir() if path.suffix in ("", ".py"))
"""Pages may leave ``backend/`` and ``.py`` away: ``flows/encode``."""
SOURCES = (".css", ".js", ".lua", ".mjs", ".py", ".sh")
PLACES = ("*", "tests/*/*", "backend/**/*", "bench/**/*", "deploy/**/*", "docs/**/*", "frontend/**/*")
"""Where a source file may be that is named alone."""


def read(name: str) -> str:
    return (ROOT / name).read_text("utf-8")


def prose(name: str) -> str:
    """A page without its blocks of code."""
    return CODE.sub("", read(name))


def links(name: str) -> list[tuple[Path, str]]:
    """File and section of each relative link."""
    here = ROOT / name
    return [(here.parent.joinpath(file).resolve() if file else here, anchor) for file, anchor in LINK.findall(prose(name))]


MADE_FROM_THE_CODE = [(name, number) for name, steps in documents.made().items() for number in range(len(steps))]


@pytest.mark.parametrize(("name", "number"), MADE_FROM_THE_CODE)
def test_what_is_made_from_the_code_is_up_to_date(name: str, number: int) -> None:
    text = read(name)
    assert text == documents.made()[name][number](text), "run: python docs/documents.py"


def test_every_setting_has_a_topic_and_every_topic_a_setting() -> None:
    assert {documents.topic_of(name) for name, _, _ in settings.rows("en")} == set(range(len(documents.TOPICS)))


def test_every_metric_has_its_meaning_in_chinese_and_no_other() -> None:
    told = tomllib.loads(documents.METRICS_IN_CHINESE.read_text("utf-8"))
    assert set(told) == {name for name, _, _, _ in documents.metrics()}


@pytest.mark.parametrize("name", ["docs/reference/options.md", "docs/reference/options.zh-CN.md"])
def test_the_options_page_has_every_option_of_the_contract(name: str) -> None:
    shown = re.findall(r"`(\w+)`", " ".join(re.findall(r"^### (.*)$", read(name), re.MULTILINE)))
    named = [each for cell in first_cells("docs/reference/contract.md", "Options") for each in re.findall(r"`(\w+)`", cell)]
    assert sorted(shown) == sorted(named)


def test_every_picture_of_an_option_is_drawn_by_the_script() -> None:
    drawn = {f"{name}.webp" for name in draw_options.STRIPS}
    assert {path.name for path in (ROOT / "docs/images/options").iterdir()} == drawn
    assert set(re.findall(r"options/(\w+\.webp)", read("docs/reference/options.md"))) == drawn


def test_every_setting_has_a_test_of_its_effect_and_every_such_test_is_there() -> None:
    assert set(SHOWN) == {name for name, _, _ in settings.rows("en")}
    for place in SHOWN.values():
        path, _, name = place.partition("::")
        assert f"def {name}(" in (ROOT / path).read_text("utf-8"), place


@pytest.mark.parametrize(("english", "chinese"), PAIRS)
def test_both_languages_have_the_same_headings_code_and_links(english: str, chinese: str) -> None:
    one, other = read(english), read(chinese)

    def headings(text: str) -> list[str]:
        return re.findall(r"^#+", CODE.sub("", text), re.MULTILINE)

    def pages(name: str) -> list[str]:
        return [documents.LANGUAGE.sub("", str(file)) for file, _ in links(name)]

    def programs(text: str) -> list[str]:
        return [block for block in CODE.findall(text) if not block.startswith("```\n")]

    assert headings(one) == headings(other)
    assert programs(one) == programs(other)
    assert pages(english) == pages(chinese)


@pytest.mark.parametrize(("english", "chinese"), PAIRS)
def test_drawings_are_in_the_language_of_their_page(english: str, chinese: str) -> None:
    """A block without a language is a drawing or a listing: as many lines, and Chinese words."""
    one, other = ([block for block in CODE.findall(read(name)) if block.startswith("```\n")] for name in (english, chinese))
    assert [block.count("\n") for block in one] == [block.count("\n") for block in other]
    assert [block for block in other if not re.search("[\u4e00-\u9fff]", block)] == []


@pytest.mark.parametrize("name", PAGES_WITH_PLOTS)
def test_plots_are_in_the_language_of_their_page(name: str) -> None:
    for plot in re.findall(r"images/(bench-[\w.-]+\.svg)", read(name)):
        assert bool(re.search("[\u4e00-\u9fff]", read(f"docs/images/{plot}"))) is name.endswith(documents.CHINESE), plot


@pytest.mark.parametrize("name", ALL)
def test_every_relative_link_leads_somewhere(name: str) -> None:
    for file, anchor in links(name):
        assert file.exists(), f"{name}: {file}"
        if anchor:
            text = file.read_text("utf-8")
            anchors = [re.sub(r"[^\w -]", "", each.lower()).replace(" ", "-") for each in re.findall(r"^#+ (.*)$", text, re.MULTILINE)]
            assert anchor in anchors + re.findall(r'<a id="([^"]+)">', text), f"{name}: {file}#{anchor}"


@pytest.mark.parametrize("chinese", [False, True])
def test_the_readme_leads_to_every_page(chinese: bool) -> None:
    own = {ROOT / pair[chinese] for pair in PAIRS}
    seen, ahead = set(), [ROOT / PAIRS[0][chinese]]
    while ahead:
        page = ahead.pop()
        if page in own and page not in seen:
            seen.add(page)
            ahead += [file for file, _ in links(page.relative_to(ROOT).as_posix())]
    assert own - seen == set()


USERS = [name for name in ALL if name.startswith(("README", "docs/start/", "docs/guides/", "docs/reference/", "docs/operate/"))]


@pytest.mark.parametrize("name", USERS)
def test_a_page_that_speaks_of_api_keys_names_the_header(name: str) -> None:
    text = prose(name)
    if re.search(r"API keys?\b|API 密钥|_API_KEYS", text):
        assert re.search(r"Authorization: '?Bearer", text)


@pytest.mark.parametrize(("name", "language"), [("README.md", "en"), ("README.zh-CN.md", "zh-CN")])
def test_the_readme_shows_what_a_start_says(name: str, language: str) -> None:
    given = {"address": "http://127.0.0.1:5000", "folder": "…/webp-gateway/var"}
    rows = [[texts.text(f"start_block.{row}.{part}", language, **given) for part in ("name", "what")] for row in start_block.ROWS]
    assert [re.split(" {2,}", line.strip()) for line in re.findall(r"^  \S.*  \S.*$", read(name).split("## ")[1], re.MULTILINE)] == rows


def first_cells(name: str, section: str) -> list[str]:
    """The first cell of each row of the first table below a heading of the contract."""
    text = read(name).split(f"\n## {section}\n")[1].split("\n## ")[0]
    rows = [line.split(" | ")[0].removeprefix("| ") for line in text.splitlines() if line.startswith("| `")]
    assert rows
    return rows


@pytest.mark.parametrize(("name", "section"), [("docs/reference/contract.md", "Routes"), ("docs/reference/contract.zh-CN.md", "路由")])
def test_the_contract_names_routes_that_there_are(name: str, section: str) -> None:
    paths = document.describe(operations(), "1.0.0", "en", True)["paths"]
    known = {f"{method.upper()} {re.sub(r'{[a-z_]+}', '{id}', path)}" for path, methods in paths.items() for method in methods}
    assert {re.sub(r"{[a-z_]+}", "{id}", each.strip("`")) for each in first_cells(name, section)} <= known


@pytest.mark.parametrize(("name", "section"), [("docs/reference/contract.md", "Options"), ("docs/reference/contract.zh-CN.md", "选项")])
def test_the_contract_names_options_that_there_are(name: str, section: str) -> None:
    named = [each for cell in first_cells(name, section) for each in re.findall(r"`(\w+)`", cell)]
    assert len(set(named)) == len(named) and set(named) <= set(options.schema())
    assert [each for each in named if not texts.has(f"api.options.{each}")] == [], "an option of the contract is described in the API"


@pytest.mark.parametrize(("name", "section"), [("docs/reference/contract.md", "Errors"), ("docs/reference/contract.zh-CN.md", "错误")])
def test_the_contract_names_every_error_code(name: str, section: str) -> None:
    text = read(name).split(f"\n## {section}\n")[1].split("\n## ")[0]
    assert dict(re.findall(r"^\| `(\w+)` \| (\d+) \|", text, re.MULTILINE)) == {code: str(kind.status) for code, kind in errors.BY_CODE.items()}


def is_there(name: str) -> bool:
    """Whether the tree has what a page calls so: a path, a path below ``backend/``, a source file by its name alone, or a test in a file."""
    name, _, test = name.removeprefix("./").partition("::")
    if test and f"def {test}(" not in read(name):
        return False
    first, slash, _ = name.partition("/")
    if slash and first in FOLDERS:
        return any(ROOT.glob(name.rstrip("/")))
    if slash and first in ROOMS:
        return any(any((ROOT / "backend").glob(name.rstrip("/") + end)) for end in ("", ".py"))
    return bool(slash) or not name.endswith(SOURCES) or name in source_names()


@cache
def source_names() -> frozenset[str]:
    return frozenset(path.name for place in PLACES for path in ROOT.glob(place) if path.name.endswith(SOURCES))


@pytest.mark.parametrize("name", [*ALL, *ONE_LANGUAGE])
def test_every_file_that_a_page_names_is_there(name: str) -> None:
    made = re.findall(r"^\+\+\+ b/(.+)$", read(name), re.MULTILINE)
    assert [each for each in INLINE.findall(prose(name)) if each not in made and not is_there(each)] == []


@pytest.mark.parametrize("name", [*ALL, *ONE_LANGUAGE])
def test_every_suite_that_a_page_names_is_there(name: str) -> None:
    known = set(re.findall(r"[a-z-]+", " ".join(re.findall(r"^  ([a-z| -]+)\)$", read("tests/run.sh"), re.MULTILINE))))
    named = re.findall(r"\./tests/run\.sh ([a-z_/-]+)", read(name))
    assert [each for each in named if each not in known and not any((ROOT / place / each).is_dir() for place in ("tests", "tests/system"))] == []


@pytest.mark.parametrize("name", ["docs/explain/architecture.md", "docs/explain/architecture.zh-CN.md"])
def test_the_table_of_rooms_says_what_each_may_import(name: str) -> None:
    """Rows have three cells: rooms, what they hold, and rooms that they may import; no name in the last one is nothing, or everything."""
    rows = [line.strip("| ").split(" | ") for line in read(name).splitlines() if line.startswith("| `")]
    told = {room.strip("/"): set(INLINE.findall(cells[2])) for cells in rows if len(cells) == 3 for room in INLINE.findall(cells[0])}
    assert told == {room: rooms - EVERYTHING for room, rooms in MAY_IMPORT.items() if room != "__init__"}


@pytest.mark.parametrize("name", ONE_LANGUAGE)
def test_the_pages_in_one_language_lead_somewhere(name: str) -> None:
    test_every_relative_link_leads_somewhere(name)
