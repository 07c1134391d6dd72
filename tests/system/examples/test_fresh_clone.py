"""README's commands and the guides' on a fresh clone, as a reader types them, in both languages."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from docs import documents
from tests.conftest import missing
from tests.support.fresh_clone import copy_of_the_tree, environment_of_this_tree, repository, script, typed
from tests.support.page_blocks import marked
from tests.support.running import ROOT

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(400)]
GUIDES = ("docs/guides/webhooks.md", "docs/operate/keys.md")
LANGUAGES = {"README.md": "en_GB.UTF-8", "README.zh-CN.md": "zh_CN.UTF-8"}
LINKED = 'ln -s "$ENVIRONMENT" .venv\n'
"""Typed before the start where the packages are not what is tried."""


def commands(page: str, *, installed: bool) -> str:
    return script(page).replace("./start.sh &", f"{LINKED}./start.sh &", 1) if installed else script(page)


@pytest.mark.parametrize("page", LANGUAGES)
def test_the_readmes_commands_convert_the_sample(page: str, tmp_path: Path) -> None:
    here = tmp_path / "here"
    here.mkdir()
    given = {"REPOSITORY": str(repository(tmp_path / "repository")), "ENVIRONMENT": str(environment_of_this_tree()), "LANG": LANGUAGES[page]}
    done = typed(commands(page, installed=True).replace("clone REPOSITORY", 'clone "$REPOSITORY"'), here, 150, **given)
    assert done.code == 0, done.said[-3000:]
    assert (here / "webp-gateway" / "sample.webp").read_bytes()[8:12] == b"WEBP"


@pytest.mark.slow
@pytest.mark.parametrize("page", LANGUAGES)
def test_a_machine_that_has_nothing_yet_gets_its_first_image(page: str, tmp_path: Path) -> None:
    """Everything that README says, the installing of the packages included. It prints what each step took."""
    asked = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-cache-dir", "--dest", str(tmp_path / "asked"), "idna"]
    if subprocess.run(asked, check=False, capture_output=True, timeout=120).returncode:
        missing("the package index cannot be reached")
    here = tmp_path / "here"
    here.mkdir()
    given = {"REPOSITORY": str(repository(tmp_path / "repository")), "LANG": LANGUAGES[page]}
    timed = commands(page, installed=False).replace("clone REPOSITORY", 'clone "$REPOSITORY"')
    timed = timed.replace("until ", "echo cloned $SECONDS s\nuntil ").replace("curl ", "echo ready $SECONDS s\ncurl ")
    begun = time.monotonic()
    done = typed(timed, here, 300, **given)
    print(page, [line for line in done.said.splitlines() if line.startswith(("cloned ", "ready "))], f"ended {time.monotonic() - begun:.0f} s")
    assert done.code == 0, done.said[-3000:]
    assert (here / "webp-gateway" / "sample.webp").read_bytes()[8:12] == b"WEBP"


@pytest.mark.parametrize("page", GUIDES)
def test_a_guides_commands_run(page: str, tmp_path: Path) -> None:
    if shutil.which("openssl") is None:
        missing("openssl is not installed")
    clone = copy_of_the_tree(tmp_path / "clone")
    (clone / ".venv").symlink_to(environment_of_this_tree())
    done = typed(script(page), clone, 150)
    assert done.code == 0, done.said[-3000:]


@pytest.mark.parametrize(("english", "chinese"), documents.pairs())
def test_both_languages_type_the_same_commands(english: str, chinese: str) -> None:
    assert [each.text for each in marked(english, "run")] == [each.text for each in marked(chinese, "run")]


def test_readme_says_how_much_disk_it_needs() -> None:
    """The tree, its history, and the packages; rounded up, with room for a release or two."""
    listed = subprocess.run(["git", "count-objects", "-v"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    packed = next(int(line.split()[1]) for line in listed.splitlines() if line.startswith("size-pack")) * 1024
    tree = sum(path.stat().st_size for path in ROOT.rglob("*") if path.is_file() and not {".git", ".venv", "var", "node_modules"} & set(path.parts))
    packages = sum(os.lstat(path).st_size for path in environment_of_this_tree().rglob("*"))
    megabytes = (packed + tree + packages) / 1e6
    for page in LANGUAGES:
        said = int((ROOT / page).read_text("utf-8").split(" MB")[0].split()[-1].strip("约 "))
        assert megabytes <= said <= megabytes + 100, (page, megabytes)
