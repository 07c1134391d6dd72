"""The form of answers as JSON Schema 2020-12: for the OpenAPI description, and for the tests that check real answers against it.

Lists of words come from the tables that the code itself uses. The examples are made by the functions that make the answers.
"""

from __future__ import annotations

from typing import Any

from backend import errors
from backend.core import formats, options, webhooks
from backend.core.batch import Batch, public_batch
from backend.core.conversion import NOTES, STAGES
from backend.core.events import JOB_EVENTS, STATE
from backend.core.job import STATES, Job, Manifest, Result, Source, Status
from backend.core.options import Options
from backend.core.public_job import PROGRESS_KINDS, public
from backend.core.reader import Reader
from backend.texts.problems import problem

Schema = dict[str, Any]
ID: Schema = {"type": "string", "pattern": "^[A-Za-z0-9_-]{22}$"}
WHOLE: Schema = {"type": "integer", "minimum": 0}
TIME: Schema = {"type": "string", "format": "date-time"}
SHA256: Schema = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
ADDRESS: Schema = {"type": "string", "format": "uri-reference"}
TEXT: Schema = {"type": "string"}
WEBHOOK: dict[str, Schema] = {"webhook_url": {"type": "string", "format": "uri"}}
"""The member that stands among the options of what makes a job."""


def ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def one_of(words: list[str]) -> Schema:
    return {"const": words[0]} if len(words) == 1 else {"enum": words}


def either(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}


def whole(properties: dict[str, Schema], *, optional: tuple[str, ...] = (), more: bool = False, **rest: Any) -> Schema:
    """An object with these members. All but the ``optional`` ones are required; with ``more`` there may be others."""
    required = [name for name in properties if name not in optional]
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": more, **rest}


def option_schemas() -> dict[str, Schema]:
    """As ``core.options`` reads them, without the defaults that are null."""
    known = options.schema()
    return {name: {key: value for key, value in each.items() if key != "default" or value is not None} for name, each in known.items()}


def with_options(properties: dict[str, Schema], *reset: str | None, required: tuple[str, ...] = ()) -> Schema:
    """A body of these members and of options. A value of ``reset`` takes back one that a job has already."""
    known = {name: {"anyOf": [each, {"enum": [*reset]}]} if reset else each for name, each in option_schemas().items()}
    body: Schema = {
        "type": "object",
        "properties": {**properties, **known},
        "additionalProperties": False,
        "allOf": _exclusive(),
    }
    return {**body, "required": [*required]} if required else body


def _exclusive() -> list[Schema]:
    """No two options that exclude each other, unless one of them is off."""

    def is_on(name: str) -> Schema:
        return {"not": {"enum": list(dict.fromkeys([None, False, "", options.DEFAULTS[name]]))}}

    def pair(each: options.Exclusion) -> Schema:
        one = is_on(each.one) if each.value is None else {"const": each.value}
        return {"required": [each.one, each.other], "properties": {each.one: one, each.other: is_on(each.other)}}

    return [{"not": pair(each)} for each in options.EXCLUSIVE]


def schemas() -> dict[str, Schema]:
    return {
        "Options": {"type": "object", "properties": option_schemas(), "additionalProperties": False},
        "ChangedOptions": with_options({"webhook_url": {"anyOf": [WEBHOOK["webhook_url"], {"enum": ["", None]}]}}, "", None),
        "ChangedOptionsForm": with_options({"webhook_url": {"anyOf": [WEBHOOK["webhook_url"], {"const": ""}]}}, ""),
        "Event": _stream_event(),
        "Source": whole(
            {
                "filename": TEXT,
                "bytes": either(WHOLE),
                "format": {"enum": [*(each.name for each in formats.READABLE), None]},
                "width": either(WHOLE),
                "height": either(WHOLE),
                "frames": either({"type": "integer", "minimum": 1}),
            }
        ),
        "Result": _result(),
        "Job": _job(),
        "JobList": whole({"jobs": {"type": "array", "items": ref("Job")}, "next": either(ADDRESS)}),
        "Batch": _batch(),
        **_webhooks(),
        "Problem": _problem(),
        "Capabilities": _capabilities(),
        "Health": _health(),
        "Live": whole({"status": {"const": "ok"}, "version": TEXT}, more=True),
    }


