"""The conversion options: every one read, every wrong value refused with what would be right."""

from __future__ import annotations

import dataclasses
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend import errors, texts
from backend.core import options, records
from backend.core.formats import OUTPUT
from backend.core.options import Options
from backend.core.protocol import OLDEST
from backend.core.suggestions import likeness, other_names
from backend.texts.problems import problem

READ: dict[str, dict[Any, Any]] = {
    "format": {each: each for each in (*OUTPUT, "auto")},
    "formats": {"avif,webp,jpeg": "avif,webp,jpeg", "png": "png", "webp,jpeg,webp": "webp,jpeg"},
    "quality": {"0": 0, "80": 80, "100": 100, "auto": "auto", 55: 55},
    "lossless": {"true": True, "1": True, "yes": True, "on": True, "": True, "TRUE": True, "false": False, "0": False, "off": False, "auto": "auto"},
    "never_larger": {"true": True, "false": False},
    "near_lossless": {"0": 0, "60": 60, "100": 100},
    "method": {"0": 0, "6": 6, 3: 3, "auto": "auto"},
    "alpha_quality": {"0": 0, "100": 100},
    "sharp_yuv": {"true": True, "off": False},
    "target_bytes": {"1": 1, "1073741824": 1 << 30},
    "quality_scale": {"native": "native", "look": "look"},
    "speed": {"0": 0, "10": 10, 6: 6},
    "progressive": {"true": True, "0": False},
    "subsampling": {"4:2:0": "4:2:0", "4:4:4": "4:4:4"},
    "colors": {"2": 2, "256": 256},
    "width": {"1": 1, "16383": 16383},
    "height": {"1": 1, "16383": 16383},
    "widths": {"320,640,1280": "320,640,1280", "16383": "16383", "007,8": "7,8", "5,5": "5", 640: "640"},
    "fit": {each: each for each in ("inside", "cover", "contain", "fill", "outside")},
    "enlarge": {"true": True, "false": False},
    "dpr": {"1": 1, "1.5": 1.5, "4": 4, 2: 2, "2.62500": 2.625},
    "gravity": {"centre": "centre", "center": "centre", "north": "north", "southwest": "southwest", "attention": "attention", "entropy": "entropy"},
    "focus": {"0,1": "0,1", "0.25,0.5": "0.25,0.5", "0.123456789,1.0": "0.1235,1"},
    "background": {
        "#abc": "#aabbccff",
        "#ABCD": "#aabbccdd",
        "112233": "#112233ff",
        "#11223344": "#11223344",
        "white": "#ffffffff",
        "Black": "#000000ff",
        "transparent": "#00000000",
    },
    "crop": {"10,20,300,200": "10,20,300,200", "000,0,01,999999999": "0,0,1,999999999"},
    "trim": {"0": 0, "10": 10, 255: 255},
    "rotate": {"0": 0, "90": 90, "180": 180, "270": 270, 90: 90},
    "auto_orient": {"false": False, "true": True},
    "flip": {"1": True, "0": False},
    "flop": {"1": True, "0": False},
    "blur": {"0.3": 0.3, "100": 100, "2.50": 2.5, 4: 4, 0.5: 0.5},
    "sharpen": {"0": 0, "1": 1, "10": 10, "0.75": 0.75},
    "watermark": {"logo": "logo", "水印 2": "水印 2", "e\u0301": "é", "../logo": "../logo"},
    "metadata": {each: each for each in ("none", "copyright", "all")},
    "animation": {"keep": "keep", "first": "first"},
    "filename": {"我的图片.png": "我的图片.png", "": ""},
}
REFUSED: dict[str, list[Any]] = {
    "format": ["WEBP", "svg", "", None, ["webp"]],
    "formats": ["", "gif", "webp,", "webp;jpeg", "webp jpeg", "auto", "webp,auto", "all", ",".join(["webp"] * (len(OUTPUT) + 1)), None, []],
    "quality": ["-1", "101", "eighty", "", "80.5", "8 0", " 80", "80\n", "1e2", "0x50", True, None, [80], {"a": 1}, 80.5],
    "lossless": ["2", "maybe", "tru", "AUTO", None, [True]],
    "never_larger": ["auto", "2"],
    "near_lossless": ["-1", "101", "auto"],
    "method": ["-1", "7", "fast", "AUTO", "2.5", None],
    "alpha_quality": ["101"],
    "sharp_yuv": ["ja"],
    "target_bytes": ["0", "1073741825", "50k"],
    "quality_scale": ["webp", "Look"],
    "speed": ["-1", "11", "fast"],
    "progressive": ["maybe"],
    "subsampling": ["4:2:2", "420", "4:1:1"],
    "colors": ["1", "257", "all"],
    "width": ["0", "16384", "-5", "100px", "50%"],
    "height": ["0", "16384"],
    "widths": ["", "0", "16384", "320,0", "320;640", "320, 640", "320,", ",320", "1.5", ",".join("1" * 13), None, [], [[320]], {"a": 1}, True],
    "fit": ["crop", "Inside", "", ["inside"]],
    "enlarge": ["up"],
    "dpr": ["0", "0.9", "4.1", "2x", "nan", "inf", "1e0", "", True, None],
    "gravity": ["middle", "top"],
    "focus": ["", "0.5", "0.5,", "0.5,1.1", "-0.1,0", "50%,50%", "0.5;0.5", "0,0\n", None, [0, 0]],
    "background": ["#ab", "#abcde", "reddish", "#gggggg", "rgb(1,2,3)", None],
    "crop": ["", "10,20,300", "-1,0,5,5", "0,0,0,5", "0,0,5,0", "0,0,5,5,5", "1.5,0,5,5", "0 0 5 5", "0,0,5,5\n", None, [0, 0, 5, 5]],
    "trim": ["-1", "256", "white"],
    "rotate": ["45", "-90", "360", "90.0", True],
    "auto_orient": ["no thanks"],
    "flip": ["vertical"],
    "flop": ["horizontal"],
    "blur": ["0", "0.2", "101", "soft", float("nan"), float("inf"), True],
    "sharpen": ["-1", "10.5", "true", None],
    "watermark": ["", "x" * 65, "lo\ngo", "lo\0go", True, ["logo"]],
    "metadata": ["exif", "true"],
    "animation": ["last", "1"],
}
NAMES = [each.name for each in options.OFFERED]


