"""The conversion options: one table, from which parsing, errors, capabilities and the documentation are made.

Values come as text (query, form, tus metadata) or as JSON members; both end as one ``Options``. Names of ``fit`` and ``gravity`` are
sharp's; ranges are libwebp's (``src/webp/encode.h``).
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, Literal

from backend import errors
from backend.core import suggestions
from backend.core.formats import DEFAULT_OUTPUT, MAX_OUTPUT_SIDE, OUTPUT
from backend.core.protocol import OLDEST
from backend.core.suggestions.likeness import closest

Value = Any


@dataclass(frozen=True, slots=True)
class OptionType:
    """``read`` raises ``ValueError``, ``KeyError`` or ``TypeError`` for a wrong value; ``accepted`` tells the client what is right."""

    accepted: str
    read: Callable[[Value], Value]
    schema: dict[str, Any]
    takes_list: bool = False
    """Whether it may also be an array of JSON."""


def _integer(low: int, high: int) -> OptionType:
    def read(value: Value) -> int:
        if isinstance(value, float) and value.is_integer():
            value = int(value)  # as JSON Schema counts
        if isinstance(value, bool) or not re.fullmatch(r"-?[0-9]{1,12}", str(value)):
            raise ValueError(value)
        number = int(value)
        if not low <= number <= high:
            raise ValueError(value)
        return number

    return OptionType(f"{low}–{high}", read, {"type": "integer", "minimum": low, "maximum": high})


DECIMALS = 4
"""Of numbers that need not be whole: a ten-thousandth of the longest side is under seven pixels, and of a sigma nothing that shows."""
_DECIMAL = r"[0-9]{1,4}(?:\.[0-9]{1,20})?"


def _decimal(text: str, low: float, high: float) -> float:
    """Whole where it can be, so that it is written as it was given. Raises ``ValueError``."""
    if not re.fullmatch(_DECIMAL, text) or not low <= float(text) <= high:
        raise ValueError(text)
    number = round(float(text), DECIMALS)
    return int(number) if number.is_integer() else number


def _number(low: float, high: float) -> OptionType:
    def read(value: Value) -> float:
        if isinstance(value, bool):
            raise ValueError(value)
        return _decimal(f"{value:.10f}" if isinstance(value, float) else str(value), low, high)

    return OptionType(f"{low}–{high}", read, {"type": "number", "minimum": low, "maximum": high})


def _box() -> OptionType:
    """Whether it lies in the picture is known once that is open."""
    pattern = r"^[0-9]{1,9},[0-9]{1,9},0*[1-9][0-9]{0,8},0*[1-9][0-9]{0,8}$"

    def read(value: Value) -> str:
        if not re.fullmatch(pattern, str(value)):
            raise ValueError(value)
        return ",".join(str(int(each)) for each in str(value).split(","))

    return OptionType("left,top,width,height", read, {"type": "string", "pattern": pattern})


def _point() -> OptionType:
    share = r"(?:0(?:\.[0-9]{1,20})?|1(?:\.0{1,20})?)"

    def read(value: Value) -> str:
        if not re.fullmatch(f"{share},{share}", str(value)):
            raise ValueError(value)
        return ",".join(f"{_decimal(each, 0, 1):g}" for each in str(value).split(","))

    return OptionType("x,y (0–1)", read, {"type": "string", "pattern": f"^{share},{share}$"})


def _integer_or_auto(low: int, high: int) -> OptionType:
    number = _integer(low, high)

    def read(value: Value) -> int | str:
        return "auto" if value == "auto" else number.read(value)

    return OptionType(f"{number.accepted}, auto", read, {"anyOf": [number.schema, {"const": "auto"}]})


def _choice(*values: str, **aliases: str) -> OptionType:
    def read(value: Value) -> str:
        value = aliases.get(value, value)
        if value not in values:
            raise ValueError(value)
        return str(value)

    return OptionType(", ".join(values), read, {"type": "string", "enum": list(values)})


def _angle() -> OptionType:
    angles = {"0": 0, "90": 90, "180": 180, "270": 270}
    return OptionType("0, 90, 180, 270", lambda value: angles[str(value)], {"type": "integer", "enum": list(angles.values())})


def _boolean() -> OptionType:
    words = {"true": True, "1": True, "yes": True, "on": True, "": True, "false": False, "0": False, "no": False, "off": False}
    return OptionType("true, false", lambda value: words[str(value).lower()], {"type": "boolean"})


def _boolean_or_auto() -> OptionType:
    boolean = _boolean()

    def read(value: Value) -> bool | str:
        return "auto" if value == "auto" else bool(boolean.read(value))

    return OptionType(f"{boolean.accepted}, auto", read, {"anyOf": [boolean.schema, {"const": "auto"}]})


def _list(item: OptionType, pattern: str, most: int) -> OptionType:
    """One to ``most`` values with commas between them. What is there twice counts once."""

    def read(value: Value) -> str:
        given = value if isinstance(value, list) else str(value).split(",")
        if not 1 <= len(given) <= most:
            raise ValueError(value)
        return ",".join(dict.fromkeys(str(item.read(_scalar(each))) for each in given))

    schema = {"type": "string", "pattern": f"^{pattern}(?:,{pattern}){{0,{most - 1}}}$"}
    return OptionType(f"{item.accepted} (1–{most}, a,b,c)", read, schema, takes_list=True)


MAX_WIDTHS = 12
"""Of one picture. A page needs about six: each is a quarter more to carry than the one before."""
MAX_VARIANT_WIDTH = min(each.max_side for each in OUTPUT.values())
"""In pixels: each width is made in each format."""
_UP_TO_16383 = r"0{0,6}(?:[1-9][0-9]{0,3}|1[0-5][0-9]{3}|16[0-2][0-9]{2}|163[0-7][0-9]|1638[0-3])"


def _widths() -> OptionType:
    return _list(_integer(1, MAX_VARIANT_WIDTH), _UP_TO_16383, MAX_WIDTHS)


def _formats() -> OptionType:
    return _list(_choice(*OUTPUT), f"(?:{'|'.join(OUTPUT)})", len(OUTPUT))


_COLOURS = {"transparent": "#00000000", "white": "#ffffffff", "black": "#000000ff"}
_COLOUR_PATTERN = f"^({'|'.join(_COLOURS)}|#?([0-9A-Fa-f]{{3,4}}|[0-9A-Fa-f]{{6}}|[0-9A-Fa-f]{{8}}))$"


def _colour() -> OptionType:
    def read(value: Value) -> str:
        if not re.match(_COLOUR_PATTERN, str(value), re.ASCII | re.IGNORECASE) or str(value).endswith("\n"):
            raise ValueError(value)
        text = _COLOURS.get(str(value).lower(), str(value).lower()).removeprefix("#")
        if len(text) < 6:
            text = "".join(2 * digit for digit in text)
        return "#" + (text if len(text) == 8 else text + "ff")

    return OptionType("#rgb, #rrggbb, #rrggbbaa, transparent, white, black", read, {"type": "string", "pattern": _COLOUR_PATTERN})


def _text(limit: int) -> OptionType:
    return OptionType(f"≤ {limit}", lambda value: str(value)[:limit], {"type": "string"})


MAX_NAME_CHARACTERS = 64
"""Of what an operator may call something."""


def _name() -> OptionType:
    """Composed, since keyboards and file systems differ in that. Whether the operator gave such a name is known elsewhere."""

    def read(value: Value) -> str:
        name = unicodedata.normalize("NFC", str(value))
        if isinstance(value, bool) or not 0 < len(name) <= MAX_NAME_CHARACTERS or not name.isprintable():
            raise ValueError(value)
        return name

    return OptionType(f"≤ {MAX_NAME_CHARACTERS}", read, {"type": "string", "minLength": 1, "maxLength": MAX_NAME_CHARACTERS})


Since = int | Mapping[Value, int]
"""The protocol from which on an option is known; or some of its values, where the option itself is older."""


AUTO = "auto"
"""As a format: what the client of the request accepts (``core.negotiation``). No stored job has it. As a method: ``core.effort``."""
EVERY_FORMAT = tuple(OUTPUT)
LOSSY = ("webp", "avif", "jpeg")
"""The formats that have a quality."""


def _option(
    option_type: OptionType, default: Value, *, since: Since = OLDEST, is_added: bool = False, formats: tuple[str, ...] = EVERY_FORMAT
) -> Any:
    """``since``: an encoder that speaks no protocol as new gets no job with it. ``is_added``: stored only where it is not the default.

    ``formats``: those for which it means something.
    """
    is_new = is_added or not isinstance(since, int) or since > OLDEST
    return field(default=default, metadata={"type": option_type, "is_added": is_new, "since": since, "formats": formats})


def _since(since: Since, value: Value) -> int:
    return since if isinstance(since, int) else since.get(value, OLDEST)


FITS = ("inside", "cover", "contain", "fill", "outside")
PLACES = ("centre", "north", "northeast", "east", "southeast", "south", "southwest", "west", "northwest")
SOUGHT = ("attention", "entropy")
"""Gravities that the picture decides."""


@dataclass(frozen=True, slots=True)
class Options:
    """What to do with one image. Sizes in pixels, colours as ``#rrggbbaa``."""

    format: str = _option(_choice(*OUTPUT, AUTO), DEFAULT_OUTPUT, since=dict.fromkeys(EVERY_FORMAT[1:], 3))
    formats: str | None = _option(_formats(), None, since=3)
    quality: float | Literal["auto"] = _option(_integer_or_auto(0, 100), 80, formats=LOSSY)
    lossless: bool | Literal["auto"] = _option(_boolean_or_auto(), False, formats=("webp",))
    never_larger: bool = _option(_boolean(), False, is_added=True)
    near_lossless: int | None = _option(_integer(0, 100), None, formats=("webp",))
    method: int | Literal["auto"] = _option(_integer_or_auto(0, 6), 4, since={"auto": 3}, formats=("webp",))
    alpha_quality: int = _option(_integer(0, 100), 100, formats=("webp",))
    sharp_yuv: bool = _option(_boolean(), False, formats=("webp",))
    target_bytes: int | None = _option(_integer(1, 1 << 30), None, formats=LOSSY)
    quality_scale: str = _option(_choice("native", "look"), "native", since=3, formats=LOSSY)
    speed: int = _option(_integer(0, 10), 6, since=3, formats=("avif",))
    progressive: bool = _option(_boolean(), True, since=3, formats=("jpeg",))
    subsampling: str = _option(_choice("4:2:0", "4:4:4"), "4:2:0", since=3, formats=("jpeg", "avif"))
    colors: int | None = _option(_integer(2, 256), None, since=3, formats=("png",))
    width: int | None = _option(_integer(1, MAX_OUTPUT_SIDE), None)
    height: int | None = _option(_integer(1, MAX_OUTPUT_SIDE), None)
    widths: str | None = _option(_widths(), None, since=3)
    fit: str = _option(_choice(*FITS), "inside")
    enlarge: bool = _option(_boolean(), False)
    dpr: float = _option(_number(1, 4), 1, since=3)
    gravity: str = _option(_choice(*PLACES, *SOUGHT, center="centre"), "centre", since=dict.fromkeys(SOUGHT, 3))
    focus: str | None = _option(_point(), None, since=3)
    background: str = _option(_colour(), "#00000000")
    crop: str | None = _option(_box(), None, since=3)
    trim: int | None = _option(_integer(0, 255), None, since=3)
    rotate: int = _option(_angle(), 0)
    auto_orient: bool = _option(_boolean(), True)
    flip: bool = _option(_boolean(), False)
    flop: bool = _option(_boolean(), False)
    blur: float | None = _option(_number(0.3, 100), None, since=3)
    sharpen: float = _option(_number(0, 10), 0, since=3)
    watermark: str | None = _option(_name(), None, since=3)
    metadata: str = _option(_choice("none", "copyright", "all"), "none")
    animation: str = _option(_choice("keep", "first"), "keep")
    filename: str | None = _option(_text(10_240), None)

    @property
    def is_several(self) -> bool:
        """Whether results are asked for as a list, be it of one (``core.variants``)."""
        return self.widths is not None or self.formats is not None

    @property
    def asked_formats(self) -> tuple[str, ...]:
        return tuple(self.formats.split(",")) if self.formats else (self.format,)

    @property
    def asked_widths(self) -> tuple[int | None, ...]:
        """None for the one width that ``width`` and ``height`` give."""
        return tuple(map(int, self.widths.split(","))) if self.widths else (None,)

    def chosen(self) -> dict[str, Value]:
        """What a Job shows: quality and method or speed where a format has them, the rest where it is not the default; never the file name."""
        always = {each.name for each in _SHOWN if each.name in _ALWAYS and set(each.metadata["formats"]) & set(self.asked_formats)}
        return {each.name: getattr(self, each.name) for each in _SHOWN if each.name in always or getattr(self, each.name) != each.default}


