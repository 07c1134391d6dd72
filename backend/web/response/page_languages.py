"""The languages of the page: one file each in ``frontend/i18n``, named after its language tag. The page's scripts read the list from ``<html>``."""

from __future__ import annotations

from functools import cache
from pathlib import Path


@cache
def offered(frontend: Path) -> tuple[str, ...]:
    """In alphabetical order. The folder is read once, so a new language needs a restart."""
    return tuple(sorted(path.stem for path in (frontend / "i18n").glob("*.js")))


def with_languages(html: str, frontend: Path) -> str:
    """A page of ``frontend/`` with the list in it; without a server it offers English alone."""
    return html.replace('data-languages="en"', f'data-languages="{" ".join(offered(frontend))}"', 1)
