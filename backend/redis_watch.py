"""Tells an operator, in a sentence, why the Redis of ``REDIS_URL`` cannot be used, and that it can when it can.

``python -m backend.cli watch-redis PID`` runs beside a start whose gateway, encoder or supervisor has the process id. Those start all the same and
keep trying by themselves: a gateway takes images without Redis. It ends once Redis can be used, or with that process.
"""

from __future__ import annotations

import os
import re
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

from redis import exceptions
from redis.sentinel import MasterNotFoundError

from backend.adapters.redis.client import KEY_PREFIX, connect
from backend.adapters.redis.server_look import ServerLook, look
from backend.core import redis_url
from backend.errors import CannotStart
from backend.supervisor import die_with_parent
from backend.terminal import say
from backend.texts import operator

ANSWER_S = 2.0
LOOK_EVERY_S = 1.0
TELL_AGAIN_S = 60.0
SAID_CHARACTERS = 200
Reason = Callable[[str, str], CannotStart]
"""Of the address and the server's own words."""


def _wrong_certificate(address: str, said: str) -> CannotStart:
    """By OpenSSL's own words (x509_vfy(3)), which Python puts into the error."""
    if re.search(r"ostname mismatch|IP address mismatch", said):
        return CannotStart("redis_tls_name", address=address, said=said)
    if re.search(r"expired|not yet valid", said):
        return CannotStart("redis_tls_expired", address=address, said=said)
    return CannotStart("redis_tls_ca", address=address, said=said)


BY_KIND: tuple[tuple[tuple[type[BaseException], ...], Reason], ...] = (
    ((exceptions.BusyLoadingError,), lambda address, _: CannotStart("redis_loading", address=address)),
    ((exceptions.NoPermissionError,), lambda address, said: CannotStart("redis_permission", address=address, said=said)),
    ((exceptions.AuthenticationError,), lambda address, _: CannotStart("redis_password", address=address)),
    ((ssl.SSLCertVerificationError,), _wrong_certificate),
    ((ssl.SSLError,), lambda address, said: CannotStart("redis_tls", address=address, said=said)),
    ((MasterNotFoundError,), lambda address, said: CannotStart("redis_no_primary", address=address, said=said)),
    ((socket.gaierror,), lambda address, _: CannotStart("redis_no_host", address=address)),
    ((FileNotFoundError,), lambda address, _: CannotStart("redis_no_socket", address=address)),
    ((ConnectionRefusedError,), lambda address, _: CannotStart("redis_refused", address=address)),
    ((TimeoutError, exceptions.TimeoutError), lambda address, _: CannotStart("redis_silent", address=address, seconds=round(ANSWER_S))),
)
PASSWORD = r"WRONGPASS|NOAUTH|invalid (username-)?password|without any password|AUTH"
CLOSED = r"closed by server|reset by peer|Connection aborted|Protocol Error|Broken pipe"
BY_WORDS: tuple[tuple[str, Reason], ...] = (
    (PASSWORD, lambda address, _: CannotStart("redis_password", address=address)),
    (r"DB index|invalid DB|SELECT is not allowed", lambda address, _: CannotStart("redis_database", address=address)),
    (r"LOADING", lambda address, _: CannotStart("redis_loading", address=address)),
    (CLOSED, lambda address, _: CannotStart("redis_closed", address=address)),
)


def why_not(url: str, prefix: str = KEY_PREFIX) -> CannotStart | None:
    """None: it can be used. Nothing is kept of what is tried."""
    found = look_at(url, prefix)
    return found if isinstance(found, CannotStart) else None


def look_at(url: str, prefix: str) -> ServerLook | CannotStart:
    """What the server is like, or why it cannot be used."""
    address = without_password(url)
    client = connect(url, timeout_s=ANSWER_S, retries=0)
    try:
        client.ping()
        found = look(client, url, prefix)
    except (exceptions.RedisError, OSError, ValueError) as error:
        return _reason(address, error)
    finally:
        client.close()
    return found if found.obstacle is None else CannotStart(found.obstacle.code, **found.obstacle.params)


def watch(url: str, prefix: str, parent: int) -> int:
    """Exit code 0: it can be used. What may come of it is told first."""
    die_with_parent()
    told, told_s = "", 0.0
    while os.getppid() == parent:
        found = look_at(url, prefix)
        if isinstance(found, ServerLook):
            if told:
                say(operator.text("start.redis_ready", address=without_password(url)))
            for each in found.warnings:
                say(operator.text(f"start.{each.code}", **each.params))
            return 0
        if told != found.reason or time.monotonic() - told_s > TELL_AGAIN_S:
            told, told_s = found.reason, time.monotonic()
            say(operator.text(f"start.{found.reason}", **found.params))
        time.sleep(LOOK_EVERY_S)
    return 1


def begin() -> subprocess.Popen[bytes]:
    """Watch for this process, in a session of its own: a Ctrl-C is ours alone."""
    command = [sys.executable, "-m", "backend.cli", "watch-redis", str(os.getpid())]
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)


def without_password(url: str) -> str:
    """Scheme, host, port and database: what was tried."""
    return redis_url.parse(url).shown


def _reason(address: str, error: BaseException) -> CannotStart:
    said = str(error)[:SAID_CHARACTERS]
    if re.search(PASSWORD, said):
        return BY_WORDS[0][1](address, said)
    for each in _chain(error):
        for kinds, reason in BY_KIND:
            if isinstance(each, kinds):
                return reason(address, said)
    by_words = (reason for pattern, reason in BY_WORDS if re.search(pattern, said, re.IGNORECASE))
    return next(by_words, lambda address, said: CannotStart("redis_other", address=address, said=said))(address, said)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """The error, and those that it was made of: redis-py wraps the system's."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
