"""A ticket: the Celery message that makes an encoder take the job at the head of the queue, whichever that is.

The script that queues a job pushes the ticket onto Celery's list, in the same step. So the gateway sends nothing through Celery, and a job
that waits has its ticket or was lost together with it.
"""

from __future__ import annotations

import base64
import json
from typing import Any

from backend.core.protocol import SPOKEN

QUEUE = "encode"
"""Celery's queue: the list of tickets."""
TASK = "encode.next"
PROTOCOL = "protocol"
"""The header that says which protocol the process speaks whose script pushed the ticket."""
ID = "TICKET_ID"
"""The scripts put a new id in its place."""
NO_ARGUMENTS: list[Any] = [[], {}, {"callbacks": None, "errbacks": None, "chain": None, "chord": None}]


def ticket() -> str:
    """The message as Celery 5 writes it: the second version of its task protocol, in kombu's envelope for Redis."""
    headers: dict[str, Any] = {"lang": "py", "task": TASK, "id": ID, "root_id": ID, "parent_id": None, "group": None}
    headers |= {"argsrepr": "()", "kwargsrepr": "{}"}
    headers |= {"origin": "webp-gateway", "retries": 0, "eta": None, "expires": None, "timelimit": [None, None], PROTOCOL: list(SPOKEN)}
    delivery = {"delivery_mode": 2, "delivery_info": {"exchange": "", "routing_key": QUEUE}, "priority": 0}
    return json.dumps(
        {
            "body": base64.b64encode(json.dumps(NO_ARGUMENTS).encode()).decode(),
            "content-encoding": "utf-8",
            "content-type": "application/json",
            "headers": headers,
            "properties": {"correlation_id": ID, "reply_to": "", "body_encoding": "base64", "delivery_tag": ID, **delivery},
        }
    )
