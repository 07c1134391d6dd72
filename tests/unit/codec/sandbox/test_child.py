"""What a child calls what it met: the image's fault, or that of the disk below it."""

from __future__ import annotations

import errno
import os

import pytest

from backend import errors
from backend.codec.sandbox.child import OF_THE_DISK, contract_error


@pytest.mark.parametrize("stage", ["decode", "transform", "encode"])
@pytest.mark.parametrize("code", [*OF_THE_DISK, errno.ENOSPC, errno.EDQUOT], ids=errno.errorcode.get)
def test_a_disk_that_fails_under_an_image_does_not_make_it_a_damaged_one(code: int, stage: str) -> None:
    assert contract_error(OSError(code, os.strerror(code)), stage).is_passing


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (OSError("image file is truncated"), errors.DamagedImage),
        (OSError(errno.EINVAL, "Invalid argument"), errors.DamagedImage),
        (OSError(errno.EFBIG, "File too large"), errors.TooManyPixels),
        (MemoryError(), errors.TooManyPixels),
        (ValueError("a chunk of no length"), errors.DamagedImage),
    ],
    ids=repr,
)
def test_what_an_image_does_is_its_own_fault(error: Exception, kind: type[errors.GatewayError]) -> None:
    found = contract_error(error, "decode")
    assert isinstance(found, kind) and not found.is_passing