def alone(name: str, value: Any) -> list[tuple[str, Any]]:
    """One option, with a format for which it means something."""
    allowed = next((each.metadata["formats"] for each in options.OFFERED if each.name == name), ("webp",))
    return [(name, value)] if "webp" in allowed else [("format", allowed[0]), (name, value)]


def refused(name: str, value: Any) -> errors.InvalidOption:
    with pytest.raises(errors.InvalidOption) as raised:
        options.parse(alone(name, value))
    return raised.value


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("quality", "high"),
        ("quality", "١٢"),
        ("quality", ""),
        ("lossless", "maybe"),
        ("width", "50%"),
        ("width", "1e3"),
        ("rotate", "45"),
        ("gravity", "mars"),
        ("background", "rgb(1,2,999)"),
        ("animation", "twice"),
        ("sharp_yuv", "ja"),
    ],
)
def test_a_value_that_means_nothing_here_gets_no_suggestion(name: str, value: str) -> None:
    told = problem(refused(name, value).as_record())
    assert "suggestion" not in told and "Accepted" in told["detail"]


@given(st.sampled_from([name for name in NAMES if name != "filename"]), st.text(max_size=12) | st.floats().map(str) | st.integers().map(str))
def test_whatever_is_suggested_is_taken(name: str, value: str) -> None:
    try:
        options.parse(alone(name, value))
    except errors.InvalidOption as error:
        if meant := error.params.get("suggestion"):
            options.parse(alone(name, meant))


def test_every_other_tools_word_means_an_option_or_a_value_of_it() -> None:
    every = {each.name for each in dataclasses.fields(Options)} | {"webhook_url"}
    assert set(other_names.OPTIONS) <= every and set(other_names.VALUES) <= every
    own = {likeness.letters(name) for name in NAMES}
    rows = [other for others in other_names.OPTIONS.values() for other in others]
    assert len(rows) == len(set(rows)) and not own & set(rows) and rows == [likeness.letters(row) for row in rows]
    for name, values in other_names.VALUES.items():
        for meant in values.values() if name in NAMES else ():
            options.parse(alone(name, meant))


def test_every_option_is_tried_here() -> None:
    assert list(READ) == NAMES
    assert set(REFUSED) == set(NAMES) - {"filename"}