def _result() -> Schema:
    return whole(
        {
            "url": ADDRESS,
            "bytes": WHOLE,
            "format": one_of(list(formats.RESULTS)),
            "width": WHOLE,
            "height": WHOLE,
            "frames": {"type": "integer", "minimum": 1},
            "sha256": SHA256,
            "saved_percent": {"type": "number", "maximum": 100},
            "larger_than_source": {"const": True},
            "original": {"const": True},
            "quality": {"type": "number", "minimum": 0, "maximum": 100},
            "lossless": {"type": "boolean"},
            "method": {"type": "integer", "minimum": 0, "maximum": 6},
            "speed": {"type": "integer", "minimum": 0, "maximum": 10},
            "dropped": {"type": "array", "items": {"enum": list(NOTES)}},
            "thumbhash": {"type": "string", "contentEncoding": "base64", "minLength": 8, "maxLength": 36},
            "color": {"type": "string", "pattern": "^#[0-9a-f]{6}$"},
        },
        optional=("larger_than_source", "original", "quality", "lossless", "method", "speed", "dropped", "thumbhash", "color"),
        more=True,
    )


def _stream_event() -> Schema:
    """One event of a stream, as ``EventSource`` reads it."""
    return whole(
        {
            "id": {"type": "string", "pattern": "^[0-9]+$"},
            "event": {"type": "string", "enum": ["message", *(each.name for each in JOB_EVENTS if each is not STATE)]},
            "data": {"type": "string", "contentMediaType": "application/json"},
            "retry": WHOLE,
        },
        optional=("id", "event", "retry"),
    )


def _job() -> Schema:
    links = dict.fromkeys(("self", "result", "source", "events", "cancel"), ADDRESS)
    return whole(
        {
            "id": ID,
            "state": {"enum": list(STATES)},
            "stage": {"enum": [*STAGES, None]},
            "progress": {"type": "integer", "minimum": 0, "maximum": 100},
            "progress_is": one_of(list(PROGRESS_KINDS)),
            "seq": {"type": "integer", "minimum": 1},
            "queue_position": either(WHOLE),
            "eta_seconds": either({"type": "number", "minimum": 0}),
            "source": ref("Source"),
            "options": ref("Options"),
            "result": either(ref("Result")),
            "results": {"type": "array", "items": ref("Result")},
            "srcset": {"type": "object", "propertyNames": {"enum": list(formats.RESULTS)}, "additionalProperties": TEXT},
            "error": either(ref("Problem")),
            "batch": either(ID),
            "created_at": TIME,
            "started_at": either(TIME),
            "finished_at": either(TIME),
            "expires_at": TIME,
            "url": ADDRESS,
            "links": whole(links, more=True),
        },
        optional=("results", "srcset"),
        more=True,
        example=public(EXAMPLE, READER),
    )


def _batch() -> Schema:
    return whole(
        {
            "id": ID,
            **dict.fromkeys(("total", "succeeded", "failed", "cancelled"), WHOLE),
            "progress": {"type": "integer", "minimum": 0, "maximum": 100},
            "seq": WHOLE,
            "jobs": {"type": "array", "items": ref("Job")},
            "created_at": TIME,
            "expires_at": TIME,
            "links": whole(dict.fromkeys(("self", "events", "archive", "cancel", "deliveries"), ADDRESS), optional=("deliveries",)),
        },
        more=True,
        example=public_batch(Batch("Vq2eE0a9hJmC7kXw4ZrTbA", (EXAMPLE.id,), 1795215600.0, 1795302000.0), [EXAMPLE], READER),
    )


def _webhooks() -> dict[str, Schema]:
    return {
        "Delivery": _delivery(),
        "DeliveryList": whole({"deliveries": {"type": "array", "items": ref("Delivery")}}),
        "JobEvent": _event(list(webhooks.EVENT_OF.values()), "Job"),
        "BatchEvent": _event([webhooks.BATCH_ENDED], "Batch"),
    }


def _event(types: list[str], data: str) -> Schema:
    """The body of a webhook."""
    return whole({"type": one_of(types), "timestamp": TIME, "data": ref(data)})


