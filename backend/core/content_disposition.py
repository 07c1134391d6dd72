"""File names in ``Content-Disposition``: of a form's part (RFC 7578), and of an answer over HTTP (RFC 6266, RFC 8187).

Both are read from the header's bytes as browsers write and read them, and nothing in them is an error. A name in ``filename*`` goes before one in
``filename``, whatever their order (RFC 6266 §4.3); where ``filename*`` cannot be read, it is passed over.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass

from backend.core import charsets

SPACE = " \t"
"""Not what ``str.strip`` takes: in text read as Latin-1, UTF-8's bytes 85 and A0 would be spaces too."""
_QUOTED_END = re.compile(r'"[ \t]*(?:;|$)')
_ESCAPED = re.compile(r'\\(["\\])')
_QUOTED_PAIR = re.compile(r"\\(.)", re.DOTALL)
_WINDOWS_PATH = re.compile(r"[A-Za-z]:\\|\\\\|\.\.?\\")
_BACKSLASHES = re.compile(rb'\\+"?')
_ESCAPED_BYTE = re.compile(rb"%([0-9A-Fa-f]{2})")
_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_CONTINUED = re.compile(r"(.+)\*(\d+)(\*?)")
_ENCODED_WORDS = re.compile(r"=\?[^?\s]+\?[bBqQ]\?[^?\s]*\?=(?:\s+=\?[^?\s]+\?[bBqQ]\?[^?\s]*\?=)*")
_ENCODED_WORD = re.compile(r"=\?([^?*\s]+)(?:\*[^?\s]*)?\?([bBqQ])\?([^?\s]*)\?=")
_NUMBERED = re.compile(r"&#(\d{3,7});")
_FORM_ESCAPES = {"%22": '"', "%0D": "\r", "%0A": "\n"}
"""What browsers escape in a form's names, and nothing else (https://html.spec.whatwg.org/#multipart-form-data)."""
_FORM_ESCAPE = re.compile("|".join(_FORM_ESCAPES))


@dataclass(frozen=True, slots=True)
class FormPart:
    """What ``Content-Disposition`` says of a form's part. ``filename`` is None for a part that is no file."""

    name: str
    filename: str | None


def form_part(header: bytes, charset: str = "") -> FormPart:
    """``charset`` is the one that the form states, if any."""
    parameters = _parameters(charsets.decoded(_without_double_backslashes(header), charset))
    plain = {key: _form_text(value) for key, value in parameters.items() if not key.endswith("*")}
    filename = plain.get("filename")
    if (extended := parameters.get("filename*")) is not None:
        filename = _extended(extended) or filename or _extended_anyhow(extended)
    return FormPart(plain.get("name", ""), None if filename is None else _with_encoded_words(filename))


def answer_filename(header: bytes) -> str:
    """The file name in the header of an HTTP answer, empty where there is none."""
    parameters = _parameters(charsets.decoded(header))
    extended = _extended(parameters.get("filename*", ""))
    return extended if extended else _answer_text(parameters.get("filename", ""))


def _parameters(header: str) -> dict[str, str]:
    """Parameters by their small-letter names; quoted strings still have their quotes. Of several with one name the first counts."""
    found: dict[str, str] = {}
    pieces: dict[str, list[tuple[str, str]]] = {}
    for key, value in _pairs(header):
        if continued := _CONTINUED.fullmatch(key):
            pieces.setdefault(continued[1], []).append((continued[3], _unquoted(value)))
        else:
            found.setdefault(key, value)
    for key, parts in pieces.items():  # RFC 2231 §3, as programs made for mail write long names
        found.setdefault(key + max(star for star, _ in parts), "".join(value for _, value in parts))
    return found


def _pairs(header: str) -> Iterator[tuple[str, str]]:
    """``key=value`` between semicolons. What has no ``=`` is passed over, the type of the disposition for one."""
    place, equals = 0, -1
    while place < len(header):
        end = _next(";", header, place)
        if equals < place:  # found once for a run of semicolons, not for each of them
            equals = _next("=", header, place)
        if equals >= end:
            place = end + 1
            continue
        key = header[place:equals].strip(SPACE).lower()
        value, place = _value(header, equals + 1)
        yield key, value


def _next(character: str, text: str, place: int) -> int:
    """Where it stands next, or the end of ``text``."""
    found = text.find(character, place)
    return len(text) if found < 0 else found


