"""Names of files: what is shown of a client's name, and what a result is called. None of them is ever part of a path."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection

MAX_CHARACTERS = 255
ARCHIVE_NAME_BYTES = 255
"""NAME_MAX of Linux and macOS: a longer entry of an archive cannot be unpacked there."""
JOINERS = "\u200c\u200d"
"""Zero width non-joiner and joiner. Unlike other format characters they belong into names: of Persian words, and of emoji."""
RIGHT_TO_LEFT = ("R", "AL", "AN")
"""Bidirectional classes (UAX 9) of characters that run from right to left, Arabic digits among them."""
EXTENSION = re.compile(r"\.[A-Za-z0-9]{1,5}$")
_FORBIDDEN_BY_WINDOWS = re.compile(r'[<>:"|?*]')
_DEVICES_OF_WINDOWS = re.compile(r"(?i)(?:con|prn|aux|nul|com\d|lpt\d)(?=\.|$)")


def display_name(name: str) -> str:
    """The last part of a client's file name, without control characters. Empty for a name of dots and spaces alone."""
    last = "".join(map(_shown, name)).replace("\\", "/").rstrip("/").rsplit("/", 1)[-1]
    return last[:MAX_CHARACTERS] if last.strip(". ") else ""


def _shown(character: str) -> str:
    """Other spaces than the common one are in many names, such as those of screenshots on macOS and of files in Japanese."""
    if character.isprintable() or character in JOINERS:
        return character
    return " " if unicodedata.category(character) == "Zs" else ""


def isolated(name: str) -> str:
    """For a sentence: a name with right-to-left characters between isolates (UAX 9), so that it keeps its order and the sentence its own."""
    turns = any(unicodedata.bidirectional(each) in RIGHT_TO_LEFT for each in name)
    return f"\u2068{name}\u2069" if turns else name


def result_name(source_name: str, extension: str) -> str:
    """``cat.jpg`` → ``cat.webp``. Only what looks like an extension is replaced: ``v1.2 final`` keeps its dot."""
    return f"{EXTENSION.sub('', source_name) or 'image'}.{extension}"


def source_name(name: str, extensions: Collection[str]) -> str:
    """The client's name for what it uploaded, with one of the format's ``extensions``: a client may call an image ``evil.html``."""
    stem, _, extension = name.rpartition(".")
    if stem and extension.lower() in extensions:
        return name
    return result_name(name, next(iter(extensions)))


def archive_name(name: str, taken: set[str]) -> str:
    """``name`` as every system can unpack it, and unlike all in ``taken``, to which it is added."""
    plain = _FORBIDDEN_BY_WINDOWS.sub("_", name)
    stem, dot, extension = _DEVICES_OF_WINDOWS.sub(r"_\g<0>", plain, count=1).rpartition(".")
    room = ARCHIVE_NAME_BYTES - len(f" (9999).{extension}")
    return unique_name(f"{stem.encode()[:room].decode(errors='ignore')}{dot}{extension}", taken)


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
