"""``/api/webhooks/deliveries``: what was sent of a job or a batch, how each try went, and once more."""

from __future__ import annotations

from flask import Response, request

from backend import errors
from backend.core import webhooks
from backend.core.webhooks import Delivery, public_delivery
from backend.flows import deliveries
from backend.web.openapi.answers import FIND_ERRORS, JSON
from backend.web.openapi.resource import Answer, Operation, Resource
from backend.web.openapi.schemas import ref
from backend.web.request import auth, query
from backend.web.request.context import flow_context, web_context
from backend.web.request.reader import reader
from backend.web.response.json_response import json_response

routes = Resource("webhooks", __name__, tag="webhooks")
SUBJECTS = ("job", "batch")


@routes.serve(
    Operation(
        "GET",
        "/api/webhooks/deliveries",
        "listDeliveries",
        {200: Answer({JSON: ref("DeliveryList")})},
        (errors.InvalidOption, *FIND_ERRORS),
        ("job", "batch"),
        curl="curl '{base}/api/webhooks/deliveries?job=$job'",
    )
)
def index() -> Response:
    context, owner = flow_context(), auth.owner()
    name, subject = _subject()
    found = deliveries.of_job(context, subject, owner) if name == "job" else deliveries.of_batch(context, subject, owner)
    return json_response({"deliveries": [_shown(each) for each in found]}, cache="private, no-store", vary="Authorization")


def _subject() -> tuple[str, str]:
    """Raises ``InvalidOption`` unless there is exactly one of ``SUBJECTS``, and nothing else."""
    for name, values in request.args.lists():
        if name not in SUBJECTS:
            raise query.unknown(name, SUBJECTS)
        if len(values) > 1:
            raise errors.InvalidOption("repeated", option=name, count=len(values))
    if len(request.args) != 1:
        raise errors.InvalidOption("one_of", option=SUBJECTS[0], options=SUBJECTS)
    return next(iter(request.args.items()))


@routes.serve(
    Operation(
        "POST",
        "/api/webhooks/deliveries/{delivery_id}/resend",
        "resendDelivery",
        {202: Answer({JSON: ref("Delivery")})},
        (errors.InvalidOption, errors.RateLimited, errors.StorageFull, *FIND_ERRORS),
        ("delivery_id",),
    )
)
def resend(delivery_id: str) -> Response:
    """Sends it once more, under the same id: now, and by the whole schedule if that fails."""
    context, owner = flow_context(), auth.owner()
    auth.check_rate()
    if not webhooks.ID.fullmatch(delivery_id):
        raise errors.NotFound()
    if web_context().receivers is None:
        raise errors.InvalidOption("webhook_off", option="resend")
    return json_response(_shown(deliveries.resend(context, delivery_id, owner)), 202, cache="no-store", vary="Authorization")


def _shown(delivery: Delivery) -> dict[str, object]:
    return public_delivery(delivery, reader())
