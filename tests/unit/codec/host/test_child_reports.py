"""Every line of a child is one typed report or one error: whatever the bytes are."""

from __future__ import annotations

import ast
import json
import math
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from backend import errors
from backend.codec import messages
from backend.codec.host import child_reports
from backend.codec.host.child_reports import ReportReader, report_in
from backend.codec.messages import MalformedMessage, Order
from backend.core.conversion import Conversion, Converted, Made, Progress, Shape, Silence
from backend.core.facts import FACTS, MAX_SECONDS
from backend.core.limits import Limits
from backend.core.options import Options

BACKEND = Path(__file__).resolve().parents[4] / "backend"
ORDER = Order(Conversion(Shape("png", 64, 48), Options(), Limits(), report_every_s=0.05), {"FSIZE": 1 << 20})
FACTS_OF_ALL_KINDS = {
    "quality": 71.5,
    "score": -12.5,
    "passes": 3,
    "probes": 4,
    "method": 2,
    "speed": 7,
    "target_met": False,
    "lossless": False,
    "original": True,
    "dropped": ["exif", "c2pa"],
    "thumbhash": "nRgGDYJlyGR89XajqrZWm594+pmn",
    "color": "#998c7c",
    "seconds": {"decode": 0.1, "transform": 0, "encode": 2.5},
}
ERRORS = [
    errors.DamagedImage(private="decode: OSError: \ud800 \x00\n \U0001f600" * 9),
    errors.UnsupportedFormat("variant", format="CgBI (Xcode’s PNG for iOS)", base="PNG"),
    errors.InvalidOption("crop_outside", width=320, height=200, last_left=319, last_top=199),
    errors.InvalidOption("side", width=20000, height=3, limit=16383, format="WebP"),
    errors.InvalidOption("too_slow", option="speed", value=2, suggestion="6", seconds=200, limit=60, width=3000),
    errors.InvalidOption("too_long", option="width", suggestion="3000", seconds=200, limit=60, width=3000),
    errors.TooManyPixels("memory"),
    errors.TooManyPixels(width=9, height=9, frames=1, pixels=81, limit=80),
    errors.TooManyFrames(limit=256),
    errors.EmptyFile(),
    errors.StorageFull(private="No space left on device"),
    errors.Internal(private="x" * 500),
    errors.BackendUnavailable(part="store", private="Input/output error"),
]
json_values = some.recursive(
    some.none() | some.booleans() | some.integers() | some.floats() | some.text(),
    lambda inner: some.lists(inner, max_size=4) | some.dictionaries(some.text(), inner, max_size=4),
    max_leaves=12,
)
words = some.sampled_from(
    ["at", "done", "failed", "private", "code", "status", "variant", "params", "facts", "bytes", "width", "height", "frames", *FACTS, "url", "decode"]
)
near_misses = some.recursive(
    json_values | words | some.sampled_from([0, 1, 64, 48, 422, 500, "damaged_image", "internal", "memory", True]),
    lambda inner: some.lists(inner, max_size=3) | some.dictionaries(words, inner, max_size=6),
    max_leaves=15,
)


def judge(line: bytes) -> None:
    """Independent of the table: what a result, a page and a log can bear."""
    try:
        report = report_in(line, ORDER)
    except MalformedMessage:
        return
    match report:
        case Progress(stage, percent, silence):
            assert stage in ("decode", "transform", "encode")
            assert 0 <= percent <= 100
            assert silence is None or (percent <= silence.until_percent <= 100 and 0 <= silence.cpu_s <= MAX_SECONDS)
        case Converted():
            sizes = (report.bytes, report.width, report.height, report.frames)
            assert all(type(each) is int and each > 0 for each in sizes)
            assert set(report.facts) <= set(FACTS_OF_ALL_KINDS)
            assert not set("<>&\"'") & set(json.dumps(report.facts, allow_nan=False).replace('"', ""))
        case errors.GatewayError():
            assert report.status >= 400
            assert not set('<>&"') & set("".join(map(str, report.params.values())))
            assert report.private.isascii() and report.private.isprintable()


@given(some.binary(max_size=300))
def test_random_bytes_are_a_report_or_an_error(line: bytes) -> None:
    judge(line)


@given(json_values | near_misses)
def test_random_json_is_a_report_or_an_error(value: Any) -> None:
    judge(json.dumps(value).encode())


@given(some.sampled_from(["at", "done", "failed"]), near_misses, some.dictionaries(words, near_misses, max_size=3))
def test_what_looks_like_a_report_is_one_or_an_error(name: str, value: Any, others: dict[str, Any]) -> None:
    judge(json.dumps({name: value, **others}).encode())


