"""The page's texts: one file a language in ``frontend/i18n``, named after its language tag. It has parts, of which a page loads those it shows."""

from __future__ import annotations

import json
import re
from functools import cache
from html import escape
from pathlib import Path

IN_THE_FILE = "en"
"""The language in which the pages of ``frontend/`` are written."""
TEXT_OF_AN_ELEMENT = re.compile(r"""(data-t="([^"]+)"[^<>]*>)[^<]*""")
CONTENT_OF_A_META = re.compile(r"""(data-t-content="([^"]+)" content=")[^"]*""")


@cache
def languages(frontend: Path) -> tuple[str, ...]:
    """In alphabetical order. The folder is read once, so a new language needs a restart."""
    return tuple(sorted(path.stem for path in (frontend / "i18n").glob("*.json")))


@cache
def parts(frontend: Path, language: str) -> dict[str, dict[str, str]]:
    """Name of the part → key → text. No key stands in two parts. Empty for a language that is not there."""
    if language not in languages(frontend):
        return {}
    return dict(json.loads((frontend / "i18n" / f"{language}.json").read_text("utf-8")))


@cache
def catalog(frontend: Path, language: str) -> dict[str, str]:
    """The texts of all parts."""
    return {key: text for part in parts(frontend, language).values() for key, text in part.items()}


def with_languages(html: str, frontend: Path) -> str:
    """A page of ``frontend/`` with the list of languages in it; without a server it offers English alone."""
    return html.replace(f'data-languages="{IN_THE_FILE}"', f'data-languages="{escape(" ".join(languages(frontend)))}"', 1)


def in_language(html: str, frontend: Path, language: str) -> str:
    """Each element with ``data-t`` gets its text, as from the page's own scripts. English where the page lacks the language."""
    if language == IN_THE_FILE or language not in languages(frontend):
        return html
    known = catalog(frontend, language)
    html = html.replace(f' lang="{IN_THE_FILE}"', f' lang="{escape(language)}"', 1)
    html = CONTENT_OF_A_META.sub(lambda found: found[1] + escape(known[found[2]]), html)
    return TEXT_OF_AN_ELEMENT.sub(lambda found: found[1] + escape(known[found[2]]), html)
