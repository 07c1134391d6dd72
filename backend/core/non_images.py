"""What a file is that is no image, or no longer one, by its first bytes: so that its sender learns what went wrong, and what to do.

Nothing here decides whether an image is taken: an unharmed image matches no row. The rows of damage rest on what every image of the format has:
a PNG's signature holds CR LF, LF and no high bit lost (§5.2), and each readable format has zero bytes in its header.
"""

from __future__ import annotations

import base64
import codecs
import re
from collections.abc import Callable
from dataclasses import dataclass

from backend import errors
from backend.core import formats
from backend.core.formats import Format

MOST_NAME_BYTES = 255
_EXTENSIONS = "|".join(extension for each in formats.READABLE for extension in each.extensions)
_FORM_NAME = rb"(?:[\w.\[\]-]{1,60}=)?"
_FIELD = rb"[a-z_]{1,30}=[^&\x00-\x1f]{0,200}"
_FILE_NAME = rb"@?[^\x00-\x1f\x7f<>\"{}]{1,%d}\.(?:%s)\s*$" % (MOST_NAME_BYTES, _EXTENSIONS.encode())
_PERCENT = rb"(?:%89PNG|%FF%D8%FF|GIF8[79]a[^&]*%|RIFF[^&]{0,12}WEBP|II%2A|MM%00%2A|(?:%00)+[^&]{1,3}ftyp)"
_WEB_PAGE = rb"(?:<!--(?:(?!-->).){0,2000}-->\s*|<\?xml[^>]*>\s*)*<(?:!doctype html|html|head|body|script|title|meta)\b"
_STRIPPED_BEGIN = re.compile(
    rb"\xff\xd8\xff(?!\xfe)|\x89PNG|GIF8[79]a|RIFF.{0,4}WEBP|II\x2a|MM\x2a|"
    rb"BM.{1,6}[\x36\x42\x46\x7a\x8a][\x28\x6c\x7c]|\x01[\x01-\x20]|.{1,4}ftyp",
    re.DOTALL,
)
"""An image that may have lost its zero bytes. A JPEG that begins with a comment may have none, and is left out."""
_TELLING_BYTES = 64
"""So many first bytes of an image have a zero byte. The longest way to one is a JPEG that begins with XMP: 34 bytes."""
_REPLACED_BEGIN = re.compile(
    rb"(?:\xef\xbf\xbd|\xc2\x89|\xe2\x80\xb0|\?|\t)PNG[\r\n]|(?:\xef\xbf\xbd){2}|\xc3\xbf\xc3\x98\xc3\xbf|\?{2,4}.{2}(?:JFIF|Exif)",
    re.DOTALL,
)
"""PNG and JPEG after a program read them as UTF-8, Latin-1, Windows-1252, ASCII or 7 bits, and wrote them again."""
_ASCII_BEGIN = re.compile(rb"GIF8[79]a|RIFF.{4,12}WEBP|BM|II\x2a|MM\x00\x2a|.{4,8}ftyp", re.DOTALL)
_REPLACEMENT = b"\xef\xbf\xbd"
_DATA_URL = re.compile(rb"data:[\w.+/-]{0,60}[;,]", re.IGNORECASE)
_QUOTED = re.compile(rb'[{,]\s*"[^"\\]{0,60}"\s*:\s*"([^"\\]{16,})')


@dataclass(frozen=True, slots=True)
class Content:
    """``variant`` names the sentence of ``kind``. ``matches`` gets the first bytes of a file, without white space and a byte order mark."""

    variant: str
    kind: type[errors.GatewayError]
    matches: Callable[[bytes], object]
    format: str = ""


def _begins(pattern: bytes) -> Callable[[bytes], object]:
    return re.compile(pattern, re.DOTALL | re.IGNORECASE).match


def _has_lost_bytes(head: bytes) -> bool:
    """No line end and no zero byte: ``curl -d @file`` and many a text function remove them."""
    is_long = len(head) >= _TELLING_BYTES or head.startswith(b"\x89PNG\x1a")
    return is_long and not re.search(rb"[\x00\r\n]", head) and _STRIPPED_BEGIN.match(head) is not None


def _is_rewritten_text(head: bytes) -> bool:
    return _REPLACED_BEGIN.match(head) is not None or _is_utf16(head) or _has_replacements(head)


def _has_replacements(head: bytes) -> bool:
    """Whether a format whose first bytes are ASCII lost others to U+FFFD, twice or more."""
    return head.count(_REPLACEMENT) > 1 and _ASCII_BEGIN.match(head) is not None and _is_utf8(head)


