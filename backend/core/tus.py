"""tus 1.0.0 (https://tus.io/protocols/resumable-upload): what its headers may say, and how they are read.

Every reader raises ``BadRequest`` that names the header and what it accepts.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping

from backend import errors
from backend.core import form_fields, options
from backend.core.charsets import utf8_or_guessed
from backend.core.suggestions.likeness import letters as letters_of

VERSION = "1.0.0"
EXTENSIONS = ("creation", "creation-with-upload", "creation-defer-length", "termination", "expiration", "checksum", "concatenation")
CHECKSUMS = {"sha1": 20, "sha256": 32, "sha384": 48, "sha512": 64, "md5": 16}
"""Algorithm → digest size in bytes. sha1 is the one that the protocol demands."""
MEDIA_TYPE = "application/offset+octet-stream"
PATH = "/api/uploads"
PARTIAL = "partial"
FINAL = "final"
NAME_KEYS = ("filename", "name")
"""Metadata that hold the file's name, in any spelling (``fileName``, ``file_name``). Uppy says ``name``."""
OWN_KEYS = frozenset({"fieldname", "form", "quantity", "usermetadata", "weight"})
"""Metadata that clients add in any spelling (``userMetadata``), though they resemble an option (``options.is_similar``).

The fields that libraries add to forms count as such too (``form_fields``).
"""
MOST_KEYS = 100
METADATA_BYTES = 8000
"""A header field has 8190 bytes in Gunicorn, but a request may bring the same field several times. ``HEAD`` gives it all back."""
MOST_PARTS = 1000
"""Never reached: their addresses must fit into one header field, of 8190 bytes in Gunicorn."""
_PAIR = re.compile(r"([!-+\--~]+)(?:[ \t]+([!-~]+))?")
"""A key, of visible ASCII without the comma, and its value."""
_PART = re.compile(rf"(?:(?:https?://[^/\s]+)?(?:/[^\s,]*)?{PATH}/|(?:\./)?(?:uploads/)?)([A-Za-z0-9_-]{{22}})/?")
"""An absolute address, or one that is relative to ``PATH`` with or without a slash at its end."""


def count(header: str, text: str) -> int:
    """A number of bytes, of any size: the limit is checked by the caller."""
    if not text:
        raise errors.BadRequest("header_missing", header=header, accepted="0, 1, 2, …")
    if not re.fullmatch(r"\d{1,100}", text, re.ASCII):
        raise errors.BadRequest("header", header=header, accepted="0, 1, 2, …")
    return int(text)


def length(upload_length: str | None, upload_defer_length: str | None) -> int | None:
    """The announced size in bytes; None where it is announced later. Exactly one of the two headers must be there."""
    if upload_length is None and upload_defer_length is None:
        raise errors.BadRequest("header_missing", header="Upload-Length", accepted="0, 1, 2, … / Upload-Defer-Length: 1")
    if upload_length is not None and upload_defer_length is not None:
        raise errors.BadRequest("header", header="Upload-Length", accepted="0, 1, 2, … / Upload-Defer-Length: 1")
    if upload_length is not None:
        return count("Upload-Length", upload_length)
    if upload_defer_length != "1":
        raise errors.BadRequest("header", header="Upload-Defer-Length", accepted="1")
    return None


def metadata(text: str) -> dict[str, str]:
    """``key base64,key base64,key`` in order. A key without a value gets an empty one.

    The charset of names that are not UTF-8 is guessed; in other values such bytes become �. Empty members of the list count for nothing (RFC 9110,
    5.6.1.2). Raises ``BadRequest`` and ``TooLarge``.
    """
    if len(text) > METADATA_BYTES:
        raise errors.TooLarge("metadata", limit_bytes=METADATA_BYTES)
    pairs: dict[str, str] = {}
    for key, value in (_pair(each) for member in text.split(",") if (each := member.strip(" \t"))):
        if key in pairs:
            raise errors.BadRequest("metadata_repeated", key=key[:100])
        pairs[key] = value
    if len(pairs) > MOST_KEYS:
        raise errors.BadRequest("metadata_keys", limit=MOST_KEYS)
    return pairs


def _pair(text: str) -> tuple[str, str]:
    match = _PAIR.fullmatch(text)
    value = _bytes(match[2] or "") if match else None
    if match is None or value is None:
        raise errors.BadRequest("header", header="Upload-Metadata", accepted="filename Y2F0LmpwZw==,quality NzU=")
    return match[1], utf8_or_guessed(value) if letters_of(match[1]) in NAME_KEYS else value.decode("utf-8", "replace")


def _bytes(text: str) -> bytes | None:
    """What ``text`` is in base64, whose padding may be missing; None where it is none."""
    bare = text.rstrip("=")
    try:
        return base64.b64decode(bare + "=" * (-len(bare) % 4), validate=True)
    except ValueError:
        return None


def wishes(pairs: Mapping[str, str]) -> list[tuple[str, str]]:
    """Those of the metadata that are options, or look like one misspelt. The others are the client's own."""
    return [(key, value) for key, value in pairs.items() if not _is_own(key)]


def _is_own(key: str) -> bool:
    letters = letters_of(key)
    is_other_spelling = letters == "filename" != key
    return letters in OWN_KEYS or is_other_spelling or not form_fields.is_option(key) or not options.is_similar(key)


def name(pairs: Mapping[str, str]) -> str:
    """The file's name by the metadata; empty where they have none."""
    return next((value for wanted in NAME_KEYS for key, value in pairs.items() if letters_of(key) == wanted and value), "")


def checksum(text: str) -> tuple[str, bytes]:
    """The algorithm and the digest of ``sha1 base64``."""
    algorithm, _, value = text.strip().partition(" ")
    digest = _bytes(value.strip())
    if digest is None or CHECKSUMS.get(algorithm) != len(digest):
        raise errors.BadRequest("header", header="Upload-Checksum", accepted=" / ".join(f"{each} base64" for each in CHECKSUMS))
    return algorithm, digest


def concat(text: str) -> tuple[str, tuple[str, ...]]:
    """``PARTIAL``, or ``FINAL`` with the ids of its parts in order."""
    kind, _, addresses = text.strip().partition(";")
    if kind == PARTIAL and not addresses:
        return PARTIAL, ()
    parts = tuple(match[1] if (match := _PART.fullmatch(each)) else "" for each in addresses.split())
    if kind != FINAL or not 0 < len(parts) <= MOST_PARTS or "" in parts:
        raise errors.BadRequest("header", header="Upload-Concat", accepted=f"partial / final;{PATH}/… {PATH}/…")
    return FINAL, parts
