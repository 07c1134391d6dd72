"""Variants as they come: each is copied out of the file that the child writes, looked at, and kept."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator

from backend import errors
from backend.codec.host.verify import verify
from backend.codec.result_file import write
from backend.core.conversion import Conversion, Made, Variants
from backend.core.variants import conversions

COPY_BYTES = 1 << 20


class VariantKeeper:
    """For all attempts at one conversion: what one attempt made, the next need not give again."""

    def __init__(self, variants: Variants | None, shared_fd: int, conversion: Conversion) -> None:
        self._variants, self._shared_fd, self._conversions = variants, shared_fd, conversions(conversion)
        self._kept: set[int] = set()

    def take(self, made: Made) -> None:
        """Raises ``DamagedImage`` where the bytes are not what the child says, ``StorageFull``, ``BackendUnavailable``."""
        assert self._variants is not None
        if made.number in self._kept:
            return
        own_fd = self._variants.open(made.number)
        try:
            write(own_fd, self._parts(made))
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise errors.StorageFull(private=str(error)) from error
            raise errors.BackendUnavailable(part="store", retry_after_s=5, private=f"a variant could not be copied: {error}") from error
        verify(made.converted, own_fd, self._conversions[made.number])
        self._variants.keep(made.number, made.converted)
        self._kept.add(made.number)

    def _parts(self, made: Made) -> Iterator[bytes]:
        """The child may have cut the file since: then the copy is short, which ``verify`` sees."""
        at, end = made.at, made.at + made.converted.bytes
        while at < end and (part := os.pread(self._shared_fd, min(COPY_BYTES, end - at), at)):
            at += len(part)
            yield part
