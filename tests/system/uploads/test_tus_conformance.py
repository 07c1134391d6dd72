"""Every MUST and SHOULD that tus 1.0.0 (https://tus.io/protocols/resumable-upload) has for servers, on a real gateway, with images as bodies.

``exchange.check_always`` adds what holds for each single answer. Expiry itself needs a clock that is shifted: ``test_protocol``. A connection that
breaks, and two that meet at one upload, are in ``test_gateway``.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest

from tests.support.running import Gateway, running
from tests.system.uploads.exchange import (
    CREATE,
    JPEG,
    PNG,
    TYPE,
    UNKNOWN,
    Case,
    Fields,
    Player,
    Step,
    checksum,
    create,
    delete,
    encoded,
    head,
    may,
    metadata,
    must,
    patch,
    should,
)

pytestmark = pytest.mark.e2e
LIMIT = 1 << 20
SIZE = str(len(PNG))
EXTENSIONS = "creation,creation-with-upload,creation-defer-length,termination,expiration,checksum,concatenation"
TEXT = b"This is no image, but a text. " * 5
ACTUAL = ("GET", "PUT", "POST", "PATCH", "DELETE")
WRONG_NUMBERS = ("-1", "+1", "1.5", "abc", "1e3", "0x10", "٣", "")


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    rules = {"GUNICORN_WORKERS": "2", "GATEWAY_ENCODERS": "1", "GATEWAY_MAX_QUEUED_JOBS": "5000", "GATEWAY_MAX_UPLOAD_BYTES": str(LIMIT)}
    with running(tmp_path_factory.mktemp("conformance") / "data", **rules) as started:
        yield started


@pytest.fixture
def player(gateway: Gateway) -> Iterator[Player]:
    found = Player(gateway.port)
    yield found
    found.close()


def options(path: str = CREATE, **sends: str | None) -> Step:
    told: Fields = {"Tus-Version": "1.0.0", "Tus-Extension": EXTENSIONS, "Tus-Max-Size": str(LIMIT)}
    return Step("OPTIONS", path, 200, {"Tus-Resumable": None, **{k.replace("_", "-"): v for k, v in sends.items()}}, shows=told)


def overridden(actual: str, meant: str, path: str, status: int, sends: Fields | None = None, body: bytes = b"", shows: Fields | None = None) -> Step:
    return Step(actual, path, status, {"X-HTTP-Method-Override": meant, **(sends or {})}, body, shows or {})


def partial(name: str, body: bytes, **sends: str) -> tuple[Step, Step]:
    return create(name, len(body), Upload_Concat="partial", **sends), patch(name, 0, body, shows={"Link": None})


def final(name: str, parts: str, status: int = 201, shows: Fields | None = None, **sends: str) -> Step:
    return create(name, None, b"", status, shows, Upload_Concat=f"final;{parts}", **sends)


def another_version(version: str | None) -> tuple[Step, ...]:
    """No method does anything."""
    wrong: Fields = {"Tus-Resumable": version}
    offset: Fields = {"Upload-Offset": "0", "Content-Type": TYPE}
    return (
        create("a"),
        Step("POST", CREATE, 412, {**wrong, "Upload-Length": SIZE}, shows={"Location": None}),
        Step("HEAD", "{a}", 412, wrong, shows={"Upload-Offset": None}),
        Step("PATCH", "{a}", 412, {**wrong, **offset}, PNG),
        Step("DELETE", "{a}", 412, wrong),
        head("a", 0),
    )


CORE = [
    must("OPTIONS tells the versions", options()),
    must("OPTIONS of an upload does too, even of one that is not there", options(f"{CREATE}/{UNKNOWN}")),
    must("OPTIONS ignores Tus-Resumable, whatever it says", options(Tus_Resumable="0.2.2"), options(Tus_Resumable="1.0.0")),
    must(
        "OPTIONS names an algorithm for each checksum",
        Step("OPTIONS", CREATE, 200, shows={"Tus-Checksum-Algorithm": "sha1,sha256,sha384,sha512,md5"}),
    ),
    *(must(f"Tus-Resumable {version!r} is 412 and nothing is done", *another_version(version)) for version in (None, "0.2.2", "2.0.0", "1.0", "x")),
    *(
        must(
            f"X-HTTP-Method-Override counts when {actual} is sent",
            create("a"),
            overridden(actual, "OPTIONS", CREATE, 200, {"Tus-Resumable": None}, shows={"Tus-Version": "1.0.0"}),
            overridden(actual, "HEAD", "{a}", 200, shows={"Upload-Offset": "0", "Upload-Length": SIZE}),
            overridden(actual, "PATCH", "{a}", 204, {"Upload-Offset": "0", "Content-Type": TYPE}, PNG[:9], {"Upload-Offset": "9"}),
            overridden(actual, "patch", "{a}", 204, {"Upload-Offset": "9", "Content-Type": TYPE}, PNG[9:20], {"Upload-Offset": "20"}),
            overridden(actual, "POST", CREATE, 201, {"Upload-Length": SIZE}, shows={"Location": "*"}),
            overridden(actual, "DELETE", "{a}", 204),
            head("a", None, 404),
        )
        for actual in ACTUAL
    ),
    must(
        "an override that is no method of tus is 405",
        create("a"),
        overridden("POST", "GET", "{a}", 405, shows={"Allow": "OPTIONS, HEAD, PATCH, DELETE"}),
    ),
    must("HEAD tells an offset of 0, and the length", create("a"), head("a", 0, Upload_Length=SIZE, Upload_Defer_Length=None)),
    must("HEAD tells the offset of a complete upload", create("a"), patch("a", 0, PNG), head("a", len(PNG), Upload_Length=SIZE)),
    should("HEAD of an unknown upload is 404 without an offset", head("unknown", None, 404)),
    should("PATCH of an unknown upload is 404", patch("unknown", 0, PNG, 404)),
    *(
        should(f"PATCH with the type {kind} is 415 and changes nothing", create("a"), patch("a", 0, PNG, 415, Content_Type=kind), head("a", 0))
        for kind in (None, "application/octet-stream", "image/png", "application/x-www-form-urlencoded")
    ),
    may("the type has parameters and any case", create("a"), patch("a", 0, PNG, Content_Type="Application/Offset+Octet-Stream; charset=utf-8")),
    *(
        must(
            f"PATCH at {offset} where 20 are there is 409, tells so and changes nothing",
            create("a"),
            patch("a", 0, PNG[:20]),
            patch("a", offset, PNG[20:], 409, {"Upload-Offset": "20"}),
            head("a", 20),
            patch("a", 20, PNG[20:], shows={"Link": "*"}),
        )
        for offset in (0, 19, 21, len(PNG), 10**18, 10**30)
    ),
    *(must(f"the offset {wrong!r} is 400", create("a"), patch("a", wrong, PNG, 400), head("a", 0)) for wrong in (None, *WRONG_NUMBERS)),
    must("PATCH tells the new offset, piece by piece", create("a"), patch("a", 0, PNG[:1]), patch("a", 1, PNG[1:70]), patch("a", 70, PNG[70:])),
    must("an empty PATCH tells the offset", create("a"), patch("a", 0, b""), patch("a", 0, PNG[:5]), patch("a", 5, b""), head("a", 5)),
    must(
        "PATCH after the end tells the offset", create("a"), patch("a", 0, PNG), patch("a", len(PNG), b"", shows={"Link": "*"}), head("a", len(PNG))
    ),
    must("PATCH again from the start is 409", create("a"), patch("a", 0, PNG), patch("a", 0, PNG, 409, {"Upload-Offset": SIZE})),
    must("PATCH beyond the length is 413 and changes nothing", create("a"), patch("a", 0, PNG + b"x", 413), head("a", 0), patch("a", 0, PNG)),
    must(
        "PATCH beyond the length of a complete upload is 413", create("a"), patch("a", 0, PNG), patch("a", len(PNG), b"x", 413), head("a", len(PNG))
    ),
    should(
        "a body without a length counts", create("a"), Step("PATCH", "{a}", 204, {"Upload-Offset": "0", "Content-Type": TYPE}, PNG, is_chunked=True)
    ),
]
CREATION = [
    must("creation is 201 with an address that HEAD answers", create("a", shows={"Upload-Expires": "*", "Upload-Offset": "0"}), head("a", 0)),
    may("the address of creation ends with a slash", Step("POST", CREATE + "/", 201, {"Upload-Length": SIZE}, saves="a"), head("a", 0)),
    must("two creations are two uploads", create("a"), create("b"), patch("a", 0, PNG[:7]), head("b", 0), head("a", 7)),
    must("creation without any length is 400", create("a", None, status=400)),
    must("creation with both lengths is 400", create("a", status=400, Upload_Defer_Length="1")),
    *(must(f"the length {wrong!r} is 400", create("a", wrong, status=400)) for wrong in WRONG_NUMBERS),
    *(should(f"Upload-Defer-Length {wrong!r} is 400", create("a", None, status=400, Upload_Defer_Length=wrong)) for wrong in ("0", "2", "true", "")),
    must("a length at the maximum is taken", create("a", LIMIT), head("a", 0, Upload_Length=str(LIMIT))),
    *(must(f"the length {length} is 413", create("a", length, status=413)) for length in (LIMIT + 1, 2**63 - 1, 10**30)),
    must(
        "metadata come back as they came",
        create("a", Upload_Metadata=metadata(filename="cat.png", userId="7")),
        head("a", 0, Upload_Metadata=metadata(filename="cat.png", userId="7")),
    ),
    must("metadata that were not sent do not come back", create("a"), head("a", 0, Upload_Metadata=None)),
    must("an image of no bytes cannot be", create("a", 0, status=422)),
]
DEFERRED = [
    must(
        "HEAD says that the length is deferred until it is told",
        create("a", None, Upload_Defer_Length="1"),
        head("a", 0, Upload_Defer_Length="1", Upload_Length=None),
        patch("a", 0, PNG[:10]),
        head("a", 10, Upload_Defer_Length="1", Upload_Length=None),
        patch("a", 10, PNG[10:20], Upload_Length=SIZE),
        head("a", 20, Upload_Defer_Length=None, Upload_Length=SIZE),
        patch("a", 20, PNG[20:], shows={"Link": "*"}),
    ),
    must(
        "the length may come with the last bytes",
        create("a", None, Upload_Defer_Length="1"),
        patch("a", 0, PNG, Upload_Length=SIZE, shows={"Link": "*"}),
    ),
    must(
        "the length may come after the last bytes",
        create("a", None, Upload_Defer_Length="1"),
        patch("a", 0, PNG),
        patch("a", len(PNG), b"", Upload_Length=SIZE, shows={"Link": "*"}),
    ),
    must(
        "a length once set is not changed",
        create("a", None, Upload_Defer_Length="1"),
        patch("a", 0, PNG[:10], Upload_Length=SIZE),
        patch("a", 10, b"", 400, Upload_Length=str(len(PNG) + 1)),
        patch("a", 10, b"", Upload_Length=SIZE),
        head("a", 10, Upload_Length=SIZE),
    ),
    must("the length of a creation is not changed", create("a"), patch("a", 0, PNG[:5], 400, Upload_Length="5"), head("a", 0, Upload_Length=SIZE)),
    must(
        "a length below what came is 400",
        create("a", None, Upload_Defer_Length="1"),
        patch("a", 0, PNG[:10]),
        patch("a", 10, b"", 400, Upload_Length="9"),
        head("a", 10),
    ),
    must(
        "a length above the maximum is 413",
        create("a", None, Upload_Defer_Length="1"),
        patch("a", 0, b"", 413, Upload_Length=str(LIMIT + 1)),
        head("a", 0),
    ),
]
WITH_UPLOAD = [
    must(
        "creation takes the first bytes and tells the offset",
        create("a", body=PNG[:30], shows={"Upload-Offset": "30"}),
        head("a", 30),
        patch("a", 30, PNG[30:]),
    ),
    must("creation takes all bytes", create("a", body=PNG, shows={"Upload-Offset": SIZE, "Link": "*"}), head("a", len(PNG), Link="*")),
    must(
        "creation takes bytes of a deferred length",
        create("a", None, PNG[:30], shows={"Upload-Offset": "30"}, Upload_Defer_Length="1"),
        head("a", 30, Upload_Defer_Length="1"),
    ),
    must("another type is 415", create("a", body=PNG, status=415, Content_Type="image/png"), create("a", body=PNG, status=415, Content_Type=None)),
    must("bytes beyond the length are 413", create("a", 5, PNG, 413)),
    must("a text in one piece is 415", create("a", len(TEXT), TEXT, 415)),
    must(
        "a text that comes first of more is 415 when it shows",
        create("a", 50_000, TEXT, shows={"Upload-Offset": str(len(TEXT))}),
        patch("a", len(TEXT), b"x" * 5000, 415),
        head("a", None, 404),
    ),
    must("a long text in one piece is 415", create("a", 30 * len(TEXT), 30 * TEXT, 415)),
    must("a damaged image in one piece is 422", create("a", 20, PNG[:20], 422)),
    must(
        "a checksum holds for bytes of a creation",
        create("a", body=PNG, Upload_Checksum=checksum(PNG)),
        create("b", body=PNG, status=460, Upload_Checksum=checksum(JPEG)),
    ),
    must("an unknown checksum of a creation is 400", create("a", body=PNG, status=400, Upload_Checksum="crc32 AAAAAA==")),
]
CHECKSUM = [
    *(
        must(
            f"{each} is verified",
            create("a"),
            patch("a", 0, PNG[:40], Upload_Checksum=checksum(PNG[:40], each)),
            patch("a", 40, PNG[40:], Upload_Checksum=checksum(PNG[40:], each)),
        )
        for each in ("sha1", "sha256", "sha384", "sha512", "md5")
    ),
    *(
        must(
            f"a wrong {each} is 460, and the bytes are discarded",
            create("a"),
            patch("a", 0, PNG[:40]),
            patch("a", 40, PNG[40:], 460, {"Upload-Offset": "40"}, Upload_Checksum=checksum(PNG, each)),
            head("a", 40),
            patch("a", 40, PNG[40:], Upload_Checksum=checksum(PNG[40:], each), shows={"Link": "*"}),
        )
        for each in ("sha1", "sha256", "md5")
    ),
    *(
        must(
            f"Upload-Checksum {wrong!r} is 400, and the bytes are discarded",
            create("a"),
            patch("a", 0, PNG, 400, Upload_Checksum=wrong),
            head("a", 0),
        )
        for wrong in ("crc99 AAAA", "SHA1 " + encoded(b"x" * 20), "sha1", "sha1 !!!", "sha1 AAAA", "", encoded(b"x" * 20))
    ),
    must(
        "the checksum of nothing is verified too",
        create("a"),
        patch("a", 0, b"", Upload_Checksum=checksum(b"")),
        patch("a", 0, b"", 460, Upload_Checksum=checksum(b"x")),
    ),
    must(
        "a checksum that was to come as a trailer is refused, since it is not announced",
        create("a"),
        Step("PATCH", "{a}", 400, {"Upload-Offset": "0", "Content-Type": TYPE, "Trailer": "Upload-Checksum"}, PNG, is_chunked=True),
        head("a", 0),
    ),
]
TERMINATION = [
    *(
        must(
            f"DELETE of {name} upload is 204, and then it is gone",
            *steps,
            delete("a"),
            head("a", None, 404),
            patch("a", 0, PNG, 404),
            delete("a", 404),
        )
        for name, steps in {
            "a new": (create("a"),),
            "a begun": (create("a"), patch("a", 0, PNG[:9])),
            "a complete": (create("a", body=PNG),),
            "a partial": partial("a", PNG),
        }.items()
    ),
    must("DELETE of an unknown upload is 404", delete("unknown", 404)),
]
HALVES = (*partial("a", PNG[:60]), *partial("b", PNG[60:]))
CONCATENATION = [
    must("a partial upload says so", create("a", 10, Upload_Concat="partial"), head("a", 0, Upload_Concat="partial", Upload_Length="10")),
    should("a partial upload is not looked at", *partial("a", 50 * TEXT), head("a", 50 * len(TEXT), Link=None)),
    must(
        "a partial upload may be of no bytes, and is created with its bytes",
        create("a", 0, Upload_Concat="partial"),
        create("b", body=PNG, Upload_Concat="partial", shows={"Link": None}),
        final("c", "{a} {b}", shows={"Link": "*"}),
    ),
    must(
        "a final upload is its parts in order, with both lengths equal",
        *HALVES,
        final("c", "{a} {b}", shows={"Link": "*", "Upload-Offset": SIZE}),
        head("c", len(PNG), Upload_Length=SIZE, Upload_Concat="final;{a} {b}"),
    ),
    must("in another order they are no image", *HALVES, final("c", "{b} {a}", 415)),
    must(
        "addresses of parts are absolute or relative",
        *HALVES,
        final("c", "http://gateway.example{a} https://gateway.example/images{b}"),
        final("d", "{a} {b}"),
    ),
    may("parts are used again", *partial("a", JPEG), final("b", "{a}"), final("c", "{a}"), head("a", len(JPEG))),
    must(
        "a part's metadata are not the final one's",
        *partial("a", PNG, Upload_Metadata=metadata(filename="part.png")),
        final("b", "{a}"),
        head("b", len(PNG), Upload_Metadata=None),
        final("c", "{a}", Upload_Metadata=metadata(filename="whole.png")),
        head("c", len(PNG), Upload_Metadata=metadata(filename="whole.png")),
    ),
    must(
        "PATCH of a final upload is 403 and changes nothing",
        *HALVES,
        final("c", "{a} {b}"),
        patch("c", len(PNG), b"x", 403),
        patch("c", 0, PNG, 403),
        head("c", len(PNG)),
        head("a", 60),
    ),
    must(
        "a final upload has no length of its own",
        *HALVES,
        create("c", len(PNG), status=400, Upload_Concat="final;{a} {b}"),
        final("c", "{a} {b}", 400, Upload_Defer_Length="1"),
    ),
    must("a final upload has no bytes of its own", *HALVES, create("c", None, PNG, 403, Upload_Concat="final;{a} {b}")),
    must(
        "parts that are unfinished are 400, since that is not announced",
        *partial("a", PNG),
        create("b", 9, Upload_Concat="partial"),
        final("c", "{a} {b}", 400),
    ),
    must("uploads that are no parts are 400", create("a", body=PNG), final("b", "{a}", 400)),
    must("parts that are not there are 404", *partial("a", PNG), final("b", "{a} {unknown}", 404)),
    must("parts beyond the maximum together are 413", *partial("a", b"x" * LIMIT), final("b", "{a} {a}", 413)),
    *(
        must(f"Upload-Concat {wrong!r} is 400", create("a", status=400, Upload_Concat=wrong))
        for wrong in ("", "whole", "Partial", "partial;/x", "partial,final")
    ),
    *(
        must(f"Upload-Concat {wrong!r} is 400", create("a", None, status=400, Upload_Concat=wrong))
        for wrong in ("final", "final;", "final; ", "final;/elsewhere", "final;{unknown},{unknown}")
    ),
    must("DELETE of a part leaves the final upload", *HALVES, final("c", "{a} {b}"), delete("a"), head("c", len(PNG))),
]
EVERY = [CORE, CREATION, DEFERRED, WITH_UPLOAD, CHECKSUM, TERMINATION, CONCATENATION]


@pytest.mark.parametrize("case", [*itertools.chain(*EVERY)], ids=str)
def test_the_protocol_holds(player: Player, case: Case) -> None:
    player.play(case.steps)
