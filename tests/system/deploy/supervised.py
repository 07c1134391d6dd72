"""A real supervisord with the shipped programs."""

from __future__ import annotations

import configparser
import os
import re
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import psutil

from tests.support.running import ROOT, wait_for
from tests.system.deploy.proxied import status

Tool = Callable[[str], str]
PROGRAMS = ROOT / "deploy" / "supervisor" / "webp-gateway.conf"


def here(text: str) -> str:
    return text.replace("/opt/webp-gateway", str(ROOT))


def programs(layout: Path | None) -> configparser.RawConfigParser:
    """The shipped ones; with a layout's instead of the gateway's, as its file says."""
    parser = configparser.RawConfigParser()
    parser.read(PROGRAMS)
    if layout is not None:
        parser.remove_section("program:webp-gateway")
        parser.read(layout)
    return parser


def ended(process: psutil.Process) -> bool:
    return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


@contextmanager
def supervised(
    folder: Path, tool: Tool, ports: Sequence[int], moved: Mapping[str, int], layout: Path | None = None, **given: str
) -> Iterator[Callable[..., str]]:
    """Asked through ``supervisorctl``. Their user, and paths, are put in; ``moved``: ports of the file, and those instead of them; ``given``: more
    settings of each. Ready when all of ``ports`` answer."""
    parser = programs(layout)
    for name in parser.sections():
        for option, shipped in parser.items(name):
            value = here(shipped).replace("/var/lib/webp-gateway", f"{folder}/data").replace("/var/log/webp-gateway", str(folder))
            parser.set(name, option, re.sub("|".join(moved), lambda found: str(moved[found[0]]), value))
        if name.startswith("program:"):
            parser.remove_option(name, "user")
            own = {"TMPDIR": str(folder), **({} if "API_PORT" in parser.get(name, "environment") else {"API_PORT": str(ports[0])}), **given}
            parser.set(name, "environment", ",".join([parser.get(name, "environment"), *(f'{key}="{value}"' for key, value in own.items())]))
    configuration = folder / "supervisord.conf"
    with configuration.open("w") as file:
        file.write(head(folder))
        parser.write(file)
    (folder / "data").mkdir()
    process = psutil.Popen([tool("supervisord"), "-c", str(configuration)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def control(*words: str) -> str:
        command = [tool("supervisorctl"), "-c", str(configuration), *words]
        return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False).stdout

    seen: set[psutil.Process] = set()
    try:
        for port in ports:
            wait_for(lambda: status(f"http://127.0.0.1:{port}/api/health") == 200, 90, "for the supervised gateway")  # noqa: B023
        seen.update(process.children(recursive=True))
        yield control
        seen.update(process.children(recursive=True))
    finally:
        control("shutdown")
        process.wait(90)
        left = [each for each in seen if not ended(each)]
        for each in left:
            each.kill()
    assert not left, f"the stop left {left}"


def head(folder: Path) -> str:
    lines = f"[supervisord]\nnodaemon=true\nlogfile={folder}/supervisord.log\npidfile={folder}/supervisord.pid\nchildlogdir={folder}\n"
    lines += f"{'user=root' if os.geteuid() == 0 else ''}\n[unix_http_server]\nfile={folder}/supervisor.sock\n"
    lines += "[rpcinterface:supervisor]\nsupervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface\n"
    return lines + f"[supervisorctl]\nserverurl=unix://{folder}/supervisor.sock\n"