def test_without_options_the_contracts_defaults_hold() -> None:
    assert options.parse([]) == Options()
    given = {name: each["default"] for name, each in options.schema().items() if each["default"] is not None and each["default"] is not False}
    assert given == {
        "format": "webp",
        "quality": 80,
        "method": 4,
        "alpha_quality": 100,
        "quality_scale": "native",
        "speed": 6,
        "progressive": True,
        "subsampling": "4:2:0",
        "fit": "inside",
        "dpr": 1,
        "gravity": "centre",
        "background": "#00000000",
        "rotate": 0,
        "auto_orient": True,
        "sharpen": 0,
        "metadata": "none",
        "animation": "keep",
    }


@pytest.mark.parametrize(("name", "given_value", "value"), [(name, text, value) for name, pairs in READ.items() for text, value in pairs.items()])
def test_a_value_is_read(name: str, given_value: Any, value: Any) -> None:
    read = getattr(options.parse(alone(name, given_value)), name)
    assert read == value
    assert type(read) is type(value)


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in REFUSED.items() for value in values], ids=repr)
def test_a_wrong_value_is_refused_by_name_with_what_is_accepted(name: str, value: Any) -> None:
    error = refused(name, value)
    told = problem(error.as_record())
    assert (error.status, error.code, told["option"]) == (422, "invalid_option", name)
    assert error.params["accepted"]
    assert name in told["detail"]
    assert "–." not in told["detail"]


@pytest.mark.parametrize(
    ("name", "value", "suggestion"),
    [
        ("quality", "101", "100"),
        ("quality", "-3", "0"),
        ("quality", "80.5", "80"),
        ("method", "9", "6"),
        ("width", "0", "1"),
        ("width", "99999999", "16383"),
        ("fit", "insde", "inside"),
        ("fit", "Cover", "cover"),
        ("gravity", "nort", "north"),
        ("metadata", "copyrigth", "copyright"),
        ("animation", "frist", "first"),
        ("rotate", "91", "90"),
        ("rotate", "-90", "270"),
        ("rotate", "360", "0"),
        ("rotate", "90°", "90"),
        ("quality", "0.8", "80"),
        ("quality", "85%", "85"),
        ("quality", "best", "100"),
        ("quality", "Auto", "auto"),
        ("width", "100px", "100"),
        ("target_bytes", "50k", "50000"),
        ("target_bytes", "50 KiB", "51200"),
        ("lossless", "ture", "true"),
        ("enlarge", "enabled", "true"),
        ("fit", "crop", "cover"),
        ("fit", "scale-down", "inside"),
        ("gravity", "top-left", "northwest"),
        ("gravity", "Middle", "centre"),
        ("gravity", "smart", "attention"),
        ("dpr", "3x", "3"),
        ("dpr", "1.5x", "1.5"),
        ("dpr", "8", "4"),
        ("blur", "0.1", "0.3"),
        ("blur", "12.5px", "12.5"),
        ("sharpen", "11", "10"),
        ("trim", "300", "255"),
        ("metadata", "strip", "none"),
        ("animation", "static", "first"),
        ("background", "red", "#ff0000"),
        ("background", "rgb(1, 2, 3)", "#010203"),
        ("background", "blakc", "black"),
    ],
)
def test_the_nearest_valid_value_is_suggested(name: str, value: str, suggestion: str) -> None:
    error = refused(name, value)
    assert options.parse([(name, error.params["suggestion"])])
    assert error.params["suggestion"] == suggestion


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("qualty", "quality"),
        ("Quality", "quality"),
        ("widht", "width"),
        ("near-lossless", "near_lossless"),
        ("autoorient", "auto_orient"),
        ("q", "quality"),
        ("w", "width"),
        ("H", "height"),
        ("max-width", "width"),
        ("resize", "width"),
        ("strip", "metadata"),
        ("keepExif", "metadata"),
        ("effort", "method"),
        ("bg", "background"),
        ("rect", "crop"),
        ("autocrop", "trim"),
        ("focal-point", "focus"),
        ("devicePixelRatio", "dpr"),
        ("targetBytes", "target_bytes"),
        ("callback", "webhook_url"),
    ],
)
def test_an_unknown_option_is_refused_and_the_one_that_is_meant_suggested(name: str, near: str) -> None:
    error = refused(name, "1")
    assert (error.variant, error.params["option"]) == ("unknown", name)
    assert error.params["suggestion"] == near


@pytest.mark.parametrize("name", ["质量", "xyzzy", "gamut", "", "watermelon", "🙂", "Accept", "x" * 5000])
def test_what_resembles_no_option_gets_no_suggestion_but_all_that_there_are(name: str) -> None:
    for language in texts.languages():
        told = problem(refused(name, "1").as_record(), language)
        assert "suggestion" not in told
        assert all(option in told["detail"] for option in ("quality", "target_bytes", "filename"))


