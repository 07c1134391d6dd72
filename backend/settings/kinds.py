"""How the text of an environment variable becomes a value. Each kind names the sentence of ``texts`` that says what it accepts."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_network
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from backend.core import host_names
from backend.core import redis_url as redis_urls
from backend.core.addresses import Network
from backend.core.store_schemes import SCHEMES, scheme_of
from backend.settings.path_prefix import OWN_NAMES, is_path_prefix

UNITS = {"": 1, "B": 1, "K": 1 << 10, "KiB": 1 << 10, "M": 1 << 20, "MiB": 1 << 20, "G": 1 << 30, "GiB": 1 << 30}
SECONDS = {"second": 1, "minute": 60, "hour": 3600, "day": 86_400}
KEY = r"[\x21-\x2b\x2d-\x7e]{8,200}"
"""Printable ASCII without the comma that separates keys."""


KEY_PREFIX_CHARACTERS = 64
"""A name, such as that of a team and a stage; it is part of each of a job's keys."""


@dataclass(frozen=True, slots=True)
class Kind:
    """``read`` raises ``ValueError`` or ``OSError``. ``accepted`` is a key below ``accepted.`` in ``texts``; ``params`` fill its sentence."""

    accepted: str
    read: Callable[[str], Any]
    params: Mapping[str, object] = field(default_factory=dict)


def number(low: int, high: int) -> Kind:
    return Kind("number", lambda text: _whole(text, low, high), {"low": low, "high": high})


def seconds(low: int, high: int) -> Kind:
    return Kind("seconds", lambda text: _whole(text, low, high), {"low": low, "high": high})


def size(low: int, high: int) -> Kind:
    """Bytes, with or without a binary unit."""

    def read(text: str) -> int:
        match = matched(rf"(\d{{1,15}})\s?({'|'.join(UNITS)})", text)
        return _within(int(match[1]) * UNITS[match[2]], low, high)

    return Kind("size", read, {"low": low, "high": high})


def one_of(*words: str) -> Kind:
    return Kind("one_of", lambda text: matched("|".join(words), text)[0], {"words": words})


def url(*schemes: str) -> Kind:
    def read(text: str) -> str:
        parts = urlsplit(text)
        return _checked(text, parts.scheme in schemes and bool(parts.netloc or parts.path))

    return Kind("url", read, {"starts": tuple(f"{each}://" for each in schemes)})


def key_prefix() -> Kind:
    """No braces, which would end the slot's name, and nothing that a pattern of Redis gives a meaning."""
    return Kind("key_prefix", lambda text: matched(rf"[0-9A-Za-z._:-]{{1,{KEY_PREFIX_CHARACTERS}}}", text)[0], {"most": KEY_PREFIX_CHARACTERS})


def redis_url() -> Kind:
    """The text itself, once it is understood: ``core.redis_url`` says how."""

    def read(text: str) -> str:
        redis_urls.parse(text)
        return text

    return Kind("redis_url", read, {"starts": tuple(f"{each}://" for each in redis_urls.SCHEMES)})


def public_url() -> Kind:
    """Scheme and host, and a path prefix where there is one."""

    def read(text: str) -> str:
        parts = urlsplit(text)
        path = parts.path.rstrip("/")
        host = matched(r"[0-9A-Za-z._-]+|\[[0-9A-Fa-f:.]+\]", parts.netloc.rpartition(":")[0] if parts.port else parts.netloc)[0]
        is_right = parts.scheme in ("http", "https") and bool(host) and text.rstrip("/") == f"{parts.scheme}://{parts.netloc}{path}"
        return _checked(text.rstrip("/"), is_right and (not path or is_path_prefix(path)))

    return Kind("public_url", read)


def path_prefix() -> Kind:
    def read(text: str) -> str:
        return _checked(text.rstrip("/"), is_path_prefix(text.rstrip("/")))

    return Kind("path_prefix", read, {"own": tuple(sorted(OWN_NAMES))})


