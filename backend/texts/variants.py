"""The names of variants that cannot be read, in the reader's language. The codec makes them in English, often of several parts."""

from __future__ import annotations

import re
from functools import cache

from backend import texts

PREFIX = "variants."


def variant_name(english: str, language: str) -> str:
    """What has no text of its own stays English: names such as ``LERC`` and ``JPEG-LS`` are the same everywhere."""
    if language == texts.DEFAULT:
        return english
    found = english
    for pattern, key in _patterns():
        if match := pattern.search(found):
            found = found[: match.start()] + texts.text(key, language, **match.groupdict()) + found[match.end() :]
    return _spaced(found)


@cache
def _patterns() -> tuple[tuple[re.Pattern[str], str], ...]:
    """The longest English text first, so that a part never breaks a whole."""
    known = {key: text for key, text in texts.sentences(texts.DEFAULT).items() if key.startswith(PREFIX)}
    return tuple((_pattern(text), key) for key, text in sorted(known.items(), key=lambda row: -len(re.sub(r"\{\w+\}", "", row[1]))))


def _pattern(text: str) -> re.Pattern[str]:
    parts = re.split(r"\{(\w+)\}", text)
    fixed = [re.escape(part) if number % 2 == 0 else rf"(?P<{part}>{_HOLDS.get(part, _HOLDS[''])})" for number, part in enumerate(parts)]
    after = r"(?![\w-])" if text[-1].isalnum() else ""
    return re.compile(rf"(?<![\w-]){''.join(fixed)}{after}")


_HOLDS = {"n": r"\d+", "": r"[\w.'()（）]+(?: [\w.()（）]+){0,2}"}
"""What stands for a placeholder: a number, or a name of one to three words."""


def _spaced(text: str) -> str:
    """Without spaces between Chinese characters, where English had them between words."""
    return re.sub(r"(?<=[\u4e00-\u9fff（）]) (?=[\u4e00-\u9fff（）])", "", text)
