"""A refused variant is named in the reader's language, as far as there is a word for it."""

from __future__ import annotations

import re

import pytest

from backend import errors, texts
from backend.core.image_headers import dib, heif, jpeg, tiff
from backend.texts.problems import problem
from backend.texts.variants import PREFIX, variant_name
from tests.unit.texts.used import BACKEND

ROOMS = "".join(path.read_text("utf-8") for room in ("core/image_headers", "codec") for path in (BACKEND / room).rglob("*.py"))
ENGLISH = {key: text for key, text in texts.sentences("en").items() if key.startswith(PREFIX)}
NAMES = (
    *jpeg._UNREADABLE_FRAMES.values(),
    *("12-bit JPEG", "5-component JPEG", "JPEG that tells its height after the first scan (DNL)", "arithmetic-coded JPEG", "JPEG of another process"),
    *(f"{name} BMP" for name in dib._NAMES.values()),
    *("64-bit BMP", "split-mask BMP", "CgBI (Xcode’s PNG for iOS)", "PNG with the unknown chunk ABCD", "image sequence without a still (AVIF)"),
    *(f"{name} HEIC" for name in heif._NAMES.values()),
    *(f"{name} AVIF" for name in heif._UNREAD_MATRICES.values()),
    *(f"{name}-compressed TIFF" for name in (*tiff._OTHER_COMPRESSIONS.values(), "compression 7")),
    *(f"{name} TIFF" for name in (*tiff._OTHER_COLOURS.values(), "mixed-depth", "32-bit floating-point", "16-bit grey with alpha", "colour space 9")),
)
STAYS = {
    "JPEG",
    "JPEG-LS",
    "BMP",
    "PNG",
    "TIFF",
    "AVIF",
    "HEIC",
    "HEVC",
    "AVC",
    "EVC",
    "VVC",
    "RAW",
    "RLE",
    "CCITT",
    "Lab",
    "ICC",
    "ITU",
    "RGB",
    "CgBI",
    "Scan",
    "Xcode",
    "iOS",
    "XL",
    "DNL",
}


@pytest.mark.parametrize("name", dict.fromkeys(NAMES))
def test_a_refused_variant_kept_its_english_name(name: str) -> None:
    told = problem(errors.UnsupportedFormat("variant", format=name, base="TIFF").as_record(), "zh-CN")["detail"]
    shown = variant_name(name, "zh-CN")
    assert f"该图片为 {shown}，" in told
    left = [word for word in re.findall(r"[A-Za-z][a-z]{2,}", shown) if word.lower() in re.findall(r"[a-z]{3,}", " ".join(ENGLISH.values()).lower())]
    assert set(left) <= STAYS, shown
    assert variant_name(name, "en") == name


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("lossless JPEG", "无损 JPEG"),
        ("CCITT RLE (word-aligned)-compressed TIFF", "CCITT RLE （按字对齐）压缩的 TIFF"),
        ("12-bit JPEG", "12 位 JPEG"),
        ("32-bit floating-point TIFF", "32 位浮点 TIFF"),
        ("16-bit grey with alpha TIFF", "16 位灰度带透明通道 TIFF"),
        ("JPEG 2000-compressed TIFF", "JPEG 2000 压缩的 TIFF"),
        ("lossy JPEG-compressed TIFF", "有损 JPEG 压缩的 TIFF"),
        ("AVC-coded (H.264) HEIC", "AVC 编码的（H.264） HEIC"),
        ("PNG with the unknown chunk abCD", "含未知数据块 abCD 的 PNG"),
        ("JPEG-LS", "JPEG-LS"),
    ],
)
def test_its_name_reads_as_chinese(name: str, shown: str) -> None:
    assert variant_name(name, "zh-CN") == shown


def test_every_part_is_one_that_the_codec_says() -> None:
    fixed = {key: [part for part in re.split(r"\{\w+\}", text) if len(part) > 2] for key, text in ENGLISH.items()}
    assert {key for key, parts in fixed.items() if not all(part.strip() in ROOMS for part in parts)} == set()
