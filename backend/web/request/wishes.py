"""Options and wishes as a request gives them: what ``core`` reads, held against what this gateway has."""

from __future__ import annotations

from collections.abc import Iterable

from backend.core import options, wish
from backend.core.options import Options, Value
from backend.core.wish import Wish
from backend.flows import watermarks
from backend.web.request.context import flow_context


def parse(pairs: Iterable[tuple[str, Value]], default: Wish = Wish()) -> Wish:
    """As ``core.wish.parse``. Raises ``BackendUnavailable`` too, where the operator's watermarks cannot be read."""
    found = wish.parse(pairs, default)
    watermarks.check(flow_context(), found.options)
    return found


def parse_options(pairs: Iterable[tuple[str, Value]], default: Options = Options()) -> Options:
    """As ``core.options.parse``, and ``parse``."""
    found = options.parse(pairs, default)
    watermarks.check(flow_context(), found)
    return found
