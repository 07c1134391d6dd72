"""Text in bytes whose charset nobody states, such as the file names that curl sends on Windows.

UTF-8 goes first: hardly any other text is valid UTF-8 by accident. Then comes the charset that the sender states, if the bytes are valid in it. Else
each row of ``charset_table`` reads the bytes, and the reading that costs the fewest bits wins: about -log2 of how likely its characters are in
that charset's languages. The same bytes always give the same text.
"""

from __future__ import annotations

import codecs
import math
import re
import unicodedata
from collections.abc import Iterable
from itertools import pairwise

from backend.core.charset_table import CHARSETS, LABELS, RARE_BITS, UTF8, Charset, Script

GUESS_BYTES = 1 << 10
"""So much of a text is weighed, from its first byte beyond ASCII on."""
ASCII_BITS = 5.0
"""A letter or digit, in every charset."""
CAPITAL_INSIDE_BITS = 6.0
"""A capital right after a small letter, one of them beyond ASCII."""
SCRIPT_CHANGE_BITS = {Script.CHARACTERS: 3.5, Script.ALPHABET: 7.0, Script.LATIN: 0.0}
"""An ASCII letter right beside a letter beyond ASCII."""
NEIGHBOURS_BITS = 3.0
"""Two accented Latin letters in a row."""
ALONE_BITS = {Script.CHARACTERS: 8.0, Script.ALPHABET: 12.0, Script.LATIN: 8.0, Script.ALL: 7.5}
"""The only letter beyond ASCII in a text, with no letter beside it: a word in Chinese, hardly one elsewhere."""
_MULTI_BYTE = tuple(each for each in CHARSETS if each.script is Script.CHARACTERS)
FIRST_WIDE = "\u0800"
"""Takes three bytes in UTF-8. By accident they hardly ever fit together."""
_JAPANESE_ESCAPE = b"\x1b$"
_CUT = re.compile(rb"(?:[\xc2-\xdf]|[\xe0-\xef][\x80-\xbf]?|[\xf0-\xf4][\x80-\xbf]{0,2})(?![\x80-\xbf])")
_BEYOND_ASCII = re.compile(rb"[\x80-\xff]")
_SEQUENCE = re.compile(rb"[A-Za-z]\xc3[\x80-\xbf]|\xc3[\x80-\xbf][A-Za-z]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
"""What is common in UTF-8, and rare by accident."""


def decoded(raw: bytes, stated: str = "") -> str:
    """``raw`` as text, whatever its bytes. ``stated`` is the charset that the sender names, if any."""
    if raw.isascii():
        return _japanese_mail(raw) or raw.decode("ascii")
    utf8 = _read(raw, UTF8.codec)
    if utf8 is not None and max(utf8) >= FIRST_WIDE:
        return utf8
    as_stated = decoded_as(raw, stated)
    if as_stated is not None and (utf8 is None or any(codec(stated) == each.codec for each in _MULTI_BYTE)):
        return as_stated
    if utf8 is None and (repaired := _repaired_utf8(raw)):
        return repaired
    return _guessed(raw, CHARSETS if utf8 is None else (UTF8, *_MULTI_BYTE))


def utf8_or_guessed(raw: bytes) -> str:
    """For ways in that are UTF-8 by their standards: what is not valid in it is guessed, and what has characters that hardly any name has."""
    text = _read(raw, UTF8.codec)
    is_plausible = text is not None and all(each.isascii() or each >= FIRST_WIDE or UTF8.bits(each) < RARE_BITS for each in text)
    return text if text is not None and is_plausible else decoded(raw)


def decoded_as(raw: bytes, label: str) -> str | None:
    """``raw`` in the charset of this name. None where the name is unknown, or the bytes are not valid in it."""
    known = codec(label)
    return None if known is None else _read(raw, known)


def codec(label: str) -> str | None:
    """Python's name of a charset that a sender names."""
    return LABELS.get(label.strip().lower().replace("_", "-"))


def _read(raw: bytes, codec_name: str) -> str | None:
    try:
        return raw.decode(codec_name)
    except UnicodeDecodeError:
        return None


def _japanese_mail(raw: bytes) -> str | None:
    """ISO-2022-JP is ASCII with escape sequences."""
    return _read(raw, "iso2022_jp") if _JAPANESE_ESCAPE in raw else None


def _repaired_utf8(raw: bytes) -> str | None:
    """UTF-8 with one character that was cut, or with surrogates; None where it is something else.

    What was cut becomes �, or nothing at the end. Java's pairs of surrogates become one character.
    """
    whole = _CUT.sub(lambda cut: "�".encode() if cut.end() < len(raw) else b"", raw, count=1)
    if (text := _read(whole, UTF8.codec)) is not None and _SEQUENCE.search(raw):
        return text
    try:
        return raw.decode("utf-8", "surrogatepass").encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    except UnicodeDecodeError:
        return None


def _guessed(raw: bytes, charsets: Iterable[Charset]) -> str:
    first = _BEYOND_ASCII.search(raw)
    begin = max(0, first.start() - 1) if first else 0
    best = min(charsets, key=lambda charset: _cost_bits(raw[begin : begin + GUESS_BYTES], charset))
    return raw.decode(best.codec, "replace")


def _cost_bits(raw: bytes, charset: Charset) -> float:
    """Infinite where the bytes are not valid in ``charset``."""
    try:  # the last of so many bytes may be a part of a character
        text = codecs.getincrementaldecoder(charset.codec)().decode(raw, final=len(raw) < GUESS_BYTES)
    except UnicodeDecodeError:
        return math.inf
    bits = charset.prior_bits + sum(ASCII_BITS if each.isascii() else charset.bits(each) for each in text)
    return bits + sum(_neighbours_bits(*pair, charset.script) for pair in pairwise(text)) + _alone_bits(raw, text, charset.script)


def _neighbours_bits(before: str, after: str, script: Script) -> float:
    """What an unlikely pair of letters costs."""
    if (before.isascii() and after.isascii()) or not (_is_letter(before) and _is_letter(after)):
        return 0.0
    if before.islower() and after.isupper():
        return CAPITAL_INSIDE_BITS
    if script is Script.ALL:
        return 0.0 if _alphabet(before) == _alphabet(after) else SCRIPT_CHANGE_BITS[Script.ALPHABET]
    if before.isascii() or after.isascii():
        return SCRIPT_CHANGE_BITS[script]
    return NEIGHBOURS_BITS if script is Script.LATIN else 0.0


def _alone_bits(raw: bytes, text: str, script: Script) -> float:
    places = [place for place, each in enumerate(text) if not each.isascii()]
    if len(places) > 1 or not _is_letter(text[places[0]]) or (script is Script.CHARACTERS and len(raw) > len(text)):
        return 0.0
    beside = text[max(0, places[0] - 1) : places[0]] + text[places[0] + 1 : places[0] + 2]
    return 0.0 if any(map(_is_letter, beside)) else ALONE_BITS[script]


def _alphabet(character: str) -> int:
    """0 for Latin letters and for marks that stand on letters; other alphabets have blocks of their own."""
    return 0 if character < "\u0370" else ord(character) >> 8


def _is_letter(character: str) -> bool:
    """Marks count as letters: the vowels of Thai are some."""
    return unicodedata.category(character)[0] in "LM"
