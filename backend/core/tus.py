"""tus 1.0.0 (https://tus.io/protocols/resumable-upload): what its headers may say, and how they are read.

Every reader raises ``BadRequest`` that names the header and what it accepts.
"""

from __future__ import annotations

import base64
import binascii
import re

from backend import errors
from backend.core.charsets import utf8_or_guessed

VERSION = "1.0.0"
EXTENSIONS = ("creation", "creation-with-upload", "creation-defer-length", "termination", "expiration", "checksum", "concatenation")
CHECKSUMS = {"sha1": 20, "sha256": 32, "sha384": 48, "sha512": 64, "md5": 16}
"""Algorithm → digest size in bytes. sha1 is the one that the protocol demands."""
MEDIA_TYPE = "application/offset+octet-stream"
PATH = "/api/uploads"
PARTIAL = "partial"
FINAL = "final"
DESCRIPTIVE = frozenset({"filetype", "name", "type", "relativePath"})
"""Metadata that describe the file and are no conversion options: ``filetype`` of the protocol's example, and what Uppy adds."""
MOST_PARTS = 1000
"""Never reached: their addresses must fit into one header field, of 8190 bytes in Gunicorn."""
_PART = re.compile(rf"(?:https?://[^/\s]+)?(?:/[^\s]*)?{PATH}/([A-Za-z0-9_-]{{22}})/?")


def count(header: str, text: str) -> int:
    """A number of bytes."""
    if not re.fullmatch(r"\d{1,18}", text, re.ASCII):
        raise errors.BadRequest("header", header=header, accepted="0, 1, 2, …")
    return int(text)


def length(upload_length: str | None, upload_defer_length: str | None) -> int | None:
    """The announced size in bytes; None where it is announced later. Exactly one of the two headers must be there."""
    if (upload_length is None) == (upload_defer_length is None):
        raise errors.BadRequest("header", header="Upload-Length", accepted="0, 1, 2, … / Upload-Defer-Length: 1")
    if upload_length is not None:
        return count("Upload-Length", upload_length)
    if upload_defer_length != "1":
        raise errors.BadRequest("header", header="Upload-Defer-Length", accepted="1")
    return None


def metadata(text: str) -> list[tuple[str, str]]:
    """``key base64,key base64,key`` as pairs in order. A key without a value gets an empty one. The charset of what is not UTF-8 is guessed."""
    return [_pair(each.strip()) for each in text.split(",")] if text.strip() else []


def _pair(text: str) -> tuple[str, str]:
    key, _, value = text.partition(" ")
    try:
        if not key or not key.isascii():
            raise ValueError(key)
        return key, utf8_or_guessed(base64.b64decode(value.strip(), validate=True))
    except (ValueError, binascii.Error):
        raise errors.BadRequest("header", header="Upload-Metadata", accepted="key base64,key base64") from None


def checksum(text: str) -> tuple[str, bytes]:
    """The algorithm and the digest of ``sha1 base64``."""
    algorithm, _, value = text.strip().partition(" ")
    try:
        digest = base64.b64decode(value.strip(), validate=True)
    except binascii.Error:
        digest = b""
    if CHECKSUMS.get(algorithm) != len(digest):
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
