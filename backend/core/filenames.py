"""Names of files: what is shown of a client's name, and what a result is called. None of them is ever part of a path."""

from __future__ import annotations

import re

MAX_CHARACTERS = 255
ZERO_WIDTH_JOINER = "\u200d"
"""Unlike other format characters it belongs into names: it joins emoji."""
EXTENSION = re.compile(r"\.[A-Za-z0-9]{1,5}$")


def display_name(name: str) -> str:
    """The last part of a client's file name, without control characters. Empty for ``.`` and ``..``."""
    last = name.replace("\\", "/").rstrip("/").rsplit("/", 1)[-1]
    if last in (".", ".."):
        return ""
    return "".join(each for each in last if each.isprintable() or each == ZERO_WIDTH_JOINER)[:MAX_CHARACTERS]


def result_name(source_name: str, extension: str) -> str:
    """``cat.jpg`` → ``cat.webp``. Only what looks like an extension is replaced: ``v1.2 final`` keeps its dot."""
    return f"{EXTENSION.sub('', source_name) or 'image'}.{extension}"


def unique_name(name: str, taken: set[str]) -> str:
    """``name``, or ``name (2)`` … where it is taken. Adds it to ``taken``; names that differ in case alone count as the same."""
    stem, dot, extension = name.rpartition(".")
    number, unique = 1, name
    while unique.lower() in taken:
        number += 1
        unique = f"{stem or extension} ({number}){dot}{extension if dot else ''}"
    taken.add(unique.lower())
    return unique


def ascii_name(name: str) -> str:
    """For clients that read ASCII alone. Never empty, and never a hidden file."""
    stem, dot, extension = name.rpartition(".")
    plain = re.sub(r"[^A-Za-z0-9 _.()-]", "", stem if dot else name).strip(" .") or "image"
    return plain + (f".{extension}" if dot and re.fullmatch(r"[A-Za-z0-9]{1,8}", extension) else "")
