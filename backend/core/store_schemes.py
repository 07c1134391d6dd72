"""The kinds of stores, by the scheme of ``GATEWAY_STORAGE_URL``. A row and its adapter are all that a new kind needs."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StoreScheme:
    """``address`` matches a whole URL. ``adapter`` is the module below ``backend/adapters`` that opens it (``adapters/stores.py``).

    ``is_folder``: the URL's path is the store. Other kinds get a folder of the data folder, for bytes on their way.
    """

    address: re.Pattern[str]
    example: str
    adapter: str
    is_folder: bool = False


# A bucket's name by S3's rules; what stands after it is the prefix of every key.
SCHEMES: dict[str, StoreScheme] = {
    "file": StoreScheme(re.compile(r"(?i:file):(?:///|/(?!/)).*", re.DOTALL), "file:///folder", "files.store", is_folder=True),
    "s3": StoreScheme(re.compile(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](?:/[A-Za-z0-9!_.*'()/-]*)?"), "s3://bucket/prefix", "s3.store"),
}


def scheme_of(url: str) -> StoreScheme | None:
    """None for a URL that no row accepts."""
    known = SCHEMES.get(url.partition(":")[0].lower())
    return known if known is not None and known.address.fullmatch(url) else None
