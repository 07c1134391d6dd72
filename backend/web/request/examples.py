"""What would have worked at the address that was asked, for sentences that show it."""

from __future__ import annotations

from flask import request

from backend.web.request.context import web_context

JOBS, CONVERT = "/api/jobs", "/api/convert"
BY_URL = '{"url": "https://example.com/cat.jpg", "quality": 75}'
OPTIONS = '{"quality": 75}'


def of_request() -> dict[str, str]:
    """``address`` and ``command`` for an image, and an ``example`` of JSON."""
    if request.path.startswith(CONVERT) or (request.method == "PUT" and request.path != JOBS):
        return {"address": _whole(JOBS), "command": f"curl -T cat.jpg {_whole(CONVERT)} -o cat.webp", "example": OPTIONS}
    return {"address": _whole(JOBS), "example": BY_URL if request.path == JOBS else OPTIONS}


def takes_images(path: str) -> bool:
    return path in (JOBS, CONVERT) or (request.method == "PUT" and path.startswith((JOBS, CONVERT)))


def _whole(path: str) -> str:
    """As the client sees it."""
    return (web_context().public_origin or request.host_url.rstrip("/")) + request.script_root + path
