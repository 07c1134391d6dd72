"""What people read is there in every language, says the same things, and is used."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from typing import Any

import pytest

from backend import texts
from tests.unit.texts.used import BACKEND, ROOT, looked_up, placeholders, used_keys

OTHERS = [language for language in texts.languages() if language != texts.DEFAULT]
ENGLISH = texts.sentences(texts.DEFAULT)
HAN = re.compile(r"[\u4e00-\u9fff]")


def keys(table: dict[str, Any], path: str = "") -> Iterator[str]:
    for name, value in table.items():
        yield from keys(value, f"{path}{name}.") if isinstance(value, dict) else [path + name]


def own_keys(language: str) -> list[str]:
    """Those of its own file, without what English stands in for."""
    return list(keys(tomllib.loads((texts.FOLDER / f"{language}.toml").read_text("utf-8"))))


@pytest.mark.parametrize("language", OTHERS)
def test_every_language_has_the_same_keys_in_the_same_order(language: str) -> None:
    assert own_keys(language) == own_keys(texts.DEFAULT)


@pytest.mark.parametrize("language", OTHERS)
def test_every_language_fills_in_the_same_things(language: str) -> None:
    other = texts.sentences(language)
    assert {key: placeholders(other[key]) for key in ENGLISH} == {key: placeholders(sentence) for key, sentence in ENGLISH.items()}


def test_placeholders_are_plain_names() -> None:
    assert {name for sentence in ENGLISH.values() for name in placeholders(sentence) if not name.isidentifier()} == set()


def test_no_sentence_is_empty_and_none_is_in_the_wrong_language() -> None:
    assert [key for language in texts.languages() for key, sentence in texts.sentences(language).items() if not sentence.strip()] == []
    assert [key for key, sentence in ENGLISH.items() if HAN.search(sentence)] == []


def test_the_scan_sees_the_look_ups() -> None:
    assert {"problem_page.index", "api.title", "plain.archive", "plain.running"} <= {use.key for use in looked_up()}


def test_every_key_that_the_code_names_exists_and_its_placeholders_are_filled() -> None:
    assert [use for use in looked_up() if use.key not in ENGLISH] == []
    assert [use for use in looked_up() if use.given is not None and not placeholders(ENGLISH[use.key]) <= use.given] == []


def test_every_key_is_used() -> None:
    assert set(ENGLISH) - used_keys(set(ENGLISH)) == set()


def test_no_chinese_stands_in_the_code() -> None:
    """What is read is in the texts; here is what is only data."""
    code = [*BACKEND.rglob("*.py"), ROOT / "gunicorn.conf.py", ROOT / "run.py"]
    data = {"backend/core/charset_table.py", "backend/web/openapi/schemas.py"}
    assert {str(path.relative_to(ROOT)) for path in code if HAN.search(path.read_text("utf-8"))} == data


@pytest.mark.parametrize(
    ("tags", "language"),
    [
        (["zh-CN"], "zh-CN"),
        (["ZH-cn"], "zh-CN"),
        (["zh-Hant-HK"], "zh-CN"),
        (["qaa", "zh"], "zh-CN"),
        (["*", "zh"], "en"),
        (["en-GB", "zh"], "en"),
        (["english", "zhx"], "en"),
        (["", "qaa"], "en"),
        ([], "en"),
    ],
)
def test_the_most_wanted_language_that_is_here_is_chosen(tags: list[str], language: str) -> None:
    assert texts.best_language(tags) == language


def test_a_list_becomes_words_in_a_row_of_the_language() -> None:
    given = {"option": "fit", "value": "big", "accepted": ("cover", "contain")}
    assert "cover, contain." in texts.text("errors.invalid_option.detail", "en", **given)
    assert "cover、contain。" in texts.text("errors.invalid_option.detail", "zh-CN", **given)


def test_a_key_that_is_not_there_is_an_error() -> None:
    with pytest.raises(KeyError):
        texts.text("errors.no_such_code.title", "en")
