"""What ``./start.sh redis`` runs with: alone on its machine's address for a cluster, as ``REDIS_URL`` says, or on a private socket.

The configuration goes to the server's standard input, so that no password stands on a command line or in a file. Nothing is kept on disk: the
store can rebuild all of it.
"""

from __future__ import annotations

import errno
import hashlib
import os
import socket
from ipaddress import ip_address
from pathlib import Path

from backend.core import redis_url
from backend.core.redis_url import RedisUrl
from backend.errors import CannotStart
from backend.settings import Settings

DATABASES = 16


def configuration(settings: Settings, place: RedisUrl) -> str:
    """The lines of redis.conf. Raises ``CannotStart`` where nobody should listen so."""
    options = {
        **_listening(place),
        "save": '""',
        "appendonly": "no",
        "databases": str(max(DATABASES, place.database + 1)),
        "dir": quoted(str(settings.run_dir)),
        "logfile": quoted(str(settings.data_dir / "logs" / "redis.log")),
        "maxmemory": str(settings.redis_max_bytes),
        "maxmemory-policy": "noeviction",
    }
    return "".join(f"{name} {value}\n" for name, value in options.items()) + "".join(f"{line}\n" for line in _users(place))


def place_of(settings: Settings) -> RedisUrl:
    return redis_url.parse(settings.broker_url)


def _listening(place: RedisUrl) -> dict[str, str]:
    if place.service:
        raise CannotStart("redis_role_sentinel")
    if place.path:
        _clear_socket(Path(place.path))
        return {"port": "0", "unixsocket": quoted(place.path), "unixsocketperm": "700"}
    host, port = place.hosts[0]
    addresses = own_addresses(host, port)
    if place.password is None and not all(ip_address(each).is_loopback for each in addresses):
        raise CannotStart("redis_role_open", address=place.shown, port=port)
    return {"bind": " ".join(addresses), **_ports(place, port)}


def _clear_socket(path: Path) -> None:
    """Remove what a killed server has left. Raises ``CannotStart`` where one still serves there."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(str(path))
        except OSError:
            path.unlink(missing_ok=True)
            return
    raise CannotStart("cannot_listen", address=f"unix://{path}", why=os.strerror(errno.EADDRINUSE), settings=("REDIS_URL",))


def _ports(place: RedisUrl, port: int) -> dict[str, str]:
    """With TLS, the certificate of ``REDIS_URL`` is the server's own, and each client shows one of the same CA if it has one."""
    if place.tls is None:
        return {"port": str(port)}
    if not place.tls.certificate_file or not place.tls.key_file:
        raise CannotStart("redis_role_certificate", address=place.shown)
    files = {"tls-cert-file": place.tls.certificate_file, "tls-key-file": place.tls.key_file, "tls-ca-cert-file": place.tls.ca_file}
    secret = {"tls-key-file-pass": quoted(place.tls.key_password)} if place.tls.key_password else {}
    trusts = {"tls-auth-clients": "optional" if place.tls.ca_file else "no"}
    return {"port": "0", "tls-port": str(port), **{name: quoted(file) for name, file in files.items() if file}, **secret, **trusts}


def _users(place: RedisUrl) -> list[str]:
    """``REDIS_URL``'s user may do everything, and nobody else anything. Redis takes a password as its SHA-256 too."""
    if place.password is None:
        return []
    name = place.username or "default"
    if not name.isascii() or not name.isprintable() or " " in name or '"' in name:
        raise CannotStart("redis_role_user", user=name)
    allowed = f"user {name} on #{hashlib.sha256(place.password.encode()).hexdigest()} ~* &* +@all"
    return [allowed] if name == "default" else [allowed, "user default off"]


def own_addresses(host: str, port: int) -> list[str]:
    """Those of the name that this machine has. Raises ``CannotStart``."""
    try:
        found = list(dict.fromkeys(str(each[4][0]) for each in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)))
    except socket.gaierror as error:
        raise CannotStart("cannot_listen", address=f"{host}:{port}", why=error.strerror or error, settings=("REDIS_URL",)) from error
    own, wrong = [], OSError()
    for address in found:
        try:
            _try_to_listen(address, port)
            own.append(address)
        except OSError as error:
            wrong = error
    if not own:
        raise CannotStart("cannot_listen", address=f"{host}:{port}", why=wrong.strerror or wrong, settings=("REDIS_URL",)) from wrong
    return own


def _try_to_listen(address: str, port: int) -> None:
    with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((address, port))


def quoted(text: str) -> str:
    """As ``sdssplitargs`` of Redis reads it: everything but plain characters as ``\\xHH``."""
    return '"' + "".join(chr(byte) if 32 < byte < 127 and byte not in b'"\\' else f"\\x{byte:02x}" for byte in os.fsencode(text)) + '"'
