"""The API's description, OpenAPI 3.1: made from the tables that the code itself runs on, and from the operations beside the routes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from backend import errors, texts
from backend.core.job import STATES
from backend.texts.problems import problem
from backend.web.openapi.components import HEADERS, OPTION_TEXTS, PARAMETERS, TAGS
from backend.web.openapi.resource import Answer, Operation
from backend.web.openapi.schemas import ref, schemas

PROBLEM = "application/problem+json"
EVERYWHERE = ("X-Request-Id",)


def describe(operations: Iterable[Operation], version: str, language: str, has_keys: bool) -> dict[str, Any]:
    """``has_keys``: the gateway asks for an API key, so guarded operations name it and may answer 401."""
    at = texts.languages().index(language)
    paths: dict[str, dict[str, Any]] = {}
    for each in operations:
        paths.setdefault(each.path, {})[each.method.lower()] = _operation(each, at, has_keys)
        if each.head_id:
            paths[each.path]["head"] = {**_operation(each, at, has_keys), "operationId": each.head_id}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": texts.text("api.title", language),
            "version": version,
            "description": texts.text("api.introduction", language, languages=texts.languages()),
        },
        "servers": [{"url": "/"}],
        "tags": [{"name": name, "description": text[at]} for name, text in TAGS.items()],
        "paths": paths,
        "components": {
            "schemas": {**schemas(), "State": {"type": "string", "enum": list(STATES)}},
            "parameters": {name: _parameter(each, at) for name, each in PARAMETERS.items()} | _option_parameters(at),
            "headers": {name: {"schema": schema, "description": text[at]} for name, (schema, text) in HEADERS.items()},
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}, "header": {"type": "apiKey", "in": "header", "name": "X-API-Key"}},
        },
    }


def _operation(each: Operation, at: int, has_keys: bool) -> dict[str, Any]:
    shown: dict[str, Any] = {"operationId": each.id, "tags": [each.tag], "summary": each.summary[at]}
    names = [*each.parameters, *(f"option.{name}" for name in OPTION_TEXTS if each.has_options)]
    if names:
        shown["parameters"] = [{"$ref": f"#/components/parameters/{name}"} for name in names]
    if each.body:
        shown["requestBody"] = {"content": {media_type: {"schema": schema} for media_type, schema in each.body.items()}}
    answers = {str(status): _answer(answer, at) for status, answer in each.answers.items()}
    shown["responses"] = answers | _refusals(each, at, has_keys)
    if each.is_guarded and has_keys:
        shown["security"] = [{"key": []}, {"header": []}]
    if each.curl:
        shown["x-codeSamples"] = [{"lang": "Shell", "label": "curl", "source": each.curl}]
    return shown


def _answer(answer: Answer, at: int) -> dict[str, Any]:
    shown: dict[str, Any] = {"description": answer.what[at]}
    if answer.content:
        shown["content"] = {media_type: {"schema": schema} for media_type, schema in answer.content.items()}
    shown["headers"] = {name: {"$ref": f"#/components/headers/{name}"} for name in (*EVERYWHERE, *answer.headers)}
    return shown


def _refusals(each: Operation, at: int, has_keys: bool) -> dict[str, Any]:
    """By status, with every code that it may carry; ``internal`` can happen to any."""
    kinds = [*each.errors, *((errors.Unauthorized,) if each.is_guarded and has_keys else ()), errors.Internal]
    found: dict[str, Any] = {}
    for status in sorted({kind.status for kind in kinds} - set(each.answers)):
        these = list(dict.fromkeys(kind for kind in kinds if kind.status == status))
        found[str(status)] = _refusal(these, at, status)
    return found


def _refusal(kinds: list[type[errors.GatewayError]], at: int, status: int) -> dict[str, Any]:
    language = texts.languages()[at]
    codes = list(dict.fromkeys(kind.code for kind in kinds))
    names = [*EVERYWHERE, *(["Retry-After"] if status in (429, 503) else []), *(["RateLimit", "RateLimit-Policy"] if status == 429 else [])]
    return {
        "description": " · ".join(f"`{code}`: {texts.text(f'errors.{code}.happened', language)}" for code in codes),
        "content": {
            PROBLEM: {
                "schema": ref("Problem"),
                "examples": {kind.code: {"value": problem(kind().as_record(), language)} for kind in kinds},
            }
        },
        "headers": {name: {"$ref": f"#/components/headers/{name}"} for name in names},
    }


def _parameter(each: dict[str, Any], at: int) -> dict[str, Any]:
    return {name: value for name, value in each.items() if name != "what"} | {"description": each["what"][at]}


def _option_parameters(at: int) -> dict[str, Any]:
    properties = schemas()["Options"]["properties"]
    return {
        f"option.{name}": {"name": name, "in": "query", "required": False, "schema": properties[name], "description": text[at]}
        for name, text in OPTION_TEXTS.items()
    }
