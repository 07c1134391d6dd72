"""A world in memory whose clock stands still."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.memory.world import MemoryWorld


@pytest.fixture
def here() -> Iterator[MemoryWorld]:
    """After the test nothing may be open in its store."""
    world = MemoryWorld()
    yield world
    left_open = list(world.store.open_files)
    world.close()
    assert left_open == []