OFFERED = fields(Options)
DEFAULTS: dict[str, Value] = {each.name: each.default for each in OFFERED}
_ALWAYS = ("quality", "method", "speed")
_SHOWN = tuple(each for each in OFFERED if each.name != "filename")
_TYPES: dict[str, OptionType] = {each.name: each.metadata["type"] for each in OFFERED}
WEBHOOK_URL = "webhook_url"
"""Stands among the options of whatever makes a job, and is none: it says nothing of the image (``core/wish``)."""
SIMILAR = 0.8
"""The ratio of ``difflib`` from which a word resembles an option: one letter missing, added or wrong, or two swapped in a word of five."""


@dataclass(frozen=True, slots=True)
class Exclusion:
    """``one`` with this ``value`` (None: any but its default) and ``other`` ask for two things that cannot both be done."""

    one: str
    value: Value
    other: str

    def applies_to(self, options: Options) -> bool:
        given = getattr(options, self.one)
        is_meant = given != DEFAULTS[self.one] if self.value is None else given == self.value
        return bool(is_meant and getattr(options, self.other) != DEFAULTS[self.other])


EXCLUSIVE = (
    Exclusion("lossless", True, "target_bytes"),
    Exclusion("lossless", "auto", "near_lossless"),
    Exclusion("near_lossless", None, "target_bytes"),
    Exclusion("focus", None, "gravity"),
    Exclusion("widths", None, "width"),
    Exclusion("formats", None, "format"),
)