@pytest.mark.parametrize(("name", "value"), [("fmt", "jpg"), ("output", "png"), ("Format", "webp"), ("convertTo", "avif")])
def test_other_words_for_the_format_are_understood(name: str, value: str) -> None:
    assert refused(name, value).params["suggestion"] == "format"


@pytest.mark.parametrize(("value", "meant"), [("jpg", "jpeg"), ("JPEG", "jpeg"), ("WebP", "webp"), ("Auto", "auto"), ("avfi", "avif")])
def test_a_format_by_its_other_names_is_suggested(value: str, meant: str) -> None:
    assert refused("format", value).params["suggestion"] == meant


FOREIGN = [(each.name, name) for each in options.OFFERED for name in OUTPUT if name not in each.metadata["formats"]]


@pytest.mark.parametrize(("option", "output_format"), FOREIGN)
def test_an_option_that_means_nothing_for_the_format_is_refused_by_name(option: str, output_format: str) -> None:
    """Whichever is given first, in one request or one after the other, and with its default value too."""
    row = next(each for each in options.OFFERED if each.name == option)
    allowed, given = row.metadata["formats"], next(value for value in READ[option].values() if value != row.default)
    for pairs in ([("format", output_format), (option, given)], [(option, given), ("format", output_format)]):
        with pytest.raises(errors.InvalidOption) as raised:
            options.parse(pairs)
        told = problem(raised.value.as_record())
        assert (raised.value.variant, told["option"], raised.value.params["accepted"]) == ("not_for_format", option, allowed)
        assert all(word in told["detail"] for word in (option, output_format, allowed[0]))
    with pytest.raises(errors.InvalidOption):
        options.parse([("format", output_format)], replace(Options(format=allowed[0]), **{option: given}))
    if row.default is not None:
        with pytest.raises(errors.InvalidOption):
            options.parse([("format", output_format), (option, row.default)])


@pytest.mark.parametrize("option", [each.name for each in options.OFFERED if each.name not in ("format", "formats", "filename")])
def test_with_format_auto_each_option_counts_where_it_means_something(option: str) -> None:
    value = next(iter(READ[option]))
    open_options = options.parse([("format", "auto"), (option, value)])
    for name in OUTPUT:
        decided = options.for_format(open_options, name)
        row = next(each for each in options.OFFERED if each.name == option)
        assert getattr(decided, option) == (READ[option][value] if name in row.metadata["formats"] else row.default)
        assert options.parse(list(decided.chosen().items())) == replace(decided, filename=None)


def test_a_side_may_be_as_long_as_the_format_allows() -> None:
    for name, output in OUTPUT.items():
        assert options.parse([("format", name), ("width", str(output.max_side))]).width == output.max_side
        with pytest.raises(errors.InvalidOption) as raised:
            options.parse([("height", str(output.max_side + 1)), ("format", name)])
        assert raised.value.params["suggestion"] == str(output.max_side)
    with pytest.raises(errors.InvalidOption):
        options.parse([("format", "webp")], options.parse([("format", "png"), ("width", "20000")]))


def test_an_option_given_twice_is_refused() -> None:
    with pytest.raises(errors.InvalidOption) as raised:
        options.parse([("quality", "80"), ("width", "5"), ("quality", "80")])
    assert (raised.value.variant, raised.value.params) == ("repeated", {"option": "quality", "count": 2})


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("lossless", "true"), ("target_bytes", "1000")),
        (("near_lossless", "60"), ("target_bytes", "1000")),
        (("near_lossless", "0"), ("target_bytes", "1000")),
        (("lossless", "auto"), ("near_lossless", "60")),
        (("focus", "0.5,0.5"), ("gravity", "attention")),
        (("focus", "0,0"), ("gravity", "north")),
    ],
)
def test_options_that_exclude_each_other_are_refused_together(one: tuple[str, str], other: tuple[str, str]) -> None:
    """In one request, and where a job has the one already."""
    for ask in (lambda: options.parse([one, other]), lambda: options.parse([one], options.parse([other]))):
        with pytest.raises(errors.InvalidOption) as raised:
            ask()
        assert (raised.value.variant, raised.value.params) == ("combination", {"option": one[0], "other": other[0]})