def honest() -> list[bytes]:
    converted = Converted(480, 64, 48, 1, FACTS_OF_ALL_KINDS)
    forecast = Progress("encode", 12.5, Silence(100.0, 4.25))
    at = [messages.progress_message(each) for each in (Progress("decode", 12.25), forecast)]
    said = [*at, messages.done_message(converted), *map(messages.error_message, ERRORS)]
    return [messages.pack(each) for each in said]


@given(some.sampled_from(honest()), some.integers(0, 3000), some.binary(min_size=1, max_size=3))
def test_a_damaged_report_is_a_report_or_an_error(line: bytes, at: int, bytes_: bytes) -> None:
    at %= len(line)
    judge(line[:at] + bytes_ + line[at + len(bytes_) :])


def test_a_forecast_silence_arrives_as_it_was_sent() -> None:
    forecast = Progress("encode", 12.5, Silence(100.0, 4.25))
    assert report_in(messages.pack(messages.progress_message(forecast)), ORDER) == forecast


@pytest.mark.parametrize("said", [[100], [100, 1, 1], [5, 1], [101, 1], [100, -1], [100, 1e9], ["100", 1], [None, None], [100, True], [[], {}]])
def test_any_other_silence_is_malformed(said: list[object]) -> None:
    with pytest.raises(MalformedMessage):
        report_in(json.dumps({"at": ["encode", 12.5, *said]}).encode(), ORDER)


def test_an_honest_result_arrives_as_it_was_sent() -> None:
    converted = Converted(480, 64, 48, 1, FACTS_OF_ALL_KINDS)
    assert report_in(messages.pack(messages.done_message(converted)), ORDER) == converted
    assert FACTS_OF_ALL_KINDS.keys() == FACTS.keys()


@pytest.mark.parametrize("error", ERRORS, ids=str)
def test_an_honest_error_arrives_as_it_was_sent(error: errors.GatewayError) -> None:
    found = report_in(messages.pack(messages.error_message(error)), ORDER)
    assert isinstance(found, errors.GatewayError)
    assert (type(found), found.as_record()) == (type(error), error.as_record())
    assert found.private == ascii(error.private)[1:-1]


def test_every_error_with_its_variant_has_an_honest_example() -> None:
    assert {(each.code, each.variant) for each in ERRORS} == child_reports.REPORTABLE.keys()


SAID_IN_A_CHILD = ("codec/image", "codec/native", "codec/encoders", "codec/sandbox", "codec/geometry.py", "core/image_headers", "core/limits.py")
NEVER_SAID = {"TooLarge"}
"""``Limits.check_bytes`` is the upload's."""


def test_a_child_may_report_whatever_its_code_raises() -> None:
    """Each ``errors.X("variant", name=…)`` of the rooms that a child runs has its row, with the same parameters."""
    for room in SAID_IN_A_CHILD:
        place = BACKEND / room
        for path in [place] if place.suffix else place.rglob("*.py"):
            for call in ast.walk(ast.parse(path.read_text())):
                if isinstance(call, ast.Call) and ast.unparse(call.func).startswith("errors.") and ast.unparse(call.func)[7:] not in NEVER_SAID:
                    kind = getattr(errors, ast.unparse(call.func)[7:])
                    variant = ast.literal_eval(call.args[0]) if call.args else ""
                    row = child_reports.REPORTABLE[kind.code, variant]
                    assert {each.arg for each in call.keywords} - {"private", "retry_after_s"} == row.keys(), (path, call.lineno)


@pytest.fixture
def reader() -> Iterator[Callable[..., ReportReader]]:
    """``reader(sent, …, closes=True)``: of a child that said this, and has closed its channel then."""
    with ExitStack() as open_sockets:

        def read(*sent: bytes, closes: bool = True) -> ReportReader:
            ours, theirs = map(open_sockets.enter_context, socket.socketpair())
            for each in sent:
                theirs.sendall(each)
            if closes:
                theirs.close()
            return ReportReader(ours, ORDER)

        yield read


Reader = Callable[..., ReportReader]
AT = b'{"at":["decode",%d]}\n'


def test_reports_in_pieces_are_put_together(reader: Reader) -> None:
    found = reader(b'{"at":["dec', b'ode",1]}\n{"at"', b':["encode",2]}\n')
    assert found.read_rest() == [Progress("decode", 1), Progress("encode", 2)]
    assert found.is_over and not found.has_ended