def needs(options: Options) -> int:
    """The protocol that an encoder must speak to do as ``options`` say: one that does not know an option would leave it out, and say nothing."""
    given = ((each, getattr(options, each.name)) for each in OFFERED)
    return max((_since(each.metadata["since"], value) for each, value in given if value != each.default), default=OLDEST)


def parse(pairs: Iterable[tuple[str, Value]], default: Options = Options()) -> Options:
    """``Options`` from (name, value) pairs over ``default``. Raises ``InvalidOption`` for the first that cannot be used, alone or beside another."""
    pairs = list(pairs)
    types = _types_for(_formats_in(pairs, default))
    given = {name: _read(name, value, types) for name, value in pairs}
    check_unique(name for name, _ in pairs)
    options = replace(default, **given)
    _check_format(options, given)
    for each in EXCLUSIVE:
        if each.applies_to(options):
            raise errors.InvalidOption("combination", option=each.one, other=each.other)
    return options


def _formats_in(pairs: Iterable[tuple[str, Value]], default: Options) -> tuple[str, ...]:
    """Those that are asked for, as far as they can be read: for the bounds of the sides."""
    said = dict(pairs)
    try:
        listed = _read("formats", said["formats"], _TYPES).split(",") if said.get("formats") else ()
    except errors.InvalidOption:
        listed = ()
    given = listed or ((said["format"],) if "format" in said else default.asked_formats)
    return tuple(each if each in EVERY_FORMAT else AUTO for each in given)