def test_an_option_that_is_turned_off_excludes_nothing() -> None:
    assert options.parse([("lossless", "false"), ("target_bytes", "1000")]).target_bytes == 1000
    assert options.parse([("focus", "0.2,0.3"), ("gravity", "center")]).focus == "0.2,0.3"


@pytest.mark.parametrize("other", [("target_bytes", "1000"), ("quality", "auto"), ("sharp_yuv", "true"), ("alpha_quality", "60")])
def test_lossless_auto_goes_with_whatever_is_said_of_the_lossy_file(other: tuple[str, str]) -> None:
    assert options.parse([("lossless", "auto"), other]).lossless == "auto"


def test_a_record_without_the_new_option_is_as_earlier_versions_wrote_it() -> None:
    assert "never_larger" not in records.as_dict(Options())
    assert records.as_dict(Options(never_larger=True))["never_larger"] is True


@pytest.mark.parametrize(
    ("chosen", "protocol"),
    [
        ({}, OLDEST),
        ({"gravity": "north"}, OLDEST),
        ({"gravity": "attention"}, 3),
        ({"crop": "0,0,5,5"}, 3),
        ({"dpr": 2}, 3),
        ({"sharpen": 1.5}, 3),
        ({"watermark": "logo"}, 3),
        ({"method": 2}, OLDEST),
        ({"method": "auto"}, 3),
    ],
    ids=str,
)
def test_an_option_waits_for_an_encoder_that_knows_it(chosen: dict[str, Any], protocol: int) -> None:
    assert options.needs(Options(**chosen)) == protocol


def test_later_options_go_over_earlier_ones() -> None:
    before = options.parse([("quality", "50"), ("width", "100")])
    after = options.parse([("quality", "60")], before)
    assert (after.quality, after.width) == (60, 100)


def test_a_job_shows_what_was_chosen_and_never_the_file_name() -> None:
    assert Options().chosen() == {"quality": 80, "method": 4}
    assert Options(format="avif").chosen() == {"format": "avif", "quality": 80, "speed": 6}
    assert Options(format="jpeg").chosen() == {"format": "jpeg", "quality": 80}
    assert Options(format="png").chosen() == {"format": "png"}
    chosen = options.parse([("lossless", "1"), ("background", "#fff"), ("filename", "secret.png"), ("method", "4")]).chosen()
    assert chosen == {"quality": 80, "method": 4, "lossless": True, "background": "#ffffffff"}


def test_every_option_has_a_schema_with_its_default() -> None:
    schema = options.schema()
    assert list(schema) == NAMES
    assert schema["method"] == {
        "anyOf": [{"type": "integer", "minimum": 0, "maximum": 6}, {"const": "auto"}],
        "default": 4,
        "x-formats": ["webp"],
    }
    assert schema["speed"] == {"type": "integer", "minimum": 0, "maximum": 10, "default": 6, "x-formats": ["avif"]}
    assert schema["fit"]["enum"][0] == "inside"
    assert schema["quality"]["anyOf"] == [{"type": "integer", "minimum": 0, "maximum": 100}, {"const": "auto"}]
    assert schema["quality"]["x-formats"] == list(options.LOSSY) and "x-formats" not in schema["fit"]


def test_a_long_value_is_neither_kept_nor_repeated_in_full() -> None:
    assert len(refused("quality", "x" * 100_000).params["value"]) == 100
    assert len(refused("x" * 5000, "1").params["option"]) == 100


def test_a_number_of_thousands_of_digits_is_a_wrong_value_like_any_other() -> None:
    for name in ("quality", "width", "method"):
        assert options.parse([(name, refused(name, "9" * 5000).params["suggestion"])])


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
)


@given(st.sampled_from(NAMES) | st.text(), st.text() | JSON)
def test_whatever_is_given_is_read_or_refused_in_public_words(name: str, value: Any) -> None:
    try:
        options.parse(alone(name, value))
    except errors.InvalidOption as error:
        for language in texts.languages():
            assert "–." not in problem(error.as_record(), language)["detail"]


@given(
    st.sampled_from([name for name in NAMES if name != "filename"]),
    st.integers() | st.booleans() | st.text(alphabet="0123456789-truefalsinoucx#", max_size=12),
)
def test_what_was_read_once_is_read_again_as_the_same(name: str, value: Any) -> None:
    try:
        once = options.parse(alone(name, value))
    except errors.InvalidOption:
        return
    assert options.parse(alone(name, getattr(once, name))) == once