def _delivery() -> Schema:
    attempt = whole({"at": TIME, "status": either({"type": "integer"}), "error": either(TEXT), "duration_ms": WHOLE}, more=True)
    return whole(
        {
            "id": {"type": "string", "pattern": f"^{webhooks.ID.pattern}$"},
            "type": one_of(list(webhooks.EVENTS)),
            "job": either(ID),
            "batch": either(ID),
            "receiver": TEXT,
            "state": one_of(list(webhooks.DELIVERY_STATES)),
            "tries": {"type": "array", "items": attempt},
            "next_try_at": either(TIME),
            "created_at": TIME,
            "ended_at": either(TIME),
            "links": whole({"resend": ADDRESS}),
        },
        more=True,
    )


def _problem() -> Schema:
    return whole(
        {
            "type": {"type": "string", "format": "uri-reference", "pattern": f"/problems/({'|'.join(errors.BY_CODE)})$"},
            "title": TEXT,
            "status": {"type": "integer", "minimum": 400, "maximum": 599},
            "detail": TEXT,
            "code": {"enum": list(errors.BY_CODE)},
            "instance": ADDRESS,
            "option": TEXT,
            "suggestion": TEXT,
        },
        optional=("instance", "option", "suggestion"),
        more=True,
    )


def _capabilities() -> Schema:
    known = whole({"name": TEXT, "media_type": TEXT, "extensions": {"type": "array", "items": TEXT}}, more=True)
    has: Schema = {"type": "boolean"}
    written = whole({"name": TEXT, "media_type": TEXT, "extension": TEXT, "side_pixels": WHOLE, "has_alpha": has, "has_animation": has}, more=True)
    limits = ("upload_bytes", "pixels", "frames", "side_pixels", "files_per_request", "queued_jobs", "pending_webhooks")
    shares = ("client_jobs", "client_bytes_per_day", "client_uploads")
    return whole(
        {
            "version": TEXT,
            "formats": {"type": "array", "items": known},
            "output_formats": {"type": "array", "items": written},
            "limits": whole(dict.fromkeys(limits + shares, WHOLE), more=True),
            "options": {"type": "object", "additionalProperties": {"type": "object"}},
            "watermarks": {"type": "array", "items": TEXT},
            "retention_s": WHOLE,
            "auth": {"type": "boolean"},
            "features": {"type": "array", "items": TEXT},
        },
        more=True,
    )


def _health() -> Schema:
    parts = {name: {"type": "string", "enum": ["ok", *errors.BY_CODE]} for name in ("redis", "store", "encoders")}
    return whole(
        {
            "status": {"enum": ["ok", "unavailable"]},
            "version": TEXT,
            "parts": whole(parts, more=True),
            "failing": {"type": "array", "items": TEXT},
            "hosts": {"type": "array", "items": _host()},
        },
        optional=("failing", "hosts"),
        more=True,
    )


def _host() -> Schema:
    count = {"type": "integer", "minimum": 0}
    return whole(
        {
            "host": TEXT,
            "cores": {"type": ["integer", "null"], "minimum": 1},
            **dict.fromkeys(("encoders", "jobs", "gateways"), count),
            "seal": {"type": ["integer", "null"], "minimum": 0, "maximum": 3},
            "versions": {"type": "array", "items": TEXT},
            "protocol": {"type": "array", "items": count, "minItems": 2, "maxItems": 2},
        },
        more=True,
    )


READER = Reader("en", problem)
EXAMPLE = Job(
    Manifest(
        id="4k6Zr0m1x8uQyB5w2TnHcA",
        source=Source("我的图片.png", 4_213_004, "0" * 64, "png", 6000, 4000, 1),
        options=Options(quality="auto", lossless="auto"),
        created_at=1795215600.0,
        expires_at=1795302000.0,
    ),
    Status(
        seq=23,
        state="succeeded",
        progress=100,
        attempt=1,
        started_at=1795215601.0,
        finished_at=1795215603.5,
        result=Result(
            *("result", 801_202, "b1946ac92492d2347c6235b4d2611184b1946ac92492d2347c6235b4d2611184", 6000, 4000, 1),
            facts={"quality": 77.5, "score": 73.9, "probes": 2, "lossless": False, "thumbhash": "1QcSHQRnh493V4dIh4eXh1h4kJUI", "color": "#7d6f5a"},
        ),
    ),
)
