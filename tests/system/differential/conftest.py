"""One sealed codec for all."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from backend.codec.sealed import SealedCodec


@pytest.fixture(scope="session")
def codec() -> Iterator[SealedCodec]:
    sealed = SealedCodec(sandbox="prefer")
    sealed.start()
    yield sealed
    sealed.close()
