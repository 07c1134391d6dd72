"""A third language is a file of the gateway's texts and a file of the page's: nothing else is touched."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from typing import Any

import pytest

from tests.unit.texts.used import BACKEND, ROOT

ASK = """
import json, pathlib, sys
from tests.unit.web import conftest
from tests.unit.web.conftest import Web
from backend import settings, texts
conftest.FRONTEND = pathlib.Path("frontend").resolve()
web = Web()
answers = {path: web.get(path, headers={"Accept-Language": "fr, xx-XX;q=0.8, zh;q=0.5"}) for path in sys.argv[1:]}
told = {path: [answer.headers.get("Content-Language"), answer.text] for path, answer in answers.items()}
print(json.dumps({"languages": texts.languages(), "told": told, "rows": settings.rows("xx"), "line": texts.in_every_language("start.no_redis")}))
"""
PATHS = ("/", "/status", "/problems/gone", "/api/jobs/nothing", "/plain/jobs/nothing")


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What a copy of the tree says that has one more file of each kind: English, each sentence with a mark before it."""
    copy = tmp_path_factory.mktemp("copy")
    shutil.copytree(BACKEND, copy / "backend", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "frontend", copy / "frontend")
    page = json.loads((copy / "frontend" / "i18n" / "en.json").read_text("utf-8"))
    (copy / "frontend" / "i18n" / "xx.json").write_text(json.dumps({key: f"✓ {text}" for key, text in page.items()}), "utf-8")
    english = (BACKEND / "texts" / "en.toml").read_text("utf-8")
    (copy / "backend" / "texts" / "xx.toml").write_text(re.sub(r"""(?m)^([\w.]+ = ["'])""", r"\1✓ ", english), "utf-8")
    command = [sys.executable, "-c", ASK, *PATHS]
    places = {"PYTHONPATH": f"{copy}:{ROOT}", "PATH": "/usr/bin:/bin"}
    said = subprocess.run(command, cwd=copy, env=places, check=True, capture_output=True, text=True, timeout=60)
    return dict(json.loads(said.stdout))


def test_it_is_one_of_the_languages(answers: dict[str, Any]) -> None:
    assert answers["languages"] == ["en", "xx", "zh-CN"]


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("/", '<html lang="xx"'),
        ("/", ">✓ Choose images<"),
        ("/status", ">✓ The gateway at work<"),
        ("/problems/gone", "<h2>✓ What to do</h2><p>✓ Look at the job"),
        ("/api/jobs/nothing", '"title": "✓ Not found"'),
        ("/plain/jobs/nothing", "<strong>✓ Not found</strong>"),
    ],
)
def test_whoever_asks_for_it_reads_it(answers: dict[str, Any], path: str, shown: str) -> None:
    language, text = answers["told"][path]
    assert shown in text
    assert language in ("xx", None)


def test_the_operator_reads_it_too(answers: dict[str, Any]) -> None:
    assert {meaning[:2] for _, _, meaning in answers["rows"]} == {"✓ "}
    assert answers["line"].count("Redis 6.2+") == 3 and "✓ No Redis 6.2+" in answers["line"]
