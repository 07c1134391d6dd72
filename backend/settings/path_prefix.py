"""The form of a path under which a proxy shows the gateway, such as ``/images``."""

from __future__ import annotations

import re

PREFIX = re.compile(r"(?:/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+")
OWN_NAMES = frozenset(
    {
        "api",
        "favicon.ico",
        "img",
        "info",
        "manifest.webmanifest",
        "metrics",
        "plain",
        "problems",
        "service-worker.js",
        "share",
        "socket.io",
        "static",
        "status",
    }
)
"""First parts of the gateway's own paths. A prefix that begins with one could not be told from a path without prefix."""
MAX_CHARACTERS = 200


def is_path_prefix(text: str) -> bool:
    return len(text) <= MAX_CHARACTERS and PREFIX.fullmatch(text) is not None and text.split("/")[1] not in OWN_NAMES