def test_reading_never_waits(reader: Reader) -> None:
    assert reader(closes=False).read() == []
    assert reader(AT % 1, closes=False).read_rest() == [Progress("decode", 1)]


def test_a_burst_is_read_and_a_flood_is_not(reader: Reader) -> None:
    affordable = child_reports.BURST_REPORTS
    assert len(reader(*[AT % 1] * affordable).read_rest()) == affordable
    with pytest.raises(MalformedMessage, match="reports"):
        reader(*[AT % 1] * (affordable + 40)).read_rest()


def test_a_slow_child_may_report_for_as_long_as_it_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [100.0]
    monkeypatch.setattr("time.monotonic", lambda: clock[0])
    ours, theirs = socket.socketpair()
    found = ReportReader(ours, ORDER)
    with ours, theirs:
        for _ in range(2000):
            clock[0] += ORDER.conversion.report_every_s
            theirs.sendall(AT % 1)
            assert len(found.read()) == 1


def test_a_line_at_its_bound_is_read_and_one_above_it_is_not(reader: Reader) -> None:
    rest = child_reports.MAX_REPORT_BYTES - len(AT % 1) + 1
    line = (AT % 1)[:-1] + b" " * rest + b"\n"
    assert reader(line).read_rest() == [Progress("decode", 1)]
    for sent in (line[:-1] + b" \n", b"x" * (child_reports.MAX_REPORT_BYTES + 1)):
        with pytest.raises(MalformedMessage):
            reader(sent, closes=False).read_rest()


def test_the_longest_honest_error_fits(reader: Reader) -> None:
    longest = errors.Internal(private="\U0001f600" * messages.MAX_PRIVATE_CHARACTERS)
    assert len(messages.pack(messages.error_message(longest))) <= child_reports.MAX_REPORT_BYTES
    assert reader(messages.pack(messages.error_message(longest))).read_rest()


@pytest.mark.parametrize("value", [math.nan, math.inf, -1, 101, True, "1", None, [1]])
def test_a_percent_is_a_number_within_its_range(value: object) -> None:
    with pytest.raises(MalformedMessage):
        report_in(json.dumps({"at": ["decode", value]}).encode(), ORDER)


SEVERAL = Order(Conversion(Shape("png", 64, 48), Options(widths="32,16", formats="webp,jpeg"), Limits(), report_every_s=0.05), {"FSIZE": 1 << 20})


def made_line(number: Any, at: Any, size: Any = 100, **more: Any) -> bytes:
    converted = {"bytes": size, "width": 32, "height": 24, "frames": 1, "facts": {}}
    return json.dumps({"made": {"number": number, "at": at, "converted": converted, **more}}).encode()


DONE_LINE = json.dumps({"done": {"bytes": 100, "width": 32, "height": 24, "frames": 1, "facts": {}}}).encode()


def read_all(order: Order, *lines: bytes) -> list[Any]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(b"".join(line + b"\n" for line in lines))
        return ReportReader(ours, order).read()


def test_each_variant_is_told_once_one_after_the_other_and_then_the_end() -> None:
    lines = made_line(2, 0), made_line(3, 100, 50), made_line(0, 150), made_line(1, 250)
    reports = read_all(SEVERAL, *lines, DONE_LINE)
    assert [(each.number, each.at) for each in reports[:4]] == [(2, 0), (3, 100), (0, 150), (1, 250)]
    assert isinstance(reports[0], Made) and isinstance(reports[4], Converted)


@pytest.mark.parametrize(
    "lines",
    [
        [made_line(4, 0)],
        [made_line(-1, 0)],
        [made_line(True, 0)],
        [made_line("0", 0)],
        [made_line(0, 1)],
        [made_line(0, -1)],
        [made_line(0, 0.0)],
        [made_line(0, 0, 1 << 21)],
        [made_line(0, 0, 0)],
        [made_line(0, 0), made_line(0, 100)],
        [made_line(0, 0), made_line(1, 99)],
        [made_line(0, 0), made_line(1, 101)],
        [made_line(0, 0, (1 << 20) - 10), made_line(1, (1 << 20) - 10, 11)],
        [made_line(0, 0, more=1)],
        [made_line(0, 0), DONE_LINE],
        [DONE_LINE],
    ],
    ids=str,
)
def test_no_other_variant_is_believed(lines: list[bytes]) -> None:
    with pytest.raises(MalformedMessage):
        read_all(SEVERAL, *lines)


def test_a_plain_conversion_has_no_variants() -> None:
    with pytest.raises(MalformedMessage):
        read_all(ORDER, made_line(0, 0))
