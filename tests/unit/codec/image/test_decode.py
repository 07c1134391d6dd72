"""Damaged and hostile files: a result or one of the contract's codes, never ``internal``; the zygote lives on."""

from __future__ import annotations

import time
from pathlib import Path

import psutil
import pytest

from backend import errors
from backend.codec.sealed import SealedCodec
from backend.core.limits import Limits
from tests.system.fuzz.fuzz import mutated
from tests.unit.codec import hostile
from tests.unit.codec.conftest import Convert, corpus, picture, saved
from tests.unit.codec.encoders.test_animation import animated, moving
from tests.unit.codec.test_sealed import zygote

HONEST = (errors.DamagedImage, errors.TooManyPixels, errors.TooManyFrames, errors.EmptyFile, errors.InvalidOption, errors.UnsupportedFormat)


@pytest.mark.parametrize("path", corpus("damaged"), ids=lambda path: path.name)
def test_real_damage_has_a_verdict(convert: Convert, path: Path) -> None:
    try:
        assert convert(path).converted.width
    except HONEST:
        pass


@pytest.mark.parametrize("image_format", ["JPEG", "PNG", "GIF", "WEBP", "TIFF", "BMP", "AVIF", "HEIF", "ICO"])
def test_a_file_that_breaks_off_has_a_verdict(convert: Convert, image_format: str) -> None:
    data = saved(picture(), image_format)
    for share in (0.05, 0.3, 0.6, 0.9):
        try:
            convert(data[: int(share * len(data))])
        except (*HONEST, AssertionError):
            continue


def test_a_truncated_jpeg_is_damaged_and_not_grey(convert: Convert) -> None:
    data = saved(picture(), "JPEG")
    with pytest.raises(errors.DamagedImage):
        convert(data[: len(data) // 2])


@pytest.mark.parametrize("image_format", ["JPEG", "PNG", "GIF", "WEBP", "TIFF", "AVIF", "HEIF", "ICO", "animated PNG", "animated GIF"])
def test_mutations_have_a_verdict(convert: Convert, codec: SealedCodec, image_format: str) -> None:
    kind = image_format.rsplit(maxsplit=1)[-1]
    data = animated(moving(), kind) if " " in image_format else saved(picture(64, 48), kind)
    before = zygote().pid
    for seed in range(25):
        try:
            convert(mutated(data, seed))
        except (*HONEST, AssertionError):
            continue
    assert zygote().pid == before


def test_a_text_bomb_costs_its_text_and_no_time(convert: Convert) -> None:
    data, began = hostile.text_bomb(), time.monotonic()
    assert convert(data, metadata="all").converted.width == 16
    assert time.monotonic() - began < 1.0


def test_a_tiff_with_absurd_strips_is_damaged(convert: Convert) -> None:
    with pytest.raises(HONEST):
        convert(hostile.tiff(5000, 5000, 1, 1 << 30))


def test_a_frame_beyond_the_screen_counts(convert: Convert) -> None:
    bomb = bytearray(hostile.gif(1, 8))
    at = bomb.index(b"\x2c", 20)
    bomb[at + 1 : at + 5] = b"\xff\xff\xff\xff"
    with pytest.raises(errors.TooManyPixels):
        convert(bytes(bomb))


def test_49_megapixels_in_6_kilobytes_convert_within_their_memory(convert: Convert) -> None:
    data = hostile.flat_png(7000, 7000)
    assert len(data) < 8000
    assert convert(data, method=0).converted.width == 7000


def test_a_bomb_costs_the_caller_no_memory(convert: Convert) -> None:
    data, before = hostile.flat_png(7000, 7000), psutil.Process().memory_info().rss
    convert(data, width=100)
    assert psutil.Process().memory_info().rss - before < 20 << 20


def test_a_job_that_needs_more_memory_than_its_pixels_allow_is_told_so(convert: Convert, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backend.codec.resource_limits.BASE_MEMORY_BYTES", 0)
    monkeypatch.setattr("backend.codec.resource_limits.BYTES_A_PIXEL", 1)
    with pytest.raises(errors.TooManyPixels) as caught:
        convert(saved(picture(4000, 3000), "JPEG"), limits=Limits(upload_bytes=1))
    assert caught.value.variant == "memory"
