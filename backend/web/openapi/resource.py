"""A resource: a Flask blueprint that knows the OpenAPI operation of each of its routes, so that path and method are written once."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from flask import Blueprint
from flask.typing import ResponseReturnValue

from backend import errors
from backend.web.openapi.components import TAGS
from backend.web.openapi.schemas import Schema

Kind = type[errors.GatewayError]
Body = dict[str, Schema]
"""Media type → schema. Empty for a route that takes no body."""
View = TypeVar("View", bound=Callable[..., ResponseReturnValue])


@dataclass(frozen=True, slots=True)
class Answer:
    """``content`` is media type → schema; ``headers`` name rows of ``components.HEADERS``. Its text is ``api.operations.<id>.<status>``, or
    ``api.answers.<shared>`` where several operations have it in common."""

    content: dict[str, Schema] = field(default_factory=dict)
    headers: tuple[str, ...] = ()
    shared: str = ""


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one path, which has its variables in braces: ``/api/jobs/{job_id}``.

    ``answers`` is by status; ``parameters`` name rows of ``components.PARAMETERS``; ``body`` is media type → schema. ``needs_body``: there is no
    answer without one. ``has_options``: conversion
    options may stand in the query. ``is_guarded``: with API keys, it asks for one. ``head_id`` is the id of ``HEAD``, where that is described
    too. ``tag`` is the resource's, unless another is given. Its summary is the text ``api.operations.<id>.summary``; without one, the first line
    of the function's docstring.
    """

    method: str
    path: str
    id: str
    answers: dict[int, Answer]
    errors: tuple[Kind, ...] = ()
    parameters: tuple[str, ...] = ()
    body: Body = field(default_factory=dict)
    needs_body: bool = False
    has_options: bool = False
    is_guarded: bool = True
    curl: str = ""
    head_id: str = ""
    tag: str = ""
    docstring: str = ""


class Resource(Blueprint):
    """Decorate a function with ``serve`` for a route that is described, or with Flask's ``get``, ``post`` … for one that is not."""

    def __init__(self, name: str, import_name: str, tag: str = "") -> None:
        super().__init__(name, import_name)
        self.tag = tag
        self.operations: list[Operation] = []
        self._bodies: dict[tuple[str, str], Body] = {}

    @property
    def place(self) -> tuple[int, str]:
        """Where the description shows it: by tag, then by path. Resources without a description come last."""
        if not self.operations:
            return len(TAGS), self.name
        return TAGS.index(self.tag), self.operations[0].path

    def serve(self, *operations: Operation, **options: Any) -> Callable[[View], View]:
        """Route these operations, which have one path, to the decorated function. ``options`` are those of Flask's ``add_url_rule``."""
        rule = re.sub(r"{(\w+)}", r"<\1>", operations[0].path)

        def register(view: View) -> View:
            docstring = (view.__doc__ or "").strip().split("\n")[0]
            self.operations += [replace(each, tag=each.tag or self.tag, docstring=docstring) for each in operations]
            self.add_url_rule(rule, view_func=view, methods=[each.method for each in operations], **options)
            self._bodies |= {(each.method, rule): each.body for each in operations}
            return view

        return register

    def receive(self, rule: str, body: Body) -> Callable[[View], View]:
        """As Flask's ``post``, for a route that takes a body and is not described."""
        self._bodies[("POST", rule)] = body
        return self.post(rule)

    def body_of(self, method: str, rule: str) -> Body:
        """What a request to this route may bring."""
        return self._bodies.get((method, rule), {})
