"""The hosts themselves: they know of nothing but their own, and nothing of them stays."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.fakes.waiting import until
from tests.system.hosts.namespaces import Host, Switch, check_namespaces, lose_no_more, lose_what_is_sent

ROOT = Path(__file__).resolve().parents[3]
MIB = 1 << 20
MAKE_HOSTS = """
import signal, sys, time
from pathlib import Path
from tests.system.hosts.namespaces import Host, Switch
folder = Path(sys.argv[1])
switch, host = Switch("switch", 254, folder / "switch", 1 << 20), Host("a", 1, folder / "a", 1 << 20)
for each in (switch, host):
    each.start()
switch.plug_in(host)
with open(folder / "log", "wb") as log:
    for _ in range(2):
        host.spawn("sleep", "300", log=log, environment={})
while len(host.processes("sleep")) < 2:
    time.sleep(0.01)
host.send(signal.SIGSTOP)
time.sleep(0.2)
print(switch.pid, host.pid, *host.processes("sleep"), flush=True)
time.sleep(300)
"""
ASK = "import socket; s = socket.create_connection(('10.0.0.2', 80), 1)"


@pytest.fixture
def two(tmp_path: Path) -> Iterator[tuple[Switch, Host, Host]]:
    check_namespaces()
    switch, one, other = (kind(name, number, tmp_path / name, 8 * MIB) for kind, name, number in ((Switch, "s", 254), (Host, "a", 1), (Host, "b", 2)))
    assert isinstance(switch, Switch)
    try:
        switch.start()
        for each in (one, other):
            each.start()
            switch.plug_in(each)
        yield switch, one, other
    finally:
        for each in (one, other, switch):
            each.stop()


def is_answered(host: Host) -> str:
    """How the other host's port 80 is met, where nobody listens."""
    done = subprocess.run(host.command(sys.executable, "-c", ASK), check=False, capture_output=True, text=True)
    return done.stderr.strip().rpartition("\n")[2].partition(":")[0]


def test_a_link_that_is_pulled_out_or_loses_packets_is_silent(two: tuple[Switch, Host, Host]) -> None:
    switch, one, other = two
    assert is_answered(one) == "ConnectionRefusedError"
    switch.pull_out(other)
    assert is_answered(one) in ("TimeoutError", "OSError")
    switch.put_back(other)
    assert is_answered(one) == "ConnectionRefusedError"
    for sender, receiver in ((one, other), (other, one)):
        lose_what_is_sent(sender, receiver)
        assert is_answered(one) == "TimeoutError"
        lose_no_more(sender, receiver)
        assert is_answered(one) == "ConnectionRefusedError"


def test_a_host_has_processes_a_name_and_a_disk_of_its_own(two: tuple[Switch, Host, Host]) -> None:
    _, one, other = two
    assert one.run("hostname").strip() == "a"
    one.run("bash", "-c", f"echo here >{one.data}/file; sleep 300 >/dev/null 2>&1 &")
    assert list(one.data.iterdir()) == []
    assert len(one.processes("sleep")) == 1
    assert other.processes("sleep") == []
    one.send(signal.SIGKILL, "sleep")
    until(lambda: one.processes() == [])


def test_nothing_of_the_hosts_outlives_a_test_that_is_killed(tmp_path: Path) -> None:
    """Not even while a host is paused."""
    check_namespaces()
    made = subprocess.Popen([sys.executable, "-c", MAKE_HOSTS, str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert made.stdout is not None
    pids = [int(each) for each in made.stdout.readline().split()]
    assert len(pids) == 4
    made.kill()
    made.wait()
    made.stdout.close()
    until(lambda: not any(map(_runs, pids)), 10)
    assert not any(str(tmp_path) in line for line in Path("/proc/mounts").read_text().splitlines())


def _runs(pid: int) -> bool:
    with suppress(OSError):
        return os.path.exists(f"/proc/{pid}") and Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    return False
