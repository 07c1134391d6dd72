"""Redis where operators have it: on a TCP port, behind TLS, in a group that Sentinels watch. Each server is a real one, and ours to kill."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import redis

from tests.support.redis_server import binary
from tests.support.running import free_port, wait_for

HERE = "127.0.0.1"
NEW_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")


class RedisProcess:
    """``options`` are lines of redis.conf, read from standard input: so none is seen by ``ps``."""

    def __init__(self, folder: Path, *options: str, port: int | None = None, is_sentinel: bool = False) -> None:
        self.folder, self.options, self.is_sentinel = folder, options, is_sentinel
        self.port = port or free_port()
        self.process: subprocess.Popen[bytes] | None = None
        folder.mkdir(exist_ok=True, parents=True)

    def start(self) -> None:
        lines = (f"bind {HERE}", f"dir {self.folder}", *(() if self.is_sentinel else ('save ""', "appendonly no", "repl-diskless-sync-delay 0")))
        port = () if any(each.startswith("port ") for each in self.options) else (f"port {self.port}",)
        path = self.folder / f"redis-{self.port}.conf"
        path.write_text("\n".join((*lines, *port, *self.options)) + "\n")
        command = [str(binary()), str(path), *(["--sentinel"] if self.is_sentinel else [])]
        with (self.folder / f"{self.port}.log").open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log)
        wait_for(self.listens, 20, f"for Redis on {self.port}")

    def listens(self) -> bool:
        with redis.Redis(HERE, self.port, socket_timeout=1) as client:
            try:
                client.ping()
            except redis.ConnectionError as error:
                return "refused" not in str(error)
            except redis.RedisError:
                pass
        return True

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None


@contextmanager
def redis_process(folder: Path, *options: str, port: int | None = None) -> Iterator[RedisProcess]:
    server = RedisProcess(folder, *options, port=port)
    try:
        server.start()
        yield server
    finally:
        server.kill()


class Certificates:
    """A CA of our own, and certificates of it, made with openssl."""

    def __init__(self, folder: Path, name: str = "ca") -> None:
        self.folder, self.name = folder, name
        folder.mkdir(exist_ok=True, parents=True)
        self.ca = folder / f"{name}.crt"
        make = ["req", "-x509", *NEW_KEY, "-days", "2", "-subj", f"/CN={name} of the tests"]
        extensions = ["-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign"]
        openssl(*make, *extensions, "-keyout", folder / f"{name}.key", "-out", self.ca)

    def sign(self, name: str, names: str, *, is_expired: bool = False) -> tuple[Path, Path]:
        """Certificate and key; ``names`` as openssl writes alternative names, such as ``DNS:localhost,IP:127.0.0.1``."""
        key, request, certificate, extensions = (self.folder / f"{name}.{end}" for end in ("key", "csr", "crt", "ext"))
        openssl("req", *NEW_KEY, "-subj", f"/CN={name}", "-keyout", key, "-out", request)
        extensions.write_text(f"subjectAltName={names}\n")
        ca = ["-config", self._configuration(), "-cert", self.ca, "-keyfile", self.folder / f"{self.name}.key", "-create_serial", "-batch", "-notext"]
        dates = ["-startdate", "20200101000000Z", "-enddate", "20200102000000Z"] if is_expired else ["-days", "1"]
        openssl("ca", *ca, *dates, "-extfile", extensions, "-in", request, "-out", certificate)
        return certificate, key

    def _configuration(self) -> Path:
        index, path = self.folder / f"{self.name}.index", self.folder / f"{self.name}.cnf"
        index.touch()
        places = f"database={index}\nserial={self.folder}/{self.name}.serial\nnew_certs_dir={self.folder}\n"
        path.write_text(f"[ca]\ndefault_ca=d\n[d]\n{places}default_md=sha256\npolicy=p\n[p]\ncommonName=supplied\n")
        return path


def openssl(*words: str | Path) -> None:
    done = subprocess.run(["openssl", *map(str, words)], check=False, capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, done.stderr


def tls_lines(certificates: Certificates, pair: tuple[Path, Path], *, port: int, wants_client: bool = False) -> tuple[str, ...]:
    """For redis.conf: TLS alone on this port."""
    certificate, key = pair
    return (
        "port 0",
        f"tls-port {port}",
        f"tls-cert-file {certificate}",
        f"tls-key-file {key}",
        f"tls-ca-cert-file {certificates.ca}",
        f"tls-auth-clients {'yes' if wants_client else 'no'}",
    )


class SentinelGroup:
    """A primary, two replicas and Sentinels that watch them; ``lines`` are for servers, ``sentinel_lines`` for Sentinels."""

    def __init__(self, folder: Path, *, password: str = "", sentinel_password: str = "", sentinels: int = 3, down_after_ms: int = 500) -> None:
        secret = (f"requirepass {password}", f"masterauth {password}") if password else ()
        self.password = password
        self.servers = [RedisProcess(folder / "a", *secret)]
        self.servers += [RedisProcess(folder / each, *secret, f"replicaof {HERE} {self.servers[0].port}") for each in ("b", "c")]
        watch = (
            f"sentinel monitor mymaster {HERE} {self.servers[0].port} {sentinels // 2 + 1}",
            f"sentinel down-after-milliseconds mymaster {down_after_ms}",
            "sentinel failover-timeout mymaster 3000",
            *((f"sentinel auth-pass mymaster {password}",) if password else ()),
            *((f"requirepass {sentinel_password}", f"sentinel sentinel-pass {sentinel_password}") if sentinel_password else ()),
        )
        self.sentinel_password = sentinel_password
        self.sentinels = [RedisProcess(folder / f"s{number}", *watch, is_sentinel=True) for number in range(sentinels)]

    def start(self) -> None:
        for each in (*self.servers, *self.sentinels):
            each.start()
        wait_for(self.is_whole, 30, "for the Sentinels to know the replicas and one another")

    def is_whole(self) -> bool:
        with redis.Redis(HERE, self.sentinels[0].port, password=self.sentinel_password or None, decode_responses=True) as client:
            known = client.sentinel_master("mymaster")
        return bool(known["num-slaves"] >= 2 and known["num-other-sentinels"] == len(self.sentinels) - 1)

    def primary(self) -> RedisProcess:
        with redis.Redis(HERE, self.sentinels[0].port, password=self.sentinel_password or None, decode_responses=True) as client:
            _, port = client.sentinel_get_master_addr_by_name("mymaster")
        return next(each for each in self.servers if each.port == int(port))

    @property
    def url(self) -> str:
        hosts = ",".join(f"{HERE}:{each.port}" for each in self.sentinels)
        secret, own = f":{self.password}@" if self.password else "", f"?sentinel_password={self.sentinel_password}" if self.sentinel_password else ""
        return f"redis+sentinel://{secret}{hosts}/mymaster{own}"

    def kill(self) -> None:
        for each in (*self.sentinels, *self.servers):
            each.kill()
