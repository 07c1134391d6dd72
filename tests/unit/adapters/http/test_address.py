"""Addresses of images: what of them is asked for, and where a redirect leads."""

from __future__ import annotations

import pytest

from backend import errors
from backend.adapters.http.address import parse, redirected

BASE = parse("http://example.org/albums/one/cat.jpg?size=1#top")


@pytest.mark.parametrize(
    ("location", "url"),
    [
        ("/图片/猫.jpg".encode(), "http://example.org/%E5%9B%BE%E7%89%87/%E7%8C%AB.jpg"),
        ("/元.jpg".encode(), "http://example.org/%E5%85%83.jpg"),
        ("/图片.jpg".encode("gbk"), "http://example.org/%CD%BC%C6%AC.jpg"),
        ("/é.jpg".encode("latin-1"), "http://example.org/%E9.jpg"),
        (b"/already%20escaped%2f.jpg", "http://example.org/already%20escaped%2f.jpg"),
        (b" /a b.jpg ", "http://example.org/a%20b.jpg"),
        (b"dog.jpg#part", "http://example.org/albums/one/dog.jpg"),
        (b"../dog.jpg", "http://example.org/albums/dog.jpg"),
        (b"../../../../dog.jpg", "http://example.org/dog.jpg"),
        (b"/a/%2e%2E/./dog.jpg", "http://example.org/dog.jpg"),
        (b"/a/..", "http://example.org/"),
        (b"?size=2", "http://example.org/albums/one/cat.jpg?size=2"),
        ("?q=图".encode(), "http://example.org/albums/one/cat.jpg?q=%E5%9B%BE"),
        (b"//other.example/x.jpg", "http://other.example/x.jpg"),
        (b"\\photos\\cat.jpg", "http://example.org/photos/cat.jpg"),
        (b"https:\\\\other.example\\x.jpg", "https://other.example/x.jpg"),
        (b"HTTPS://Other.Example/X.jpg", "https://other.example/X.jpg"),
        ("http://bücher.example/ü.jpg".encode(), "http://xn--bcher-kva.example/%C3%BC.jpg"),
        ("http://例え.テスト/".encode(), "http://xn--r8jz45g.xn--zckzah/"),
        ("http://straße.example/".encode(), "http://xn--strae-oqa.example/"),
        ("http://BÜCHER。example/".encode(), "http://xn--bcher-kva.example/"),
        (b"http://b%C3%BCcher.example/", "http://xn--bcher-kva.example/"),
        (b'/a\tb"c<d>.jpg?x=\'|^y"', "http://example.org/ab%22c%3Cd%3E.jpg?x=%27|^y%22"),
        (b"http:///other.example/x.jpg", "http://other.example/x.jpg"),
        (b"http:x.jpg", "http://example.org/albums/one/x.jpg"),
        (b"/a^`{}|[].jpg", "http://example.org/a%5E%60%7B%7D%7C[].jpg"),
        (b"/a\x01b", "http://example.org/a%01b"),
        ("http://i❤.ws/".encode(), "http://xn--i-7iq.ws/"),
        ("http://ｅｘａｍｐｌｅ.org/".encode(), "http://example.org/"),
    ],
)
def test_a_redirect_leads_where_browsers_go(location: bytes, url: str) -> None:
    """As ``new URL(location, base)`` says in Chromium; but for bytes that are no UTF-8, which it keeps in redirects alone."""
    address = parse(redirected(BASE, location))
    assert f"{address.scheme}://{address.authority}{address.target}" == url


@pytest.mark.parametrize(
    "location",
    [
        b"ftp://example.org/x",
        b"file:///etc/passwd",
        b"javascript:1",
        b"http://user@example.org/",
        b"http://user:word@example.org/",
        b"http://a%2Fb/",
        b"http://a%40b/",
        b"http://a%3A80/",
        b"http://a b/",
        b"http://a%00b/",
        b"http://\xff\xfe/",
        b"http://example.org:0/",
        b"http://example.org:99999/",
        "http://℀.example/".encode(),
        b"http://%E2%84%80.example/",
        b"http://a..b/",
        b"http://" + b"a" * 64 + b".example/",
        b"http://[::1%25lo]/",
        b"/" + b"a" * 5000,
    ],
)
def test_what_is_no_plain_address_is_refused(location: bytes) -> None:
    with pytest.raises(errors.BadRequest):
        parse(redirected(BASE, location))


@pytest.mark.parametrize("host", ["１２７.0.0.1", "127。0。0。1", "%31%32%37.0.0.1", "127.0.0.1"])
def test_a_disguised_address_is_resolved_as_what_it_is(host: str) -> None:
    assert parse(f"http://{host}/").host == "127.0.0.1"


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("http://h/a/%E5%9B%BE.jpg?x=y.png", "图.jpg"),
        ("http://h/%D5%D5%C6%AC.jpg", "照片.jpg"),
        ("http://h/%CD%BC%C6%AC.jpg", "图片.jpg"),
        ("http://h/我的 图片.jpg", "我的 图片.jpg"),
        ("http://h/", ""),
    ],
)
def test_an_address_has_a_name_too(url: str, name: str) -> None:
    assert parse(url).last_path_segment == name
