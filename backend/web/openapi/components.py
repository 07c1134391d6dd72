"""What several operations of the API's description share: parameters, headers, and the tags in their order. Their texts are ``api.…``."""

from __future__ import annotations

from typing import Any

from backend.core import cursor, tus, webhooks
from backend.core.events import SEQ_DIGITS
from backend.core.formats import MAX_OUTPUT_SIDE, OUTPUT
from backend.web.openapi.schemas import ID, TEXT, Schema


def _parameter(name: str, where: str, schema: Schema, **more: Any) -> dict[str, Any]:
    return {"name": name, "in": where, "required": where == "path", "schema": schema, **more}


def _base64(size_bytes: int) -> str:
    """The pattern of so many bytes in Base64."""
    groups, rest = divmod(size_bytes, 3)
    return f"[A-Za-z0-9+/]{{{4 * groups + (rest + 1 if rest else 0)}}}{'=' * (3 - rest) if rest else ''}"


DIGEST_PATTERN = f"^(sha-256=:{_base64(32)}:|sha-512=:{_base64(64)}:)$"
CHECKSUMS = "|".join(f"{name} {_base64(size_bytes)}" for name, size_bytes in tus.CHECKSUMS.items())
METADATUM = "[!-+\\--~]+( ([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?)?"
PART = f"{tus.PATH}/[A-Za-z0-9_-]{{22}}"
ID_PATTERN = webhooks.ID.pattern

PARAMETERS: dict[str, dict[str, Any]] = {
    "job_id": _parameter("job_id", "path", ID),
    "batch_id": _parameter("batch_id", "path", ID),
    "upload_id": _parameter("upload_id", "path", ID),
    "file_name": _parameter("name", "path", TEXT),
    "any_upload_id": _parameter("upload_id", "path", TEXT),
    "Prefer": _parameter("Prefer", "header", TEXT),
    "Idempotency-Key": _parameter("Idempotency-Key", "header", TEXT),
    "Content-Digest": _parameter("Content-Digest", "header", {"type": "string", "pattern": DIGEST_PATTERN}),
    "If-None-Match": _parameter("If-None-Match", "header", TEXT),
    "If-Match": _parameter("If-Match", "header", TEXT),
    "Range": _parameter("Range", "header", TEXT),
    "If-Range": _parameter("If-Range", "header", TEXT),
    "Last-Event-ID": _parameter("Last-Event-ID", "header", {"type": "string", "pattern": f"^[0-9]{{0,{SEQ_DIGITS}}}$"}),
    "delivery_id": _parameter("delivery_id", "path", {"type": "string", "pattern": f"^{ID_PATTERN}$"}),
    "job": _parameter("job", "query", ID),
    "batch": _parameter("batch", "query", ID),
    "webhook_url": _parameter("webhook_url", "query", {"type": "string", "format": "uri"}),
    "webhook-id": _parameter("webhook-id", "header", {"type": "string", "pattern": f"^{ID_PATTERN}$"}, required=True),
    "webhook-timestamp": _parameter("webhook-timestamp", "header", {"type": "integer"}, required=True),
    "webhook-signature": _parameter("webhook-signature", "header", TEXT, required=True),
    "after": _parameter("after", "query", {"type": "integer", "minimum": 0, "maximum": 10**SEQ_DIGITS - 1}),
    "result_width": _parameter("width", "query", {"type": "integer", "minimum": 1, "maximum": MAX_OUTPUT_SIDE}),
    "result_format": _parameter("format", "query", {"type": "string", "enum": list(OUTPUT)}),
    "download": _parameter("download", "query", TEXT, allowEmptyValue=True),
    "filename": _parameter("filename", "query", TEXT),
    "state": _parameter(
        "state",
        "query",
        {"type": "array", "items": {"$ref": "#/components/schemas/State"}},
        style="form",
        explode=False,
    ),
    "limit": _parameter("limit", "query", {"type": "integer", "minimum": 1, "maximum": 200, "default": 50}),
    "cursor": _parameter("cursor", "query", {"type": "string", "pattern": f"^({cursor.PATTERN})?$"}),
    "Upgrade": _parameter("Upgrade", "header", {"const": "websocket"}, required=True),
    "Connection": _parameter("Connection", "header", {"const": "Upgrade"}, required=True),
    "Sec-WebSocket-Version": _parameter("Sec-WebSocket-Version", "header", {"const": "13"}, required=True),
    "Sec-WebSocket-Key": _parameter("Sec-WebSocket-Key", "header", {"type": "string", "pattern": "^[A-Za-z0-9+/]{21}[AQgw]==$"}, required=True),
    "Tus-Resumable": _parameter("Tus-Resumable", "header", {"const": tus.VERSION}, required=True),
    "Upload-Length": _parameter("Upload-Length", "header", {"type": "integer", "minimum": 0}),
    "Upload-Defer-Length": _parameter("Upload-Defer-Length", "header", {"const": 1}),
    "Upload-Metadata": _parameter("Upload-Metadata", "header", {"type": "string", "pattern": f"^({METADATUM}(,{METADATUM})*)?$"}),
    "Upload-Concat": _parameter("Upload-Concat", "header", {"type": "string", "pattern": f"^(partial|final;{PART}( {PART})*)$"}),
    "Upload-Offset": _parameter("Upload-Offset", "header", {"type": "integer", "minimum": 0}, required=True),
    "Upload-Checksum": _parameter("Upload-Checksum", "header", {"type": "string", "pattern": f"^({CHECKSUMS})$"}),
    "X-HTTP-Method-Override": _parameter("X-HTTP-Method-Override", "header", {"enum": ["DELETE", "HEAD", "PATCH"]}, required=True),
}
HEADERS: dict[str, Schema] = {
    "X-Request-Id": TEXT,
    "X-Result": TEXT,
    "Location": TEXT,
    "Retry-After": {"type": "integer", "minimum": 0},
    "ETag": TEXT,
    "Link": TEXT,
    "Preference-Applied": TEXT,
    "RateLimit": TEXT,
    "RateLimit-Policy": TEXT,
    "Server-Timing": TEXT,
    "Content-Disposition": TEXT,
    "Content-Range": TEXT,
    "Accept-Ranges": TEXT,
    "Tus-Resumable": TEXT,
    "Tus-Version": TEXT,
    "Tus-Extension": TEXT,
    "Tus-Max-Size": {"type": "integer"},
    "Tus-Checksum-Algorithm": TEXT,
    "Upload-Offset": {"type": "integer", "minimum": 0},
    "Upload-Length": {"type": "integer", "minimum": 0},
    "Upload-Defer-Length": {"const": 1},
    "Upload-Metadata": TEXT,
    "Upload-Concat": TEXT,
    "Upload-Expires": TEXT,
}
TAGS = ("convert", "jobs", "events", "batches", "uploads", "webhooks", "gateway")
"""In the order in which one needs them, and in which the description shows them."""
