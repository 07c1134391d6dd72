"""systemd's and supervisor's own tools on the shipped units; supervisor runs them."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest
import requests

from backend.settings import Settings
from tests.support.images import photograph
from tests.support.redis_server import RedisServer
from tests.support.running import ENDED, ROOT, Gateway, free_port, wait_for
from tests.system.deploy.supervised import here, supervised

Tool = Callable[[str], str]
UNITS = sorted((ROOT / "deploy" / "systemd").glob("*.service"))
EXPOSURE = 3.0
"""systemd's own mark out of ten, less being better."""
TRIED_TO_BE_REFUSED = {"ptrace"}
"""By the seal's probe, which looks for ways out."""


def pairs(path: Path) -> dict[str, str]:
    lines = [line for line in path.read_text("utf-8").splitlines() if line and not line.startswith("#")]
    return dict(line.split("=", 1) for line in lines if "=" in line)


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_systemd_finds_nothing_wrong_with_a_unit(unit: Path, tool: Tool, tmp_path: Path) -> None:
    for each in UNITS:
        text = here(each.read_text("utf-8")).replace("/etc/webp-gateway.env", str(ROOT / "deploy/systemd/webp-gateway.env"))
        (tmp_path / named(each)).write_text(text, "utf-8")
    assert verified(tmp_path / named(unit), tool) == (0, "")


@pytest.mark.parametrize(("drop_in", "unit"), [("realtime/rest.conf", "webp-gateway.service"), ("ports/single.conf", "webp-gateway@5001.service")])
def test_systemd_finds_nothing_wrong_with_a_layouts_change_of_a_unit(drop_in: str, unit: str, tool: Tool, tmp_path: Path) -> None:
    test_systemd_finds_nothing_wrong_with_a_unit(UNITS[0], tool, tmp_path)
    folder = tmp_path / f"{unit}.d"
    folder.mkdir()
    (folder / "layout.conf").write_text(here((ROOT / "deploy" / drop_in).read_text("utf-8")), "utf-8")
    assert verified(tmp_path / unit, tool) == (0, "")


def named(unit: Path) -> str:
    """A template is checked as one of its instances."""
    return unit.name.replace("@.", "@5001.")


def verified(unit: Path, tool: Tool) -> tuple[int, str]:
    command = [tool("systemd-analyze"), "--man=no", "--recursive-errors=no", "verify", str(unit)]
    told = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    return told.returncode, told.stderr


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_systemd_finds_a_unit_well_enclosed(unit: Path, tool: Tool) -> None:
    command = [tool("systemd-analyze"), "--no-pager", "security", "--offline=yes", str(unit)]
    told = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout
    mark = re.search(r"Overall exposure level for .*: ([\d.]+)", told)
    assert mark and float(mark[1]) < EXPOSURE, told


def test_the_units_settings_are_accepted_and_leave_room_for_the_graceful_ends() -> None:
    settings = Settings.from_environment(pairs(ROOT / "deploy/systemd/webp-gateway.env"))
    patience = {unit.stem: int(pairs(unit)["TimeoutStopSec"]) for unit in UNITS}
    assert patience["webp-gateway"] > settings.graceful_timeout_s and patience["webp-encoder"] > settings.encode_timeout_s


