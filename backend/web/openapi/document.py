"""The API's description, OpenAPI 3.1: made from the tables that the code itself runs on, and from the operations beside the routes."""

from __future__ import annotations

from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

from backend import errors, texts
from backend.core import options, webhooks
from backend.core.cross_site import is_guarded
from backend.core.job import STATES
from backend.texts.problems import problem
from backend.web.openapi.answers import ANY_REQUEST
from backend.web.openapi.components import HEADERS, PARAMETERS, TAGS
from backend.web.openapi.examples import with_examples
from backend.web.openapi.resource import Answer, Kind, Operation
from backend.web.openapi.schemas import Schema, ref, schemas

PROBLEM = "application/problem+json"
EVERYWHERE = ("X-Request-Id",)
RECEIVER_ANSWERS = ("2XX", "410", "default")
ASKED_FOR_A_KEY: dict[int, tuple[Kind, ...]] = {401: (errors.Unauthorized,)}


def describe(operations: Iterable[Operation], version: str, language: str, has_keys: bool, server: str = "/") -> dict[str, Any]:
    """``server`` is the address to which the paths are added. ``has_keys``: the gateway asks for an API key, so guarded operations name it and may
    answer 401."""
    paths: dict[str, dict[str, Any]] = {}
    for each in operations:
        paths.setdefault(each.path, {})[each.method.lower()] = _operation(each, language, has_keys)
        if each.head_id:
            paths[each.path]["head"] = {**_operation(each, language, has_keys), "operationId": each.head_id}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": texts.text("api.title", language),
            "version": version,
            "description": texts.text("api.introduction", language, languages=texts.languages()),
        },
        "servers": [{"url": server}],
        "tags": [_tag(name, language) for name in TAGS],
        "paths": paths,
        "webhooks": {event: {"post": _webhook(event, language)} for event in webhooks.EVENTS},
        "components": {
            "schemas": {**with_examples(schemas()), "State": {"type": "string", "enum": list(STATES)}},
            "parameters": _parameters(language) | _option_parameters(language),
            "responses": {str(status): _refusal(kinds, language, status) for status, kinds in (ANY_REQUEST | ASKED_FOR_A_KEY).items()},
            "headers": _described({name: {"schema": schema} for name, schema in HEADERS.items()}, "api.headers", language),
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}, "header": {"type": "apiKey", "in": "header", "name": "X-API-Key"}},
        },
    }


def _tag(name: str, language: str) -> dict[str, str]:
    """``x-displayName`` is what documentation tools show as the group's name."""
    shown = texts.text(f"api.tag_names.{name}", language)
    return {"name": name, "x-displayName": shown, "description": texts.text(f"api.tags.{name}", language)}


def _webhook(event: str, language: str) -> dict[str, Any]:
    """What a receiver is sent, and what it may answer."""
    schema = ref("BatchEvent" if event == webhooks.BATCH_ENDED else "JobEvent")
    names = ("webhook-id", "webhook-timestamp", "webhook-signature")
    return {
        "operationId": event,
        "tags": ["webhooks"],
        "summary": texts.text(f"api.webhooks.{event.replace('.', '_')}", language),
        "parameters": [{"$ref": f"#/components/parameters/{name}"} for name in names],
        "requestBody": {"required": True, "content": {"application/json": {"schema": schema}}},
        "responses": {answer: {"description": texts.text(f"api.webhooks.{answer}", language)} for answer in RECEIVER_ANSWERS},
    }


def _operation(each: Operation, language: str, has_keys: bool) -> dict[str, Any]:
    shown: dict[str, Any] = {"operationId": each.id, "tags": [each.tag], "summary": _summary(each, language)}
    names = [*each.parameters, *(f"option.{name}" for name in (options.schema() if each.has_options else ()))]
    if names:
        shown["parameters"] = [{"$ref": f"#/components/parameters/{name}"} for name in names]
    if each.body:
        shown["requestBody"] = {"content": {media_type: _content(schema) for media_type, schema in each.body.items()}, "required": each.needs_body}
    answers = {str(status): _answer(answer, _answer_text(each, status, answer, language)) for status, answer in each.answers.items()}
    shown["responses"] = answers | _refusals(each, language, has_keys)
    if each.is_guarded and has_keys:
        shown["security"] = [{"key": []}, {"header": []}]
    if each.curl:
        shown["x-codeSamples"] = [{"lang": "Shell", "label": "curl", "source": each.curl}]
    return shown


