"""Connections to Redis, for our own clients and for Celery's: what a failover does to them is a lost connection, and TLS is verified.

A server that was demoted answers ``READONLY``, and ``UNBLOCKED`` to who waits; one that has lost its primary answers ``MASTERDOWN``. To redis-py
these are wrong commands. Here they close the connection, and the next one asks anew where the primary is: the name service, or the Sentinels.
"""

from __future__ import annotations

import os
import ssl
from functools import lru_cache
from typing import Any

import redis
from redis.connection import Connection, SSLConnection, UnixDomainSocketConnection
from redis.exceptions import ClusterDownError, MasterDownError, RedisError, ResponseError
from redis.sentinel import SentinelManagedConnection

from backend.core.redis_url import Tls, Verify

Stamp = tuple[tuple[str, int], ...]


class ReconnectsAfterFailover:
    """What each of the connections below has before its own."""

    passing_kinds: tuple[type[RedisError], ...] = (redis.ReadOnlyError, MasterDownError, ClusterDownError)
    passing_words: tuple[str, ...] = ("UNBLOCKED", "-READONLY")
    """Where redis-py has no class for it. A script's error has the server's own further inside (Redis 6.2)."""

    def read_response(self, *given: Any, **named: Any) -> Any:
        try:
            return super().read_response(*given, **named)  # type: ignore[misc]
        except ResponseError as error:
            if not isinstance(error, self.passing_kinds) and not any(each in str(error) for each in self.passing_words):
                raise
            self.disconnect()  # type: ignore[attr-defined]
            raise redis.ConnectionError(f"the server cannot serve now: {error}") from error


class VerifiesTls:
    """TLS with a context that is made once for its files: reading the system's certificates takes some 10 ms."""

    def _wrap_socket_with_ssl(self, sock: Any) -> Any:
        tls = tls_of(self)
        return context_of(tls, stamp_of(tls)).wrap_socket(sock, server_hostname=self.host)  # type: ignore[attr-defined]


def tls_of(connection: Any) -> Tls:
    """From the arguments that redis-py was given."""
    verify: Verify = "full" if connection.check_hostname else "ca" if connection.cert_reqs == ssl.CERT_REQUIRED else "none"
    return Tls(verify, connection.ca_certs, connection.certfile, connection.keyfile, connection.certificate_password)


def stamp_of(tls: Tls) -> Stamp:
    """Changes when a file was replaced: certificates are renewed while we run."""
    return tuple((each, os.stat(each).st_mtime_ns) for each in tls.files)


@lru_cache(maxsize=8)
def context_of(tls: Tls, _: Stamp) -> ssl.SSLContext:
    """Raises ``OSError`` and ``ssl.SSLError`` where a file cannot be used."""
    context = ssl.create_default_context(cafile=tls.ca_file)
    context.check_hostname = tls.verify == "full"
    context.verify_mode = ssl.CERT_NONE if tls.verify == "none" else ssl.CERT_REQUIRED
    if tls.certificate_file:
        context.load_cert_chain(tls.certificate_file, tls.key_file, tls.key_password)
    return context


class TcpConnection(ReconnectsAfterFailover, Connection):
    pass


class UnixConnection(ReconnectsAfterFailover, UnixDomainSocketConnection):
    pass


class TlsConnection(ReconnectsAfterFailover, VerifiesTls, SSLConnection):
    pass


class SentinelConnection(ReconnectsAfterFailover, SentinelManagedConnection):
    pass


class SentinelTlsConnection(ReconnectsAfterFailover, VerifiesTls, SentinelManagedConnection, SSLConnection):
    pass


def tls_arguments(tls: Tls) -> dict[str, Any]:
    """As redis-py, Celery and Flower take them."""
    return {
        "ssl_cert_reqs": "none" if tls.verify == "none" else "required",
        "ssl_check_hostname": tls.verify == "full",
        "ssl_ca_certs": tls.ca_file,
        "ssl_certfile": tls.certificate_file,
        "ssl_keyfile": tls.key_file,
        "ssl_password": tls.key_password,
    }
