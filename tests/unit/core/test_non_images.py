"""What comes in place of an image, or is left of one: each is told by name, and no unharmed image is."""

from __future__ import annotations

import base64
import io
import random
from urllib.parse import quote_from_bytes

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from backend import errors
from backend.core import formats, non_images
from tests.support.images import photograph

KINDS = ("PNG", "JPEG", "GIF", "WEBP", "BMP", "TIFF", "AVIF", "ICO")


def drawn(kind: str) -> bytes:
    picture = Image.effect_noise((64, 48), 90).convert("RGB")
    file = io.BytesIO()
    picture.save(file, kind)
    return file.getvalue()


IMAGES = {kind: drawn(kind) for kind in KINDS}
EXIF = io.BytesIO()
Image.new("RGB", (64, 48)).save(EXIF, "JPEG", exif=Image.Exif().tobytes() or b"Exif\0\0MM\0*\0\0\0\x08\0\0\0\0\0\0")


def variant_of(file: bytes) -> str:
    head = file[: formats.SNIFF_BYTES]
    try:
        non_images.check(head, formats.sniff(head))
    except errors.GatewayError as error:
        assert isinstance(error, errors.DamagedImage | errors.UnsupportedFormat)
        return error.variant
    return ""


@pytest.mark.parametrize("file", [*IMAGES.values(), EXIF.getvalue(), photograph(640, 480)], ids=[*KINDS, "EXIF", "photograph"])
def test_an_unharmed_image_is_none_of_them(file: bytes) -> None:
    assert variant_of(file) == ""
    for length in (1, 8, 20, 63, 64, 100, 4096):
        assert variant_of(file[:length]) == "", length


@pytest.mark.parametrize("kind", KINDS)
def test_curl_d_removes_line_ends_and_zero_bytes_of_every_format(kind: str) -> None:
    assert variant_of(IMAGES[kind].translate(None, b"\r\n\0")) == "lost_bytes"


@pytest.mark.parametrize(
    "change",
    [
        lambda file: file.replace(b"\r\n", b"\n"),
        lambda file: file.replace(b"\r", b""),
        lambda file: file.replace(b"\n", b"\r\n"),
        lambda file: file.replace(b"\r\n", b"\r"),
        lambda file: file.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"),
    ],
    ids=["to Unix", "without CR", "to Windows", "to Macintosh", "there and back"],
)
def test_a_png_that_went_through_text_mode_is_told_by_its_line_ends(change: object) -> None:
    assert callable(change)
    assert variant_of(change(IMAGES["PNG"])) == "line_ends"


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
@pytest.mark.parametrize("charset", ["utf-8", "latin-1", "cp1252", "ascii"])
def test_an_image_that_was_read_as_text_and_written_again_is_told(kind: str, charset: str) -> None:
    assert variant_of(IMAGES[kind].decode(charset, "replace").encode()) == "as_text"
    if charset == "ascii":
        assert variant_of(IMAGES[kind].decode(charset, "replace").encode(charset, "replace")) == "as_text"


def test_what_the_shell_of_windows_redirects_is_told() -> None:
    assert variant_of(IMAGES["PNG"].decode("cp437").encode("utf-16")) == "as_text"


@pytest.mark.parametrize("kind", ["GIF", "WEBP"])
def test_a_format_that_begins_in_ascii_is_told_too(kind: str) -> None:
    assert variant_of(IMAGES[kind].decode("utf-8", "replace").encode()) == "as_text"


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP", "AVIF"])
@pytest.mark.parametrize(
    "dress", ["{}", "data:image/any;base64,{}", '"{}"', "image={}", '{{"image": "{}"}}', '{{"quality": 3, "file": "data:image/x;base64,{}"}}']
)
def test_base64_is_told_in_every_dress(kind: str, dress: str) -> None:
    coded = base64.b64encode(IMAGES[kind]).decode()
    assert variant_of(dress.format(coded).encode()) == "base64"
    assert variant_of(dress.format(base64.encodebytes(IMAGES[kind]).decode().strip()).encode()) == "base64"
    assert variant_of(dress.format(base64.urlsafe_b64encode(IMAGES[kind]).decode()).encode()) == "base64"


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
@pytest.mark.parametrize("name", ["", "image="])
def test_percent_signs_are_told(kind: str, name: str) -> None:
    assert variant_of((name + quote_from_bytes(IMAGES[kind])).encode()) == "percent"


@pytest.mark.parametrize(
    ("file", "variant"),
    [
        (b"<!doctype html><html><body>404</body></html>", "web_page"),
        (b"\xef\xbb\xbf\n <!-- a --><!-- b -->\n<HTML lang='en'>", "web_page"),
        (b'<?xml version="1.0"?>\n<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0">', "web_page"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:abc\nsize 5\n", "lfs"),
        (b"/annex/objects/SHA256E-s5--abc.jpg\n", "lfs"),
        (b'{"error": "not found"}', "document"),
        (b'\xef\xbb\xbf[{"message": "denied"}]', "document"),
        (b'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>NoSuchKey</Code></Error>', "document"),
        (b"cat.jpg", "file_name"),
        (b"@cat.jpg", "file_name"),
        (b"file=@cat.jpg", "file_name"),
        ("C:\\Bilder\\我的图片.PNG\r\n".encode(), "file_name"),
        (b"https://example.com/cat.jpg", "address"),
        (b"url=https%3A%2F%2Fexample.com%2Fcat.jpg", "address"),
        (b"quality=80", "fields"),
        (b"quality=80&width=3&fit=", "fields"),
        (b'--XX\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n\x89PNG', "multipart_type"),
        (b"hello world", ""),
        (b"\x00\x01\x02\x03" * 50, ""),
        (b"%PDF-1.7", ""),
        (b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>', ""),
        (b"", ""),
    ],
    ids=repr,
)
def test_what_is_sent_in_place_of_an_image_is_told(file: bytes, variant: str) -> None:
    assert variant_of(file) == variant


def test_the_name_that_was_sent_is_shown() -> None:
    assert non_images.file_name(b"file=@cat.jpg ") == "cat.jpg"


@given(st.sampled_from(KINDS), st.integers(0, 2**32))
def test_what_follows_an_images_header_is_never_looked_at_as_damage(kind: str, seed: int) -> None:
    assert variant_of(IMAGES[kind][:64] + random.Random(seed).randbytes(4032)) == ""


@given(st.binary(max_size=5000) | st.text(max_size=2000).map(str.encode))
def test_whatever_is_sent_is_told_or_passed_on(file: bytes) -> None:
    variant_of(file)


@pytest.mark.parametrize(
    "piece", [b"<!-- ", b"<!---->", b"<a>", b'{"', b',"a":"', b"a=&", b"a=b&", b"@", b"%00", b"data:", b"../", b"[[", b" ", b"\xef\xbf\xbd"]
)
def test_no_text_takes_long(piece: bytes) -> None:
    """A pattern that tries every way would not end: 4096 bytes are looked at with at most some thousand steps."""
    variant_of((piece * 4096)[: formats.SNIFF_BYTES])
    variant_of((b"a=" + piece * 4096)[: formats.SNIFF_BYTES])
