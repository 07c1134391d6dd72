"""The first start in a fresh folder: two at once, interrupted, killed, in a folder with something else in it, without what it needs."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.running import free_port
from tests.system.start.conftest import Clone, Index, make_clone, nothing_left

pytestmark = pytest.mark.e2e
NOBODY = 65534


def has_waited(process: subprocess.Popen[str]) -> str:
    """The line by which a start says that it waits."""
    assert process.stderr is not None
    return process.stderr.readline()


@pytest.mark.parametrize("word", ["--help", "-h", "help", "--version", "version", "gatewy"])
def test_help_version_and_a_suggestion_are_there_before_anything_is_installed(clone: Clone, word: str) -> None:
    code, _ = clone.run(word)
    assert code == (2 if word == "gatewy" else 0)
    assert not clone.venv.exists() and clone.index.fetched == []


def test_two_first_starts_at_once_install_once_and_the_second_says_that_it_waits(clone: Clone) -> None:
    clone.index.free.clear()
    first = clone.begin("setup")
    assert clone.index.asked.wait(90)
    second = clone.begin("setup")
    assert f"Another start (process {first.pid}) is installing in this folder" in has_waited(second)
    clone.index.free.set()
    assert [first.wait(90), second.wait(90)] == [0, 0]
    assert len(clone.index.fetched) == 1 and clone.has_package()
    first.communicate(), second.communicate()


def test_a_killed_first_start_frees_the_lock_and_the_next_one_begins_anew(clone: Clone) -> None:
    clone.index.free.clear()
    first = clone.begin("setup")
    assert clone.index.asked.wait(90)
    second = clone.begin("setup")
    has_waited(second)
    first.kill()
    clone.index.free.set()
    said = second.communicate(timeout=150)[1]
    assert second.returncode == 0 and "An earlier installation was not completed" in said
    assert clone.has_package()
    first.communicate()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupted_installation_says_so_leaves_no_process_and_is_not_taken_for_whole(clone: Clone, number: signal.Signals) -> None:
    clone.index.free.clear()
    with nothing_left(clone.folder):
        process = clone.begin("setup")
        assert clone.index.asked.wait(90)
        process.send_signal(number)
        process.send_signal(number)
        said = process.communicate(timeout=60)[1]
    assert process.returncode == 128 + number
    assert said.splitlines()[-1] == "Stopped. The installation was not completed; the next ./start.sh begins it anew."
    assert "Traceback" not in said and "ERROR" not in said
    clone.index.free.set()
    assert clone.run("setup")[0] == 0 and clone.has_package()


FOREIGN: dict[str, Callable[[Path], object]] = {
    "a file": lambda path: path.write_text("mine"),
    "a folder of something else": lambda path: (path.mkdir(), (path / "mine").write_text("mine")),
    "an environment of Windows": lambda path: ((path / "Scripts").mkdir(parents=True), (path / "Scripts" / "python.exe").write_text("mine")),
    "another tool's environment": lambda path: subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(path)], check=True),
    "a link that leads nowhere": lambda path: path.symlink_to(path.parent / "nowhere"),
}


@pytest.mark.parametrize("kind", FOREIGN)
def test_a_venv_of_somebody_else_is_kept_under_another_name(clone: Clone, kind: str) -> None:
    FOREIGN[kind](clone.venv)
    code, said = clone.run("setup")
    assert code == 0 and clone.has_package()
    assert ".venv was not made by start.sh. It is kept as .venv.old" in said
    kept = clone.folder / ".venv.old"
    assert kept.is_symlink() or kept.exists()


def test_a_venv_of_another_machine_or_python_is_made_anew_and_says_why(clone: Clone) -> None:
    assert clone.run("setup")[0] == 0
    python = clone.venv / "bin" / "python"
    python.unlink()
    python.symlink_to("/nowhere/bin/python3")
    code, said = clone.run("setup")
    assert code == 0 and clone.has_package()
    assert ".venv belongs to another Python or another machine. Making it anew." in said


def test_other_locked_packages_are_installed_anew_and_a_moved_folder_keeps_its_own(clone: Clone) -> None:
    assert clone.run("setup")[0] == 0
    moved = Clone(clone.folder.with_name("moved"), clone.index)
    clone.folder.rename(moved.folder)
    assert moved.run("setup") == (0, "")
    with (moved.folder / "requirements.txt").open("a") as lock:
        lock.write("# newer\n")
    code, said = moved.run("setup")
    assert code == 0 and "Installing them anew" in said and moved.has_package()


def test_a_first_start_counts_its_packages(clone: Clone) -> None:
    said = clone.run("setup")[1].splitlines()
    assert said[0].startswith("First start: installing into .venv with Python 3.")
    assert said[-2] == "Installing 1 of 1 packages …"
    assert said[-1].startswith("1 packages installed in ")


def closed() -> str:
    return f"127.0.0.1:{free_port()}"


PROXY = {"PIP_INDEX_URL": "https://index.example/simple", "https_proxy": f"http://me:secret@{closed()}"}
UNREACHABLE: dict[str, tuple[dict[str, str], int, str]] = {
    "no network": ({"PIP_INDEX_URL": f"http://{closed()}/simple"}, 200, "127.0.0.1 cannot be reached"),
    "no such host": ({"PIP_INDEX_URL": "https://index.invalid/simple"}, 200, "index.invalid cannot be reached"),
    "a mirror without TLS": ({"PIP_INDEX_URL": "http://index.invalid/simple"}, 200, "index.invalid is asked without TLS"),
    "a proxy that fails": (PROXY, 200, "The proxy http://…@127.0.0.1"),
    "an index that refuses": ({}, 403, "refuses to hand the packages out"),
    "an index that is broken": ({}, 503, "127.0.0.1 cannot be reached"),
}


@pytest.mark.parametrize("kind", UNREACHABLE)
def test_packages_that_cannot_be_fetched_get_their_own_advice(clone: Clone, kind: str) -> None:
    environment, clone.index.status, sentence = UNREACHABLE[kind]
    code, said = clone.run("setup", **environment)
    assert code == 1 and sentence in said.splitlines()[-1], said
    assert "secret" not in said and "Traceback" not in said
    clone.index.status = 200
    assert clone.run("setup")[0] == 0


def test_packages_that_were_changed_on_their_way_are_named_as_such(clone: Clone) -> None:
    lock = clone.folder / "requirements.txt"
    lock.write_text(lock.read_text()[:-11] + "0000000000\n")
    code, said = clone.run("setup")
    assert code == 1 and "the SHA-256 differs" in said.splitlines()[-1]


def test_a_package_that_is_not_there_for_this_python_names_the_python(clone: Clone) -> None:
    (clone.folder / "requirements.txt").write_text("gateway-sample==2.0 --hash=sha256:" + "0" * 64 + "\n")
    code, said = clone.run("setup")
    assert code == 1 and "There is no package gateway-sample==2.0 for Python 3." in said.splitlines()[-1]


@pytest.fixture
def public_folder() -> Iterator[Path]:
    """Where another user may look; pytest's folders are closed to them."""
    folder = Path(tempfile.mkdtemp(dir="/tmp"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def test_a_folder_that_cannot_be_written_is_named_and_no_package_is_blamed(public_folder: Path, index: Index) -> None:
    clone = make_clone(public_folder / "gateway", index)
    clone.folder.chmod(0o555)
    user = {"user": NOBODY} if os.getuid() == 0 else {}
    command = [str(clone.folder / "start.sh"), "setup"]
    environment = clone.whole_environment(PYTHON="/usr/bin/python3")
    try:
        said = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=150, check=False, **user)  # type: ignore[call-overload]
    finally:
        clone.folder.chmod(0o755)
    assert said.returncode == 1
    assert f"The folder {clone.folder} cannot be written: Permission denied" in said.stderr.splitlines()[-1]
    assert "apt-get" not in said.stderr


@pytest.mark.skipif(sys.platform != "linux" or os.getuid() != 0, reason="needs a file system of its own")
def test_a_full_disk_during_the_installation_is_named(clone: Clone) -> None:
    program = 'mount -t tmpfs -o size=9m none "$1" && cp -r "$2"/. "$1" && cd "$1" && exec ./start.sh setup'
    small = clone.folder.with_name("small")
    small.mkdir()
    command = ["unshare", "--mount", "bash", "-c", program, "-", str(small), str(clone.folder)]
    said = subprocess.run(command, env=clone.whole_environment(), capture_output=True, text=True, timeout=150, check=False)
    assert said.returncode == 1, said.stderr
    assert f"There is no disk space left in {small}" in said.stderr.splitlines()[-1]


def test_a_python_that_is_too_old_is_named(clone: Clone, tmp_path: Path) -> None:
    old = sorted(Path.home().glob(".pyenv/versions/3.10*/bin/python3"))
    if not old:
        pytest.skip("there is no Python 3.10 here")
    tools = tmp_path / "bin"
    tools.mkdir()
    for name in ("bash", "dirname", "env", "tail"):
        (tools / name).symlink_to(str(shutil.which(name)))
    (tools / "python3").symlink_to(old[0])
    code, said = clone.run("setup", PATH=str(tools))
    assert code == 1 and "Python 3.11 or newer is needed and was not found (found: " in said and "3.10." in said
    code, said = clone.run("setup", PYTHON=str(old[0]))
    assert code == 1 and f"PYTHON={old[0]} is no Python 3.11 or newer: Python 3.10." in said
    code, said = clone.run("setup", PYTHON=str(old[0]), LANG="zh_CN.UTF-8")
    assert code == 1 and "不是 Python 3.11 或更新版本" in said and "is no Python" not in said


def test_several_pythons_the_first_that_has_all_it_needs_is_taken(clone: Clone, tmp_path: Path) -> None:
    """The first on the path has no ensurepip."""
    tools = tmp_path / "bin"
    tools.mkdir()
    lame = tools / "python3"
    lame.write_text(f'#!/bin/bash\n[[ $2 == *ensurepip* ]] && exit 1\nexec {sys.executable} "$@"\n')
    lame.chmod(0o755)
    (tools / "python3.13").symlink_to(os.path.realpath(sys.executable))
    code, said = clone.run("setup", PATH=f"{tools}:/usr/bin:/bin")
    assert code == 0 and f"({tools}/python3.13)" in said, said


def test_a_second_start_installs_nothing_and_says_nothing(clone: Clone) -> None:
    assert clone.run("setup")[0] == 0
    fetched = len(clone.index.fetched)
    assert clone.run("setup") == (0, "")
    assert len(clone.index.fetched) == fetched
