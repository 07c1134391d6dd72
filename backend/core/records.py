"""Values as JSON: a dataclass becomes an object of its fields, nested ones too.

``dataclasses.asdict`` is not used: it copies every value first, at ten times the cost.
"""

from __future__ import annotations

import json
from dataclasses import fields
from typing import Any


def as_dict(record: Any) -> dict[str, Any]:
    """Its fields, as they are, but for those whose metadata say ``is_stored: False``. Raises ``TypeError`` for what is no dataclass."""
    names = _names_of.get(type(record))
    if names is None:
        names = _names_of[type(record)] = tuple(each.name for each in fields(record) if each.metadata.get("is_stored", True))
    return {name: getattr(record, name) for name in names}


_names_of: dict[type, tuple[str, ...]] = {}


_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=as_dict)


def as_json(value: Any) -> str:
    """Compact. Raises ``TypeError`` for what is no value of JSON and no dataclass."""
    return _ENCODER.encode(value)