def _is_utf16(head: bytes) -> bool:
    """As the shell of Windows writes with ``>``."""
    return head[:2] in (b"\xff\xfe", b"\xfe\xff") and 4 * head[:64].count(0) >= len(head[:64])


def _is_utf8(head: bytes) -> bool:
    """Its last character may be cut."""
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return False
    return True


def _is_base64(head: bytes) -> bool:
    """Alone, in quotes, as a field of a form, or as a member of a JSON object."""
    texts = [head, re.sub(rb"^[\w.\[\]-]{1,60}=", b"", head), *_QUOTED.findall(head)]
    return any(_DATA_URL.match(each) or _is_bare_base64(each) for each in (text.lstrip(b"\"' ") for text in texts))


def _is_bare_base64(text: bytes) -> bool:
    begin = re.match(rb"[A-Za-z0-9+/_-]{16,}", re.sub(rb"\s|%0[AD]", b"", text[:200]))
    if begin is None:
        return False
    coded = begin[0][: len(begin[0]) // 4 * 4].translate(bytes.maketrans(b"-_", b"+/"))
    known = formats.sniff(base64.b64decode(coded) + bytes(formats.SNIFF_BYTES))
    return known is not None and known.pillow is not None


DAMAGES = (
    Content("line_ends", errors.DamagedImage, _begins(rb"\x89PNG(?!\r\n\x1a\n)[\r\n]+\x1a[\r\n]+")),
    Content("lost_bytes", errors.DamagedImage, _has_lost_bytes),
    Content("as_text", errors.DamagedImage, _is_rewritten_text),
)
CONTENTS = (
    *DAMAGES,
    Content("lfs", errors.UnsupportedFormat, _begins(rb"version https://git-lfs\.github\.com/spec/|(?:\.\./)*(?:\.git)?/annex/objects/")),
    Content("base64", errors.UnsupportedFormat, _is_base64),
    Content("percent", errors.UnsupportedFormat, _begins(_FORM_NAME + _PERCENT)),
    Content("multipart_type", errors.UnsupportedFormat, _begins(rb"--[^\r\n]{1,200}\r\nContent-")),
    Content("address", errors.UnsupportedFormat, _begins(_FORM_NAME + rb"https?(?:://|%3a%2f%2f)[^\s<>]{1,4000}\s*$")),
    Content("file_name", errors.UnsupportedFormat, _begins(_FORM_NAME + _FILE_NAME)),
    Content("web_page", errors.UnsupportedFormat, _begins(_WEB_PAGE)),
    Content("document", errors.UnsupportedFormat, _begins(rb"\{\s*(?:\"|\}|$)|\[\s*(?:[\[{\"\d\]-]|$)"), "JSON"),
    Content("document", errors.UnsupportedFormat, _begins(rb"<\?xml|<Error>|<\w+>.{0,2000}</"), "XML"),
    Content("fields", errors.UnsupportedFormat, _begins(_FIELD + rb"(?:&" + _FIELD + rb")*\s*$")),
)
"""The first row that matches counts."""


def find(head: bytes, known: Format | None) -> Content | None:
    """What a file is that begins with ``head`` (``formats.SNIFF_BYTES`` of it, or all), and whose format is ``known``. None: no row fits."""
    if known is not None and known.pillow is None and known.name != "html":
        return None
    rows = CONTENTS if known is None or known.pillow is None else DAMAGES
    lead = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    return next((each for each in rows if each.matches(head if each in DAMAGES else lead)), None)


def check(head: bytes, known: Format | None) -> None:
    """Raises ``DamagedImage`` or ``UnsupportedFormat`` with a sentence of its own, where a row fits."""
    content = find(head, known)
    if content is not None:
        raise error_of(content, head)


def error_of(content: Content, head: bytes) -> errors.GatewayError:
    """What is raised for a file that begins with ``head``, which matched ``content``."""
    if content.variant == "file_name":
        return errors.UnsupportedFormat("file_name", name=file_name(head))
    if content.variant == "document":
        return errors.UnsupportedFormat("document", format=content.format)
    return content.kind(content.variant)


def is_binary_without_zeros(head: bytes) -> bool:
    """Whether these are no text, and yet without a line end and a zero byte: whatever file it was, it lost them. Of a text this is never said."""
    return len(head) >= _TELLING_BYTES and not re.search(rb"[\x00\r\n]", head) and not _is_utf8(head)


def file_name(text: bytes) -> str:
    """The name in what ``file_name`` matched."""
    return re.sub(r"^(?:[\w.\[\]-]{1,60}=)?@?", "", text.decode("utf-8", "replace").strip())[:MOST_NAME_BYTES]
