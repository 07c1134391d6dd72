"""``X-Result``: what a Job says of its result, for whoever gets the bytes alone (``/api/convert``): a dictionary of RFC 9651 §3.2."""

from __future__ import annotations

from collections.abc import Callable

from backend.core.job import Job, Result
from backend.core.public_job import size_facts

NAME = "X-Result"
MEMBERS = ("saved_percent", "larger_than_source", "original", "lossless", "quality", "score", "target_met", "dropped", "thumbhash", "color")
"""In this order, with the names and values that ``result`` has in a Job."""


def result_header(job: Job, result: Result) -> str:
    known = {**size_facts(job.manifest.source, result), **result.facts}
    return ", ".join(f"{name}{_WRITERS.get(name, _value)(known[name])}" for name in MEMBERS if name in known)


def _value(fact: object) -> str:
    """Truth is written by the name alone (§4.1.2), a list of words in parentheses."""
    if isinstance(fact, bool):
        return "" if fact else "=?0"
    return f"=({' '.join(map(str, fact))})" if isinstance(fact, list) else f"={fact}"


_WRITERS: dict[str, Callable[[object], str]] = {"thumbhash": "=:{}:".format, "color": '="{}"'.format}
"""A byte sequence is in colons (§4.1.8), a string in quotation marks (§4.1.6): both as they are, since their facts' checks admit nothing else."""
