"""A folder in memory: that a sync was asked for is what is looked at here, thousands of times, not how long the disk takes for it."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

IN_MEMORY = "/dev/shm"


@pytest.fixture
def quick_folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="wg-", dir=IN_MEMORY if os.access(IN_MEMORY, os.W_OK) else None))
    yield folder
    shutil.rmtree(folder)
