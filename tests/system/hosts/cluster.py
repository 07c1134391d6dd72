"""The gateway on several hosts, started by the commands of ``docs/operate/deployment.md``. Nothing is shared but Redis and a bucket.

``a`` is the gateway with Redis and the S3 server, ``b`` and ``c`` are encoders, ``d`` is a second gateway where there is one. ``clients`` is where
this process' own sockets are.
"""

from __future__ import annotations

import logging
import os
import shutil
import signal
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import redis
import requests
from botocore.exceptions import BotoCoreError, ClientError

from tests.fakes.waiting import until
from tests.support import s3_server
from tests.support.page_blocks import marked
from tests.system.hosts.namespaces import Host, Switch

ROOT = Path(__file__).resolve().parents[3]
PAGE = "docs/operate/deployment.md"
MIB = 1 << 20
DISK_BYTES = 192 * MIB
READY_S = 90.0
ENDS_WITHIN_S = 15.0
RESTARTS_AFTER_S = 1.0
"""At most, as in the units of ``deploy/systemd``."""
S3_PORT, S3_BEHIND, REDIS_PORT, API_PORT = 8333, 8433, 6379, 5000
BUCKET, PASSWORD = "images", "PASSWORD"
OURS = {"GUNICORN_WORKERS": "2", "GATEWAY_ENCODERS": "2", "GATEWAY_MIN_FREE_BYTES": str(4 * MIB), "GATEWAY_LOG_FORMAT": "text"}
"""What the documentation leaves to the machine: it is small."""
PREPARED = {name: value for name, value in os.environ.items() if not name.startswith(("GATEWAY_", "AWS_", "API_", "GUNICORN_", "REDIS_"))}


def documented(name: str) -> str:
    """The block of the page that is marked so."""
    return next(each.text for each in marked(PAGE, "hosts") if each.name == name)


