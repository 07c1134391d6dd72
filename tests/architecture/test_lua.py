"""The Lua scripts, as Redis gets them: linted whole, and each with a header that says what it takes and answers."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from backend.adapters.redis import scripts
from backend.adapters.redis.scripts import FOLDER, sources
from tests.conftest import missing

STANDARD = ["--std", "lua51", "--read-globals", "redis", "cjson", "KEYS", "ARGV", "--max-line-length", "150", "--no-color"]
SHARED = re.findall(r"(?m)^local (?:function )?(\w+)", scripts.prelude())


def lint(path: Path) -> subprocess.CompletedProcess[str]:
    """What the prelude defines may be left unused by a script; anything else is a finding."""
    unused = [word for name in [*SHARED, "log_limit"] for word in ("--ignore", f"211/{name}")]
    return subprocess.run(["luacheck", *STANDARD, *unused, "--", str(path)], check=False, capture_output=True, text=True)


@pytest.fixture
def luacheck() -> None:
    if shutil.which("luacheck") is None:
        missing("luacheck is not installed")


@pytest.mark.usefixtures("luacheck")
@pytest.mark.parametrize("name", sources())
def test_a_script_is_without_findings(name: str, tmp_path: Path) -> None:
    path = tmp_path / f"{name}.lua"
    path.write_text(sources()[name], "utf-8")
    found = lint(path)
    assert found.returncode == 0, found.stdout


@pytest.mark.usefixtures("luacheck")
def test_the_linter_sees_a_misspelt_name_and_what_a_script_leaves_unused(tmp_path: Path) -> None:
    path = tmp_path / "wrong.lua"
    path.write_text(scripts.prelude() + "local left = 1\nreturn chnage(ARGV[1])\n", "utf-8")
    said = lint(path).stdout
    assert "chnage" in said and "left" in said


@pytest.mark.parametrize("name", sources())
def test_a_script_says_what_it_answers(name: str) -> None:
    header = [line for line in (FOLDER / f"{name}.lua").read_text("utf-8").splitlines() if line.startswith("--")]
    assert any(line.startswith("-- Answer: ") for line in header)


def test_every_key_and_every_channel_is_described() -> None:
    used = {name for text in sources().values() for name in re.findall(r"key\('([a-z:]+)'", text)}
    assert [name for name in sorted(used) if not re.search(rf"(?m)^(    |- ``){name}(<| )", scripts.__doc__ or "")] == []
