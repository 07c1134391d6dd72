"""What went wrong, by the words of ``venv`` and pip, and the sentence that helps. The first row that fits is taken: from the cause to its effects."""

from __future__ import annotations

import errno
import os
import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from urllib.request import getproxies

from backend.errors import CannotStart
from backend.installation.environment import python_version

Row = tuple[str, Callable[[str], CannotStart]]
LAST_LINES = 12
HOSTS = (r"repository located at (\S+) is not", r"host='([^']+)'", r"for url: https?://([^/\s]+)", r"https?://(?:[^/@\s]*@)?([^/\s]+)")
"""Where pip's lines name the host: the most certain place first."""
LONGEST = 1200
FULL_BYTES = 16 << 20
"""What a wheel of the largest package takes; with less free, nothing else need be looked for."""
ROWS: tuple[Row, ...] = (
    (r"No space left on device|Errno 28|Disk quota exceeded|Errno 122", lambda _: CannotStart("install_no_space", folder=Path.cwd())),
    (r"ensurepip is not\s+available|No module named '?(ensurepip|venv)|returned non-zero exit status.*ensurepip", lambda _: _without_pip()),
    (r"No module named '?pip", lambda _: _without_pip()),
    (r"is not a trusted or secure host", lambda said: CannotStart("install_no_tls", host=_host(said))),
    (r"ProxyError|Cannot connect to proxy|Tunnel connection failed|407 Proxy", lambda _: CannotStart("install_proxy", proxy=_proxy())),
    (r"CERTIFICATE_VERIFY_FAILED|SSLCertVerificationError|SSLError", lambda said: CannotStart("install_certificate", host=_host(said))),
    (r"DO NOT MATCH THE HASHES", lambda said: CannotStart("install_hashes", host=_host(said))),
    (r"HTTP error (401|403)|\b(401|403) Client Error", lambda said: CannotStart("install_refused", host=_host(said))),
    (
        r"NewConnectionError|NameResolutionError|ConnectTimeout|ReadTimeout|Read timed out|Connection refused|Network is unreachable|"
        r"Connection reset|Connection aborted|ProtocolError|IncompleteRead|getaddrinfo|(HTTP error |too many )5\d\d",
        lambda said: CannotStart("install_network", host=_host(said)),
    ),
    (
        r"Permission denied|Errno 13|Read-only file system|Errno 30",
        lambda _: CannotStart("install_unwritable", folder=Path.cwd(), why=_why(errno.EACCES)),
    ),
    (
        r"No matching distribution found|Could not find a version|Failed building wheel|Failed to build|metadata-generation-failed",
        lambda said: CannotStart("install_no_wheel", version=python_version(), package=_package(said)),
    ),
)


def of_output(said: str) -> CannotStart:
    """For what ``venv`` or pip has said before it failed."""
    for pattern, advice in ROWS:
        if re.search(pattern, said):
            return advice(said)
    if shutil.disk_usage(Path.cwd()).free < FULL_BYTES:  # venv keeps to itself what its pip said
        return CannotStart("install_no_space", folder=Path.cwd())
    return CannotStart("install_failed", last=" | ".join(said.strip().splitlines()[-LAST_LINES:])[-LONGEST:])


def is_silent(lines: list[str]) -> bool:
    """Whether pip has only said that it found nothing: the index may have refused, or not have answered."""
    return of_output("\n".join(lines)).reason == "install_no_wheel"


def of_error(error: OSError, folder: Path) -> CannotStart:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return CannotStart("install_no_space", folder=folder)
    return CannotStart("install_unwritable", folder=folder, why=error.strerror)


def _without_pip() -> CannotStart:
    name = f"python{sys.version_info[0]}.{sys.version_info[1]}-venv"
    if Path("/etc/debian_version").exists():
        return CannotStart("install_debian_venv", package=name)
    return CannotStart("install_without_pip", python=sys.executable)


def _why(number: int) -> str:
    return os.strerror(number)


def _proxy() -> str:
    """Without its password."""
    proxies = getproxies()
    found = proxies.get("https") or proxies.get("http") or proxies.get("all") or "?"
    return re.sub(r"//[^/@]*@", "//…@", found)


def _host(said: str) -> str:
    """The package index, as pip names it."""
    found = (match[1] for pattern in HOSTS if (match := re.search(pattern, said)))
    return next(found, "pypi.org")


def _package(said: str) -> str:
    match = re.search(r"No matching distribution found for (\S+)|Failed building wheel for (\S+)|requirement (\S+)", said)
    return next((each for each in match.groups() if each), "?") if match else "?"