def _check_format(options: Options, given: Mapping[str, Value]) -> None:
    """Raises ``InvalidOption`` for an option that means nothing for any of the formats, and for a side longer than they all allow."""
    asked = options.asked_formats
    for each in _meaningless(*asked):
        if each.name in given or getattr(options, each.name) != each.default:
            accepted = each.metadata["formats"]
            raise errors.InvalidOption("not_for_format", option=each.name, format=", ".join(asked), accepted=accepted)
    limit = max_side(*asked)
    for name in ("width", "height"):
        side = getattr(options, name)
        if side is not None and side > limit:
            raise _wrong(name, str(side), _types_for(asked)[name])


def max_side(*output_formats: str) -> int:
    """In pixels, in every one of the formats; for ``auto`` in the default format, which the result may always have."""
    return min(OUTPUT[DEFAULT_OUTPUT if each == AUTO else each].max_side for each in output_formats)


def _meaningless(*output_formats: str) -> tuple[Any, ...]:
    return () if AUTO in output_formats else tuple(each for each in OFFERED if set(output_formats).isdisjoint(each.metadata["formats"]))


def is_meaningless(name: str, output_format: str) -> bool:
    """Whether the option says nothing for a format. Of a format that is not written nothing is known."""
    return output_format in OUTPUT and any(each.name == name for each in _meaningless(output_format))


