"""Hosts on one machine: each has its own network, processes, mounts and name, on a switch that is such a host too.

A host lives as long as its first process, and that one as long as a pipe that this process holds. So when this process ends, however it ends, the
kernel kills every process of every host, and takes away networks, links and mounts with them. Nothing of a host has a name outside it.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from tests.conftest import missing
from tests.fakes.waiting import until

CLONE_NEWNET = 0x40000000
NETWORK = "10.0.0"
STARTS_WITHIN_S = 10.0
NEEDED = ("unshare", "nsenter", "setpriv", "ip", "ss", "mount")
FIRST_PROCESS = 'ip link set lo up; mount -t tmpfs -o size="$2" tmpfs "$1" && echo ready; read -r _'
"""Bash, as the first process, waits for all that the processes of its host leave behind."""


def check_namespaces() -> None:
    """Skip the test where such hosts cannot be made; fail it in CI."""
    lacking = [each for each in NEEDED if shutil.which(each) is None]
    if os.geteuid() != 0 or lacking:
        missing(f"hosts of network namespaces need root and iproute2 (missing: {lacking})")
    trial = subprocess.run(["unshare", "--net", "--pid", "--mount", "--uts", "--ipc", "--fork", "true"], check=False, capture_output=True, text=True)
    if trial.returncode != 0:
        missing(f"namespaces cannot be made here: {trial.stderr.strip()}")


class Host:
    """``data`` is a small disk of its own, which nothing outside the host sees."""

    def __init__(self, name: str, number: int, data: Path, disk_bytes: int) -> None:
        self.name, self.address = name, f"{NETWORK}.{number}"
        self.data, self._disk_bytes = data, disk_bytes
        self._first: subprocess.Popen[bytes] | None = None
        self._entered: list[subprocess.Popen[bytes]] = []
        self.pid = 0

    def start(self) -> None:
        self.data.mkdir(parents=True, exist_ok=True)
        namespaces = ["unshare", "--net", "--pid", "--mount", "--uts", "--ipc", "--fork", "--kill-child", "--mount-proc"]
        script = f"hostname {self.name}; {FIRST_PROCESS}"
        command = [*namespaces, "bash", "-c", script, self.name, str(self.data), str(self._disk_bytes)]
        self._first = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True)
        assert self._first.stdout is not None
        assert self._first.stdout.readline() == b"ready\n", f"{self.name} did not start"
        self._first.stdout.close()
        children = Path(f"/proc/{self._first.pid}/task/{self._first.pid}/children")
        self.pid = int(until(lambda: children.read_text().split(), STARTS_WITHIN_S)[0])

    def is_up(self) -> bool:
        return self._first is not None

    def stop(self) -> None:
        """Kill every process of it at once, as a power cut does."""
        if self._first is None:
            return
        os.kill(self.pid, signal.SIGKILL)
        self._resume_entered()
        self._first.wait()
        for each in self._entered:
            each.wait()
        self._entered = []
        assert self._first.stdin is not None
        self._first.stdin.close()
        self._first = None

    def command(self, *words: str) -> list[str]:
        """What runs ``words`` on the host."""
        return ["nsenter", "--target", str(self.pid), "--net", "--pid", "--mount", "--uts", "--ipc", "--", *words]

    def spawn(self, *words: str, log: IO[bytes], environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
        """Run ``words`` on the host, apart from this process' terminal.

        nsenter ends with the thread that calls: one that was stopped would else hold the host's dead processes for ever.
        """
        command = ["setpriv", "--pdeathsig", "KILL", *self.command(*words)]
        self._entered = [each for each in self._entered if each.poll() is None]
        self._entered.append(
            subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        )
        return self._entered[-1]

    def _resume_entered(self) -> None:
        """nsenter stops itself when what it runs is stopped, and then collects nothing any more."""
        for each in self._entered:
            if each.poll() is None:
                each.send_signal(signal.SIGCONT)

    def ip(self, *words: str, check: bool = True) -> None:
        """Change its network, from outside it: so another host's process id means what it means here."""
        done = subprocess.run(["nsenter", "--target", str(self.pid), "--net", "--", "ip", *words], check=False, capture_output=True, text=True)
        assert done.returncode == 0 or not check, f"{self.name}: ip {words}: {done.stderr}"

    def run(self, *words: str, check: bool = True) -> str:
        done = subprocess.run(self.command(*words), check=False, capture_output=True, text=True, timeout=30)
        assert done.returncode == 0 or not check, f"{self.name}: {words}: {done.stderr}"
        return done.stdout

    @contextmanager
    def network(self) -> Iterator[None]:
        """Within the block this thread's new sockets, threads and processes have the host's network."""
        with open("/proc/thread-self/ns/net") as before, open(f"/proc/{self.pid}/ns/net") as there:
            _enter_network(there.fileno())
            try:
                yield
            finally:
                _enter_network(before.fileno())

    def processes(self, *words: str) -> list[int]:
        """Its processes whose command line has all of ``words``, by their ids outside it. Not the first one."""
        space = os.readlink(f"/proc/{self.pid}/ns/pid")
        return sorted(pid for pid in map(int, filter(str.isdigit, os.listdir("/proc"))) if pid != self.pid and _is_such(pid, space, words))

    def send(self, number: int, *words: str) -> int:
        """Send it to such processes; how many there were."""
        count = sum(_send(each, number) for each in self.processes(*words))
        if number == signal.SIGCONT:
            self._resume_entered()
        return count


class Switch(Host):
    """A host whose bridge connects the others by a cable each."""

    def start(self) -> None:
        super().start()
        self.ip("link", "add", "bridge", "type", "bridge")
        self.ip("link", "set", "bridge", "up")

    def plug_in(self, host: Host) -> None:
        cable = cable_of(host)
        self.ip("link", "add", cable, "type", "veth", "peer", "name", "eth0", "netns", str(host.pid))
        self.ip("link", "set", cable, "master", "bridge", "up")
        host.ip("addr", "add", f"{host.address}/24", "dev", "eth0")
        host.ip("link", "set", "eth0", "up")

    def cut_off(self, host: Host) -> None:
        """Take the cable away, so that what the host's kernel would say at its end is heard by nobody."""
        self.ip("link", "del", cable_of(host), check=False)

    def pull_out(self, host: Host) -> None:
        self.ip("link", "set", cable_of(host), "down")

    def put_back(self, host: Host) -> None:
        self.ip("link", "set", cable_of(host), "up")


def cable_of(host: Host) -> str:
    return f"to-{host.name}"[:15]


def lose_what_is_sent(sender: Host, receiver: Host) -> None:
    """Every packet from one to the other is lost in silence: it goes to a card that no host has."""
    sender.ip("neigh", "replace", receiver.address, "lladdr", "02:00:00:00:00:99", "nud", "permanent", "dev", "eth0")


def lose_no_more(sender: Host, receiver: Host) -> None:
    sender.ip("neigh", "del", receiver.address, "dev", "eth0", check=False)


def _enter_network(descriptor: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(descriptor, CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")


def _is_such(pid: int, space: str, words: Sequence[str]) -> bool:
    try:
        if os.readlink(f"/proc/{pid}/ns/pid") != space:
            return False
        line = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return False
    return bool(line) and all(word in line for word in words)


def _send(pid: int, number: int) -> bool:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return False
    return True
