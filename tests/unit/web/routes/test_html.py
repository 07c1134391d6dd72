"""Hostile words through every route that answers with a page: a browser's parser finds the same elements as with harmless words."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from io import BytesIO
from urllib.parse import quote

import pytest
from werkzeug.test import TestResponse

from backend import errors
from tests.conftest import missing
from tests.fakes.codec import ScriptedCodec
from tests.fakes.samples import image
from tests.support import chromium_html
from tests.unit.web.conftest import Web

HARMLESS = "harmless"
HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '"><svg onload=alert(1)>',
    "' onmouseover='alert(1)",
    '" onfocus="alert(1)" autofocus="',
    "</title></main></body><script>alert(1)</script>",
    "<!--<base href=//evil.example>",
    "javascript:alert(1)",
    "{body}{known[title]}{0}",
    "$body ${title} %s %(x)s",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "&#60;script&#62;alert(1)&#60;/script&#62;",
    "\u2028<script>alert(1)</script>",
    "+ADw-script+AD4-alert(1)+ADw-/script+AD4-",
    "<meta http-equiv=refresh content=0;url=//evil.example>",
    'href="/evil" src="/evil"',
]
NO_HTML = ("application/problem+json", "application/json", "application/manifest+json", "image/webp", "image/png", "application/zip", "")
HEADERS = ("Accept-Language", "Accept", "User-Agent", "Referer", "X-Forwarded-Prefix", "X-Request-Id", "Cookie", "X-Forwarded-For")
SAFE_ADDRESS = re.compile(r"/(?!/)|#|data:image/|\w+\.(?:js|css|svg)")


def ascii_only(word: str) -> str:
    return word.encode("ascii", "ignore").decode()


def pages_with(web: Web, word: str) -> Iterator[tuple[str, str]]:
    """(what was asked for, its HTML) wherever ``word`` can be said to the gateway."""
    for name, answer in answers_with(web, word):
        assert answer.headers["X-Content-Type-Options"] == "nosniff", name
        if answer.mimetype == "text/html":
            yield name, answer.text
        else:
            assert answer.mimetype in NO_HTML or (
                answer.mimetype.startswith(("text/javascript", "text/css", "text/event-stream", "image/svg", "text/plain"))
            ), (name, answer.mimetype)


def answers_with(web: Web, word: str) -> Iterator[tuple[str, TestResponse]]:
    own = [*named_jobs(web, word), *refused_forms(web, word)]
    yield from own
    places = [place for _name, answer in own if (place := answer.headers.get("Location"))]
    for rule in web.app.url_map.iter_rules():
        if rule.methods and "GET" in rule.methods and "metrics" not in rule.rule:
            path = re.sub(r"<[^>]+>", quote(word, safe=""), rule.rule)
            yield f"{rule.rule} in the path", web.get(path)
            yield f"{rule.rule} in the query", web.get(f"{path}?filename={quote(word)}&{quote(word)}=1&cursor={quote(word)}")
    for place in ["/", "/status", "/api/docs", "/problems", "/problems/internal", "/nowhere", *places]:
        yield f"{without_id(place)} in the headers", web.get(place, headers={name: ascii_only(word) for name in HEADERS})
        yield f"{without_id(place)} in Chinese", web.get(place, headers={"Accept-Language": "zh-CN"})


def without_id(place: str) -> str:
    return re.sub(r"[\w-]{20,}", "ID", place)


def named_jobs(web: Web, word: str) -> Iterator[tuple[str, TestResponse]]:
    """Pages of a job that waits, one that is done, one that failed with these words as parameters, and of a batch."""
    for name, codec in (("done", ScriptedCodec()), ("failed", ScriptedCodec(errors.UnsupportedFormat("variant", format=word, base=word)))):
        sent = send(web, [f"{word}.png"])
        yield f"a form for one that is {name}", sent
        yield f"waiting before it is {name}", web.get(sent.headers["Location"])
        web.here.encode(codec)
        yield name, web.get(sent.headers["Location"])
    batch = send(web, [f"{word}.png", f"{word}.html"])
    yield "a form of two", batch
    yield "a batch that waits", web.get(batch.headers["Location"])
    while web.here.encode(ScriptedCodec()):
        pass
    yield "a batch that is done", web.get(batch.headers["Location"])


def refused_forms(web: Web, word: str) -> Iterator[tuple[str, TestResponse]]:
    yield "an unknown option", send(web, ["a.png"], qualitx=word)
    yield "a wrong value", send(web, ["a.png"], quality=word)
    yield "no image", web.post("/", data={"file": [(BytesIO(word.encode()), f"{word}.svg")]}, content_type="multipart/form-data")
    yield "no form", web.post("/", data=word.encode(), content_type="text/html")
    yield "another type", web.post("/", data=b"x", content_type=f'multipart/form-data; boundary="{ascii_only(word)[:60]}"')


def send(web: Web, names: list[str], **fields: str) -> TestResponse:
    files = [(BytesIO(image()), name) for name in names]
    return web.post("/", data={"file": files, **fields}, content_type="multipart/form-data")


@pytest.fixture(scope="module")
def parsed(tmp_path_factory: pytest.TempPathFactory) -> Callable[[list[str]], list[chromium_html.Outline]]:
    if not chromium_html.is_there():
        missing("Chromium is not installed")
    return lambda pages: chromium_html.outlines(pages, tmp_path_factory.mktemp("chromium"))


def test_hostile_words_add_no_element_and_no_attribute(
    make_web: Callable[..., Web], parsed: Callable[[list[str]], list[chromium_html.Outline]]
) -> None:
    harmless = dict(pages_with(make_web(), HARMLESS))
    hostile = {(word, name): page for word in HOSTILE for name, page in pages_with(make_web(), word)}
    assert len(harmless) >= 30
    found = parsed([*harmless.values(), *hostile.values()])
    right = dict(zip(harmless, found, strict=False))
    for (word, name), outline in zip(hostile, found[len(harmless) :], strict=True):
        assert outline.skeleton() == right[name].skeleton(), (name, word)
        assert [each for each in outline.values("href", "src", "action") if not SAFE_ADDRESS.match(each)] == [], (name, word)
        assert not [each for each, _names in outline.elements if each == "script"] or outline.values("src"), (name, word)


def test_the_judge_finds_what_is_not_escaped(parsed: Callable[[list[str]], list[chromium_html.Outline]]) -> None:
    plain = "<p title='{}'>{}</p>"
    right, *found = parsed([plain.format(HARMLESS, HARMLESS), *(plain.format(word, word) for word in HOSTILE)])
    assert sum(each.skeleton() != right.skeleton() for each in found) >= 7


def test_hostile_words_stay_words(web: Web) -> None:
    """They are shown as they are, neither dropped nor changed."""
    word = HOSTILE[0].replace("/", "")
    page = web.get(send(web, [f"{word}.png"]).headers["Location"])
    assert "&lt;script&gt;alert(1)&lt;script&gt;.png" in page.text


def test_the_names_of_answers_are_one_header_and_of_their_format(web: Web) -> None:
    for word in HOSTILE:
        job = web.finished(query=f"?filename={quote(word)}.html")
        for path, extension in (("result", ".webp"), ("source", ".png")):
            said = web.get(f"/api/jobs/{job['id']}/{path}").headers["Content-Disposition"]
            assert re.fullmatch(r"""(?:inline|attachment); filename="[A-Za-z0-9 _.()-]+"; filename\*=UTF-8''[A-Za-z0-9%_.~-]+""", said), said
            assert said.endswith(extension), said


def test_what_json_says_is_no_html(web: Web) -> None:
    """A browser that is sent to it sees text: the media type is no page's, and it may not guess."""
    job = web.finished(query=f"?filename={quote(HOSTILE[0])}")
    answer = web.get(f"/api/jobs/{job['id']}", headers={"Accept": "text/html"})
    assert (answer.mimetype, answer.headers["X-Content-Type-Options"]) == ("application/json", "nosniff")
    assert isinstance(json.loads(answer.text), dict)
