"""Sentences for whoever runs the gateway in a shell, in the language of its locale.

POSIX (XBD 8.2) takes it from the first of ``LC_ALL``, ``LC_MESSAGES`` and ``LANG`` that is set. Where that names no language that is here, as ``C``
does, a sentence stands in every language, and a longer text in English.
"""

from __future__ import annotations

import os

from backend import texts

LOCALE = ("LC_ALL", "LC_MESSAGES", "LANG")


def text(key: str, /, **params: object) -> str:
    """One sentence. Raises ``KeyError``."""
    own = known_language()
    return texts.text(key, own, **params) if own else texts.in_every_language(key, **params)


def language() -> str:
    """For what is longer than a sentence."""
    return known_language() or texts.DEFAULT


def known_language() -> str | None:
    """The locale's language, where it is here: ``zh_CN.UTF-8`` and ``zh_TW`` are ``zh-CN``."""
    locale = next((value for name in LOCALE if (value := os.environ.get(name))), "")
    wanted = locale.partition(".")[0].partition("@")[0].replace("_", "-").lower()
    near = texts.best_language([wanted]) if wanted else texts.DEFAULT
    return near if near.partition("-")[0] == wanted.partition("-")[0] else None
