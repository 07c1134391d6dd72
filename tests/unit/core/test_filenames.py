"""Names that are shown and offered, whatever a client called its image."""

from __future__ import annotations

import pytest

from backend.core import formats
from backend.core.filenames import archive_name, ascii_name, display_name, isolated, result_name, source_name, unique_name


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        ("cat.jpg", "cat.webp"),
        ("cat", "cat.webp"),
        ("archive.tar.gz", "archive.tar.webp"),
        ("v1.2 final", "v1.2 final.webp"),
        ("my.photograph", "my.photograph.webp"),
        (".jpg", "image.webp"),
        ("", "image.webp"),
        ("我的图片.png", "我的图片.webp"),
    ],
)
def test_a_result_has_its_sources_name_and_its_own_extension(source: str, shown: str) -> None:
    assert result_name(source, formats.OUTPUT["webp"].source.extensions[0]) == shown


@pytest.mark.parametrize(
    ("name", "image_format", "shown"),
    [
        ("cat.jpg", "jpeg", "cat.jpg"),
        ("CAT.JPEG", "jpeg", "CAT.JPEG"),
        ("我的图片.png", "png", "我的图片.png"),
        ("evil.html", "png", "evil.png"),
        ("evil.SVG", "jpeg", "evil.jpg"),
        ("evil.png.html", "png", "evil.png.png"),
        ("evil.html.", "gif", "evil.html..gif"),
        ("evil.html ", "gif", "evil.html .gif"),
        ("evil.webmanifest", "tiff", "evil.webmanifest.tif"),
        ("photo.png", "jpeg", "photo.jpg"),
        ("v1.2 final", "webp", "v1.2 final.webp"),
        ("jpg", "jpeg", "jpg.jpg"),
        (".html", "png", "image.png"),
        ("", "heic", "image.heic"),
    ],
)
def test_a_source_has_its_own_name_and_its_formats_extension(name: str, image_format: str, shown: str) -> None:
    assert source_name(name, formats.BY_NAME[image_format].extensions) == shown


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("C:\\fakepath\\cat.jpg", "cat.jpg"),
        ("/home/me/cat.jpg", "cat.jpg"),
        ("\\\\server\\share\\cat.jpg", "cat.jpg"),
        ("..\\..\\x.png", "x.png"),
        (".\0.", ""),
        ("a/\u202e..", ""),
        ("   ", ""),
        ("Screenshot at 3.04.05\u202fPM.png", "Screenshot at 3.04.05 PM.png"),
        ("図\u3000表.png", "図 表.png"),
        ("می\u200cخواهم.png", "می\u200cخواهم.png"),
        ("photo\u202egnp.exe", "photognp.exe"),
    ],
)
def test_a_shown_name_has_no_folder_and_nothing_unseen(sent: str, shown: str) -> None:
    assert display_name(sent) == shown


@pytest.mark.parametrize("name", ["صورة.png", "١٢.png", "תמונה"])
def test_a_name_from_right_to_left_does_not_turn_its_sentence(name: str) -> None:
    assert isolated(name) == f"\u2068{name}\u2069"
    assert isolated("图 1.png") == "图 1.png"


def test_a_name_in_an_archive_can_be_unpacked_everywhere() -> None:
    taken: set[str] = set()
    long = "图" * 250 + ".webp"
    names = [archive_name(name, taken) for name in (long, long, 'a:b?"c".webp', "CON.webp", "console.webp", "lpt1.tar.webp", "图.webp")]
    assert len(set(names)) == len(names) and all(len(name.encode()) <= 255 for name in names)
    assert names[0].endswith("图.webp") and names[1].endswith("图 (2).webp")
    assert names[2:] == ["a_b__c_.webp", "_CON.webp", "console.webp", "_lpt1.tar.webp", "图.webp"]


def test_names_in_an_archive_differ_also_where_case_does_not_count() -> None:
    taken: set[str] = set()
    assert [unique_name(name, taken) for name in ("a.webp", "A.webp", "a.webp", "noext", "noext")] == [
        "a.webp",
        "A (2).webp",
        "a (3).webp",
        "noext",
        "noext (2)",
    ]


@pytest.mark.parametrize(
    ("name", "plain"), [("我.webp", "image.webp"), (".webp", "image.webp"), ('a"b.png', "ab.png"), ("..", "image"), ("a.我", "a")]
)
def test_the_ascii_name_is_never_empty_and_never_hidden(name: str, plain: str) -> None:
    assert ascii_name(name) == plain


def test_every_output_format_is_one_that_can_be_read_too() -> None:
    for name, output in formats.OUTPUT.items():
        known = formats.BY_NAME[name]
        assert output.name == name and output.source is known and known.pillow is not None
