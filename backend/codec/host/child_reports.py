"""What a child says, parsed at one place into typed values. The image may have taken the child over, so nothing else of it is believed.

A report is a ``Progress``, a ``Made``, a ``Converted``, or an error of the contract. A child sends progress that never falls, each variant once, one
after the other in the file; then one end, then nothing.
Whatever else arrives raises ``MalformedMessage``: another key, type or range, a long line, a descriptor, a flood. Its caller kills the child.
"""

from __future__ import annotations

import json
import socket
import time
from typing import Any

from backend import errors
from backend.codec.messages import MAX_PRIVATE_CHARACTERS, READ_BYTES, MalformedMessage, Order
from backend.core.conversion import STAGES, Conversion, Converted, Made, Progress, Silence
from backend.core.facts import MAX_SECONDS, Check, are_facts, is_number, is_whole
from backend.core.formats import FORMATS, MAX_OUTPUT_SIDE
from backend.core.variants import conversions

Report = Progress | Made | Converted | errors.GatewayError

MAX_REPORT_BYTES = 8 << 10
"""One line. The longest is an error with ``MAX_PRIVATE_CHARACTERS``, each escaped in up to 12 bytes."""
MAX_WORDS_CHARACTERS = 100
"""Of a variant of a format, such as “16-bit signed TIFF”."""
MAX_COUNT = 1 << 53
"""Of pixels or bytes: JSON numbers are exact up to here (RFC 8259 §6)."""
BURST_REPORTS, PACE_FACTOR = 64, 2
"""A child may send so many reports at once, and then twice what its own pace makes. At the pace of 53 ms that is 38 a second."""
MIN_REPORT_EVERY_S = 0.0005
CHILD_STAGES = STAGES[: STAGES.index("store")]
"""Storing is done by the encoder process."""
_MARKUP = frozenset('<>&"')
_LABELS = frozenset(each.label for each in FORMATS)


def _is_count(value: object) -> bool:
    return is_whole(value, 0, MAX_COUNT)


def _are_words(value: object) -> bool:
    """Of an error's sentence: one short line without markup."""
    return isinstance(value, str) and len(value) <= MAX_WORDS_CHARACTERS and value.isprintable() and _MARKUP.isdisjoint(value)


def _is_label(value: object) -> bool:
    return isinstance(value, str) and value in _LABELS


def _is_part(value: object) -> bool:
    return value in ("store", "sandbox", "watermarks")


def _is_speed(value: object) -> bool:
    return is_whole(value, 0, 10)


def _is_speed_option(value: object) -> bool:
    return value == "speed"


def _is_width_option(value: object) -> bool:
    return value == "width"