def decided(options: Options) -> Options:
    """``options`` with a format that can be stored: where it is ``auto``, the default."""
    return for_format(options, DEFAULT_OUTPUT) if options.format == AUTO else options


def for_format(options: Options, output_format: str) -> Options:
    """``options`` for another format. Those that mean nothing for it are at their defaults."""
    return replace(options, format=output_format, **{each.name: each.default for each in _meaningless(output_format)})


def check_unique(names: Iterable[str]) -> None:
    """Raises ``InvalidOption`` for a name that was given more than once."""
    for name, count in Counter(names).items():
        if count > 1:
            raise errors.InvalidOption("repeated", option=name, count=count)


def without(options: Options, names: Iterable[str]) -> Options:
    """``options`` with those of ``names`` at their defaults again. Raises ``InvalidOption`` for an unknown name."""
    for name in names:
        if name not in DEFAULTS:
            _read(name, "", _TYPES)
    return replace(options, **{name: DEFAULTS[name] for name in names})


def read(name: str, value: str) -> Value:
    """One option's value by itself. Raises ``InvalidOption``."""
    return _read(name, value, _TYPES)


def check_single(options: Options) -> None:
    """For what answers with one result. Raises ``InvalidOption`` (only_in_jobs)."""
    for name in ("widths", "formats"):
        if getattr(options, name) is not None:
            raise errors.InvalidOption("only_in_jobs", option=name)


def is_similar(name: str) -> bool:
    """Whether ``name`` is an option or looks like one misspelt. Letters count alone."""
    return bool(closest(name, _NAMES, SIMILAR))


_NAMES = (*(each.name for each in fields(Options)), WEBHOOK_URL)


def _types_for(output_formats: tuple[str, ...]) -> Mapping[str, OptionType]:
    side = _integer(1, max_side(*output_formats))
    return {**_TYPES, "width": side, "height": side}


def _read(name: str, value: Value, types: Mapping[str, OptionType]) -> Value:
    if name == WEBHOOK_URL:
        raise errors.InvalidOption("webhook_unwanted", option=name)
    if name not in types:
        raise _unknown(name)
    try:
        return types[name].read(value if types[name].takes_list else _scalar(value))
    except (ValueError, KeyError, TypeError):
        raise _wrong(name, _said(value), types[name]) from None


def _scalar(value: Value) -> Value:
    """Raises ``TypeError`` for a list or an object of JSON: to write out what is nested a thousand deep would end in a ``RecursionError``."""
    if isinstance(value, list | dict):
        raise TypeError(type(value))
    return value


def _said(value: Value) -> str:
    return "…" if isinstance(value, list | dict) else str(value)[:100]


def _unknown(name: str) -> errors.InvalidOption:
    """With the option that was meant, where that is clear; else with all that there are."""
    known, shown = (*_TYPES, WEBHOOK_URL), name[:100]
    meant = suggestions.name(shown, known)
    if meant:
        return errors.InvalidOption("unknown", option=shown, suggestion=meant)
    return errors.InvalidOption("no_such", option=shown, accepted=tuple(_TYPES))


def _wrong(name: str, said: str, option_type: OptionType) -> errors.InvalidOption:
    accepted, meant = option_type.accepted, _nearest(name, said, option_type)
    if meant:
        return errors.InvalidOption("meant", option=name, value=said, accepted=accepted, suggestion=meant)
    return errors.InvalidOption("" if said.strip() else "no_value", option=name, value=said, accepted=accepted)


def _nearest(name: str, value: str, option_type: OptionType) -> str:
    """The valid value that a wrong one means; empty where none is near."""
    meant = suggestions.values(name, value, option_type.schema)
    return next((each for each in meant if _can_be(option_type, each)), "")


def _can_be(option_type: OptionType, value: str) -> bool:
    try:
        option_type.read(value)
    except (ValueError, KeyError, TypeError):
        return False
    return True


def schema() -> dict[str, dict[str, Any]]:
    """Each option with its JSON schema and default: for capabilities and OpenAPI. ``x-formats``: those for which alone it means something."""
    return {each.name: {**_TYPES[each.name].schema, "default": each.default, **_limited(each.metadata["formats"])} for each in OFFERED}


def _limited(formats: tuple[str, ...]) -> dict[str, Any]:
    return {"x-formats": list(formats)} if formats != EVERY_FORMAT else {}