class Role:
    """A program of a host: a systemd unit with ``Restart=always``, as it were."""

    def __init__(self, host: Host, name: str, script: str, words: tuple[str, ...], log: Path, **environment: str) -> None:
        self.host, self.name, self.words, self.log = host, name, words, log
        self._script, self._environment = script, environment
        self.restarts = 0
        self._process: subprocess.Popen[bytes] | None = None
        self._is_wanted = False
        self._lock = threading.RLock()

    def start(self) -> None:
        with self._lock:
            self._start()

    def give_up(self) -> None:
        """Leave it as it is from now on."""
        with self._lock:
            self._is_wanted = False

    def look_after(self) -> None:
        """Start it again where it has ended by itself. What is left of it ends before, as with ``KillMode=mixed``."""
        with self._lock:
            if self._is_wanted and self.host.is_up() and self._process is not None and self._process.poll() is not None:
                self.restarts += 1
                until(lambda: self.send(signal.SIGKILL) == 0, ENDS_WITHIN_S)
                self._start()

    def _start(self) -> None:
        self._collect()
        self._is_wanted = True
        with self.log.open("ab") as log:
            self._process = self.host.spawn("bash", "-c", f"cd {ROOT}\n{self._script}", log=log, environment={**PREPARED, **self._environment})

    def send(self, number: int) -> int:
        return self.host.send(number, *self.words)

    def kill(self) -> None:
        """All its processes, and wait until they are gone."""
        with self._lock:
            self._is_wanted = False
            until(lambda: self.send(signal.SIGKILL) == 0, ENDS_WITHIN_S)
            self._collect()

    def stop(self, number: int = signal.SIGTERM) -> None:
        """As systemd does: a signal to the first process, then SIGKILL to what is left."""
        self.give_up()
        for each in self.masters():
            os.kill(each, number)
        deadline = time.monotonic() + ENDS_WITHIN_S
        while self.host.processes(*self.words) and time.monotonic() < deadline:
            time.sleep(0.1)
        self.kill()

    def masters(self) -> list[int]:
        """Its processes whose parent is none of them."""
        found = self.host.processes(*self.words)
        return [each for each in found if parent_of(each) not in found]

    def workers(self) -> list[int]:
        """What its masters have started."""
        masters = self.masters()
        return [each for each in self.host.processes(*self.words) if parent_of(each) in masters]

    def _collect(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


class Cluster:
    def __init__(self, folder: Path, *, s3: str = "moto", gateways: int = 1, moves_clocks: bool = False, **settings: str) -> None:
        self.folder, self.s3 = folder, s3
        self.settings = {**OURS, **settings}
        self.switch = Switch("switch", 254, folder / "switch", MIB)
        names = ("a", "b", "c", "d")[: 2 + gateways]
        self.hosts = {name: Host(name, number, folder / name, DISK_BYTES) for number, name in enumerate(names, 1)}
        self.clients = Host("clients", 100, folder / "clients", MIB)
        self.clock = _build_clock(folder) if moves_clocks else None
        self.roles: dict[str, Role] = {}
        self._ends = threading.Event()
        self._supervisor = threading.Thread(target=self._supervise, name="supervisor")
        self.proxy_mode = folder / "s3-mode"
        self.urls = [f"http://{self.hosts[name].address}:{API_PORT}" for name in ("a", "d") if name in self.hosts]
        self.url = self.urls[0]

    def start(self) -> None:
        for host in (self.switch, self.clients, *self.hosts.values()):
            host.start()
            if host is not self.switch:
                self.switch.plug_in(host)
        self._make_roles()
        for name in ("redis", "s3", "s3-proxy"):
            self.roles[name].start()
        with self.hosts["a"].network():
            until(lambda: s3_server.answers(S3_BEHIND), READY_S)
            self.make_bucket()
        for name in self.roles:
            if name.startswith(("encoder", "gateway")):
                self.roles[name].start()
        with self.clients.network():
            until(self.is_ready, READY_S)
        self._supervisor.start()

    def _supervise(self) -> None:
        """A host may vanish in the middle of it: then its roles are somebody else's to start."""
        while not self._ends.wait(RESTARTS_AFTER_S):
            for each in self.roles.values():
                try:
                    each.look_after()
                except (OSError, AssertionError):
                    logging.exception("%s could not be looked after", each.name)

    def stop(self) -> None:
        self._ends.set()
        if self._supervisor.ident is not None:
            self._supervisor.join()
        for host in (*self.hosts.values(), self.clients, self.switch):
            host.stop()

    def role(self, name: str) -> Role:
        return self.roles[name]

    def roles_of(self, host: Host) -> list[Role]:
        return [each for each in self.roles.values() if each.host is host]

    def make_bucket(self) -> None:
        client = s3_server.client(f"http://127.0.0.1:{S3_BEHIND}")
        until(lambda: _is_made(client), READY_S)
        client.close()

    def can_store(self) -> bool:
        """Whether the S3 server itself writes and reads; called in its host's network."""
        client = s3_server.client(f"http://127.0.0.1:{S3_BEHIND}")
        try:
            client.put_object(Bucket=BUCKET, Key="probe", Body=b"probe")
            return bool(client.get_object(Bucket=BUCKET, Key="probe")["Body"].read() == b"probe")
        except (BotoCoreError, ClientError):
            return False
        finally:
            client.close()

    def is_ready(self) -> bool:
        """The gateways are ready, and each encoder host has told Redis of its encoders."""
        return all(_is_well(f"{url}/api/health/ready") for url in self.urls) and self.encoder_hosts() >= {"b", "c"}

    def encoder_hosts(self) -> set[str]:
        with self.redis() as client:
            return {name.partition("-")[0] for key in client.keys("*:encoders") for name in client.hkeys(key)}

    @contextmanager
    def redis(self) -> Iterator[redis.Redis]:
        with self.hosts["a"].network():
            client = redis.Redis(host=self.hosts["a"].address, port=REDIS_PORT, password=PASSWORD, socket_timeout=3, decode_responses=True)
            try:
                yield client
            finally:
                client.close()

    def say_to_s3(self, mode: str) -> None:
        self.proxy_mode.write_text(mode)

    def set_clock(self, host: Host, seconds: float) -> None:
        assert self.clock is not None
        with (self.folder / f"clock-{host.name}").open("r+b") as file:
            file.write(struct.pack("d", seconds))

    def write_filler(self, host: Host, free_bytes: int) -> None:
        """Leave so little room on the host's disk, or none where its gateway writes meanwhile."""
        count = f'count=$(($(stat -f -c "%a * %S" {host.data}) - {free_bytes}))'
        host.run("bash", "-c", f"{count}; head -c $((count > 0 ? count : 0)) /dev/zero >{host.data}/filler || test -s {host.data}/filler")

    def remove_filler(self, host: Host) -> None:
        host.run("rm", "-f", f"{host.data}/filler")

    def _make_roles(self) -> None:
        a, module = self.hosts["a"], f"{sys.executable} -m tests.system.hosts"
        self._add(a, "redis", documented("settings") + documented("redis"), ("-server",))
        self._add(a, "s3", f"exec {module}.s3_host {self.s3} {S3_BEHIND} {self.folder / 's3'}", ("s3_host",))
        self._add(a, "s3-proxy", f"exec {module}.s3_proxy {a.address} {S3_PORT} {S3_BEHIND} {self.proxy_mode}", ("s3_proxy",))
        for name, host in self.hosts.items():
            if name in ("a", "d"):
                self._add(host, f"gateway-{name}", documented("settings") + documented("gateway"), ("run:app",))
            else:
                self._add(host, f"encoder-{name}", documented("settings") + documented("encoder"), ("celery",))

    def _add(self, host: Host, name: str, script: str, words: tuple[str, ...]) -> None:
        environment = {**self.settings, "GATEWAY_DATA_DIR": str(host.data / "var")}
        if self.clock is not None and name.startswith(("encoder", "gateway")):
            moved = self.folder / f"clock-{host.name}"
            moved.write_bytes(struct.pack("d", 0.0))
            environment |= {"LD_PRELOAD": str(self.clock), "CLOCK_FILE": str(moved)}
        if not name.startswith(("encoder", "gateway", "redis")):
            environment = {"TMPDIR": str(host.data)}
        self.roles[name] = Role(host, name, script, words, self.folder / f"{name}.log", **environment)


def parent_of(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0


def has_clock() -> bool:
    return shutil.which("cc") is not None


def _build_clock(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    made = folder / "clock.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-O2", "-o", str(made), str(Path(__file__).with_name("clock.c")), "-ldl"], check=True)
    return made


def _is_made(client: object) -> bool:
    try:
        client.create_bucket(Bucket=BUCKET)  # type: ignore[attr-defined]
    except BotoCoreError:
        return False
    except ClientError as error:
        return "AlreadyOwned" in str(error)
    return True


def _is_well(url: str) -> bool:
    try:
        return requests.get(url, timeout=3).ok
    except requests.RequestException:
        return False
