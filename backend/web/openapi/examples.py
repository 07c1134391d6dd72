"""Example answers, by the name of their schema. A test compares each with a real answer: the same members, of the same types."""

from __future__ import annotations

from typing import Any

from backend.core import formats, options
from backend.core.public_job import public
from backend.web.openapi.schemas import EXAMPLE, READER, Schema

DELIVERY: dict[str, Any] = {
    "id": "msg_2y7Qk0a9hJmC7kXw4ZrTbA",
    "type": "job.succeeded",
    "job": EXAMPLE.id,
    "batch": None,
    "receiver": "https://example.com",
    "state": "delivered",
    "tries": [{"at": "2026-11-21T00:00:04.000Z", "status": 200, "error": None, "duration_ms": 31}],
    "next_try_at": None,
    "created_at": "2026-11-21T00:00:03.600Z",
    "ended_at": "2026-11-21T00:00:04.100Z",
    "links": {"resend": "/api/webhooks/deliveries/msg_2y7Qk0a9hJmC7kXw4ZrTbA/resend"},
}
CAPABILITIES: dict[str, Any] = {
    "version": "1.0.0",
    "formats": [{"name": each.name, "media_type": each.media_type, "extensions": list(each.extensions)} for each in formats.READABLE[:2]],
    "output_formats": [
        {"name": "webp", "media_type": "image/webp", "extension": "webp", "side_pixels": 16383, "has_alpha": True, "has_animation": True},
        {"name": "jpeg", "media_type": "image/jpeg", "extension": "jpg", "side_pixels": 65500, "has_alpha": False, "has_animation": False},
    ],
    "limits": {
        "upload_bytes": 67_108_864,
        "pixels": 100_000_000,
        "frames": 1000,
        "side_pixels": formats.OUTPUT[formats.DEFAULT_OUTPUT].max_side,
        "files_per_request": 100,
        "queued_jobs": 1000,
        "client_jobs": 500,
        "client_bytes_per_day": 107_374_182_400,
        "client_uploads": 1000,
        "pending_webhooks": 10_000,
    },
    "options": {name: options.schema()[name] for name in ("quality", "width")},
    "watermarks": [],
    "retention_s": 86_400,
    "auth": False,
    "features": ["archive", "batch", "retry", "tus"],
}
HEALTH: dict[str, Any] = {
    "status": "ok",
    "version": "1.0.0",
    "parts": {"redis": "ok", "store": "ok", "encoders": "ok"},
    "queue": {"queued": 3, "running": 2},
    "oldest_queued_seconds": 0.4,
    "hosts": [{"host": "a", "cores": 2, "encoders": 2, "jobs": 2, "gateways": 2, "seal": 3, "versions": ["1.0.0"], "protocol": [1, 2]}],
    "maintenance": {"status": "ok", "seconds_since_round": {"jobs": 0.6, "store": 0.8}},
    "encoders": {"count": 2, "busy": 2, "seal": {"level": 3, "landlock": 7, "seccomp": True, "escapes": []}},
}
EXAMPLES: dict[str, Any] = {
    "JobList": {"jobs": [public(EXAMPLE, READER)], "next": None},
    "Capabilities": CAPABILITIES,
    "Health": HEALTH,
    "Live": {"status": "ok", "version": "1.0.0"},
    "Delivery": DELIVERY,
    "DeliveryList": {"deliveries": [DELIVERY]},
}


def with_examples(known: dict[str, Schema]) -> dict[str, Schema]:
    return {name: {**schema, "example": EXAMPLES[name]} if name in EXAMPLES else schema for name, schema in known.items()}