@pytest.mark.e2e
def test_the_gateway_tells_systemd_when_it_is_ready(own_redis: RedisServer, tmp_path: Path) -> None:
    """``Type=notify``: the very process that systemd started says so."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        systemd.settimeout(60)
        environment = {"NOTIFY_SOCKET": str(tmp_path / "notify"), "API_PORT": str(free_port()), "GATEWAY_DATA_DIR": str(tmp_path / "data")}
        environment["GUNICORN_WORKERS"] = "1"
        with (tmp_path / "log").open("wb") as log:
            process = subprocess.Popen(
                [str(ROOT / "start.sh"), "gateway"], env={**os.environ, **environment, "REDIS_URL": own_redis.url}, stdout=log, stderr=log
            )
        try:
            assert "READY=1" in systemd.recv(1000).decode()
            assert "gunicorn" in " ".join(psutil.Process(process.pid).cmdline())
        finally:
            process.terminate()
            process.wait(40)


def rows(said: str) -> dict[str, tuple[str, int]]:
    """State and process id by program, from ``supervisorctl status``."""
    found = re.findall(r"^webp:webp-(\w+)\s+(\w+)(?:\s+pid (\d+))?", said, re.MULTILINE)
    return {name: (state, int(pid or 0)) for name, state, pid in found}


@pytest.mark.e2e
@pytest.mark.slow  # half a minute
@pytest.mark.timeout(300)
def test_supervisor_runs_the_roles_restarts_what_is_killed_and_stops_without_a_rest(tool: Tool, tmp_path: Path) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}"

    def convert() -> dict[str, Any] | None:
        try:
            answer = requests.post(f"{url}/api/jobs", data=photograph(400, 300), headers={"Prefer": "wait=20"}, timeout=40)
            return dict(answer.json()) if answer.json().get("state") in ENDED else None
        except requests.RequestException:
            return None

    with supervised(tmp_path, tool, (port,), {"5000": port}, GUNICORN_WORKERS="2") as control:

        def run() -> bool:
            return [state for state, _ in rows(control("status")).values()] == ["RUNNING"] * 3

        for name in ("gateway", "encoder", "redis"):
            wait_for(run, 60, "for all to run")
            before = rows(control("status"))
            os.kill(before[name][1], signal.SIGKILL)
            wait_for(lambda: rows(control("status"))[name][1] not in (0, before[name][1]), 60, f"for another {name}")  # noqa: B023
            job = wait_for(convert, 60, f"for a conversion after the {name} was killed")
            assert job["state"] == "succeeded"


@pytest.mark.e2e
def test_encoders_answer_for_themselves(gateway: Gateway) -> None:
    def ask(data_dir: Path, *words: str) -> int:
        environment = {**os.environ, "GATEWAY_DATA_DIR": str(data_dir)}
        return subprocess.run([str(ROOT / "start.sh"), "health", *words], env=environment, capture_output=True, timeout=60, check=False).returncode

    assert ask(gateway.data_dir, "encoder") == 0
    assert ask(gateway.data_dir.parent / "elsewhere", "encoder") == 1
    assert ask(gateway.data_dir, "nonsense") == 1


@pytest.mark.e2e
@pytest.mark.slow
def test_the_units_system_call_filter_lets_pass_whatever_the_roles_call(tool: Tool, tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    gateway = Gateway(tmp_path / "data", GUNICORN_WORKERS="2", GATEWAY_SANDBOX="require")
    program = tmp_path / "traced.sh"
    program.write_text(f'#!/bin/sh\nexec {tool("strace")} -D -f -qq -e signal=none -o {trace} {ROOT}/start.sh "$@"\n')
    program.chmod(0o755)
    gateway.program = str(program)
    gateway.start()
    try:
        assert gateway.ended(gateway.upload(photograph(800, 600))["id"])["state"] == "succeeded"
    finally:
        gateway.stop(within_s=60)
    called = set(re.findall(r"^\d+ +(?:<\.\.\. )?(\w+)(?=\(| resumed)", trace.read_text(errors="replace"), re.MULTILINE))
    assert {"landlock_restrict_self", "prctl", "accept4", "execve"} <= called
    for unit in UNITS:
        words = re.search(r"SystemCallFilter=(.*)", unit.read_text())
        assert words
        assert called - allowed(tool("systemd-analyze"), words[1].split()) - TRIED_TO_BE_REFUSED == set(), unit.name


def allowed(analyze: str, words: list[str]) -> set[str]:
    found: set[str] = set()
    for word in words:
        if word.startswith("@"):
            told = subprocess.run([analyze, "--no-pager", "syscall-filter", word], capture_output=True, text=True, timeout=30, check=True).stdout
            found |= allowed(analyze, [line.strip() for line in told.splitlines()[1:] if line.strip() and not line.strip().startswith("#")])
        else:
            found.add(word)
    return found
