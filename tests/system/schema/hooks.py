"""What schemathesis (https://schemathesis.readthedocs.io) needs to know of this API that OpenAPI cannot say. It loads this file by itself."""

from __future__ import annotations

import secrets

import schemathesis
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode, HookContext

from backend.core import options, tus
from backend.core.formats import OUTPUT
from tests.fakes.samples import image

NOBODY = "http://127.0.0.1:9/a.png"
"""An address for jobs by URL at which nothing listens. No test asks a server elsewhere."""
HUGE = 5000
DIGESTS = ("Content-Digest", "Upload-Checksum")
"""They must be those of the body."""

schemathesis.openapi.format("uri", st.just(NOBODY))
for media_type in ("image/*", "application/octet-stream", tus.MEDIA_TYPE):
    schemathesis.openapi.media_type(media_type, st.just(image()))


@schemathesis.serializer(tus.MEDIA_TYPE)
def serialize_bytes(_: object, value: object) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()


@schemathesis.hook
def map_headers(_: HookContext, headers: dict[str, str] | None) -> dict[str, str] | None:
    """A key stands for one request, so each gets its own."""
    return headers | {"Idempotency-Key": secrets.token_hex(8)} if headers and "Idempotency-Key" in headers else headers


@schemathesis.hook
def filter_case(_: HookContext, case: Case) -> bool:
    """Leaves out what schemathesis takes for right, and what two parameters together make wrong."""
    if case.meta is None or case.meta.generation.mode is not GenerationMode.POSITIVE:
        return True
    query, headers = case.query or {}, case.headers or {}
    is_right = all(each.mode is GenerationMode.POSITIVE for each in case.meta.components.values())
    given = {**query, **(case.body if isinstance(case.body, dict) else {})}
    excludes = any({each.one, each.other} <= given.keys() for each in options.EXCLUSIVE) or any(name in headers for name in DIGESTS)
    is_known = not any(_is_beyond(each) or _names_a_mark(each) for each in (query, case.body)) and not _is_foreign(case, given)
    return is_right and not excludes and is_known and _has_one_length(case) and _has_one_subject(case)


def _is_beyond(given: object) -> bool:
    """A small picture that is enlarged to the longest side may get a longer one than there can be. Of a part, nobody knows before it is open."""
    if not isinstance(given, dict):
        return False
    is_huge = any(int(given.get(side) or 0) > HUGE for side in ("width", "height")) or not {"dpr", "crop", "trim"}.isdisjoint(given)
    return ("enlarge" in given and is_huge) or not str(given.get("crop") or "0,0,").startswith("0,0,")


def _names_a_mark(given: object) -> bool:
    """This gateway has no watermarks, and names are the operator's."""
    return isinstance(given, dict) and "watermark" in given


def _is_foreign(case: Case, given: dict[str, object]) -> bool:
    """What the descriptions say by ``x-formats`` or in words: what means nothing for the format, several results where there is one answer."""
    if "/convert" in case.path and not {"widths", "formats"}.isdisjoint(given):
        return True
    if any("e" in str(given.get(name) or "") for name in ("dpr", "blur", "sharpen")):
        return True  # in text, a number has no exponent
    if case.path.endswith("/retry") and any(each.name in given and each.metadata["formats"] != options.EVERY_FORMAT for each in options.OFFERED):
        return True  # the format is the job's own
    asked = str(given.get("formats") or given.get("format") or options.DEFAULTS["format"]).split(",")
    is_long = any(int(given.get(side) or 0) > options.max_side(*asked) for side in ("width", "height")) if set(asked) <= {*OUTPUT, "auto"} else True
    return is_long or any(all(options.is_meaningless(name, each) for each in asked) for name in given)


def _has_one_subject(case: Case) -> bool:
    """Deliveries are listed of a job or of a batch."""
    query = case.query or {}
    return case.path != "/api/webhooks/deliveries" or ("job" in query) + ("batch" in query) == 1


def _has_one_length(case: Case) -> bool:
    """tus: a new upload tells its length, or that it comes later, or is made of parts; a PATCH tells its offset."""
    headers = case.headers or {}
    if case.method == "POST" and case.path == tus.PATH:
        is_final = headers.get("Upload-Concat", "").startswith("final")
        return ("Upload-Length" in headers) + ("Upload-Defer-Length" in headers) + is_final == 1
    return headers.get("X-HTTP-Method-Override") != "PATCH"
