"""``/api/capabilities``: formats, limits, option defaults, retention, version; so that page, API and documentation cannot disagree."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from flask import Blueprint, Response, request

from backend.core import formats, options
from backend.web.request.context import Site, site

routes = Blueprint("capabilities", __name__)
FEATURES: tuple[str, ...] = ("archive", "batch", "retry", "tus")
"""What a client may ask for beyond the basic routes."""


@routes.get("/api/capabilities")
def show() -> Response:
    text = json.dumps(describe(site()), ensure_ascii=False)
    response = Response(text, content_type="application/json")
    response.set_etag(hashlib.sha256(text.encode()).hexdigest()[:32])
    response.headers["Cache-Control"] = "no-cache"
    response.make_conditional(request)
    return response


def describe(here: Site) -> dict[str, Any]:
    limits = here.context.limits
    return {
        "version": here.version,
        "formats": [{"name": each.name, "media_type": each.media_type, "extensions": list(each.extensions)} for each in formats.READABLE],
        "limits": {
            "upload_bytes": limits.upload_bytes,
            "pixels": limits.pixels,
            "frames": limits.frames,
            "side_pixels": formats.MAX_OUTPUT_SIDE,
            "files_per_request": here.max_files,
            "queued_jobs": here.context.max_queued_jobs,
        },
        "options": options.schema(),
        "retention_s": here.context.retention_s,
        "auth": bool(here.keys),
        "features": [*FEATURES, *(["url"] if here.fetcher is not None else [])],
    }
