"""Watermarks: is the name that a client gave one of the operator's, and what is put on the picture?

A name that there is not is the client's mistake. A file that is gone or broken once a job is taken is the operator's: the job waits until it is
mended.
"""

from __future__ import annotations

from dataclasses import replace

from backend import errors
from backend.core.conversion import Conversion, Converted
from backend.core.job import Result
from backend.core.options import Options
from backend.core.suggestions.likeness import nearest
from backend.core.watermark import Watermark
from backend.flows.context import Context
from backend.ports.watermarks import Watermarks

RETRY_S = 10
FACT = "watermark"
"""Stands among the stored facts of a result. It has no row in ``core.facts``: no child may state it, and no client sees it."""
SHOWN_NAMES = 20
"""In an error. Capabilities have all."""


def names(context: Context) -> tuple[str, ...]:
    """Raises ``BackendUnavailable``."""
    return context.watermarks.names() if context.watermarks is not None else ()


def offered(context: Context) -> tuple[str, ...]:
    """What clients are told; nothing while the folder cannot be read."""
    try:
        return names(context)
    except errors.BackendUnavailable:
        return ()


def check(context: Context, options: Options) -> None:
    """Raises ``InvalidOption`` for a name that the operator did not give, and ``BackendUnavailable``."""
    name = options.watermark
    if name is None:
        return
    known = names(context)
    if not known:
        raise errors.InvalidOption("no_watermarks", option="watermark", value=name)
    if name not in known:
        accepted = ", ".join((*known[:SHOWN_NAMES], *(["…"] if len(known) > SHOWN_NAMES else ())))
        near = nearest(name, known)
        if near:
            raise errors.InvalidOption("meant", option="watermark", value=name, accepted=accepted, suggestion=near)
        raise errors.InvalidOption(option="watermark", value=name, accepted=accepted)


def digest(context: Context, options: Options) -> str:
    """A part of the job's ``work_key``; empty without a watermark. Raises ``BackendUnavailable``."""
    found = _known(context, options)
    return "" if found is None else found[0].digest(found[1])


def read(context: Context, options: Options) -> Watermark | None:
    """What the encoder puts on the picture. Raises ``BackendUnavailable``."""
    found = _known(context, options)
    return None if found is None else found[0].read(found[1])


def noted(converted: Converted, conversion: Conversion) -> Converted:
    """With the mark that the result really has, which is not told to clients: its file may be another than when the job was taken."""
    mark = conversion.watermark
    return converted if mark is None else replace(converted, facts={**converted.facts, FACT: mark.digest})


def has_mark(result: Result, mark: str) -> bool:
    """``mark`` is a digest, or empty for none."""
    return bool(result.facts.get(FACT, "") == mark)


def _known(context: Context, options: Options) -> tuple[Watermarks, str] | None:
    if options.watermark is None:
        return None
    if context.watermarks is None:
        raise errors.BackendUnavailable(part="watermarks", retry_after_s=RETRY_S, private="GATEWAY_WATERMARKS_DIR is not set on this machine")
    return context.watermarks, options.watermark
