"""The types of WSGI (PEP 3333), as this room uses them, and the end of a response."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

Environ = dict[str, Any]
StartResponse = Callable[..., Callable[[bytes], object]]
Wsgi = Callable[[Environ, StartResponse], Iterable[bytes]]


def close_response(response: Any) -> None:
    """As PEP 3333 asks: ``close`` is called where there is one."""
    close = getattr(response, "close", None)
    if close is not None:
        close()
