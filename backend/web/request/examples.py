"""What would have worked at the address that was asked, for sentences that show it."""

from __future__ import annotations

from flask import request

from backend.web.request.context import web_context

JOBS, CONVERT = "/api/jobs", "/api/convert"
BY_URL = '{"url": "https://example.com/cat.jpg", "quality": 75}'
OPTIONS = '{"quality": 75}'


def of_request() -> dict[str, str]:
    """``address`` and ``command`` for an image, and an ``example`` of JSON."""
    rule = request.url_rule.rule if request.url_rule else ""
    if rule.startswith(CONVERT):
        return {"address": _whole(JOBS), "command": f"curl -T cat.jpg {_whole(CONVERT)} -o cat.webp", "example": OPTIONS}
    return {"address": _whole(JOBS), "example": BY_URL if rule == JOBS else OPTIONS}


def _whole(path: str) -> str:
    """As the client sees it."""
    return (web_context().public_origin or request.host_url.rstrip("/")) + request.script_root + path
