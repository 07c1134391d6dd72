"""``/api/capabilities``: formats, limits, option defaults, retention and version, so that page, API and documentation cannot disagree."""

from __future__ import annotations

from typing import Any

from flask import Response

from backend.core import formats, options
from backend.flows import watermarks
from backend.web.openapi.answers import JSON, UNCHANGED
from backend.web.openapi.resource import Answer, Operation, Resource
from backend.web.openapi.schemas import ref
from backend.web.request.context import WebContext, web_context
from backend.web.response.json_response import json_response
from backend.web.response.revalidation import revalidate

routes = Resource("capabilities", __name__, tag="gateway")
FEATURES: tuple[str, ...] = ("archive", "batch", "retry", "tus")
"""What a client may ask for beyond the basic routes."""


@routes.serve(
    Operation(
        "GET",
        "/api/capabilities",
        "capabilities",
        {200: Answer({JSON: ref("Capabilities")}, ("ETag",)), 304: UNCHANGED},
        parameters=("If-None-Match",),
        is_guarded=False,
        curl="curl {base}/api/capabilities",
    )
)
def show() -> Response:
    return revalidate(json_response(capabilities(web_context()), cache="no-cache"))


def capabilities(web: WebContext) -> dict[str, Any]:
    limits = web.context.limits
    return {
        "version": web.version,
        "formats": [{"name": each.name, "media_type": each.media_type, "extensions": list(each.extensions)} for each in formats.READABLE],
        "output_formats": [_written(each) for each in formats.OUTPUT.values()],
        "limits": {
            "upload_bytes": limits.upload_bytes,
            "pixels": limits.pixels,
            "frames": limits.frames,
            "side_pixels": formats.OUTPUT[formats.DEFAULT_OUTPUT].max_side,
            "files_per_request": web.max_files,
            "queued_jobs": web.context.max_queued_jobs,
            "client_jobs": web.client_limits.jobs,
            "client_bytes_per_day": web.client_limits.bytes_per_day,
            "client_uploads": web.client_limits.uploads,
            "pending_webhooks": web.pending_webhooks,
        },
        "options": options.schema(),
        "watermarks": list(watermarks.offered(web.context)),
        "retention_s": web.context.retention_s,
        "auth": web.api_keys.are_set,
        "features": [*FEATURES, *(["url"] if web.fetcher is not None else []), *(["webhooks"] if web.receivers is not None else [])],
    }


def _written(output: formats.OutputFormat) -> dict[str, Any]:
    return {
        "name": output.name,
        "media_type": output.source.media_type,
        "extension": output.source.extensions[0],
        "side_pixels": output.max_side,
        "has_alpha": output.has_alpha,
        "has_animation": output.has_animation,
    }
