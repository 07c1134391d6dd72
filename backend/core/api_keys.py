"""API keys: what a gateway knows of one, what a new one looks like, and whether one was mistyped.

A new key is ``wg_``, 160 random bits in base 62, and a CRC-32 of both in base 62: a scanner finds it in a repository, and a slip of the pen is told
from a wrong key. Keys of any other form, as operators chose them before, are as good.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import math
import re
import string
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

from backend.core import records
from backend.core.client_limits import ClientLimits

Role = Literal["client", "operator"]
ROLES: tuple[Role, ...] = ("client", "operator")
PREFIX = "wg_"
RANDOM_BYTES = 20
DIGITS = string.digits + string.ascii_uppercase + string.ascii_lowercase
RANDOM_DIGITS, SUM_DIGITS = 27, 6
"""Base-62 digits that 160 and 32 bits need."""
MAX_FILE_BYTES = 4 << 20
"""Of a file of keys: some 20 000. A larger one is somebody's mistake."""
FORM = re.compile(rf"{PREFIX}[0-9A-Za-z]{{{RANDOM_DIGITS + SUM_DIGITS}}}")


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key that the operator gave out. Only its SHA-256 is known.

    ``name`` is empty for a key of a plain list. ``own_limits`` are the fields of ``ClientLimits`` that are this key's own. ``rate_limit`` is a number
    and its window in seconds; None: the gateway's. ``expires_at`` is in seconds since the epoch.
    """

    digest: str
    name: str = ""
    role: Role = "client"
    expires_at: float = math.inf
    own_limits: Mapping[str, int] = field(default_factory=dict)
    rate_limit: tuple[int, int] | None = None

    @property
    def reads_figures(self) -> bool:
        """Whether it is shown figures of everybody's work."""
        return self.role == "operator"

    def limits(self, defaults: ClientLimits) -> ClientLimits:
        return replace(defaults, **self.own_limits)


class KeyTable:
    """The keys that there are, by digest. Without any, the gateway is open to everybody. ``are_stale``: newer ones cannot be used."""

    def __init__(self, keys: Iterable[ApiKey] = ()) -> None:
        self.replace(keys)
        self.are_set, self.are_stale = bool(self._keys), False

    def replace(self, keys: Iterable[ApiKey]) -> None:
        self._keys = {each.digest: each for each in keys}

    def find(self, digest: str) -> ApiKey | None:
        """The key with this digest, also one that has expired.

        The look-up takes a time that tells nothing: Python hashes text with a secret of the process. And who learnt the beginning of a digest
        would still have to find a key for it.
        """
        found = self._keys.get(digest)
        return found if found is not None and hmac.compare_digest(found.digest, digest) else None


def to_json(keys: Iterable[ApiKey]) -> str:
    return json.dumps([asdict(each) for each in keys])


def from_json(text: str) -> tuple[ApiKey, ...]:
    """What ``to_json`` wrote."""
    return tuple(_read(each) for each in json.loads(text))


def _read(record: Mapping[str, Any]) -> ApiKey:
    own_limits = records.known(ClientLimits, record.get("own_limits", {}))
    return records.read(ApiKey, record, own_limits=own_limits, rate_limit=record.get("rate_limit") and tuple(record["rate_limit"]))


def plain_key(text: str) -> ApiKey:
    """A key of a plain list. Such a list knows no roles: each of its keys reads the figures, as it always did."""
    return ApiKey(digest_of(text), role="operator")


def digest_of(key: str) -> str:
    """SHA-256 in hexadecimal digits. Plain SHA-256 is enough: nobody can guess 160 random bits, so there is nothing to slow down."""
    return hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()


def new_key(random_bytes: bytes) -> str:
    """From ``RANDOM_BYTES`` random bytes."""
    body = PREFIX + _base62(int.from_bytes(random_bytes), RANDOM_DIGITS)
    return body + _sum_of(body)


def is_mistyped(key: str) -> bool:
    """Whether it begins like a new key and cannot be one. Everybody can compute that, so it tells nothing of the keys that there are."""
    return key.startswith(PREFIX) and not (FORM.fullmatch(key) and key[-SUM_DIGITS:] == _sum_of(key[:-SUM_DIGITS]))


def _sum_of(body: str) -> str:
    return _base62(zlib.crc32(body.encode()), SUM_DIGITS)


def _base62(number: int, width: int) -> str:
    digits = ""
    while number:
        number, digit = divmod(number, len(DIGITS))
        digits = DIGITS[digit] + digits
    return digits.rjust(width, DIGITS[0])