def storage_url() -> Kind:
    """Which stores there are, ``core.store_schemes`` says."""
    examples = tuple(each.example for each in SCHEMES.values())
    return Kind("storage_url", lambda text: _checked(text, scheme_of(text) is not None), {"examples": examples})


def host() -> Kind:
    return Kind("host", _host)


def bind() -> Kind:
    """Address and port; an IPv6 address stands in brackets."""

    def read(text: str) -> tuple[str, int]:
        address, _, port = text.rpartition(":")
        return _host(address.removeprefix("[").removesuffix("]")), _whole(port, 1, 65_535)

    return Kind("bind", read)


def peer_address() -> Kind:
    """Host and port, an IPv6 address in brackets; or ``off``."""

    def read(text: str) -> str:
        host, _, port = text.rpartition(":")
        return text if text == "off" else _checked(text, bool(_host(host.removeprefix("[").removesuffix("]"))) and bool(_whole(port, 1, 65_535)))

    return Kind("peer_address", read)


def folder() -> Kind:
    return Kind("folder", lambda text: Path(_checked(text, "\0" not in text)).expanduser().absolute())


def path() -> Kind:
    """Of a file. Whether it can be read is seen when it is."""
    return Kind("file", lambda text: Path(_checked(text, "\0" not in text)))


def keys() -> Kind:
    return Kind("keys", lambda text: tuple(matched(KEY, each.strip())[0] for each in text.split(",")))


def webhook_secrets() -> Kind:
    """The keys themselves, as Standard Webhooks writes them: ``whsec_`` and base64 of 24 to 64 bytes."""

    def read(text: str) -> tuple[bytes, ...]:
        return tuple(_webhook_key(each.strip()) for each in text.split(","))

    return Kind("webhook_secrets", read)


def _webhook_key(text: str) -> bytes:
    key = base64.b64decode(matched(r"whsec_([A-Za-z0-9+/]+={0,2})", text)[1], validate=True)
    _within(len(key), 24, 64)
    return key


def pauses() -> Kind:
    """Seconds before each try, the first of which comes at once."""
    return Kind("pauses", lambda text: tuple(_whole(each.strip(), 0, 604_800) for each in _checked(text, text.count(",") < 50).split(",")))


def origins() -> Kind:
    """As browsers write them; ``null`` is that of a page from a file, or in a sandboxed frame."""

    def read(text: str) -> tuple[str, ...]:
        return tuple(matched(r"null|https?://[0-9a-z.:\[\]_-]+", each.strip().rstrip("/").lower())[0] for each in text.split(","))

    return Kind("origins", read)


def hosts() -> Kind:
    """As ``core.host_names.pattern`` says."""
    return Kind("hosts", lambda text: tuple(host_names.pattern(each.strip()) for each in text.split(",")))


def networks() -> Kind:
    def read(text: str) -> tuple[Network, ...]:
        return tuple(ip_network(each.strip()) for each in text.split(","))

    return Kind("networks", read)


def rate() -> Kind:
    """A number and the seconds in which it is allowed."""

    def read(text: str) -> tuple[int, int]:
        match = matched(rf"([1-9]\d{{0,8}})/({'|'.join(SECONDS)})", text)
        return int(match[1]), SECONDS[match[2]]

    return Kind("rate", read)


def matched(pattern: str, text: str) -> re.Match[str]:
    match = re.fullmatch(pattern, text)
    if match is None:
        raise ValueError(text)
    return match


def _checked(text: str, is_right: bool) -> str:
    if not is_right:
        raise ValueError(text)
    return text


def _within(value: int, low: int, high: int) -> int:
    if not low <= value <= high:
        raise ValueError(value)
    return value


def _whole(text: str, low: int, high: int) -> int:
    return _within(int(matched(r"\d{1,18}", text)[0]), low, high)


def _host(text: str) -> str:
    return matched(r"[0-9A-Za-z.:_-]+", text)[0]
