"""One file a resource: its routes, and beside each its OpenAPI operation. A file in this folder is found by itself; no list names it."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

from backend.web.openapi.resource import Operation, Resource


def resources() -> list[Resource]:
    """The ``routes`` of every module here, in the order in which the API's description shows them."""
    found: list[Resource] = [import_module(f"{__name__}.{each.name}").routes for each in iter_modules(__path__)]
    return sorted(found, key=lambda each: each.place)


def operations() -> list[Operation]:
    return [operation for resource in resources() for operation in resource.operations]