def _content(schema: Schema) -> dict[str, Any]:
    """A form's part is an image by its media type, or by having a file name, which OpenAPI cannot say."""
    is_form = "file" in schema.get("properties", {})
    return {"schema": schema, "encoding": {"file": {"contentType": "image/*, application/octet-stream"}}} if is_form else {"schema": schema}


def _answer(answer: Answer, description: str) -> dict[str, Any]:
    shown: dict[str, Any] = {"description": description}
    if answer.content:
        shown["content"] = {media_type: {"schema": schema} for media_type, schema in answer.content.items()}
    shown["headers"] = {name: {"$ref": f"#/components/headers/{name}"} for name in (*EVERYWHERE, *answer.headers)}
    return shown


def _refusals(each: Operation, language: str, has_keys: bool) -> dict[str, Any]:
    """By status, with every code that it may carry. Those that the operation has in common with every other are written once."""
    common = {status: kinds for status, kinds in ANY_REQUEST.items() if status != errors.CrossSite.status or is_guarded(each.method, each.path)}
    common |= ASKED_FOR_A_KEY if each.is_guarded and has_keys else {}
    own: dict[int, list[Kind]] = {}
    for kind in each.errors:
        own.setdefault(kind.status, []).append(kind)
    found: dict[str, Any] = {}
    for status in sorted((own.keys() | common.keys()) - each.answers.keys()):
        kinds = tuple(dict.fromkeys((*own.get(status, ()), *common.get(status, ()))))
        is_common = kinds == common.get(status)
        found[str(status)] = {"$ref": f"#/components/responses/{status}"} if is_common else _refusal(kinds, language, status)
    return found


def _refusal(kinds: tuple[Kind, ...], language: str, status: int) -> dict[str, Any]:
    codes = list(dict.fromkeys(kind.code for kind in kinds))
    names = [*EVERYWHERE, *(["Retry-After"] if status in (429, 503) else []), *(["RateLimit", "RateLimit-Policy"] if status == 429 else [])]
    names += ["Upload-Offset"] if {errors.OffsetMismatch, errors.ChecksumMismatch} & set(kinds) else []
    return {
        "description": " · ".join(f"`{code}`: {texts.text(f'errors.{code}.happened', language)}" for code in codes),
        "content": {
            PROBLEM: {
                "schema": ref("Problem"),
                "examples": {kind.code: {"value": problem({**kind().as_record(), "status": status}, language)} for kind in kinds},
            }
        },
        "headers": {name: {"$ref": f"#/components/headers/{name}"} for name in names},
    }


def _parameters(language: str) -> dict[str, Any]:
    return _described(PARAMETERS, "api.parameters", language)


def _described(rows: dict[str, dict[str, Any]], table: str, language: str) -> dict[str, Any]:
    return {name: {**row, "description": texts.text(f"{table}.{name}", language)} for name, row in rows.items()}


def _option_parameters(language: str) -> dict[str, Any]:
    """An option without a text is described by its schema alone."""
    properties = schemas()["Options"]["properties"]
    return {f"option.{name}": _option_parameter(name, properties[name], language) for name in options.schema()}


def _option_parameter(name: str, schema: dict[str, Any], language: str) -> dict[str, Any]:
    key = f"api.options.{name}"
    shown = {"name": name, "in": "query", "required": False, "schema": schema}
    return {**shown, "description": texts.text(key, language)} if texts.has(key) else shown


def _summary(each: Operation, language: str) -> str:
    key = f"api.operations.{each.id}.summary"
    return texts.text(key, language) if texts.has(key) else each.docstring


def _answer_text(each: Operation, status: int, answer: Answer, language: str) -> str:
    """The text of the operation, or the one that several share; else what the status is called."""
    key = f"api.answers.{answer.shared}" if answer.shared else f"api.operations.{each.id}.{status}"
    return texts.text(key, language) if texts.has(key) else HTTPStatus(status).phrase
