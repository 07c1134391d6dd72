"""Who listens on a port of this machine, as far as this user may know."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

LISTENING = "0A"
"""proc(5), tcp: the state LISTEN."""
LSOF_S = 5.0
AIRPLAY_PORTS = (5000, 7000)
"""macOS 12 and newer: its AirPlay Receiver listens there."""
AIRPLAY = "ControlCe"
"""How lsof(8) shortens the name of the program, Control Center."""
PORTS_TO_TRY = 50


def holder_of(port: int) -> tuple[str, str] | None:
    """The program's name and process id; None where they cannot be known, as with programs of other users."""
    return _in_proc(port) if sys.platform == "linux" else _by_lsof(port)


def is_airplay(port: int, name: str | None, platform: str = sys.platform) -> bool:
    """Where the program's name is not known, the port is enough."""
    return platform == "darwin" and (port in AIRPLAY_PORTS if name is None else name.startswith(AIRPLAY))


def free_port_after(host: str, port: int) -> int:
    """The next one that can be listened on; the next one at all, where none of many can."""
    return next((each for each in range(port + 1, min(port + PORTS_TO_TRY, 65_535)) if _is_free(host, each)), port + 1)


def _is_free(host: str, port: int) -> bool:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def _in_proc(port: int) -> tuple[str, str] | None:
    inodes = set(_listening_inodes(port))
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if not inodes.isdisjoint(_open_files(folder)):
                return (folder / "comm").read_text().strip(), folder.name
        except OSError:
            continue  # it has ended, or belongs to another user
    return None


def _open_files(process: Path) -> Iterator[str]:
    for each in (process / "fd").iterdir():
        with suppress(FileNotFoundError):  # closed meanwhile
            yield os.readlink(each)


def _listening_inodes(port: int) -> Iterator[str]:
    """proc(5), tcp: address and port, the state, and the inode are the columns 1, 3 and 9."""
    for table in ("tcp", "tcp6"):
        try:
            rows = Path(f"/proc/net/{table}").read_text().splitlines()[1:]
        except OSError:
            continue
        for columns in map(str.split, rows):
            if columns[3] == LISTENING and int(columns[1].rpartition(":")[2], 16) == port:
                yield f"socket:[{columns[9]}]"


def _by_lsof(port: int) -> tuple[str, str] | None:
    lsof = shutil.which("lsof") or "/usr/sbin/lsof"
    command = [lsof, "-nP", f"-iTCP:{port}", "-sTCP:LISTEN", "-Fpc"]
    try:
        said = subprocess.run(command, check=False, capture_output=True, text=True, timeout=LSOF_S).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    return of_lsof(said)


def of_lsof(said: str) -> tuple[str, str] | None:
    """lsof(8), OUTPUT FOR OTHER PROGRAMS: a line ``p`` with the process id, then one ``c`` with the command."""
    match = re.search(r"^p(\d+)\n(?:f.*\n)*c(.*)$", said, re.MULTILINE)
    return (match[2], match[1]) if match else None
