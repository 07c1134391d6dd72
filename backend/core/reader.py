"""For whom an answer is written: its language, and the address under which its reader sees the gateway."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

ProblemOf = Callable[..., dict[str, Any]]
"""An error's record, a language and a path prefix as the problem object that a client sees; further names fill its placeholders."""


@dataclass(frozen=True, slots=True)
class Reader:
    """``prefix`` stands before every path, as ``/images`` behind a proxy. ``origin`` is the scheme and host of whole addresses; without one they
    are paths. Equal readers get equal answers."""

    language: str
    problem_of: ProblemOf
    prefix: str = ""
    origin: str = ""

    def problem(self, record: Mapping[str, Any], **known: object) -> dict[str, Any]:
        return self.problem_of(record, self.language, self.prefix, **known)

    def path(self, path: str) -> str:
        return self.prefix + path

    def url(self, path: str) -> str:
        return self.origin + self.prefix + path
