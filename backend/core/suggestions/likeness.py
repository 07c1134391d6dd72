"""Which known word somebody meant. A word that resembles none gets no suggestion: a wrong one costs more time than none."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable

LIKE = 0.7
"""The ratio of ``difflib`` from which a word is worth a question: a wrong letter in a word of four (0.75), two swapped in one of five (0.8)."""

BEGINNING = 3
"""So many letters of one known word alone are enough: ``meta``, ``sha``."""


def letters(word: str) -> str:
    """``word`` without what spellings differ in: ``targetBytes`` and ``target-bytes`` are ``targetbytes``."""
    return re.sub(r"[_\-\s]", "", word).lower()


def nearest(word: str, known: Iterable[str]) -> str:
    """The one of ``known`` that is meant: the one that ``word`` resembles most, or begins, spelling aside. Empty where none is."""
    known, begun = tuple(known), letters(word)
    begins = [each for each in known if len(begun) >= BEGINNING and letters(each).startswith(begun)]
    return closest(word, known, LIKE) or (begins[0] if len(begins) == 1 else "")


def closest(word: str, known: Iterable[str], cutoff: float) -> str:
    """The one of ``known`` with the highest ratio of at least ``cutoff``, spelling aside; empty where none has it."""
    by_letters = {letters(each): each for each in reversed(tuple(known))}
    near = difflib.get_close_matches(letters(word), by_letters, n=1, cutoff=cutoff)
    return by_letters[near[0]] if near else ""


def ratio(one: str, other: str) -> float:
    """How much the words resemble each other, spelling aside: 1 where they are the same."""
    return difflib.SequenceMatcher(None, letters(one), letters(other)).ratio()
