"""What the sender of a body without an image should do, by what the request says of it: its type, its client, its fields."""

from __future__ import annotations

from collections.abc import Iterable

from flask import request

from backend import errors
from backend.core import formats, non_images

FORM_TYPE = "application/x-www-form-urlencoded"
"""What ``curl -d`` and ``--data-binary`` send by themselves."""
TEXT_TYPES = (FORM_TYPE, "application/json", "text/plain")


def explain(error: errors.GatewayError, head: bytes) -> errors.GatewayError:
    """``error`` of a raw body that begins with ``head``, or one whose sentence knows more."""
    is_curl = request.mimetype == FORM_TYPE or request.user_agent.string.startswith("curl/")
    has_lost_bytes = error.variant == "lost_bytes" or (not error.variant and non_images.is_binary_without_zeros(head))
    if has_lost_bytes and is_curl:
        return errors.DamagedImage("curl_data")
    if isinstance(error, errors.EmptyFile) and request.method == "POST":
        return errors.EmptyFile("no_body")
    if error.variant == "document" and error.params["format"] == "JSON" and request.mimetype in TEXT_TYPES:
        return errors.UnsupportedFormat("json_type")
    return error


def no_image(fields: Iterable[tuple[str, str]]) -> errors.GatewayError:
    """The error for a form with ``fields`` and without a file."""
    for name, value in fields:
        content = non_images.find(value.encode()[: formats.SNIFF_BYTES], None)
        if content is None:
            continue
        if content.variant == "file_name":
            return errors.BadRequest("name_for_file", field=name[:100], name=non_images.file_name(value.encode()))
        if content.variant == "address":
            return errors.BadRequest("url_in_form")
        if content.variant in ("base64", "percent"):
            return non_images.error_of(content, b"")
    return errors.BadRequest("no_file")


def check_json(body: bytes) -> None:
    """Raises ``UnsupportedFormat`` for an image or a form under the name of JSON."""
    head = body[: formats.SNIFF_BYTES]
    known = formats.sniff(head)
    if known is not None and known.pillow:
        raise errors.UnsupportedFormat("image_type", format=known.label, said=request.mimetype[:100])
    content = non_images.find(head, known)
    if content is not None and content.variant in ("base64", "multipart_type", "file_name", "percent"):
        raise non_images.error_of(content, head)
