"""Runs ``venv`` and pip, counts what pip has fetched and installed, and ends with them: nothing goes on after this process."""

from __future__ import annotations

import os
import re
import selectors
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from backend.supervisor import die_with_parent

IN_DETAIL = ("-vv", "--retries", "0")
"""pip says only then why an index gave nothing."""
LOOK_EVERY_S = 0.2
END_S = 5.0
TEMPORARY = "tmp"
PACKAGE = re.compile(r"^[A-Za-z0-9]", re.MULTILINE)
"""The lines of ``requirements.txt`` that name a package; those of hashes are indented."""
RETRY = re.compile(r"Retrying \(Retry\(total=(\d+)")
PIP = ("-m", "pip", "install", "--disable-pip-version-check", "--no-input", "--require-hashes", "--progress-bar", "off")


@dataclass(slots=True)
class Progress:
    """What pip has done, by its own lines, and by what lies in the folder."""

    total: int
    fetched: int = 0
    is_installing: bool = False
    retries: int = 0
    lines: list[str] = field(default_factory=list)

    def take(self, line: str) -> None:
        self.lines.append(line)
        self.total -= line.startswith("Ignoring ")
        self.fetched += line.startswith("Collecting ")
        self.is_installing |= line.startswith("Installing collected packages")
        self.retries += RETRY.search(line) is not None


def make_environment(python: str, folder: Path, held: int) -> tuple[int, str]:
    """Exit code, and what ``venv`` said."""
    with _child([python, "-m", "venv", str(folder)], folder, held) as child:
        return child.wait(), "".join(_all_of(child))


def install(python: Path, requirements: Path, held: int, on_advance: Callable[[Progress], None], options: Sequence[str] = ()) -> tuple[int, Progress]:
    """``held`` is a descriptor that pip keeps open: the lock stays with it, should this process be killed."""
    progress = Progress(len(PACKAGE.findall(requirements.read_text("utf-8"))))
    with _child([str(python), *PIP, *options, "-r", str(requirements)], python.parents[1], held) as child:
        for line in _lines(child):
            if line is not None:
                progress.take(line)
            on_advance(progress)
        return child.wait(), progress


@contextmanager
def _child(command: Sequence[str], folder: Path, held: int) -> Iterator[subprocess.Popen[str]]:
    """In a group of its own: Ctrl-C reaches us alone, and we end all of it. Whatever ends this block ends the group. Its temporary files lie in
    the environment's folder, so that nothing is left of them, however it ends."""
    temporary = folder / TEMPORARY
    temporary.mkdir(exist_ok=True)
    child = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,
        preexec_fn=die_with_parent,  # noqa: PLW1509 - the installation has one thread
        pass_fds=(held,),
        env={**os.environ, "PYTHONUNBUFFERED": "1", "LC_ALL": "C.UTF-8", "LANGUAGE": "C", "TMPDIR": str(temporary)},
    )
    try:
        yield child
    finally:
        if child.poll() is None:
            _end(child)
        if child.stdout:
            child.stdout.close()
        shutil.rmtree(temporary, ignore_errors=True)


def _end(child: subprocess.Popen[str]) -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(child.pid, number)
            child.wait(END_S)
            return
        except ProcessLookupError:
            return
        except subprocess.TimeoutExpired:
            pass


def _all_of(child: subprocess.Popen[str]) -> list[str]:
    return list(child.stdout or ())


def _lines(child: subprocess.Popen[str]) -> Iterator[str | None]:
    """Each line as it comes; None now and then while none does."""
    assert child.stdout is not None
    descriptor = child.stdout.fileno()
    rest = ""
    with selectors.DefaultSelector() as selector:
        selector.register(descriptor, selectors.EVENT_READ)
        while True:
            if not selector.select(LOOK_EVERY_S):
                yield None
                continue
            piece = os.read(descriptor, 65536)
            if not piece:
                break
            *whole, rest = (rest + piece.decode("utf-8", "replace")).split("\n")
            yield from whole
    if rest:
        yield rest
