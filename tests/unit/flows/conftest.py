"""A world in memory whose clock stands still."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.fakes.context import MemoryContext


@pytest.fixture
def here() -> Iterator[MemoryContext]:
    """After the test nothing may be open in its store."""
    context = MemoryContext()
    yield context
    left_open = list(context.store.open_files)
    context.close()
    assert left_open == []
