"""A copy of this tree as somebody gets it who has just cloned it, and the commands of a page typed into it."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.conftest import missing
from tests.support.page_blocks import marked
from tests.support.running import ROOT, free_port

STARTED = "./start.sh & gateway=$!\nuntil ./start.sh health; do sleep 0.2; done"
"""A start that keeps a reader's terminal: here it stays behind, and what follows is typed into a second one."""
STOP = '\nif [ -n "${gateway:-}" ]; then kill $gateway && wait $gateway; fi\n'


def copy_of_the_tree(to: Path) -> Path:
    """What git has or would add; neither environments nor data."""
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        missing("this is not a clone")
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    for name in listed.split("\0"):
        if name and (ROOT / name).is_file():
            (to / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, to / name)
    return to


def repository(to: Path) -> Path:
    """The same as a repository that can be cloned."""
    copy_of_the_tree(to)
    for arguments in (["init", "--quiet"], ["add", "--all"], ["-c", "user.name=t", "-c", "user.email=t@localhost", "commit", "--quiet", "-m", "t"]):
        subprocess.run(["git", *arguments], cwd=to, check=True, timeout=120)
    return to


def environment_of_this_tree() -> Path:
    """``.venv`` as ``./start.sh setup`` makes it from the lock. A clone links it, so that not every test installs the same packages again."""
    subprocess.run([str(ROOT / "start.sh"), "setup"], check=True, capture_output=True, timeout=200)
    return ROOT / ".venv"


def script(page: str) -> str:
    """The blocks of a page that are run, in order. A plain ``./start.sh`` stays in the background, and is ended after the last line."""
    text = "\n".join(each.text for each in marked(page, "run"))
    if not re.search(r"^\./start\.sh$", text, re.MULTILINE):
        return text
    return re.sub(r"^\./start\.sh$", lambda _: STARTED, text, flags=re.MULTILINE) + STOP


@dataclass(frozen=True)
class Typed:
    code: int
    said: str


def typed(commands: str, folder: Path, within_s: float, **environment: str) -> Typed:
    """What became of ``commands`` in ``folder``, on free ports; whatever they started is ended."""
    port = str(free_port())
    for known, free in (("5000", port), ("9464", str(free_port()))):
        commands = re.sub(rf"(?<=127\.0\.0\.1:){known}\b", free, commands)
    given = {**os.environ, "API_PORT": port, "GUNICORN_WORKERS": "2", **environment}
    log = folder.parent / f"{folder.name}-said.log"
    with log.open("w") as said:
        shell = ["bash", "-euo", "pipefail", "-c", commands]
        process = subprocess.Popen(shell, cwd=folder, env=given, stdout=said, stderr=said, stdin=subprocess.DEVNULL, start_new_session=True)
        try:
            code = process.wait(within_s)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
            process.wait(30)
    return Typed(code, log.read_text("utf-8"))