def _value(header: str, place: int) -> tuple[str, int]:
    """The value that begins at ``place``, and where the next parameter begins."""
    while header[place : place + 1] in (" ", "\t"):
        place += 1
    if header[place : place + 1] != '"':
        end = _next(";", header, place)
        return header[place:end].strip(SPACE), end + 1
    end = place + 1
    while found := _QUOTED_END.search(header, end):
        if not _is_escaped(header, found.start()):
            return header[place : found.start() + 1], found.end()
        end = found.start() + 1
    return _unclosed(header[place:]), len(header)


def _is_escaped(header: str, place: int) -> bool:
    """Whether an odd number of backslashes stands before ``place``."""
    begin = place
    while header[begin - 1] == "\\":
        begin -= 1
    return (place - begin) % 2 == 1


def _unclosed(text: str) -> str:
    """A quoted string whose end has a backslash before it: ``"C:\\pictures\\"``, as clients write it that escape nothing."""
    rest = text.rstrip(SPACE)
    return rest if len(rest) > 1 and rest.endswith('"') else rest + '"'


def _is_quoted(value: str) -> bool:
    return len(value) > 1 and value[0] == value[-1] == '"'


def _unquoted(value: str) -> str:
    """Only quotes and backslashes are taken for escaped, so that a path of Windows keeps its backslashes."""
    return _ESCAPED.sub(r"\1", value[1:-1]) if _is_quoted(value) else value


def _without_double_backslashes(header: bytes) -> bytes:
    """``\\\\`` becomes ``\\`` where every backslash is escaped.

    Clients that escape do so byte by byte, also the second bytes of characters: U+8868 in Shift JIS is 95 5C.
    So it is undone before characters are read.
    """
    runs = _BACKSLASHES.findall(header)
    is_escaping = all(run.endswith(b'"') or len(run) % 2 == 0 for run in runs)
    return header.replace(b"\\\\", b"\\") if is_escaping else header


def _form_text(value: str) -> str:
    text = _FORM_ESCAPE.sub(lambda escape: _FORM_ESCAPES[escape[0]], _unquoted(value))
    return _NUMBERED.sub(_numbered_character, text)


def _numbered_character(reference: re.Match[str]) -> str:
    """What browsers write for a character that the form's charset lacks. Those of ASCII are in every charset, so they were meant as they stand."""
    number = int(reference[1])
    return chr(number) if 0x80 <= number < 0x110000 else reference[0]


def _answer_text(value: str) -> str:
    """Chromium, too, reads percent escapes in ``filename``, though RFC 6266 knows none there; so many servers write them."""
    text = _unquoted(value)
    if _is_quoted(value) and not _WINDOWS_PATH.match(text):
        text = _QUOTED_PAIR.sub(r"\1", value[1:-1])
    words = _with_encoded_words(text)
    return charsets.decoded(percent_decoded(text)) if words == text and not _BAD_ESCAPE.search(text) else words


def percent_decoded(text: str) -> bytes:
    """Characters beyond ASCII become UTF-8. A ``%`` without two digits stays."""
    return _ESCAPED_BYTE.sub(lambda escape: bytes.fromhex(escape[1].decode()), text.encode("utf-8", "replace"))


def _extended(value: str) -> str | None:
    """``UTF-8'en'%E2%82%AC`` (RFC 8187 §3.2). None for what does not follow that grammar, or whose bytes are not of its charset."""
    charset, _, rest = value.strip('"').partition("'")
    _, apostrophe, encoded = rest.partition("'")
    if not apostrophe or not encoded.isascii() or _BAD_ESCAPE.search(encoded):
        return None
    return charsets.decoded_as(percent_decoded(encoded), charset)


def _extended_anyhow(value: str) -> str:
    """For a form, where a broken ``filename*`` is the only name."""
    return charsets.decoded(percent_decoded(value.strip('"').rpartition("'")[2]))


def _with_encoded_words(text: str) -> str:
    """RFC 2047: ``=?utf-8?B?…?=``. RFC 6266 forbids them in HTTP, servers send them, and browsers read them."""
    return _ENCODED_WORDS.sub(_words_text, text)


def _words_text(words: re.Match[str]) -> str:
    """Several words in one charset are joined before they are read, for a character may be parted among them. Unchanged where one is broken."""
    joined: list[tuple[str, bytes]] = []
    for charset, encoding, encoded in _ENCODED_WORD.findall(words[0]):
        try:
            raw = base64.b64decode(encoded) if encoding in "bB" else binascii.a2b_qp(encoded, header=True)
        except ValueError:
            return words[0]
        if joined and joined[-1][0] == charset:
            raw = joined.pop()[1] + raw
        joined.append((charset, raw))
    return "".join(charsets.decoded(raw, charset) for charset, raw in joined)
