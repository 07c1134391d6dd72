"""File names in ``Content-Disposition``, as forms and answers have them in any bytes."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.core.content_disposition import FormPart, answer_filename, form_part
from backend.core.filenames import display_name


def form(name: bytes) -> bytes:
    return b'form-data; name="file"; filename="' + name + b'"'


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("C:\\fakepath\\cat.jpg", "cat.jpg"),
        ("C:\\Users\\me\\cat.jpg", "cat.jpg"),
        ("C:\\\\Users\\\\me\\\\cat.jpg", "cat.jpg"),
        ("\\\\server\\share\\cat.jpg", "cat.jpg"),
        ("/home/me/cat.jpg", "cat.jpg"),
        ("..\\..\\x.png", "x.png"),
        ("C:\\pictures\\", "pictures"),
        ("a%22b%22.png", 'a"b".png'),
        ("a%0D%0Ab.png", "ab.png"),
        ("100%25 %41.png", "100%25 %41.png"),
        ('a\\"b\\".png', 'a"b".png'),
        ('AC"DC.png', 'AC"DC.png'),
        ("a;b=c.png", "a;b=c.png"),
        ("&#22270;&#29255;.png", "图片.png"),
        ("&#65;&amp;.png", "&#65;&amp;.png"),
        ("=?UTF-8?B?5Zu+?= =?UTF-8?B?54mHLnBuZw==?=", "图片.png"),
        ("=?GBK?Q?=CD=BC=C6=AC.png?=", "图片.png"),
        ("=?no such=?.png", "=?no such=?.png"),
        ("", ""),
        ("..", ""),
        ("\x00..", ""),
        (" . ", ""),
    ],
)
def test_a_forms_name_is_read_as_clients_write_it(name: str, shown: str) -> None:
    part = form_part(form(name.encode()))
    assert part.name == "file" and display_name(part.filename or "") == shown


@pytest.mark.parametrize("name", ["表.png", "能.jpg", "ソフト表.png", "十字架.jpg", "申込書", "表"])
@pytest.mark.parametrize("path", ["", "C:\\表\\", "C:\\fakepath\\"])
def test_a_backslash_within_a_character_cuts_no_name(name: str, path: str) -> None:
    """5C is the second byte of these characters in Shift JIS."""
    raw = (path + name).encode("cp932")
    assert b"\\" in raw
    assert display_name(form_part(form(raw)).filename or "") == name
    if not path:  # clients that escape do so byte by byte, as curl did up to 7.80
        assert display_name(form_part(form(raw.replace(b"\\", b"\\\\"))).filename or "") == name


@pytest.mark.parametrize(
    ("charset", "name"), [("big5", "許功蓋.png"), ("gbk", "誠.png"), ("gbk", "图片.jpg"), ("cp1252", "Müller.jpg"), ("cp949", "사진.jpg")]
)
def test_a_forms_name_may_come_in_any_charset(charset: str, name: str) -> None:
    assert form_part(form(name.encode(charset)), charset).filename == name
    assert form_part(form(name.encode(charset))).filename == name or name == "誠.png"


@pytest.mark.parametrize(
    ("header", "filename"),
    [
        (b"filename=\"plain.png\"; filename*=UTF-8''%E5%9B%BE.png", "图.png"),
        (b"filename*=UTF-8''%E5%9B%BE.png; filename=\"plain.png\"", "图.png"),
        (b"filename*=GBK''%CD%BC.png", "图.png"),
        (b"filename*=utf-8'zh'%E5%9B%BE.png", "图.png"),
        (b"filename*=UTF-8''%FF.png; filename=\"plain.png\"", "plain.png"),
        (b"filename*=UTF-8''%FC.png", "ü.png"),
        (b"filename*=cat.png", "cat.png"),
        (b"filename*0*=UTF-8''%E5%9B; filename*1*=%BE.png", "图.png"),
        (b'filename*0="a b"; filename*1="c.png"', "a bc.png"),
        (b"filename=cat.png", "cat.png"),
        (b"FileName = cat.png", "cat.png"),
        (b'filename="a.png"; filename="b.png"', "a.png"),
        (b'filename="never closed', "never closed"),
        (b"", None),
    ],
)
def test_a_forms_name_may_be_extended(header: bytes, filename: str | None) -> None:
    assert form_part(b'form-data; name="file"; ' + header) == FormPart("file", filename)


def test_a_header_that_names_nothing_is_read_too() -> None:
    assert form_part(b"") == form_part(b";;=;") == form_part(b"\xff\xfe") == FormPart("", None)


CHROMIUM = {
    "attachment; filename=图片元.jpg": "图片元.jpg",
    'attachment; filename="foo-ä.html"': "foo-ä.html",
    'attachment; filename="f\\oo.html"': "foo.html",
    "filename=foo.html": "foo.html",
    "attachment; filename=foo bar.html": "foo bar.html",
    "attachment; filename='foo.bar'": "'foo.bar'",
    "attachment; filename==?ISO-8859-1?Q?foo-=E4.html?=": "foo-ä.html",
    'attachment; filename="=?UTF-8?B?5Zu+54mHLnBuZw==?="': "图片.png",
    "attachment; filename*=UTF-8''foo-%c3%a4.html; filename=\"foo-ae.html\"": "foo-ä.html",
    "attachment; filename=\"foo-ae.html\"; filename*=UTF-8''foo-%c3%a4.html": "foo-ä.html",
    "attachment; filename*=utf-8''foo-%E4.html; filename=x.html": "x.html",
    "attachment; filename*=UTF-8''; filename=z.png": "z.png",
    "attachment; filename*=iso-8859-1''foo-%E4.html": "foo-ä.html",
    "attachment; filename*=UTF-8'en'%E2%82%AC%20rates.png": "€ rates.png",
    "attachment; filename*=GBK''%CD%BC%C6%AC.png": "图片.png",
    "attachment; filename*=UTF-8''A-%2541.html": "A-%41.html",
    "attachment; filename*= UTF-8''sp.png": "sp.png",
    'attachment; filename="50%.html"': "50%.html",
    "attachment; filename=foo-%41.html": "foo-A.html",
    'attachment; filename="%E5%9B%BE.png"': "图.png",
    'attachment; filename="a%20b.png"': "a b.png",
    'attachment; filename="a.png"; filename="b.png"': "a.png",
    "attachment; filename=foo[1](2).html": "foo[1](2).html",
    'attachment; FILENAME="foo.html"': "foo.html",
    'attachment; filename="foo.html': "foo.html",
    'attachment; filename="a;b.png"': "a;b.png",
    'inline; filename="x.bin"': "x.bin",
    "attachment; filename *= UTF-8''foo-%c3%a4.html": "",
    "attachment; filename*=''foo-%c3%a4.html": "",
    "attachment": "",
}
"""What Chromium offers as the name of a download (empty: the name in the address)."""


@pytest.mark.parametrize("header", CHROMIUM)
def test_an_answers_name_is_the_one_that_chromium_offers(header: str) -> None:
    assert answer_filename(header.encode()) == CHROMIUM[header]


@pytest.mark.parametrize(
    ("header", "shown"),
    [
        ('attachment; filename="foo-ä.html"'.encode("latin-1"), "foo-ä.html"),
        ('attachment; filename="图片.jpg"'.encode("gbk"), "图片.jpg"),
        ('attachment; filename="表.png"'.encode("cp932"), "表.png"),
        (b'attachment; filename="%CD%BC%C6%AC.jpg"', "图片.jpg"),
        (b'attachment; filename="C:\\Users\\me\\cat.jpg"', "cat.jpg"),
        (b'attachment; filename="\\"quoted\\" name.png"', '"quoted" name.png'),
        (b'attachment; filename*0="foo."; filename*1="png"', "foo.png"),
        (b"attachment; filename*=UTF-8''f%oo.png; filename=y.png", "y.png"),
        (b"attachment; filename*=UTF-8''a%2Fb%5Cc.png", "c.png"),
        (b"attachment; filename*=UTF-8''%00.%0D%0A.png", "..png"),
    ],
)
def test_an_answers_name_in_other_bytes_or_with_a_path(header: bytes, shown: str) -> None:
    assert display_name(answer_filename(header)) == shown


@given(st.binary())
def test_no_header_is_an_error(header: bytes) -> None:
    assert isinstance(answer_filename(header), str)
    assert isinstance(form_part(form(header)).name, str)


@pytest.mark.parametrize("piece", [b'\\";', b"a=;", b'" ', b"=?", b'"', b"*1", b"\\", b"\xff", b"%", b"&#1;", b"=?a?b?", b"a*1=b;"])
def test_a_header_of_half_a_megabyte_takes_no_long_time(piece: bytes) -> None:
    begun = time.process_time()
    form_part(form(piece * (500_000 // len(piece))))
    answer_filename(form(piece * (500_000 // len(piece))))
    assert time.process_time() - begun < 10
