"""The operator's two files of a watermark: what is taken, and what a line says of what is not."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from PIL import Image

from backend import errors, texts
from backend.core.watermark import MAX_PIXELS, Placement
from backend.core.watermark_file import MARK_PLACES, MAX_PNG_BYTES, is_name, parse
from backend.settings import problem_lines
from tests.unit.codec.conftest import picture, saved
from tests.unit.codec.hostile import flat_png, png

PNG = saved(picture(30, 20, "RGBA"), "PNG")
PAGE = Path(__file__).resolve().parents[3] / "docs/operate/watermarks.md"


def lines(name: str = "logo", png: bytes = PNG, table: str | bytes | None = None) -> list[str]:
    """As the start prints them; none for files that are right."""
    try:
        parse(name, png, table.encode() if isinstance(table, str) else table)
    except errors.SettingsError as error:
        return problem_lines(error)
    return []


def test_without_a_table_it_lies_in_the_corner() -> None:
    assert parse("logo", PNG, None).placement == parse("logo", PNG, b"").placement == Placement("southeast", 0.25, 1.0, 0.02)


@pytest.mark.parametrize("place", MARK_PLACES)
def test_every_place_is_read(place: str) -> None:
    table = f'\ufeffplace = "{place}"\r\nscale = 1\nopacity = 0\nmargin = 0.5 # far in\n'.encode()
    assert parse("logo", PNG, table).placement == Placement(place, 1.0, 0.0, 0.5)


def test_the_pages_table_is_that_of_the_code() -> None:
    page = PAGE.read_text("utf-8")
    shown = tomllib.loads(page.split("```toml\n")[1].split("```")[0])
    assert parse("logo", PNG, page.split("```toml\n")[1].split("```")[0].encode()).placement == Placement() == Placement(**shown)
    assert re.findall(r"`(\w+)`", page.split("| `place` |")[1].split("|")[0]) == list(MARK_PLACES)
    assert f"{MAX_PNG_BYTES >> 20} MiB and {MAX_PIXELS // 10**6} megapixels" in page


@pytest.mark.parametrize(
    ("table", "line"),
    [
        ('place = "corner"', "logo.toml place='corner': expected one of centre, north"),
        ("place = 5", "logo.toml place='5': expected one of"),
        ("scale = 0", "logo.toml scale='0': expected a number from 0.01 to 1."),
        ('scale = "25%"', "logo.toml scale='25%': expected a number from 0.01 to 1."),
        ("scale = true", "logo.toml scale='True': expected a number"),
        ("scale = nan", "logo.toml scale='nan': expected a number"),
        ("opacity = 1.1", "logo.toml opacity='1.1': expected a number from 0 to 1."),
        ("margin = -0.1", "logo.toml margin='-0.1': expected a number from 0 to 0.5."),
        ("opactiy = 0.5", "logo.toml='opactiy': there is no such field; expected one of place, scale, opacity, margin, perhaps opacity."),
        ("[mark]\nx = 1", "logo.toml='mark': there is no such field; expected one of place"),
        ("place = southeast", "logo.toml: expected TOML; it cannot be read at line 1."),
        (b"\xff\xfe", "logo.toml: expected TOML"),
        ("#" * 70_000, "logo.toml: expected a file of at most 64 KiB."),
    ],
)
def test_what_is_wrong_in_a_table_is_told_with_file_and_field(table: str | bytes, line: str) -> None:
    told = lines(table=table)
    assert len(told) == 1 and told[0].startswith(f"GATEWAY_WATERMARKS_DIR {line}")


def test_all_that_is_wrong_is_told_at_once() -> None:
    assert len(lines(name=".hidden", png=b"", table="scale = 2\nopacity = 2")) == 4


@pytest.mark.parametrize(
    "png",
    [
        b"",
        b"GIF89a",
        saved(picture(), "JPEG"),
        PNG[:-1],
        PNG[:60],
        PNG[:50] + bytes([PNG[50] ^ 1]) + PNG[51:],
        PNG[:8] + bytes(4000),
        flat_png(2500, 2500),
        png(60_000, 60_000),
        png(0, 10),
        saved(picture(), "PNG", save_all=True, append_images=[picture().rotate(90)]),
        PNG + bytes(MAX_PNG_BYTES),
    ],
    ids=["nothing", "GIF", "JPEG", "cut at the end", "cut", "a bit", "zeros", "6 megapixels", "bomb", "no width", "animation", "too large"],
)
def test_a_file_that_is_no_whole_still_png_is_refused(png: bytes) -> None:
    told = lines(png=png)
    assert len(told) == 1
    assert told[0].startswith("GATEWAY_WATERMARKS_DIR logo.png: expected a still PNG that is whole, of at most 4 MiB and 4000000 pixels.")


def test_what_follows_the_end_of_a_png_is_no_fault() -> None:
    assert lines(png=PNG + b"\n") == []


@pytest.mark.parametrize("name", ["logo", "Logo 2", "a", "水印", "é", "v1.2", "_x", "a" * 64])
def test_names_of_any_script_are_taken(name: str) -> None:
    assert is_name(name) and lines(name) == []


@pytest.mark.parametrize("name", ["", ".hidden", "..", "../logo", "a/b", "a\\b", "a\n", "a ", "a,b", "a:b", "-a", "a" * 65, "<b>"])
def test_names_that_would_need_quoting_are_refused(name: str) -> None:
    assert not is_name(name)
    assert "expected a name of 1 to 64 letters" in lines(name)[0]


def test_the_digest_is_that_of_both_files_and_not_of_how_they_are_written() -> None:
    plain = parse("logo", PNG, None).digest
    assert parse("other", PNG, b"scale = 0.25 # the default\nopacity = 1").digest == plain
    others = {parse("logo", PNG, table).digest for table in (b"scale = 0.5", b"opacity = 0.5", b'place = "tile"', b"margin = 0")}
    assert len(others | {plain, parse("logo", saved(Image.new("L", (5, 5)), "PNG"), None).digest}) == 6


@pytest.mark.parametrize("language", texts.languages())
def test_every_line_can_be_told_in_every_language(language: str) -> None:
    for name in ("readable_folder", "watermark_without_png", "too_many_watermarks"):
        assert texts.text(f"accepted.{name}", language, most=200)
