"""A variant is kept as it was copied and looked at: what a child says that is not so, or does to its file afterwards, keeps nothing."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import closing

import pytest
from PIL import Image

from backend import errors
from backend.codec.host.variant_keeper import VariantKeeper
from backend.core.conversion import Conversion, Converted, Made, Shape
from backend.core.limits import Limits
from backend.core.options import Options
from tests.unit.codec.conftest import Variants, saved

ASKED = Conversion(Shape("png", 64, 48), Options(widths="32,16", formats="webp"), Limits())
FIRST, SECOND = (saved(Image.new("RGB", size, "red"), "WEBP") for size in ((32, 24), (16, 12)))


@pytest.fixture
def shared_fd() -> Iterator[int]:
    fd = os.memfd_create("shared")
    os.write(fd, FIRST + SECOND)
    yield fd
    os.close(fd)


@pytest.fixture
def variants() -> Iterator[Variants]:
    with closing(Variants()) as made:
        yield made


def made(number: int, at: int, size: int, sides: tuple[int, int]) -> Made:
    return Made(number, at, Converted(size, *sides, 1))


def test_each_is_kept_as_it_lies_in_the_file(shared_fd: int, variants: Variants) -> None:
    keeper = VariantKeeper(variants, shared_fd, ASKED)
    keeper.take(made(0, 0, len(FIRST), (32, 24)))
    keeper.take(made(1, len(FIRST), len(SECOND), (16, 12)))
    assert [each.data for each in variants.outcomes()] == [FIRST, SECOND]


def test_what_was_kept_is_not_kept_again_by_another_attempt(shared_fd: int, variants: Variants) -> None:
    keeper = VariantKeeper(variants, shared_fd, ASKED)
    for _attempt in range(2):
        keeper.take(made(0, 0, len(FIRST), (32, 24)))
    assert list(variants.kept) == [0]


@pytest.mark.parametrize(
    ("at", "size", "sides"),
    [
        (0, len(FIRST), (32, 23)),
        (0, len(FIRST) - 1, (32, 24)),
        (1, len(FIRST), (32, 24)),
        (len(FIRST), len(SECOND), (32, 24)),
        (0, len(FIRST) + len(SECOND) + 1, (32, 24)),
        (10_000, len(FIRST), (32, 24)),
    ],
    ids=str,
)
def test_nothing_is_kept_that_is_not_as_the_child_says(shared_fd: int, variants: Variants, at: int, size: int, sides: tuple[int, int]) -> None:
    with pytest.raises(errors.DamagedImage):
        VariantKeeper(variants, shared_fd, ASKED).take(made(0, at, size, sides))
    assert variants.kept == {}


def test_what_the_child_does_to_its_file_later_changes_nothing(shared_fd: int, variants: Variants) -> None:
    VariantKeeper(variants, shared_fd, ASKED).take(made(0, 0, len(FIRST), (32, 24)))
    os.pwrite(shared_fd, b"\0" * len(FIRST), 0)
    os.ftruncate(shared_fd, 0)
    assert variants.outcomes()[0].data == FIRST


@pytest.mark.parametrize(
    ("code", "expected"), [(errno.ENOSPC, errors.StorageFull), (errno.EDQUOT, errors.StorageFull), (errno.EIO, errors.BackendUnavailable)]
)
def test_a_disk_that_fails_is_the_worlds_fault(
    shared_fd: int, variants: Variants, monkeypatch: pytest.MonkeyPatch, code: int, expected: type[errors.GatewayError]
) -> None:
    def fail(*_given: object) -> int:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr("backend.codec.result_file.os.pwrite", fail)
    with pytest.raises(expected) as raised:
        VariantKeeper(variants, shared_fd, ASKED).take(made(0, 0, len(FIRST), (32, 24)))
    assert raised.value.is_passing