def _is_digits(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= len(str(MAX_OUTPUT_SIDE)) and value.isascii() and value.isdigit()


REPORTABLE: dict[tuple[str, str], dict[str, Check]] = {
    (errors.DamagedImage.code, ""): {},
    (errors.UnsupportedFormat.code, "variant"): {"format": _are_words, "base": _is_label},
    (errors.InvalidOption.code, "side"): {**dict.fromkeys(("width", "height", "limit"), _is_count), "format": _is_label},
    (errors.InvalidOption.code, "too_slow"): {
        **dict.fromkeys(("seconds", "limit", "width"), _is_count),
        "option": _is_speed_option,
        "value": _is_speed,
        "suggestion": _is_digits,
    },
    (errors.InvalidOption.code, "too_long"): {
        **dict.fromkeys(("seconds", "limit", "width"), _is_count),
        "option": _is_width_option,
        "suggestion": _is_digits,
    },
    (errors.InvalidOption.code, "crop_outside"): dict.fromkeys(("width", "height", "last_left", "last_top"), _is_count),
    (errors.TooManyPixels.code, ""): dict.fromkeys(("width", "height", "frames", "pixels", "limit"), _is_count),
    (errors.TooManyPixels.code, "memory"): {},
    (errors.TooManyFrames.code, ""): {"limit": _is_count},
    (errors.EmptyFile.code, ""): {},
    (errors.StorageFull.code, ""): {},
    (errors.Internal.code, ""): {},
    (errors.BackendUnavailable.code, ""): {"part": _is_part},
}
"""The errors that a child may report, by code and variant, each with all of its parameters."""


def report_in(line: bytes, order: Order) -> Report:
    """Raises ``MalformedMessage``, and nothing else."""
    match _object_in(line):
        case {"at": [str(stage), percent, *silence], **rest} if not rest and stage in CHILD_STAGES and is_number(percent, 0, 100):
            return Progress(STAGES[STAGES.index(stage)], percent, _silence_in(silence, percent))
        case {"made": {"number": number, "at": at, "converted": dict(made), **more}, **rest} if not rest and not more:
            return _made_in(number, at, made, order)
        case {"done": dict(done), **rest} if not rest:
            return _converted_in(done, conversions(order.conversion)[0], order.limits["FSIZE"])
        case {"failed": dict(record), "private": str(private), **rest} if not rest and len(private) <= MAX_PRIVATE_CHARACTERS:
            return _error_in(record, private)
    raise MalformedMessage(f"not a report: {_excerpt(line)}")


def _object_in(line: bytes) -> object:
    if len(line) > MAX_REPORT_BYTES:
        raise MalformedMessage(f"a line of over {MAX_REPORT_BYTES} bytes")
    try:
        return json.loads(line.decode("ascii"), parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise MalformedMessage(f"not JSON: {type(error).__name__}") from None


def _refuse_constant(name: str) -> object:
    raise ValueError(name)


def _silence_in(said: list[object], percent: float) -> Silence | None:
    match said:
        case []:
            return None
        case [int() | float() as until, int() | float() as cpu_s] if is_number(until, percent, 100) and is_number(cpu_s, 0, MAX_SECONDS):
            return Silence(until, cpu_s)
    raise MalformedMessage("not a silence")


def _made_in(number: object, at: object, made: dict[str, Any], order: Order) -> Made:
    variants, limit = conversions(order.conversion), order.limits["FSIZE"]
    if order.conversion.options.is_several and is_whole(number, 0, len(variants) - 1) and is_whole(at, 0, limit):
        place, start = int(str(number)), int(str(at))
        return Made(place, start, _converted_in(made, variants[place], limit - start))
    raise MalformedMessage("not a variant")


def _converted_in(done: dict[str, Any], conversion: Conversion, max_bytes: int) -> Converted:
    output, limits = conversion.output, conversion.limits
    match done:
        case {"bytes": size, "width": width, "height": height, "frames": frames, "facts": dict(facts), **rest} if (
            not rest
            and is_whole(size, 1, max_bytes)
            and is_whole(width, 1, output.max_side)
            and is_whole(height, 1, output.max_side)
            and is_whole(frames, 1, limits.frames)
            and are_facts(facts)
        ):
            return Converted(size, width, height, frames, facts)
    raise MalformedMessage("not a result")


def _error_in(record: dict[str, Any], private: str) -> errors.GatewayError:
    match record:
        case {"code": str(code), "status": status, **rest} if rest.keys() <= {"variant", "params"}:
            variant, params = rest.get("variant", ""), rest.get("params", {})
            checks = REPORTABLE.get((code, variant)) if isinstance(variant, str) else None
            if checks is not None and status == errors.BY_CODE[code].status and _fill(params, checks):
                return _error(record, private)
    raise MalformedMessage("not an error that a child may report")


def _fill(params: object, checks: dict[str, Check]) -> bool:
    """Whether all parameters are there, and no other."""
    return isinstance(params, dict) and params.keys() == checks.keys() and all(check(params[name]) for name, check in checks.items())


def _error(record: dict[str, Any], private: str) -> errors.GatewayError:
    error = errors.from_record(record)
    error.private = ascii(private)[1:-1]
    error.args = (f"{error} {error.private}",)
    return error


def _excerpt(line: bytes) -> str:
    return ascii(line[:80])


class ReportReader:
    """Reads a child's reports from its channel. ``is_over`` once the child has closed it, ``has_ended`` once it has reported its end."""

    def __init__(self, channel: socket.socket, order: Order) -> None:
        channel.setblocking(False)
        self._channel, self._order = channel, order
        self._rest = b""
        self._reports = 0
        self._began_s = time.monotonic()
        self._newest = Progress("decode", 0.0)
        self._made: set[int] = set()
        self._next_at = 0
        self.has_ended = self.is_over = False

    def read(self) -> list[Report]:
        """The reports that have arrived, of at most ``READ_BYTES``. Never waits. Raises ``MalformedMessage``."""
        chunk = self._receive()
        if chunk is None:
            return []
        self.is_over = not chunk
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        if len(self._rest) > MAX_REPORT_BYTES or (self.is_over and self._rest):
            raise MalformedMessage("a line without an end")
        return [self._next(line) for line in lines]

    def read_rest(self) -> list[Report]:
        """All that a child sent before it ended. Raises ``MalformedMessage``."""
        reports: list[Report] = []
        while not self.is_over:
            before = self._reports
            reports += self.read()
            if self._reports == before:
                break
        return reports

    def _receive(self) -> bytes | None:
        """None where nothing is there. A descriptor that came along is closed by the kernel, which says so (recvmsg(2), MSG_CTRUNC)."""
        try:
            chunk, _ancillary, flags, _address = self._channel.recvmsg(READ_BYTES)
        except BlockingIOError:
            return None
        except ConnectionError:
            return b""
        if flags & socket.MSG_CTRUNC:
            raise MalformedMessage("a descriptor")
        return chunk

    def _next(self, line: bytes) -> Report:
        """In its turn: after an end comes nothing, and progress never falls."""
        self._reports += 1
        if self._reports > self._affordable_reports():
            raise MalformedMessage(f"{self._reports} reports")
        if self.has_ended:
            raise MalformedMessage(f"a report after the end: {_excerpt(line)}")
        report = report_in(line, self._order)
        if isinstance(report, Progress):
            self._check_progress(report)
        elif isinstance(report, Made):
            self._check_made(report)
        else:
            self.has_ended = True
            self._check_all_made(report)
        return report

    def _check_made(self, report: Made) -> None:
        if report.number in self._made or report.at != self._next_at:
            raise MalformedMessage(f"variant {report.number} at {report.at}")
        self._made.add(report.number)
        self._next_at += report.converted.bytes

    def _check_all_made(self, report: Report) -> None:
        conversion = self._order.conversion
        if isinstance(report, Converted) and conversion.options.is_several and len(self._made) != len(conversions(conversion)):
            raise MalformedMessage(f"{len(self._made)} of {len(conversions(conversion))} variants")

    def _check_progress(self, report: Progress) -> None:
        before, self._newest = self._newest, report
        if report.percent < before.percent or STAGES.index(report.stage) < STAGES.index(before.stage):
            raise MalformedMessage(f"{report} after {before}")

    def _affordable_reports(self) -> float:
        every_s = max(MIN_REPORT_EVERY_S, self._order.conversion.report_every_s)
        return BURST_REPORTS + len(self._made) + PACE_FACTOR * (time.monotonic() - self._began_s) / every_s
