"""What people read, by key and language. Each language is one TOML file here, named by its tag: ``en.toml``, ``zh-CN.toml``.

A key is the path of a sentence in its file: ``errors.too_large.detail``. A new language is one more file; nothing else lists the languages.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
DEFAULT = "en"
"""Answers whoever asks for no language that is here, and fills in what another file lacks."""
LIST_SEPARATOR = "list_separator"


@cache
def languages() -> tuple[str, ...]:
    """The tags of all files, ``DEFAULT`` first."""
    others = sorted(path.stem for path in FOLDER.glob("*.toml") if path.stem != DEFAULT)
    return (DEFAULT, *others)


def best_language(tags: Iterable[str]) -> str:
    """The first language that one of ``tags`` names, most wanted first: exactly, or by its primary subtag (``zh-TW`` finds ``zh-CN``)."""
    for tag in tags:
        if tag == "*":
            return DEFAULT
        near = [each for each in languages() if _primary(each) == _primary(tag)]
        if near:
            return next((each for each in near if each.lower() == tag.lower()), near[0])
    return DEFAULT


def text(key: str, language: str, /, **params: object) -> str:
    """The sentence with its placeholders filled: a list becomes words in a row, a missing parameter a dash. Raises ``KeyError``."""
    separator = sentences(language)[LIST_SEPARATOR]
    words = {name: separator.join(value) if isinstance(value, (list, tuple)) else value for name, value in params.items()}
    return sentences(language)[key].format_map(_Lenient(words))


def in_every_language(key: str, /, **params: object) -> str:
    """One line for somebody whose language is not known: the operator of a machine, a program. Raises ``KeyError``."""
    return " ".join(text(key, language, **params) for language in languages())


def has(key: str) -> bool:
    return key in sentences(DEFAULT)


@cache
def sentences(language: str) -> Mapping[str, str]:
    """Every sentence as it stands in the file, by key. Those of ``DEFAULT`` stand in for what ``language`` lacks."""
    if language not in languages():
        return sentences(DEFAULT)
    own = dict(_flat(tomllib.loads((FOLDER / f"{language}.toml").read_text("utf-8"))))
    return own if language == DEFAULT else {**sentences(DEFAULT), **own}


def _flat(table: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, str]]:
    for name, value in table.items():
        if isinstance(value, str):
            yield path + name, value
        else:
            yield from _flat(value, f"{path}{name}.")


def _primary(tag: str) -> str:
    """RFC 5646: the language itself, without script and region."""
    return tag.split("-", maxsplit=1)[0].lower()


class _Lenient(dict[str, Any]):
    def __missing__(self, key: str) -> str:
        return "–"
