"""Values as JSON: a dataclass becomes an object of its fields, nested ones too, and the other way round.

Records outlive releases, and two releases read each other's. So ``read`` leaves out what it does not know, and a field that came later
(``added``) is written only where it says something. What a reader must know all the same, the record says by its ``needs`` (``core.protocol``).

``dataclasses.asdict`` is not used: it copies every value first, at ten times the cost.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import field, fields
from typing import Any, TypeVar

Record = TypeVar("Record")


def added(default: Any) -> Any:
    """A field that releases before it do not know: stored only where it is not the default."""
    return field(default=default, metadata={"is_added": True})


def read(kind: type[Record], record: Mapping[str, Any], **given: Any) -> Record:
    """A dataclass from its record, and ``given`` in place of some of its members. Members that it does not know are left out.

    Raises ``TypeError`` where a member that must be there is missing.
    """
    return kind(**{**known(kind, record), **given})


def known(kind: type, record: Mapping[str, Any]) -> Mapping[str, Any]:
    """Those members of a record that are fields of the dataclass."""
    names = _readable(kind)
    return record if record.keys() <= names else {name: value for name, value in record.items() if name in names}


def as_dict(record: Any) -> dict[str, Any]:
    """Its fields, as they are. Without those whose metadata say ``is_stored: False``, and those with ``is_added`` that have their default.

    Raises ``TypeError`` for what is no dataclass.
    """
    always, defaults = _written(type(record))
    found = {name: getattr(record, name) for name in always}
    for name, default in defaults:
        if (value := getattr(record, name)) != default:
            found[name] = value
    return found


def _readable(kind: type) -> frozenset[str]:
    names = _readable_names.get(kind)
    if names is None:
        names = _readable_names[kind] = frozenset(each.name for each in fields(kind))
    return names


def _written(kind: type) -> tuple[tuple[str, ...], tuple[tuple[str, Any], ...]]:
    """The names of the fields that are always written; names and defaults of those that came later."""
    found = _written_names.get(kind)
    if found is None:
        stored = [each for each in fields(kind) if each.metadata.get("is_stored", True)]
        always = tuple(each.name for each in stored if not each.metadata.get("is_added"))
        found = _written_names[kind] = always, tuple((each.name, each.default) for each in stored if each.metadata.get("is_added"))
    return found


_readable_names: dict[type, frozenset[str]] = {}
_written_names: dict[type, tuple[tuple[str, ...], tuple[tuple[str, Any], ...]]] = {}
_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=as_dict)


def as_json(value: Any) -> str:
    """Compact. Raises ``TypeError`` for what is no value of JSON and no dataclass."""
    return _ENCODER.encode(value)
